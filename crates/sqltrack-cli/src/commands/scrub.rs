//! `scrub`: masks the secrets that older runs have stored.

use std::io::Write;

use sqltrack_core::{Client, Column, Dialect, Rows, ScrubReport, Value};

use crate::diagnostics::note;
use crate::format::FormatArgs;

/// Mask the secrets that are stored, and print where they were
///
/// Looks at the environment, arguments and extras of runs, and at the extras of experiments, and masks what is recorded
/// with a mask today: what has a name such as `*TOKEN*` or one in `env_mask`, passwords in URLs, keys and tokens. The
/// values are not printed, and cannot be restored: see what `--dry-run` finds first.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
A pattern that begins with `!` keeps what has such a name.

Examples:
  sqltrack-cli scrub --dry-run
  sqltrack-cli scrub --pattern 'LAB_*' --pattern '!sort_key'
  sqltrack-cli scrub --run 7 --run 8")]
pub(crate) struct Args {
    /// Also mask what has such a name (`*`, `?`, `[abc]`; case does not matter); may be given several times
    #[arg(long, value_name = "GLOB")]
    pattern: Vec<String>,
    /// Only this run, and no experiment; may be given several times
    #[arg(long, value_name = "ID", allow_negative_numbers = true)]
    run: Vec<i64>,
    /// Show what would be masked, and mask nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    format: FormatArgs,
}

pub(super) async fn run(args: &Args, client: &Client, out: &mut impl Write) -> anyhow::Result<()> {
    let mut scrub = client.scrub().patterns(args.pattern.iter().cloned()).runs(args.run.iter().copied());
    if args.dry_run {
        scrub = scrub.dry_run();
    }
    let report = scrub.await?;
    args.format.print(rows(&report), out)?;
    out.flush()?;
    if report.values() == 0 {
        note("found nothing to mask");
        return Ok(());
    }
    let counts = format!(
        "{} in {} and {}",
        counted(report.values(), "value"),
        counted(report.runs, "run"),
        counted(report.experiments, "experiment")
    );
    if args.dry_run {
        note(&format!("would mask {counts}"));
    } else {
        note(&format!("masked {counts}; replace the secrets if others could read them"));
        note(remainder(client.dialect()));
    }
    Ok(())
}

fn rows(report: &ScrubReport) -> Rows {
    let column = |name: &str| Column { name: name.to_owned(), type_name: String::new() };
    let row = |(place, count): (&String, &u64)| {
        vec![Value::from(place.as_str()), Value::Int(i64::try_from(*count).unwrap_or(i64::MAX))]
    };
    Rows::new(["place", "values"].map(column).to_vec(), report.places.iter().map(row).collect())
}

fn counted(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// What is left of the old values, and how to get rid of it.
fn remainder(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => {
            "the server keeps the old rows until `VACUUM runs, experiments`, and its backups and write-ahead log longer"
        }
        _ => {
            "the file keeps the old values in its free pages until `echo VACUUM | sqltrack-cli execute`, and backups longer"
        }
    }
}
