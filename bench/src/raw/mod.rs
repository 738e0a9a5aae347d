//! The other side: the driver alone, used as well as one can, for the same rows in the same tables.

#![expect(clippy::disallowed_methods, reason = "the statements' columns depend on the case")]

mod postgres;
mod sqlite;

use std::sync::Arc;

use anyhow::Result;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};

use crate::database::{Engine, names};

/// How many rows a batch has.
pub(crate) const BATCH: usize = 1000;

/// One connection of the driver, and the statements for rows of some width.
pub(crate) enum Raw {
    Postgres(postgres::Connection),
    Sqlite(sqlite::Connection),
}

/// Runs the same expression on either connection.
macro_rules! on_either {
    ($raw:expr, $conn:ident => $body:expr) => {
        match $raw {
            Raw::Postgres($conn) => $body,
            Raw::Sqlite($conn) => $body,
        }
    };
}

impl Raw {
    pub(crate) async fn connect(url: &str, width: usize) -> Result<Self> {
        Ok(match Engine::of_url(url) {
            Engine::Postgres => Self::Postgres(postgres::Connection::connect(url, width).await?),
            Engine::Sqlite => Self::Sqlite(sqlite::Connection::connect(url, width).await?),
        })
    }

    /// Writes one row by a prepared statement that commits itself.
    pub(crate) async fn upsert(&mut self, run: i64, step: i64, values: &[f64]) -> Result<()> {
        on_either!(self, conn => conn.upsert(run, step, values).await)
    }

    /// Writes [`BATCH`] rows of one run from `step` on in one transaction: curves that begin with `values`.
    pub(crate) async fn batch(&mut self, run: i64, step: i64, values: &[f64]) -> Result<()> {
        on_either!(self, conn => conn.batch(run, step, values).await)
    }

    /// A new run of the experiment of this name.
    pub(crate) async fn new_run(&mut self, experiment: &str) -> Result<i64> {
        let sql = "INSERT INTO runs (experiment_id) SELECT id FROM experiments WHERE name = $1 RETURNING id";
        on_either!(self, conn => Ok(sqlx::query_scalar(sql).bind(experiment).fetch_one(&mut conn.conn).await?))
    }

    /// Runs one statement.
    pub(crate) async fn execute(&mut self, sql: &str) -> Result<()> {
        on_either!(self, conn => conn.conn.execute(AssertSqlSafe(sql)).await.map(drop))?;
        Ok(())
    }

    /// Does what filling the tables left to do, so that none of it happens while something is timed.
    pub(crate) async fn settle(&mut self) -> Result<()> {
        let statements = match self {
            Self::Postgres(_) => ["VACUUM ANALYZE", "CHECKPOINT"],
            Self::Sqlite(_) => ["ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)"],
        };
        for statement in statements {
            self.execute(statement).await?;
        }
        Ok(())
    }

    /// The rows of a prepared statement of an integer and a float with one parameter.
    pub(crate) async fn fetch(&mut self, sql: &Arc<str>, parameter: i64) -> Result<Vec<(i64, f64)>> {
        let sql = AssertSqlSafe(sql.clone());
        on_either!(self, conn => Ok(sqlx::query_as(sql).bind(parameter).fetch_all(&mut conn.conn).await?))
    }

    pub(crate) async fn close(self) -> Result<()> {
        on_either!(self, conn => Ok(conn.conn.close().await?))
    }
}

/// A value of a curve that begins with `first`.
fn curve(first: f64, step: i64) -> f64 {
    first / crate::timing::as_f64(step.unsigned_abs() + 1)
}

/// Runs one statement on a server, outside of any transaction.
pub(crate) async fn execute_on(url: &str, sql: &str) -> Result<()> {
    let mut conn = url.parse::<sqlx::postgres::PgConnectOptions>()?.connect().await?;
    conn.execute(AssertSqlSafe(sql)).await?;
    Ok(conn.close().await?)
}

/// What the databases are and of which version: that of SQLite, and that of the server of this URL, if there is one.
pub(crate) async fn versions(server: Option<&str>) -> Result<Vec<String>> {
    let mut versions = Vec::new();
    if let Some(url) = server {
        let mut conn = url.parse::<sqlx::postgres::PgConnectOptions>()?.connect().await?;
        let version: String = sqlx::query_scalar("SHOW server_version").fetch_one(&mut conn).await?;
        versions.push(format!("PostgreSQL {version}"));
        conn.close().await?;
    }
    let mut conn = sqlx::SqliteConnection::connect("sqlite::memory:").await?;
    let version: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(&mut conn).await?;
    versions.push(format!("SQLite {version}"));
    Ok(versions)
}

/// The statement that writes the row of `values`, a list of parameters, or several such rows.
fn upsert(width: usize, values: &str) -> String {
    let (columns, update) = (columns(width), on_conflict(width));
    format!("INSERT INTO metrics ({columns}) VALUES {values} {update}")
}

/// The columns of a row, with those of the key.
fn columns(width: usize) -> String {
    ["run_id", "step", "progress"].into_iter().chain(names(width)).collect::<Vec<_>>().join(", ")
}

fn on_conflict(width: usize) -> String {
    let changes: Vec<_> = names(width).iter().map(|name| format!("{name} = excluded.{name}")).collect();
    format!("ON CONFLICT (run_id, step, progress) DO UPDATE SET {}", changes.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_is_there_is_overwritten() {
        assert_eq!(
            upsert(1, "($1, $2, $3, $4)"),
            "INSERT INTO metrics (run_id, step, progress, metric_0) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (run_id, step, progress) DO UPDATE SET metric_0 = excluded.metric_0"
        );
    }
}
