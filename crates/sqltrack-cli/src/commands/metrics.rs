//! `metrics`: the metrics of runs.

use std::io::Write;

use sqltrack_core::Client;

use crate::diagnostics::note;
use crate::format::FormatArgs;
use crate::lineage;
use crate::named::RunName;

/// Show the metrics of runs by step and progress, one column for each
///
/// Runs that continue others (by links of the kind `resumes`) are shown together with them, as one series in which a later
/// run wins from its first step on. All that was tracked is shown, also what SQLite or the table `metrics` cannot hold: NaN
/// on SQLite, and metrics beyond the number of columns.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sqltrack-cli metrics 7
  sqltrack-cli metrics 7 8 --metric loss --metric accuracy --format csv")]
pub(crate) struct Args {
    /// The ids of the runs, or the environment variables that hold them
    #[arg(value_name = "ID|VARIABLE", default_value = RunName::OF_JOB, allow_negative_numbers = true)]
    runs: Vec<RunName>,
    #[command(flatten)]
    links: lineage::LinkArgs,
    /// Only this metric; may be given several times
    #[arg(long, value_name = "NAME")]
    metric: Vec<String>,
    #[command(flatten)]
    format: FormatArgs,
}

pub(super) async fn run(args: &Args, client: &Client, out: &mut impl Write) -> anyhow::Result<()> {
    let lineages = args.links.lineages(&args.runs, client).await?;
    let rows = match lineages.as_slice() {
        [lineage] if lineage.runs.len() == 1 => client.list_metrics(lineage.id, &args.metric).await?,
        lineages => client.list_series(lineages, &args.metric).await?,
    };
    let is_empty = rows.is_empty();
    args.format.print(rows, out)?;
    if is_empty {
        note(&format!("run {} has no metrics yet", lineage::runs(&lineages)));
    }
    Ok(())
}
