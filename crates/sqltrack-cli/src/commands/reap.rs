//! `reap`: runs that died without a word.

use std::io::Write;
use std::time::Duration;

use sqltrack_core::{Client, Column, ReapedRun, Rows, Value};

use crate::diagnostics::note;
use crate::format::FormatArgs;

/// Write down for good that runs are dead of which nothing was heard for too long
///
/// A run that is tracked has a heartbeat, every 30 s by default. One that is RUNNING and has missed three of them shows as
/// LOST, until it is heard of again; this gives it a status that stays, and prints it. A run that lives is never given up,
/// nor one that was started without tracking, unless `--untracked` asks for that.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  sqltrack-cli reap --dry-run
  sqltrack-cli reap --stale 1h --status TIMEOUT
  */10 * * * * sqltrack-cli reap --format jsonl      a line of a crontab")]
pub(crate) struct Args {
    /// For how long nothing must have been heard of a run, like `90s`, `10m` or `1h 30m`; at least three heartbeats
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = duration)]
    stale: Duration,
    /// The status that the runs get
    #[arg(long, default_value = "NODE_FAIL")]
    status: String,
    /// Judge also runs that were started without tracking, by the time of their last update
    #[arg(long)]
    untracked: bool,
    /// Only show which runs it would be
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    format: FormatArgs,
}

fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|err| format!("{err}; write it like `90s`, `10m` or `1h 30m`"))
}

pub(super) async fn run(args: &Args, client: &Client, out: &mut impl Write) -> anyhow::Result<()> {
    let mut reap = client.reap().stale(args.stale).status(args.status.as_str());
    if args.untracked {
        reap = reap.untracked();
    }
    if args.dry_run {
        reap = reap.dry_run();
    }
    let reaped = reap.await?;
    let is_empty = reaped.is_empty();
    args.format.print(rows(reaped), out)?;
    if is_empty {
        note("there is no run of which nothing was heard for so long");
    }
    Ok(())
}

fn rows(reaped: Vec<ReapedRun>) -> Rows {
    let columns = ["run", "experiment", "holder", "last_heard"];
    let columns = columns.map(|name| Column { name: name.to_owned(), type_name: String::new() });
    let row = |reaped: ReapedRun| {
        vec![
            reaped.run.into(),
            reaped.experiment.into(),
            reaped.holder.into(),
            Value::from(reaped.last_heard),
        ]
    };
    Rows::new(columns.to_vec(), reaped.into_iter().map(row).collect())
}
