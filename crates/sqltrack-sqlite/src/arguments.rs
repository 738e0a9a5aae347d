//! Values as the parameters of a statement, and as what a column keeps of them.

use serde_json::Value as Json;
use sqltrack_engines::{EngineError, Value};
use sqlx::Arguments as _;
use sqlx::sqlite::SqliteArguments;

use crate::text;

/// `values` as parameters, in order.
pub(crate) fn arguments<'a>(
    values: impl IntoIterator<Item = &'a Value>,
) -> Result<SqliteArguments, EngineError> {
    let mut arguments = SqliteArguments::default();
    for value in values {
        add(&mut arguments, value)?;
    }
    Ok(arguments)
}

/// Adds `value` as the next parameter.
pub(crate) fn add(arguments: &mut SqliteArguments, value: &Value) -> Result<(), EngineError> {
    let added = match value {
        Value::Null => arguments.add(None::<i64>),
        Value::Bool(truth) => arguments.add(*truth),
        Value::Int(number) => arguments.add(*number),
        // SQLite would make it NULL.
        Value::Float(number) if number.is_nan() => {
            return Err(EngineError::BadValue("NaN cannot be a parameter: SQLite has no NaN".to_owned()));
        }
        Value::Float(number) => arguments.add(*number),
        Value::Text(text) => arguments.add(text.clone()),
        Value::Bytes(bytes) => arguments.add(bytes.clone()),
        Value::Date(date) => {
            arguments.add(text::from_date(*date).ok_or_else(|| out_of_range("date", &date))?)
        }
        Value::Time(time) => arguments.add(time.to_string()),
        Value::Timestamp(time) => {
            arguments.add(text::from_timestamp(*time).ok_or_else(|| out_of_range("time", &time))?)
        }
        Value::Duration(duration) => {
            let microseconds = i64::try_from(duration.whole_microseconds());
            arguments.add(microseconds.map_err(|_| {
                EngineError::BadValue(format!(
                    "the duration {duration} is out of range; it has 64 bits of microseconds"
                ))
            })?)
        }
        Value::Json(json) => arguments.add(json.to_string()),
        Value::List(values) => arguments.add(list(values)?.to_string()),
        other => {
            return Err(EngineError::BadValue(format!("{other:?} cannot be a parameter; give it as text")));
        }
    };
    added.map_err(|err| EngineError::BadValue(format!("a parameter cannot be sent: {err}")))
}

fn out_of_range(what: &str, value: &dyn std::fmt::Display) -> EngineError {
    EngineError::BadValue(format!("the {what} {value} is out of range; SQLite knows the years 0 to 9999"))
}

/// A list as the JSON array that `json_each` takes.
fn list(values: &[Value]) -> Result<Json, EngineError> {
    let element = |value: &Value| match value {
        Value::Null => Ok(Json::Null),
        Value::Bool(truth) => Ok((*truth).into()),
        Value::Int(number) => Ok((*number).into()),
        Value::Float(number) if number.is_finite() => Ok((*number).into()),
        Value::Text(text) => Ok(text.as_str().into()),
        Value::Timestamp(time) => Ok(text::from_timestamp(*time).into()),
        Value::Json(json) => Ok(json.clone()),
        other => Err(EngineError::BadValue(format!("a list parameter cannot hold {other:?}"))),
    };
    values.iter().map(element).collect::<Result<Vec<_>, _>>().map(Json::Array)
}

/// Whether a column gives `value` back: SQLite has no NaN, and a JSON column, which is of NUMERIC affinity,
/// reads a number for itself: `1.0` would come back as `1`, and some fractions as their neighbours.
pub(crate) fn holds(value: &Value) -> bool {
    match value {
        Value::Float(number) => !number.is_nan(),
        Value::Json(Json::Number(number)) => number.as_i64().is_some(),
        _ => true,
    }
}
