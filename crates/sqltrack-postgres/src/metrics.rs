//! The statements on `metrics` and its columns.

use std::time::Duration;

use sqltrack_engines::{ColumnKind, EngineError, MetricColumn, MetricType, RunId, sql::Identifier};

use crate::dynamic;
use crate::error::{has_code, translate, violated_foreign_key};
use crate::session::Session;

/// How long an `ALTER TABLE` waits for its lock: every other user of the table waits behind it.
const LOCK_TIMEOUT: Duration = Duration::from_millis(300);
/// The largest integer below which every integer equals a double.
const EXACT_LIMIT: i64 = 1 << 53;

const LOCK_NOT_AVAILABLE: &str = "55P03";
const UNDEFINED_COLUMN: &str = "42703";
const NOT_NULL_VIOLATION: &str = "23502";
const DATATYPE_MISMATCH: &str = "42804";
const PROGRAM_LIMIT_EXCEEDED: &str = "54000";

/// The SQL type of the columns that hold metrics of this type.
pub(crate) fn sql_type(metric_type: MetricType) -> &'static str {
    match metric_type {
        MetricType::Bool => "BOOLEAN",
        MetricType::Int => "BIGINT",
        MetricType::Float => "DOUBLE PRECISION",
        MetricType::Bytes => "BYTEA",
        MetricType::Date => "DATE",
        MetricType::Timestamp => "TIMESTAMP WITH TIME ZONE",
        MetricType::Duration => "INTERVAL",
        MetricType::Json => "JSONB",
        _ => "TEXT",
    }
}

pub(crate) async fn columns(conn: &mut Session, target: &str) -> Result<Vec<MetricColumn>, EngineError> {
    let rows = sqlx::query!(
        r#"SELECT
            attname::TEXT AS "name!",
            atttypid::BIGINT AS "oid!",
            format_type(atttypid, atttypmod) AS "type_name!"
        FROM pg_catalog.pg_attribute
        WHERE attrelid = 'metrics'::regclass
            AND attnum > 0 AND NOT attisdropped AND attname NOT IN ('run_id', 'step', 'progress')
        ORDER BY attnum"#
    )
    .fetch_all(conn)
    .await
    .map_err(|err| translate(target, err))?;
    let column = |name, oid, type_name| MetricColumn { name, kind: kind(oid), type_name };
    Ok(rows.into_iter().map(|row| column(row.name, row.oid, row.type_name)).collect())
}

/// What a column of the type `oid` can hold.
fn kind(oid: i64) -> ColumnKind {
    ColumnKind::Metric(match oid {
        16 => MetricType::Bool,
        17 => MetricType::Bytes,
        20 => MetricType::Int,
        21 => return ColumnKind::Int16,
        23 => return ColumnKind::Int32,
        25 | 1042 | 1043 => MetricType::Text,
        114 | 3802 => MetricType::Json,
        700 => return ColumnKind::Float32,
        701 => MetricType::Float,
        1082 => MetricType::Date,
        1184 => MetricType::Timestamp,
        1186 => MetricType::Duration,
        _ => return ColumnKind::Other,
    })
}

/// Adds columns under a short lock timeout, again and again until it works: an `ALTER TABLE` that waits for
/// a long reader would make every writer wait behind itself.
pub(crate) async fn add_columns(
    conn: &mut Session,
    target: &str,
    columns: &[(String, MetricType)],
    patience: Option<Duration>,
) -> Result<(), EngineError> {
    let mut additions = Vec::with_capacity(columns.len());
    for (name, metric_type) in columns {
        additions.push(format!("ADD COLUMN IF NOT EXISTS {} {}", quoted(name)?, sql_type(*metric_type)));
    }
    let alter = format!("ALTER TABLE metrics {}", additions.join(", "));
    alter_table(conn, target, &[alter], patience).await
}

