//! Rows of any query as values. SQLite has five kinds of values; what else a column holds is told by the
//! type that it was declared with.

use std::collections::HashMap;

use sqltrack_engines::{Column, ColumnKind, EngineError, MetricType, Value};
use sqlx::sqlite::{SqliteColumn, SqliteRow, SqliteValueRef};
use sqlx::{Column as _, ColumnOrigin, Decode, Row as _, Sqlite, TypeInfo as _, ValueRef as _};

use crate::text;

/// Declared types by table and column.
pub(crate) type DeclaredTypes = HashMap<(String, String), String>;

/// The tables that the columns of a result come from.
pub(crate) fn tables(columns: &[SqliteColumn]) -> Vec<String> {
    let mut tables: Vec<String> =
        columns.iter().filter_map(|column| origin(column).map(|(table, _)| table)).collect();
    tables.sort();
    tables.dedup();
    tables
}

fn origin(column: &SqliteColumn) -> Option<(String, String)> {
    match column.origin() {
        ColumnOrigin::Table(origin) => Some((origin.table.to_string(), origin.name.to_string())),
        _ => None,
    }
}

/// The columns of a result, with the types that they were declared with.
pub(crate) fn columns(columns: &[SqliteColumn], declared: &DeclaredTypes) -> Vec<Column> {
    let type_name =
        |column| origin(column).and_then(|origin| declared.get(&origin)).cloned().unwrap_or_default();
    columns
        .iter()
        .map(|column| Column { name: column.name().to_owned(), type_name: type_name(column) })
        .collect()
}

/// What the columns hold by their declared types, which would cost more than the rest to find out for each value.
pub(crate) fn kinds(columns: &[Column]) -> Vec<ColumnKind> {
    columns.iter().map(|column| kind(&column.type_name)).collect()
}

/// The values of a row whose `columns` and their `kinds` are known.
pub(crate) fn values(
    row: &SqliteRow,
    columns: &[Column],
    kinds: &[ColumnKind],
) -> Result<Vec<Value>, EngineError> {
    let value = |(position, (column, kind)): (usize, (&Column, &ColumnKind))| {
        let raw = row.try_get_raw(position).map_err(|err| unreadable(column, &err))?;
        stored(raw).map(|value| as_declared(value, *kind)).map_err(|err| unreadable(column, &*err))
    };
    columns.iter().zip(kinds).enumerate().map(value).collect()
}

fn unreadable(column: &Column, err: &dyn std::error::Error) -> EngineError {
    EngineError::UnreadableColumn { column: column.name.clone(), type_name: err.to_string() }
}

/// What is stored, as it is.
fn stored(raw: SqliteValueRef<'_>) -> Result<Value, sqlx::error::BoxDynError> {
    if raw.is_null() {
        return Ok(Value::Null);
    }
    enum Storage {
        Integer,
        Real,
        Blob,
        Text,
    }
    let storage = match raw.type_info().name() {
        "INTEGER" | "BOOLEAN" => Storage::Integer,
        "REAL" => Storage::Real,
        "BLOB" => Storage::Blob,
        _ => Storage::Text,
    };
    Ok(match storage {
        Storage::Integer => Value::Int(<i64 as Decode<Sqlite>>::decode(raw)?),
        Storage::Real => Value::Float(<f64 as Decode<Sqlite>>::decode(raw)?),
        Storage::Blob => Value::Bytes(<Vec<u8> as Decode<Sqlite>>::decode(raw)?),
        Storage::Text => Value::Text(<String as Decode<Sqlite>>::decode(raw)?),
    })
}

/// The value that a stored one stands for in a column of this kind; itself where it stands for nothing.
fn as_declared(value: Value, kind: ColumnKind) -> Value {
    let ColumnKind::Metric(kind) = kind else { return value };
    match (kind, value) {
        (MetricType::Bool, Value::Int(number)) if number == 0 || number == 1 => Value::Bool(number == 1),
        (MetricType::Float, Value::Int(number)) => {
            sqltrack_engines::exact_f64(number).map_or(Value::Int(number), Value::Float)
        }
        (MetricType::Date, Value::Text(text)) => text::to_date(&text).map_or(Value::Text(text), Value::Date),
        (MetricType::Timestamp, Value::Text(text)) => {
            text::to_timestamp(&text).map_or(Value::Text(text), Value::Timestamp)
        }
        (MetricType::Duration, Value::Int(microseconds)) => {
            Value::Duration(time::Duration::microseconds(microseconds))
        }
        (MetricType::Json, Value::Text(text)) => {
            serde_json::from_str(&text).map_or(Value::Text(text), Value::Json)
        }
        (MetricType::Json, Value::Int(number)) => Value::Json(number.into()),
        (MetricType::Json, Value::Float(number)) => Value::Json(number.into()),
        (_, value) => value,
    }
}

/// What a column of a declared type holds: the names that SQLTrack declares first, then SQLite's own rules of
/// affinity (<https://www.sqlite.org/datatype3.html>, section 3.1).
pub(crate) fn kind(declared: &str) -> ColumnKind {
    let declared = declared.to_ascii_uppercase();
    let has = |word: &str| declared.contains(word);
    ColumnKind::Metric(match declared.as_str() {
        "BOOLEAN" | "BOOL" => MetricType::Bool,
        "DATE" => MetricType::Date,
        "INTERVAL" => MetricType::Duration,
        "JSON" | "JSONB" => MetricType::Json,
        _ if has("TIMESTAMP") || has("DATETIME") => MetricType::Timestamp,
        _ if has("INT") => MetricType::Int,
        _ if has("CHAR") || has("CLOB") || has("TEXT") => MetricType::Text,
        _ if has("BLOB") => MetricType::Bytes,
        _ if has("REAL") || has("FLOA") || has("DOUB") => MetricType::Float,
        _ => return ColumnKind::Other,
    })
}
