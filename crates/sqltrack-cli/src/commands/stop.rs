//! `stop`: a run ends.

use sqltrack_core::{Client, Stamp, Status};

use crate::named::RunName;
use crate::typed;

/// Stop a run: its status becomes COMPLETED, or the one that is given
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sqltrack-cli stop 7
  python train.py && sqltrack-cli stop || sqltrack-cli stop --status FAILED")]
pub(crate) struct Args {
    /// The id of the run, or the environment variable that holds it
    #[arg(value_name = "ID|VARIABLE", default_value = RunName::OF_JOB, allow_negative_numbers = true)]
    run: RunName,
    /// How it ended: any text; those of Slurm in any case
    #[arg(long, default_value = "COMPLETED", value_parser = typed::status)]
    status: Status,
    /// When it was last heard of
    #[arg(long, value_name = "TIME|now|keep", default_value = "now", value_parser = typed::stamp)]
    updated: Stamp,
}

pub(super) async fn run(args: &Args, client: &Client) -> anyhow::Result<()> {
    let run = args.run.handle(client)?;
    run.stop_with(args.status.clone()).set_updated(args.updated).await?;
    Ok(())
}