pub(crate) async fn widen_column(
    conn: &mut Session,
    target: &str,
    name: &str,
    patience: Option<Duration>,
) -> Result<(), EngineError> {
    let column = quoted(name)?;
    let inexact = format!(
        "DO $check$ BEGIN
            IF EXISTS (SELECT FROM metrics WHERE {column} > {EXACT_LIMIT} OR {column} < -{EXACT_LIMIT}) THEN
                RAISE numeric_value_out_of_range;
            END IF;
        END $check$"
    );
    let statements = [
        "LOCK TABLE metrics IN ACCESS EXCLUSIVE MODE".to_owned(),
        inexact,
        format!("ALTER TABLE metrics ALTER COLUMN {column} TYPE DOUBLE PRECISION"),
    ];
    alter_table(conn, target, &statements, patience).await.map_err(|err| match err {
        EngineError::Database { code: Some(code), .. } if code == "22003" => EngineError::BadValue(format!(
            "metric `{name}`: the integer column cannot become a float column, since it holds integers beyond 2^53"
        )),
        other => other,
    })
}

async fn alter_table(
    conn: &mut Session,
    target: &str,
    statements: &[String],
    patience: Option<Duration>,
) -> Result<(), EngineError> {
    let deadline = patience.map(|patience| tokio::time::Instant::now() + patience);
    let mut attempt: u64 = 0;
    loop {
        let result = alter_once(conn, statements, patience.is_none()).await;
        let Err(err) = result else { return Ok(()) };
        let is_in_time = deadline.is_some_and(|deadline| tokio::time::Instant::now() < deadline);
        if !has_code(&err, LOCK_NOT_AVAILABLE) || !is_in_time {
            return Err(translate(target, err));
        }
        attempt += 1;
        let backend = u64::from(std::process::id());
        tokio::time::sleep(Duration::from_millis(20 + (backend * 7 + attempt * 31) % 150)).await;
    }
}

/// One try. In the transaction of a user it happens below a savepoint, so that its failure undoes nothing else.
async fn alter_once(
    conn: &mut Session,
    statements: &[String],
    in_transaction: bool,
) -> Result<(), sqlx::Error> {
    if !in_transaction {
        conn.begin().await?;
        let result = alter_statements(conn, statements, in_transaction).await;
        if result.is_ok() {
            conn.commit().await?
        } else {
            conn.rollback().await?
        }
        return result;
    }
    dynamic::run(conn, "SAVEPOINT sqltrack_alter").await?;
    let result = alter_statements(conn, statements, in_transaction).await;
    let end = match result {
        Ok(()) => "RELEASE SAVEPOINT sqltrack_alter",
        Err(_) => "ROLLBACK TO SAVEPOINT sqltrack_alter; RELEASE SAVEPOINT sqltrack_alter",
    };
    dynamic::run(conn, end).await?;
    result
}

async fn alter_statements(
    conn: &mut Session,
    statements: &[String],
    in_transaction: bool,
) -> Result<(), sqlx::Error> {
    if in_transaction {
        // The transaction may hold locks that others wait for: waiting in turn might be a deadlock.
        dynamic::run(conn, "LOCK TABLE metrics IN ACCESS EXCLUSIVE MODE NOWAIT").await?;
    } else {
        dynamic::run(conn, &format!("SET LOCAL lock_timeout = {}", LOCK_TIMEOUT.as_millis())).await?;
    }
    for statement in statements {
        dynamic::run(conn, statement).await?;
    }
    Ok(())
}

fn quoted(name: &str) -> Result<String, EngineError> {
    Identifier::new(name).quoted().map_err(|err| EngineError::BadValue(err.to_string()))
}

/// What it means for the rows of `run` that their statement failed.
pub(crate) fn explain(target: &str, run: RunId, lease: Option<i64>, err: sqlx::Error) -> EngineError {
    if violated_foreign_key(&err).is_some() {
        return EngineError::NoSuchRun(run);
    }
    if lease.is_some() && has_code(&err, NOT_NULL_VIOLATION) {
        return EngineError::LeaseLost { run, holder: None };
    }
    // Someone took a column away, or changed its type, since the statement was made.
    if has_code(&err, UNDEFINED_COLUMN) || has_code(&err, DATATYPE_MISMATCH) {
        return EngineError::NoSuchColumn { message: err.to_string() };
    }
    if has_code(&err, PROGRAM_LIMIT_EXCEEDED) {
        return EngineError::RowTooBig { message: err.to_string() };
    }
    translate(target, err)
}

pub(crate) fn beyond_columns(name: &str) -> EngineError {
    EngineError::BadValue(format!("metric `{name}`: beyond the columns, only the years 0 to 9999 are kept"))
}
