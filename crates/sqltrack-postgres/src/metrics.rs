//! The statements on `metrics` and its columns.

use sqltrack_engines::{ColumnKind, EngineError, MetricColumn, MetricType, RunId};

use crate::error::{has_code, translate, violated_foreign_key};
use crate::session::Session;

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
