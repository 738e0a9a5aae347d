//! Values that no metric, or no column that is there, can have.

use sqltrack_engines::{ColumnKind, Dialect, Engine, EngineError, MetricColumn, MetricType, Value};

use crate::{Error, check};

/// Checks what can be checked of a value without a table: that the database can keep it at all, so that none is refused
/// after a column was added for it.
pub(crate) fn check_value(name: &str, value: &Value, engine: &dyn Engine) -> Result<(), Error> {
    match value {
        Value::Float(_) | Value::Int(_) | Value::Bool(_) | Value::Bytes(_) | Value::Null => Ok(()),
        Value::Text(text) => check::text(&format!("metric `{name}`"), text),
        Value::Json(json) => check::json(&format!("metric `{name}`"), json),
        Value::Date(_) | Value::Timestamp(_) | Value::Duration(_) => {
            engine.check(value).map_err(|err| EngineError::BadValue(format!("metric `{name}`: {err}")).into())
        }
        value => Err(refused(name, value, None)),
    }
}

/// SQLite takes names for the same that differ in the case of ASCII letters only.
pub(crate) fn refuse_same_case<'a>(
    dialect: Dialect,
    name: &str,
    mut existing: impl Iterator<Item = &'a String>,
) -> Result<(), Error> {
    match existing.find(|existing| existing.eq_ignore_ascii_case(name)) {
        Some(existing) if dialect == Dialect::Sqlite => {
            Err(Error::MetricCase { name: name.to_owned(), existing: existing.clone() })
        }
        _ => Ok(()),
    }
}

pub(crate) fn refused(name: &str, value: &Value, column: Option<&MetricColumn>) -> Error {
    let shown = match value {
        Value::Decimal(digits) => format!("integer {digits}"),
        Value::Int(_) | Value::Float(_) | Value::Bool(_) => {
            format!("{} {}", value.type_name(), crate::text::of(value))
        }
        value => format!("{} value", value.type_name()),
    };
    let advice = match (value, column.map(|column| column.kind)) {
        (Value::Decimal(_), _) => {
            "the largest integer is 9223372036854775807; convert it to a float or to text"
        }
        (Value::Int(_), Some(ColumnKind::Metric(MetricType::Float))) => {
            "a float does not equal it; convert it yourself, or use another name"
        }
        (Value::Float(_), Some(ColumnKind::Float32)) => {
            "make the column DOUBLE PRECISION with ALTER TABLE, or convert to f32"
        }
        (_, Some(ColumnKind::Other)) => "SQLTrack does not write columns of this type; use another name",
        _ => "convert the value, or use another name",
    };
    let column_type = column.map_or_else(|| "BIGINT".to_owned(), |column| column.type_name.clone());
    Error::MetricValue { name: name.to_owned(), value: shown, column_type, advice }
}
