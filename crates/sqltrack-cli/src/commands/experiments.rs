//! `experiments`: what experiments there are.

use std::io::Write;

use sqltrack_core::Client;

use crate::diagnostics::note;
use crate::format::FormatArgs;

/// List the experiments, oldest first
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sqltrack-cli experiments
  sqltrack-cli experiments --format jsonl | jq -r .name")]
pub(crate) struct Args {
    #[command(flatten)]
    format: FormatArgs,
}

pub(super) async fn run(args: &Args, client: &Client, out: &mut impl Write) -> anyhow::Result<()> {
    let rows = client.list_experiments().await?;
    let is_empty = rows.is_empty();
    args.format.print(rows, out)?;
    if is_empty {
        note("there are no experiments yet; a program that tracks a run makes the first");
    }
    Ok(())
}
