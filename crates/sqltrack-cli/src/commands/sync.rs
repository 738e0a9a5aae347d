//! `sync`: what processes have left in a spool.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{anyhow, bail};
use clap::ValueHint;
use sqltrack_core::{Client, Column, Rows, SyncReport, Value};

use crate::diagnostics::note;
use crate::format::FormatArgs;
use crate::progress::Progress;

/// Deliver the metrics that processes have left in a spool
///
/// A process that could not reach the database, or was killed, leaves its metrics in a folder of the spool.
/// This delivers them in order, each once: it may be interrupted, repeated, and run twice at once. Processes that live are
/// left alone. What the database refuses for good is kept in `rejected.jsonl` of the folder, with the reason.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Exit status 1 says that not all of it is in the database: entries were refused, damaged, or are for another database.

Examples:
  sqltrack-cli sync
  sqltrack-cli sync /scratch/spool --verify
  sqltrack-cli sync --dry-run --format json")]
pub(crate) struct Args {
    /// The spool, or the folder of one process in it; the parameter `spool` if left out
    #[arg(value_hint = ValueHint::DirPath)]
    dir: Option<PathBuf>,
    /// Look into the database, after each delivery, whether the rows are there
    #[arg(long)]
    verify: bool,
    /// Deliver also what is for another database
    #[arg(long)]
    force: bool,
    /// Only show what there is to deliver
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    format: FormatArgs,
}

pub(super) async fn run(args: &Args, client: &Client, out: &mut impl Write) -> anyhow::Result<()> {
    let config = client.config();
    let default = || config.spool_or_default().filter(|spool| config.spool().is_some() || spool.exists());
    let report = match args.dir.clone().or_else(default) {
        Some(dir) => deliver(args, client, dir).await?,
        None => SyncReport::default(),
    };
    args.format.print(rows(&report), out)?;
    out.flush()?;
    tell(&report);
    if report.is_clean() { Ok(()) } else { bail!(problems(&report).join("; ")) }
}

async fn deliver(args: &Args, client: &Client, dir: PathBuf) -> anyhow::Result<SyncReport> {
    if !dir.is_dir() {
        return Err(anyhow!("there is no spool `{}`; name its folder, or set `spool`", dir.display()));
    }
    let mut sync = client.sync(dir).verify(args.verify);
    if args.force {
        sync = sync.force();
    }
    if args.dry_run {
        sync = sync.dry_run();
    }
    let mut progress = Progress::new();
    let sync = sync.progress(move |so_far| {
        progress.show(so_far.done, so_far.total, &format!("{} entries", so_far.delivered));
    });
    Ok(sync.await?)
}

fn rows(report: &SyncReport) -> Rows {
    let runs = report.runs_created.len() as u64;
    let mut cells = vec![
        ("delivered", report.delivered),
        ("already_there", report.already_there),
        ("rejected", report.rejected),
        ("damaged_bytes", report.damaged_bytes),
        ("runs_created", runs),
    ];
    if let Some(verified) = report.verified {
        cells.extend([("rows_expected", verified.expected), ("rows_found", verified.found)]);
    }
    let column = |name: &str| Column { name: name.to_owned(), type_name: String::new() };
    let columns = cells.iter().map(|(name, _)| column(name)).collect();
    let values = cells.iter().map(|(_, count)| Value::Int(i64::try_from(*count).unwrap_or(i64::MAX)));
    Rows::new(columns, vec![values.collect()])
}

/// What is no problem, but good to know.
fn tell(report: &SyncReport) {
    match report.writers_alive {
        0 => {}
        1 => note("one process that still runs, or is being delivered, was left alone"),
        count => note(&format!("{count} processes that still run, or are being delivered, were left alone")),
    }
    for run in &report.runs_lost {
        note(&format!("run {run} had no end: its process died; it is NODE_FAIL now"));
    }
}

fn problems(report: &SyncReport) -> Vec<String> {
    let mut problems = Vec::new();
    if report.rejected > 0 {
        problems.push(format!(
            "the database refused {}; see `rejected.jsonl` in the folders of the spool",
            counted(report.rejected, "entry", "entries")
        ));
    }
    if report.damaged_bytes > 0 {
        problems.push(format!(
            "{} held no entry any more; the files are kept with the ending `.damaged`",
            counted(report.damaged_bytes, "byte", "bytes")
        ));
    }
    if report.writers_waiting > 0 {
        problems.push(format!(
            "what {} left is about runs that others began without a database; it waits until their part arrives",
            counted(report.writers_waiting, "process", "processes")
        ));
    }
    for other in &report.for_others {
        problems.push(format!(
            "`{}` is for {}; connect to that, or use --force",
            other.path.display(),
            other.target
        ));
    }
    if let Some(verified) = report.verified
        && verified.found != verified.expected
    {
        problems.push(format!(
            "{} of {} rows are not in the database; were they deleted?",
            verified.expected - verified.found,
            verified.expected
        ));
    }
    problems
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
