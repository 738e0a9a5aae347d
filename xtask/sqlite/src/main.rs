//! Applies SQL scripts, in the order given, to a SQLite file that it creates: `xtask-sqlite FILE SCRIPT…`.
//!
//! A program of its own, since a fresh Debian has no `sqlite3`, and since sqlx inside of `xtask` would make
//! every `cargo xtask` wait for a minutes-long build.

#![expect(clippy::print_stderr, reason = "a program for the terminal")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    if let Err(err) = run().await {
        eprintln!("error: {err}: {}", err.root_cause());
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

async fn run() -> anyhow::Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let file = arguments.next().context("usage: xtask-sqlite FILE SCRIPT…")?;
    let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
    let mut database = options.connect().await.with_context(|| format!("cannot open {}", file.display()))?;
    for script in arguments {
        apply(&mut database, &script).await.with_context(|| format!("cannot apply {}", script.display()))?;
    }
    Ok(database.close().await?)
}

/// Runs one script as it stands, with whatever transactions it brings.
#[expect(
    clippy::disallowed_methods,
    reason = "the text is a script of this repository, not built from input"
)]
async fn apply(database: &mut SqliteConnection, script: &Path) -> anyhow::Result<()> {
    let sql = std::fs::read_to_string(script)?;
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(database).await?;
    Ok(())
}
