//! `execute`: scripts of the user's.

use std::path::{Path, PathBuf};

use clap::ValueHint;
use sqltrack_core::Client;

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
    client.executescript(&script).await.map_err(|err| {
        let message = err.to_string();
        // The library, which does not know where the text comes from, calls it so.
        match message.strip_prefix("script:") {
            Some(rest) => anyhow::Error::from(err).context(format!("{}:{rest}", input::name(path))),
            None => err.into(),
        }
    })
}
