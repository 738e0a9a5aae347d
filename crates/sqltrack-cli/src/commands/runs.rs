//! `runs`: what runs there are.

use std::io::Write;

use sqltrack_core::Client;

use crate::diagnostics::note;
use crate::format::FormatArgs;

/// List the runs, newest last
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sqltrack-cli runs --limit 10
  sqltrack-cli runs --experiment Iris --format csv")]
pub(crate) struct Args {
    /// Only the runs of this experiment, given by its name, or by its id if none has such a name
    #[arg(long, value_name = "NAME|ID")]
    experiment: Option<String>,
    /// Only so many of the newest runs
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    #[command(flatten)]
    format: FormatArgs,
}

pub(super) async fn run(args: &Args, client: &Client, out: &mut impl Write) -> anyhow::Result<()> {
    let experiment = match &args.experiment {
        Some(name_or_id) => Some(client.find_experiment(name_or_id).await?),
        None => None,
    };
    let rows = client.list_runs(experiment, args.limit).await?;
    args.format.print(&rows, out)?;
    if rows.is_empty() && args.limit != Some(0) {
        match &args.experiment {
            Some(experiment) => note(&format!("experiment `{experiment}` has no runs yet")),
            None => note("there are no runs yet; a program that tracks one makes the first"),
        }
    }
    Ok(())
}
