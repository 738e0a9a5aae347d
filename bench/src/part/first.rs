//! From the start of a process to its first metric.

use anyhow::Result;
use clap::Args;
use sqltrack_core::Experiment;

use super::{By, Target};
use crate::database::{EXPERIMENT, client, names, pairs};
use crate::raw::Raw;

const WIDTH: usize = 5;

/// Commits one row.
#[derive(Args)]
pub(crate) struct First {
    #[command(flatten)]
    target: Target,
    /// The run to write to; without one, a new one.
    #[arg(long)]
    run: Option<i64>,
}

impl First {
    pub(super) async fn play(self) -> Result<()> {
        let url = &self.target.url;
        match self.target.by {
            By::Raw => {
                let mut raw = Raw::connect(url, WIDTH).await?;
                let run = match self.run {
                    Some(run) => run,
                    None => raw.new_run(EXPERIMENT).await?,
                };
                raw.upsert(run, 0, &[0.5; WIDTH]).await?;
                println!("committed");
                raw.close().await
            }
            By::Library => {
                let client = client(url, &[]).await?;
                let run = match self.run {
                    Some(run) => client.run(run),
                    None => Experiment::open(&client, EXPERIMENT).await?.new_run().await?,
                };
                run.add_metrics(pairs(names(WIDTH))).await?;
                println!("committed");
                client.close().await;
                Ok(())
            }
        }
    }
}
