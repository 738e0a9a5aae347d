//! `runs`: what runs there are.

use std::io::Write;

use sqltrack_core::{Client, RunListing};

use crate::best::BestOf;
use crate::columns;
use crate::diagnostics::note;
use crate::format::FormatArgs;

/// List the runs, newest last
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sqltrack-cli runs --limit 10
  sqltrack-cli runs --experiment Iris --format csv
  sqltrack-cli runs --experiment Iris --best val/accuracy:max --sort val/accuracy:desc --limit 5
  sqltrack-cli runs --where \"status = 'FAILED'\" --columns id,started,args.lr,env.HOST")]
pub(crate) struct Args {
    /// Only the runs of this experiment, given by its name, or by its id if none has such a name
    #[arg(long, value_name = "NAME|ID")]
    experiment: Option<String>,
    /// Only the runs that meet a condition in SQL, about the columns of the list, `args`, `env` and `extras`
    #[arg(long = "where", value_name = "SQL")]
    condition: Option<String>,
    /// Only so many of the newest runs, or of the first ones as they are sorted
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    /// Also the best value of a metric in each run, and its step; may be given several times
    #[arg(long, value_name = "METRIC:max|min")]
    best: Vec<BestOf>,
    /// Which columns to show, separated by commas: those of the list, metrics of `--best`, `args.NAME`, `env.NAME`, `extras.NAME`
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    columns: Vec<String>,
    /// The column to sort by, smallest first, or with `:desc` largest first; runs without a value come last
    #[arg(long, value_name = "NAME[:desc]")]
    sort: Option<String>,
    #[command(flatten)]
    format: FormatArgs,
}

pub(super) async fn run(args: &Args, client: &Client, out: &mut impl Write) -> anyhow::Result<()> {
    let experiment = match &args.experiment {
        Some(name_or_id) => Some(client.find_experiment(name_or_id).await?),
        None => None,
    };
    let wanted = args.columns.iter().chain(&args.sort);
    let listing = RunListing {
        experiment,
        condition: args.condition.clone(),
        // What is sorted is sorted whole.
        limit: args.limit.filter(|_| args.sort.is_none()),
        details: wanted.into_iter().any(|name| columns::is_detail(name)),
    };
    let mut rows = client.list_runs_as(&listing).await?;
    for best in &args.best {
        rows = best.add_to(rows, client).await?;
    }
    if let Some(sort) = &args.sort {
        rows = columns::sorted(rows, sort, args.limit)?;
    }
    if !args.columns.is_empty() {
        rows = columns::chosen(rows, &args.columns)?;
    } else if listing.details {
        rows = columns::without_details(rows);
    }
    let is_empty = rows.is_empty();
    args.format.print(rows, out)?;
    if is_empty && args.limit != Some(0) {
        match &args.experiment {
            _ if args.condition.is_some() => note("no run meets the condition"),
            Some(experiment) => note(&format!("experiment `{experiment}` has no runs yet")),
            None => note("there are no runs yet; a program that tracks one makes the first"),
        }
    }
    Ok(())
}
