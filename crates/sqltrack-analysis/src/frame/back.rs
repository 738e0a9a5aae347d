//! Data frames as rows, to be formatted, shown and written as those of a query.

use polars::prelude::{AnyValue, DataFrame, TimeUnit};
use sqltrack_core::{Column, Rows, Value};
use time::{Date, Duration, OffsetDateTime, Time};

/// The rows of a data frame: what [`dataframe`](super::dataframe) makes of them, the other way round, for
/// [`format_dataframe`](crate::format::format_dataframe) and whatever else takes rows. What no [`Value`] is like becomes text, as
/// polars writes it, and so does a JSON document, which is text in a frame already.
///
/// ```
/// use sqltrack_analysis::{dataframe, frame_rows};
/// use sqltrack_core::{Column, Rows, Value};
///
/// let column = Column { name: "loss".to_owned(), type_name: "REAL".to_owned() };
/// let rows = Rows::new(vec![column], vec![vec![Value::Float(0.5)], vec![Value::Null]]);
/// let frame = dataframe(&rows)?.sort(["loss"], Default::default())?;
/// let sorted: Vec<_> = frame_rows(&frame).into_iter().map(|row| row.into_values()).collect();
/// assert_eq!(sorted, [[Value::Null], [Value::Float(0.5)]]);
/// # Ok::<(), sqltrack_analysis::Error>(())
/// ```
#[must_use]
pub fn frame_rows(frame: &DataFrame) -> Rows {
    let name = |column: &polars::prelude::Column| Column {
        name: column.name().to_string(),
        type_name: column.dtype().to_string(),
    };
    let columns = frame.columns();
    let row = |row: usize| columns.iter().map(|column| column.get(row).map_or(Value::Null, value)).collect();
    Rows::new(columns.iter().map(name).collect(), (0..frame.height()).map(row).collect())
}

fn value(of: AnyValue<'_>) -> Value {
    known(&of).unwrap_or_else(|| Value::Text(of.to_string()))
}

fn known(of: &AnyValue<'_>) -> Option<Value> {
    Some(match of {
        AnyValue::Null => Value::Null,
        AnyValue::Boolean(truth) => Value::Bool(*truth),
        AnyValue::Float32(number) => Value::Float((*number).into()),
        AnyValue::Float64(number) => Value::Float(*number),
        AnyValue::String(text) => Value::Text((*text).to_owned()),
        AnyValue::StringOwned(text) => Value::Text(text.to_string()),
        AnyValue::Binary(bytes) => Value::Bytes(bytes.to_vec()),
        AnyValue::BinaryOwned(bytes) => Value::Bytes(bytes.clone()),
        AnyValue::Date(days) => {
            let epoch = OffsetDateTime::UNIX_EPOCH.date();
            Value::Date(Date::from_julian_day(epoch.to_julian_day().checked_add(*days)?).ok()?)
        }
        AnyValue::Time(nanoseconds) => Value::Time(time_of_day(*nanoseconds)?),
        AnyValue::Datetime(number, unit, Some(_)) => Value::Timestamp(moment(*number, *unit)?),
        AnyValue::DatetimeOwned(number, unit, Some(_)) => Value::Timestamp(moment(*number, *unit)?),
        AnyValue::Duration(number, unit) => Value::Duration(span(*number, *unit)),
        AnyValue::List(series) => Value::List(series.iter().map(value).collect()),
        number if number.dtype().is_integer() => Value::Int(number.extract()?),
        _ => return None,
    })
}

fn span(number: i64, unit: TimeUnit) -> Duration {
    match unit {
        TimeUnit::Nanoseconds => Duration::nanoseconds(number),
        TimeUnit::Microseconds => Duration::microseconds(number),
        TimeUnit::Milliseconds => Duration::milliseconds(number),
    }
}

fn moment(number: i64, unit: TimeUnit) -> Option<OffsetDateTime> {
    OffsetDateTime::UNIX_EPOCH.checked_add(span(number, unit))
}

fn time_of_day(nanoseconds: i64) -> Option<Time> {
    let after = Duration::nanoseconds(nanoseconds);
    let is_in_day = (Duration::ZERO..Duration::DAY).contains(&after);
    is_in_day.then(|| Time::MIDNIGHT + after)
}
