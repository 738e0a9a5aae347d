//! SQLite by its driver, opened as the engine opens it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _};

use super::BATCH;

/// How many parameters one statement may have.
const PARAMETERS: usize = 32_766;

pub(crate) struct Connection {
    pub(super) conn: SqliteConnection,
    upsert: Arc<str>,
    batch: Arc<str>,
    /// How many rows one statement of a batch has.
    rows: usize,
}

impl Connection {
    pub(super) async fn connect(url: &str, width: usize) -> Result<Self> {
        let options = url
            .parse::<SqliteConnectOptions>()?
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .pragma("cache_size", "-8192")
            .busy_timeout(Duration::from_secs(60));
        let rows = rows_per_statement(width);
        let (upsert, batch) = (upsert(width, 1), upsert(width, rows));
        Ok(Self { conn: options.connect().await?, upsert, batch, rows })
    }

    pub(super) async fn upsert(&mut self, run: i64, step: i64, values: &[f64]) -> Result<()> {
        let query = sqlx::query(AssertSqlSafe(self.upsert.clone())).bind(run).bind(step).bind(0.0);
        let query = values.iter().fold(query, |query, value| query.bind(*value));
        query.execute(&mut self.conn).await?;
        Ok(())
    }

    pub(super) async fn batch(&mut self, run: i64, step: i64, values: &[f64]) -> Result<()> {
        // A single statement is its own transaction.
        let is_split = self.rows < BATCH;
        if is_split {
            self.conn.execute("BEGIN IMMEDIATE").await?;
        }
        for from in (0..BATCH).step_by(self.rows) {
            let mut query = sqlx::query(AssertSqlSafe(self.batch.clone()));
            for step in (step..).skip(from).take(self.rows) {
                query = query.bind(run).bind(step).bind(0.0);
                query = values.iter().fold(query, |query, first| query.bind(super::curve(*first, step)));
            }
            query.execute(&mut self.conn).await?;
        }
        if is_split {
            self.conn.execute("COMMIT").await?;
        }
        Ok(())
    }
}

/// Parameters without names: the driver looks up the name of each one, `$1` or `?1`, in a list of all, which takes
/// tens of milliseconds for 8,000 of them.
fn upsert(width: usize, rows: usize) -> Arc<str> {
    let row = format!("({})", vec!["?"; 3 + width].join(", "));
    super::upsert(width, &vec![row; rows].join(", ")).into()
}

/// The most rows that one statement may have, of those numbers of which a batch has a whole multiple.
fn rows_per_statement(width: usize) -> usize {
    let fits = |rows: &usize| BATCH.is_multiple_of(*rows) && rows * (width + 3) <= PARAMETERS;
    (1..=BATCH).rev().find(fits).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_made_of_whole_statements() {
        assert_eq!(rows_per_statement(5), 1000);
        assert_eq!(rows_per_statement(100), 250);
    }
}
