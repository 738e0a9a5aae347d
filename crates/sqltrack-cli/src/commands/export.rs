//! `export`: the metrics of many runs as one table.

use std::io::Write;

use sqltrack_core::{Client, MetricExport};

use crate::diagnostics::note;
use crate::format::FormatArgs;
use crate::named::RunName;
use crate::progress::Progress;

/// Write the metrics of many runs as one table, such as a file of Parquet
///
/// Without runs and experiment, those of all runs are written. All that was tracked is there, as `metrics` shows it: NaN on SQLite,
/// and metrics beyond the number of columns. Whatever its size, the table takes little memory.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sqltrack-cli export -o all.parquet
  sqltrack-cli export --experiment Iris --metric loss -o iris.csv
  sqltrack-cli export 7 8 --format jsonl | gzip > runs.jsonl.gz")]
pub(crate) struct Args {
    /// The ids of the runs, or the environment variables that hold them
    #[arg(value_name = "ID|VARIABLE", allow_negative_numbers = true)]
    runs: Vec<RunName>,
    /// Only the runs of this experiment, given by its name, or by its id if none has such a name
    #[arg(long, value_name = "NAME|ID")]
    experiment: Option<String>,
    /// Only this metric; may be given several times
    #[arg(short, long, value_name = "NAME")]
    metric: Vec<String>,
    #[command(flatten)]
    format: FormatArgs,
}

pub(super) async fn run(args: &Args, client: &Client, out: &mut impl Write) -> anyhow::Result<()> {
    args.format.name()?;
    let experiment = match &args.experiment {
        Some(name_or_id) => Some(client.find_experiment(name_or_id).await?),
        None => None,
    };
    let mut runs = Vec::with_capacity(args.runs.len());
    for run in &args.runs {
        runs.push(run.handle(client)?.id());
    }
    // That a run does not exist is told.
    client.lone(runs.iter().copied()).await?;
    let export = MetricExport { experiment, runs, metrics: args.metric.clone() };
    let mut parts = client.export_metrics(&export).await?;
    let total = parts.total();
    let mut progress = Progress::new();
    let mut done = 0;
    let next = async || {
        let rows = parts.next().await?;
        done += rows.as_ref().map_or(0, sqltrack_core::Rows::len) as u64;
        progress.show(done, total, &format!("{done} of {total} rows"));
        Ok(rows)
    };
    args.format.print_parts(next, out).await?;
    if total == 0 {
        note("there are no metrics yet");
    }
    Ok(())
}
