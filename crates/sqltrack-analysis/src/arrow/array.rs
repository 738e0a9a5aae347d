//! Values as Arrow arrays.

use std::sync::Arc;

use arrow_array::builder::{
    BinaryBuilder, BooleanBuilder, Float64Builder, Int64Builder, ListBuilder, PrimitiveBuilder,
    StringBuilder, TimestampMicrosecondBuilder,
};
use arrow_array::{ArrayRef, ArrowPrimitiveType, types};
use sqltrack_core::Value;

use super::column::{Item, Kind};
use super::convert::{
    Misfit, bytes, date, each, float, integer, span, string, time_of_day, timestamp, truth,
};

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
