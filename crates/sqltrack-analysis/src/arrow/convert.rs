//! Values as what arrays hold.

use sqltrack_core::{Value, text};
use time::{Date, OffsetDateTime, Time};

/// A value that does not fit, and the number of its row.
pub(crate) type Misfit = (usize, Value);

/// Takes each value, or none for NULL.
pub(crate) fn each<'a, T>(
    values: impl Iterator<Item = &'a Value>,
    convert: impl Fn(&'a Value) -> Option<T>,
    mut take: impl FnMut(Option<T>),
) -> Result<(), Misfit> {
    for (row, value) in values.enumerate() {
        match value {
            Value::Null => take(None),
            value => take(Some(convert(value).ok_or_else(|| (row, value.clone()))?)),
        }
    }
    Ok(())
}

/// All values converted, or none for NULL.
#[cfg(feature = "polars")]
pub(crate) fn all<'a, T>(
    values: impl Iterator<Item = &'a Value>,
    convert: impl Fn(&'a Value) -> Option<T>,
) -> Result<Vec<Option<T>>, Misfit> {
    let mut all = Vec::new();
    each(values, convert, |value| all.push(value))?;
    Ok(all)
}

pub(crate) fn truth(value: &Value) -> Option<bool> {
    if let Value::Bool(truth) = value { Some(*truth) } else { None }
}

pub(crate) fn integer(value: &Value) -> Option<i64> {
    if let Value::Int(number) = value { Some(*number) } else { None }
}

/// A float, or an integer that one equals.
pub(crate) fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Float(number) => Some(*number),
        Value::Int(number) => sqltrack_core::exact_f64(*number),
        _ => None,
    }
}

pub(crate) fn bytes(value: &Value) -> Option<&[u8]> {
    if let Value::Bytes(bytes) = value { Some(bytes) } else { None }
}

/// Everything has a text. Arrays are JSON, as far as their values are.
pub(crate) fn string(value: &Value) -> String {
    match value {
        Value::List(values) => {
            let json = |value: &Value| match value {
                Value::Null => serde_json::Value::Null,
                Value::Bool(truth) => serde_json::Value::from(*truth),
                Value::Int(number) => serde_json::Value::from(*number),
                Value::Float(number) if number.is_finite() => serde_json::Value::from(*number),
                Value::Json(json) => json.clone(),
                other => serde_json::Value::from(string(other)),
            };
            serde_json::Value::Array(values.iter().map(json).collect()).to_string()
        }
        value => text::of(value),
    }
}

const EPOCH: Date = OffsetDateTime::UNIX_EPOCH.date();

pub(crate) fn date(value: &Value) -> Option<i32> {
    let Value::Date(date) = value else { return None };
    i32::try_from((*date - EPOCH).whole_days()).ok()
}

pub(crate) fn time_of_day(value: &Value) -> Option<i64> {
    let Value::Time(time) = value else { return None };
    i64::try_from((*time - Time::MIDNIGHT).whole_microseconds()).ok()
}

pub(crate) fn timestamp(value: &Value) -> Option<i64> {
    let Value::Timestamp(time) = value else { return None };
    i64::try_from(time.unix_timestamp_nanos().div_euclid(1_000)).ok()
}

pub(crate) fn span(value: &Value) -> Option<i64> {
    let Value::Duration(span) = value else { return None };
    i64::try_from(span.whole_microseconds()).ok()
}
