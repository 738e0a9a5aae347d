//! The statements on `metrics` and its columns. The caller holds the write lock for those that write.

use sqltrack_engines::{ColumnKind, EngineError, MetricColumn, MetricType, Value, overflow, sql::Identifier};
use sqlx::SqliteConnection;

use crate::error::translate;
use crate::{decode, dynamic, views};

/// The largest integer below which every integer equals a double.
const EXACT_LIMIT: i64 = 1 << 53;

/// The declared type of the columns that hold metrics of this type.
pub(crate) fn sql_type(metric_type: MetricType) -> &'static str {
    match metric_type {
        MetricType::Bool => "BOOLEAN",
        MetricType::Int => "INTEGER",
        MetricType::Float => "REAL",
        MetricType::Bytes => "BLOB",
        MetricType::Date => "DATE",
        MetricType::Timestamp => "TIMESTAMP WITH TIME ZONE",
        MetricType::Duration => "INTERVAL",
        MetricType::Json => "JSONB",
        _ => "TEXT",
    }
}

pub(crate) async fn columns(
    conn: &mut SqliteConnection,
    target: &str,
) -> Result<Vec<MetricColumn>, EngineError> {
    // The macros cannot look into the columns of a pragma.
    let rows: Vec<(String, String)> = sqlx::query_as("SELECT name, type FROM pragma_table_info('metrics')")
        .fetch_all(conn)
        .await
        .map_err(|err| translate(target, err))?;
    if rows.is_empty() {
        return Err(EngineError::NotSetUp { target: target.to_owned() });
    }
    let rows = rows.into_iter().filter(|(name, _)| !matches!(name.as_str(), "run_id" | "step" | "progress"));
    let column = |(name, type_name): (String, String)| MetricColumn {
        name,
        kind: decode::kind(&type_name),
        type_name,
    };
    Ok(rows.map(column).collect())
}

pub(crate) async fn add_columns(
    conn: &mut SqliteConnection,
    target: &str,
    new: &[(String, MetricType)],
) -> Result<(), EngineError> {
    let existing = columns(&mut *conn, target).await?;
    let is_new = |name: &str| existing.iter().all(|column| !column.name.eq_ignore_ascii_case(name));
    for (name, metric_type) in new.iter().filter(|(name, _)| is_new(name)) {
        let alter = format!("ALTER TABLE metrics ADD COLUMN {} {}", quoted(name)?, sql_type(*metric_type));
        dynamic::run(&mut *conn, &alter).await.map_err(|err| translate(target, err))?;
    }
    views::refresh(conn, target).await
}

/// SQLite cannot change the type of a column: another one takes its place, at the end of the table.
pub(crate) async fn widen_column(
    conn: &mut SqliteConnection,
    target: &str,
    name: &str,
) -> Result<(), EngineError> {
    let existing = columns(&mut *conn, target).await?;
    let column = existing.iter().find(|column| column.name == name);
    if column.is_none_or(|column| column.kind != ColumnKind::Metric(MetricType::Int)) {
        return Ok(());
    }
    let column = quoted(name)?;
    let inexact =
        format!("SELECT 1 FROM metrics WHERE {column} > {EXACT_LIMIT} OR {column} < -{EXACT_LIMIT} LIMIT 1");
    if !dynamic::query(&mut *conn, target, &inexact, &[]).await?.rows.is_empty() {
        return Err(EngineError::BadValue(format!(
            "metric `{name}`: the integer column cannot become a float column, since it holds integers beyond 2^53"
        )));
    }
    views::remove(&mut *conn, target).await?;
    for statement in [
        "ALTER TABLE metrics ADD COLUMN sqltrack_widened REAL".to_owned(),
        format!("UPDATE metrics SET sqltrack_widened = {column} WHERE {column} IS NOT NULL"),
        format!("ALTER TABLE metrics DROP COLUMN {column}"),
        format!("ALTER TABLE metrics RENAME COLUMN sqltrack_widened TO {column}"),
    ] {
        dynamic::run(&mut *conn, &statement).await.map_err(|err| translate(target, err))?;
    }
    views::refresh(conn, target).await
}

pub(crate) fn quoted(name: &str) -> Result<String, EngineError> {
    Identifier::new(name).quoted().map_err(|err| EngineError::BadValue(err.to_string()))
}

/// The columns `value` and `other` of `metrics_overflow` that stand for a value.
pub(crate) fn encode_overflow(value: &Value) -> (Option<f64>, Option<String>) {
    let (number, other) = match value {
        Value::Float(number) if number.is_nan() => (None, Some(overflow::nan())),
        value => overflow::encode(value).unwrap_or_default(),
    };
    (number, other.map(|json| json.to_string()))
}
