//! `start`: a run begins.

use sqltrack_core::{Client, Stamp};

use crate::named::RunName;
use crate::typed;

/// Start a run: its status becomes RUNNING, and its times are set
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sqltrack-cli start 7
  sqltrack-cli start SLURM_JOB_ID
  sqltrack-cli start                     in a job, where SQLTRACK_RUN_ID is set")]
pub(crate) struct Args {
    /// The id of the run, or the environment variable that holds it
    #[arg(value_name = "ID|VARIABLE", default_value = RunName::OF_JOB, allow_negative_numbers = true)]
    run: RunName,
    /// When it was started
    #[arg(long, value_name = "TIME|now|keep", default_value = "now", value_parser = typed::stamp)]
    started: Stamp,
    /// When it was last heard of
    #[arg(long, value_name = "TIME|now|keep", default_value = "now", value_parser = typed::stamp)]
    updated: Stamp,
}

pub(super) async fn run(args: &Args, client: &Client) -> anyhow::Result<()> {
    let run = args.run.handle(client)?;
    run.start().set_started(args.started).set_updated(args.updated).await?;
    Ok(())
}
