//! A queue that only grows: the database is locked.

use anyhow::{Context as _, Result};
use clap::Args;
use sqltrack_core::{Experiment, MetricSet};

use crate::database::{EXPERIMENT, Engine, client, names};
use crate::raw::Raw;
use crate::timing::as_f64;

const WIDTH: usize = 5;

/// Records rows while the table is locked, and prints the bytes that each takes: in the memory of the process, and
/// by the library's own count.
#[derive(Args)]
pub(crate) struct Queue {
    #[arg(long)]
    url: String,
    #[arg(long)]
    rows: u32,
}

impl Queue {
    pub(super) async fn play(self) -> Result<()> {
        let url = &self.url;
        let client = client(url, &[]).await?;
        let run = Experiment::open(&client, EXPERIMENT).await?.new_run().await?;
        let set = MetricSet::new(names(WIDTH))?;
        // Connects, and makes what there is only once.
        run.record_values(0, &set, [0.5; WIDTH])?;
        client.flush().await?;
        let mut lock = Raw::connect(url, WIDTH).await?;
        match Engine::of_url(url) {
            Engine::Postgres => {
                lock.execute("BEGIN").await?;
                lock.execute("LOCK TABLE metrics IN ACCESS EXCLUSIVE MODE").await?;
            }
            Engine::Sqlite => lock.execute("BEGIN IMMEDIATE").await?,
        }
        let before = resident()?;
        for step in 1..=self.rows {
            run.record_values(i64::from(step), &set, [0.5; WIDTH])?;
        }
        let (after, stats) = (resident()?, client.stats());
        lock.execute("ROLLBACK").await?;
        client.flush().await?;
        client.close().await;
        let rows = f64::from(self.rows);
        println!("{} {}", as_f64(after.saturating_sub(before)) / rows, stats.queued_bytes as f64 / rows);
        Ok(())
    }
}

/// The bytes of memory that the process uses.
fn resident() -> Result<u64> {
    let text = std::fs::read_to_string("/proc/self/status").context("there is no /proc to ask")?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("there is no VmRSS")?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes * 1024)
}
