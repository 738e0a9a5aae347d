//! `compare`: in what runs differ.

use std::io::Write;

use sqltrack_analysis::compare::compare;
use sqltrack_core::Client;

use crate::diagnostics::note;
use crate::format::{FormatArgs, FormatName};
use crate::lineage::LinkArgs;
use crate::named::RunName;
use crate::screen;

/// Compare runs: what they are, their arguments, environments and metrics
///
/// What all runs have in common is left out. Of a metric that is a number, the smallest and the largest value are compared; NaN
/// and infinities are counted.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sqltrack-cli compare 7 8
  sqltrack-cli compare 7 8 9 --all --format html > compared.html")]
pub(crate) struct Args {
    /// The ids of the runs, or the environment variables that hold them
    #[arg(value_name = "ID|VARIABLE", required = true, allow_negative_numbers = true)]
    runs: Vec<RunName>,
    /// Also what is the same for all; what differs is marked
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    links: LinkArgs,
    #[command(flatten)]
    format: FormatArgs,
}

pub(super) async fn run(args: &Args, client: &Client, out: &mut impl Write) -> anyhow::Result<()> {
    let mut runs = Vec::with_capacity(args.runs.len());
    for run in &args.runs {
        runs.push(run.handle(client)?.id());
    }
    let comparison = compare(client, &runs, args.links.kind()).await?;
    // There is nothing to compare one run with.
    let all = args.all || runs.len() == 1;
    let screen = screen::of_stdout();
    if args.format.name()? == FormatName::Html {
        args.format.print_text(&comparison.table(all).page("SQLTrack: comparison"), out)?;
    } else if args.format.is_for_terminal() && screen.is_some() {
        args.format.print_text(&comparison.table(all).terminal(screen), out)?;
    } else {
        args.format.print(comparison.to_rows(all), out)?;
    }
    if !all && comparison.rows.iter().all(|row| !row.differs()) {
        note("the runs do not differ; `--all` shows what they have");
    }
    Ok(())
}
