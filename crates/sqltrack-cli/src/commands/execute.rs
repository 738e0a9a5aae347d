//! `execute`: scripts of the user's.

use std::path::{Path, PathBuf};

use clap::ValueHint;
use sqltrack_core::{Client, Error};

use crate::input;

/// Run a script of SQL statements from a file or standard input, all of it or nothing
///
/// A statement that cannot run in a transaction (CREATE DATABASE), or `-- no-transaction` as the first line, makes the
/// script run statement by statement; then what ran before an error stays. Rows are not shown; see `query`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  sqltrack-cli execute cleanup.sql
  sqltrack-cli grant bob | sqltrack-cli execute
  sqltrack-cli create | sqltrack-cli -u postgres -d postgres execute")]
pub(crate) struct Args {
    /// The script; standard input if left out, or `-`
    #[arg(value_hint = ValueHint::FilePath)]
    file: Option<PathBuf>,
}

pub(super) async fn run(args: &Args, client: &Client) -> anyhow::Result<()> {
    let path = args.file.as_deref().unwrap_or(Path::new("-"));
    let script = input::file(path)?;
    client.executescript(&script).await.map_err(|err| named(err, &input::name(path)))
}

/// The error with the name of the script, which the library does not know.
fn named(err: Error, name: &str) -> anyhow::Error {
    let message = err.to_string();
    let of_statement = message.strip_prefix("script:").map(|rest| format!("{name}:{rest}"));
    let of_text = || message.strip_prefix("`script`, ").map(|rest| format!("{name}, {rest}"));
    match of_statement.or_else(of_text) {
        Some(message) => anyhow::Error::from(err).context(message),
        None => err.into(),
    }
}
