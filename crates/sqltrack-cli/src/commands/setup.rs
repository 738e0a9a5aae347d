//! `setup`: the base schema and the user's scripts.

use std::io::Write;
use std::path::PathBuf;

use anyhow::bail;
use clap::ValueHint;
use sqltrack_core::{Client, ScriptReport, ScriptState};
use tokio::sync::mpsc;

use crate::diagnostics::note;

/// Create the tables, then apply scripts in the order given, each of them once
///
/// A script is known by its file name without folders. It is applied whole or not at all, and printed as `(NEW)` when
/// it has been applied just now, `(OK)` when it was before, `(CHANGED)` when it was before with another text.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
A script that was applied is not run again, also if its text has changed: put the change into a new script.

Examples:
  sqltrack-cli setup
  sqltrack-cli setup v001.sql v002.sql
  sqltrack-cli setup --check migrations/*.sql     in CI: fails if a script is pending or was changed")]
pub(crate) struct Args {
    /// Scripts to apply after the base schema
    #[arg(value_hint = ValueHint::FilePath)]
    path: Vec<PathBuf>,
    /// Show what would be applied, and apply nothing
    #[arg(long)]
    dry_run: bool,
    /// Apply nothing, and fail if a script is pending or was changed
    #[arg(long)]
    check: bool,
}

pub(super) async fn run(args: &Args, client: &Client, out: &mut impl Write) -> anyhow::Result<()> {
    let mut setup = client.setup().scripts(args.path.iter().cloned());
    if args.dry_run || args.check {
        setup = setup.dry_run();
    }
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let setup = setup.on_report(move |report| {
        // Nobody listens once the output has failed.
        let _ = sender.send(report.clone());
    });
    let print = async {
        while let Some(report) = receiver.recv().await {
            print(&report, out)?;
        }
        anyhow::Ok(())
    };
    // What was applied before a failure is told first.
    let (reports, printed) = tokio::join!(async { setup.await }, print);
    let reports = reports?;
    printed?;
    if args.check { check(&reports) } else { Ok(()) }
}

fn print(report: &ScriptReport, out: &mut impl Write) -> anyhow::Result<()> {
    writeln!(out, "{report}")?;
    out.flush()?;
    if report.state == ScriptState::Changed {
        note(&format!(
            "{} is not what it was when it was applied, and was not run again; put the change into a new script",
            report.name
        ));
    }
    Ok(())
}

fn check(reports: &[ScriptReport]) -> anyhow::Result<()> {
    let of = |state| {
        let names = reports.iter().filter(|report| report.state == state).map(|report| report.name.as_str());
        names.collect::<Vec<_>>().join(", ")
    };
    match (of(ScriptState::New), of(ScriptState::Changed)) {
        (new, changed) if new.is_empty() && changed.is_empty() => Ok(()),
        (new, changed) if changed.is_empty() => bail!("pending: {new}; run `sqltrack-cli setup`"),
        (new, changed) if new.is_empty() => bail!("changed: {changed}; restore it, and add a new script"),
        (new, changed) => {
            bail!(
                "pending: {new}; changed: {changed}; restore what was changed, then run `sqltrack-cli setup`"
            )
        }
    }
}
