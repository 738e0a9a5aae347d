//! One of several processes that write at the same time, each to a run of its own.

use anyhow::Result;
use clap::Args;

use super::{By, Target};
use crate::cases::rows::{LibraryRows, RawRows, Writes};
use crate::database::client;
use crate::raw::Raw;

const WIDTH: usize = 5;

/// Says `ready`, and for each line that it reads, writes rows, says `done`, and `ready` again.
#[derive(Args)]
pub(crate) struct Writer {
    #[command(flatten)]
    target: Target,
    /// How many rows.
    #[arg(long)]
    rows: u32,
    /// Write batches, or record rows and flush them at the end, instead of awaiting each row.
    #[cfg(feature = "unawaited")]
    #[arg(long)]
    unawaited: bool,
}

impl Writer {
    pub(super) async fn play(self) -> Result<()> {
        let url = &self.target.url;
        #[cfg(feature = "unawaited")]
        if self.unawaited {
            use crate::cases::recorded::{LibraryRecords, RawBatches};
            return match self.target.by {
                By::Raw => serve(RawBatches::new(Raw::connect(url, WIDTH).await?, WIDTH, self.rows)).await,
                By::Library => {
                    serve(LibraryRecords::new(client(url, &[]).await?, WIDTH, self.rows).await?).await
                }
            };
        }
        match self.target.by {
            By::Raw => serve(RawRows::new(Raw::connect(url, WIDTH).await?, WIDTH, self.rows)).await,
            By::Library => serve(LibraryRows::new(client(url, &[]).await?, WIDTH, self.rows).await?).await,
        }
    }
}

async fn serve(mut rows: impl Writes) -> Result<()> {
    let mut line = String::new();
    loop {
        rows.prepare().await?;
        println!("ready");
        if std::io::stdin().read_line(&mut line)? == 0 {
            return Ok(());
        }
        rows.write().await?;
        println!("done");
    }
}
