//! `metrics`: the metrics of a run.

use std::io::Write;

use sqltrack_core::Client;

use crate::diagnostics::note;
use crate::format::FormatArgs;
use crate::named::RunName;

/// Show the metrics of a run by step and progress, one column for each
///
/// All that was tracked is shown, also what SQLite or the table `metrics` cannot hold: NaN on SQLite, and metrics
/// beyond the number of columns.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sqltrack-cli metrics 7
  sqltrack-cli metrics 7 --metric loss --metric accuracy --format csv")]
pub(crate) struct Args {
    /// The id of the run, or the environment variable that holds it
    #[arg(value_name = "ID|VARIABLE", default_value = RunName::OF_JOB, allow_negative_numbers = true)]
    run: RunName,
    /// Only this metric; may be given several times
    #[arg(long, value_name = "NAME")]
    metric: Vec<String>,
    #[command(flatten)]
    format: FormatArgs,
}

pub(super) async fn run(args: &Args, client: &Client, out: &mut impl Write) -> anyhow::Result<()> {
    let run = args.run.handle(client)?.id();
    let rows = client.list_metrics(run, &args.metric).await?;
    args.format.print(&rows, out)?;
    if rows.is_empty() {
        note(&format!("run {run} has no metrics yet"));
    }
    Ok(())
}
