//! `report`: an experiment as one page.

use std::path::PathBuf;

use clap::ValueHint;
use sqltrack_analysis::report::{ReportOptions, report};
use sqltrack_core::Client;

use crate::best::BestOf;
use crate::diagnostics::note;

/// Write an experiment as one page: its runs, their curves, and in what they differ
///
/// The page needs nothing else: no network, no other file. Its tables can be sorted, and its charts zoomed into.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sqltrack-cli report Iris -o report.html
  sqltrack-cli report Iris --best val/accuracy:max --metric loss --runs 5 -o report.html")]
pub(crate) struct Args {
    /// The experiment, given by its name, or by its id if none has such a name
    #[arg(value_name = "NAME|ID")]
    experiment: String,
    /// The file to write
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: PathBuf,
    /// Also the best value of a metric in each run, the best run first; may be given several times
    #[arg(long, value_name = "METRIC:max|min")]
    best: Vec<BestOf>,
    /// Only the curves of this metric; may be given several times
    #[arg(short, long, value_name = "NAME")]
    metric: Vec<String>,
    /// Of how many runs to draw curves and compare settings: the best ones, or the newest
    #[arg(long, value_name = "N", default_value_t = 8)]
    runs: usize,
}

pub(super) async fn run(args: &Args, client: &Client) -> anyhow::Result<()> {
    let experiment = client.find_experiment(&args.experiment).await?;
    let options = ReportOptions {
        best: args.best.iter().map(|best| (best.metric.clone(), best.goal)).collect(),
        metrics: args.metric.clone(),
        runs: args.runs,
    };
    let page = report(client, experiment, &options).await?;
    crate::file::write(&args.output, page)?;
    note(&format!("wrote {}", args.output.display()));
    Ok(())
}
