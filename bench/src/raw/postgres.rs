//! PostgreSQL by its driver.

use std::sync::Arc;

use anyhow::Result;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _};

use super::BATCH;

pub(crate) struct Connection {
    pub(super) conn: PgConnection,
    upsert: Arc<str>,
    batch: Arc<str>,
}

impl Connection {
    pub(super) async fn connect(url: &str, width: usize) -> Result<Self> {
        let conn = url.parse::<PgConnectOptions>()?.connect().await?;
        let parameters: Vec<_> = (1..=3 + width).map(|number| format!("${number}")).collect();
        let upsert = super::upsert(width, &format!("({})", parameters.join(", ")));
        Ok(Self { conn, upsert: upsert.into(), batch: batch(width) })
    }

    pub(super) async fn upsert(&mut self, run: i64, step: i64, values: &[f64]) -> Result<()> {
        let query = sqlx::query(AssertSqlSafe(self.upsert.clone())).bind(run).bind(step).bind(0.0);
        let query = values.iter().fold(query, |query, value| query.bind(*value));
        query.execute(&mut self.conn).await?;
        Ok(())
    }

    /// One array for each column: the statement is the same for any number of rows.
    pub(super) async fn batch(&mut self, run: i64, step: i64, values: &[f64]) -> Result<()> {
        let steps: Vec<i64> = (step..).take(BATCH).collect();
        let curve = |first: &f64| steps.iter().map(|step| super::curve(*first, *step)).collect::<Vec<_>>();
        let curves: Vec<_> = values.iter().map(curve).collect();
        let query =
            sqlx::query(AssertSqlSafe(self.batch.clone())).bind(run).bind(steps).bind(vec![0.0; BATCH]);
        let query = curves.into_iter().fold(query, |query, curve| query.bind(curve));
        query.execute(&mut self.conn).await?;
        Ok(())
    }
}

fn batch(width: usize) -> Arc<str> {
    let columns = super::columns(width);
    let arrays: String = (0..width).map(|at| format!(", ${}::float8[]", at + 4)).collect();
    let update = super::on_conflict(width);
    format!(
        "INSERT INTO metrics ({columns})
        SELECT $1, r.* FROM unnest($2::int8[], $3::float8[]{arrays}) AS r {update}"
    )
    .into()
}
