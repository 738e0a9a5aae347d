//! One of several processes that write at the same time, each to a run of its own.

use std::time::Duration;

use anyhow::Result;
use clap::Args;

use super::{By, Target};
use crate::cases::rows::{LibraryRows, RawRows, Writes};
use crate::database::client;
use crate::raw::Raw;

const WIDTH: usize = 5;

/// For each line that it reads, makes a run and says `ready`, or writes rows to that and says how many, in turn.
#[derive(Args)]
pub(crate) struct Writer {
    #[command(flatten)]
    target: Target,
    /// For how many milliseconds it writes rows that are awaited.
    #[arg(long, default_value = "0")]
    millis: u64,
    /// Instead writes so many rows in batches, or by recording them and flushing at the end.
    #[arg(long)]
    unawaited: Option<u32>,
}

impl Writer {
    pub(super) async fn play(self) -> Result<()> {
        let url = &self.target.url;
        if let Some(rows) = self.unawaited {
            use crate::cases::recorded::{LibraryRecords, RawBatches};
            return match self.target.by {
                By::Raw => serve(RawBatches::new(Raw::connect(url, WIDTH).await?, WIDTH, rows)).await,
                By::Library => serve(LibraryRecords::new(client(url, &[]).await?, WIDTH, rows).await?).await,
            };
        }
        let span = Duration::from_millis(self.millis);
        match self.target.by {
            By::Raw => serve(RawRows::new(Raw::connect(url, WIDTH).await?, WIDTH, span)).await,
            By::Library => serve(LibraryRows::new(client(url, &[]).await?, WIDTH, span).await?).await,
        }
    }
}

async fn serve(mut rows: impl Writes) -> Result<()> {
    while is_told()? {
        rows.prepare().await?;
        println!("ready");
        if is_told()? {
            println!("{}", rows.write().await?);
        }
    }
    Ok(())
}

/// Waits for a line; there is none when the parent has ended.
fn is_told() -> Result<bool> {
    Ok(std::io::stdin().read_line(&mut String::new())? > 0)
}
