//! The view `metrics_long`. A view of SQLite names the columns that it unites, so that it is made anew
//! whenever `metrics` gets another one.

use sqltrack_engines::{ColumnKind, EngineError, MetricColumn, MetricType};
use sqlx::SqliteConnection;

use crate::error::translate;
use crate::{dynamic, metrics};

/// SQLite takes 500 parts in one `UNION ALL`; more of them are nested.
const PARTS: usize = 400;

pub(crate) async fn remove(conn: &mut SqliteConnection, target: &str) -> Result<(), EngineError> {
    dynamic::run(conn, "DROP VIEW IF EXISTS metrics_long").await.map_err(|err| translate(target, err))?;
    Ok(())
}

pub(crate) async fn refresh(conn: &mut SqliteConnection, target: &str) -> Result<(), EngineError> {
    let columns = match metrics::columns(&mut *conn, target).await {
        // A script may run before there are any tables.
        Err(EngineError::NotSetUp { .. }) => return Ok(()),
        columns => columns?,
    };
    let sql = definition(&columns)?;
    remove(&mut *conn, target).await?;
    dynamic::run(conn, &sql).await.map_err(|err| translate(target, err))?;
    Ok(())
}

fn definition(columns: &[MetricColumn]) -> Result<String, EngineError> {
    let mut parts =
        vec!["SELECT run_id, step, progress, name, value, other FROM metrics_overflow".to_owned()];
    for column in columns {
        parts.push(part(column)?);
    }
    while parts.len() > PARTS {
        let nested =
            parts.chunks(PARTS).map(|chunk| format!("SELECT * FROM (\n{}\n)", chunk.join("\nUNION ALL\n")));
        parts = nested.collect();
    }
    Ok(format!("CREATE VIEW metrics_long AS\n{}", parts.join("\nUNION ALL\n")))
}

/// One metric: numbers in `value` (integers in `other` too, where they are exact), everything else in `other`.
fn part(column: &MetricColumn) -> Result<String, EngineError> {
    let name = metrics::quoted(&column.name)?;
    let literal = format!("'{}'", column.name.replace('\'', "''"));
    let (value, other) = match column.kind {
        ColumnKind::Metric(MetricType::Float) => (name.clone(), "NULL".to_owned()),
        ColumnKind::Metric(MetricType::Int) => {
            (format!("CAST({name} AS REAL)"), format!("CAST({name} AS TEXT)"))
        }
        ColumnKind::Metric(MetricType::Bool) => {
            ("NULL".to_owned(), format!("CASE {name} WHEN 0 THEN 'false' ELSE 'true' END"))
        }
        ColumnKind::Metric(MetricType::Json) => ("NULL".to_owned(), name.clone()),
        ColumnKind::Metric(MetricType::Bytes) => {
            ("NULL".to_owned(), format!("json_quote('\\x' || lower(hex({name})))"))
        }
        _ => ("NULL".to_owned(), format!("json_quote({name})")),
    };
    Ok(format!(
        "SELECT run_id, step, progress, {literal} AS name, {value} AS value, {other} AS other FROM metrics WHERE {name} IS NOT NULL"
    ))
}
