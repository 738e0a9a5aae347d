//! Values as Arrow arrays.

use std::sync::Arc;

use arrow_array::builder::{
    BinaryBuilder, BooleanBuilder, Float64Builder, Int64Builder, ListBuilder, PrimitiveBuilder,
    StringBuilder, TimestampMicrosecondBuilder,
};
use arrow_array::{ArrayRef, ArrowPrimitiveType, types};
use sqltrack_core::{Value, text};
use time::{Date, OffsetDateTime, Time};

use super::column::{Item, Kind};

/// A value that does not fit, and the number of its row.
type Misfit = (usize, Value);

/// The array of values of one kind.
pub(super) fn of<'a>(kind: Kind, values: impl Iterator<Item = &'a Value>) -> Result<ArrayRef, Misfit> {
    Ok(match kind {
        Kind::Bool => {
            let mut builder = BooleanBuilder::new();
            each(values, truth, |truth| builder.append_option(truth))?;
            Arc::new(builder.finish())
        }
        Kind::Int => primitive::<types::Int64Type>(values, integer)?,
        Kind::Float => primitive::<types::Float64Type>(values, float)?,
        Kind::Text => {
            let mut builder = StringBuilder::new();
            each(values, |value| Some(string(value)), |text| builder.append_option(text))?;
            Arc::new(builder.finish())
        }
        Kind::Bytes => {
            let mut builder = BinaryBuilder::new();
            each(values, bytes, |bytes| builder.append_option(bytes))?;
            Arc::new(builder.finish())
        }
        Kind::Date => primitive::<types::Date32Type>(values, date)?,
        Kind::Time => primitive::<types::Time64MicrosecondType>(values, time_of_day)?,
        Kind::Timestamp => {
            let mut builder = TimestampMicrosecondBuilder::new().with_timezone("UTC");
            each(values, timestamp, |time| builder.append_option(time))?;
            Arc::new(builder.finish())
        }
        Kind::Duration => primitive::<types::DurationMicrosecondType>(values, span)?,
        Kind::List(item) => list(item, values)?,
    })
}

/// Takes each value, or none for NULL.
fn each<'a, T>(
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

fn primitive<'a, T: ArrowPrimitiveType>(
    values: impl Iterator<Item = &'a Value>,
    convert: impl Fn(&'a Value) -> Option<T::Native>,
) -> Result<ArrayRef, Misfit> {
    let mut builder = PrimitiveBuilder::<T>::new();
    each(values, convert, |native| builder.append_option(native))?;
    Ok(Arc::new(builder.finish()))
}

fn list<'a>(item: Item, values: impl Iterator<Item = &'a Value>) -> Result<ArrayRef, Misfit> {
    /// The items of each array one after the other.
    macro_rules! list {
        ($builder:expr, $convert:expr) => {{
            let mut builder = ListBuilder::new($builder);
            for (row, value) in values.enumerate() {
                match value {
                    Value::Null => builder.append(false),
                    Value::List(items) => {
                        let taken = each(items.iter(), $convert, |item| builder.values().append_option(item));
                        taken.map_err(|_| (row, value.clone()))?;
                        builder.append(true);
                    }
                    other => return Err((row, other.clone())),
                }
            }
            Arc::new(builder.finish())
        }};
    }
    Ok(match item {
        Item::Bool => list!(BooleanBuilder::new(), truth),
        Item::Int => list!(Int64Builder::new(), integer),
        Item::Float => list!(Float64Builder::new(), float),
        Item::Text => list!(StringBuilder::new(), |value| Some(string(value))),
        Item::Timestamp => list!(TimestampMicrosecondBuilder::new().with_timezone("UTC"), timestamp),
    })
}

fn truth(value: &Value) -> Option<bool> {
    if let Value::Bool(truth) = value { Some(*truth) } else { None }
}

fn integer(value: &Value) -> Option<i64> {
    if let Value::Int(number) = value { Some(*number) } else { None }
}

/// A float, or an integer that one equals.
fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Float(number) => Some(*number),
        Value::Int(number) => sqltrack_core::exact_f64(*number),
        _ => None,
    }
}

fn bytes(value: &Value) -> Option<&[u8]> {
    if let Value::Bytes(bytes) = value { Some(bytes) } else { None }
}

/// Everything has a text. Arrays are JSON, as far as their values are.
fn string(value: &Value) -> String {
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

fn date(value: &Value) -> Option<i32> {
    let Value::Date(date) = value else { return None };
    i32::try_from((*date - EPOCH).whole_days()).ok()
}

fn time_of_day(value: &Value) -> Option<i64> {
    let Value::Time(time) = value else { return None };
    i64::try_from((*time - Time::MIDNIGHT).whole_microseconds()).ok()
}

fn timestamp(value: &Value) -> Option<i64> {
    let Value::Timestamp(time) = value else { return None };
    i64::try_from(time.unix_timestamp_nanos().div_euclid(1_000)).ok()
}

fn span(value: &Value) -> Option<i64> {
    let Value::Duration(span) = value else { return None };
    i64::try_from(span.whole_microseconds()).ok()
}
