//! Values as the parameters of a statement.

use sqltrack_engines::{EngineError, MetricType, Value};
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::{Oid, PgInterval};
use sqlx::postgres::{PgArgumentBuffer, PgArguments, PgTypeInfo};
use sqlx::types::Json;
use sqlx::{Arguments, Encode, Postgres, Type};
use time::{Date, Duration, OffsetDateTime};

/// 4713 BC.
const FIRST_YEAR: i32 = -4712;

/// NULL of a type that the server infers from where the parameter stands.
struct UntypedNull;

impl Type<Postgres> for UntypedNull {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(0))
    }
}

impl Encode<'_, Postgres> for UntypedNull {
    fn encode_by_ref(&self, _: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Ok(IsNull::Yes)
    }
}

/// `values` as parameters, in order.
pub(crate) fn arguments(values: &[Value]) -> Result<PgArguments, EngineError> {
    let mut arguments = PgArguments::default();
    for value in values {
        add(&mut arguments, value)?;
    }
    Ok(arguments)
}

/// Adds `value` as the next parameter.
pub(crate) fn add(arguments: &mut PgArguments, value: &Value) -> Result<(), EngineError> {
    match value {
        Value::Null => push(arguments, UntypedNull),
        Value::Bool(truth) => push(arguments, *truth),
        Value::Int(number) => push(arguments, *number),
        Value::Float(number) => push(arguments, *number),
        Value::Text(text) => push(arguments, text.as_str()),
        Value::Bytes(bytes) => push(arguments, bytes.as_slice()),
        Value::Date(date) => push(arguments, checked_date(*date)?),
        Value::Time(time) => push(arguments, *time),
        Value::Timestamp(time) => push(arguments, checked_timestamp(*time)?),
        Value::Duration(duration) => push(arguments, interval(*duration)?),
        Value::Json(json) => push(arguments, Json(json)),
        Value::List(values) => add_list(arguments, values),
        other => Err(EngineError::BadValue(format!(
            "{other:?} cannot be a parameter; give it as text and cast it"
        ))),
    }
}

/// Adds anything that the driver can encode as the next parameter.
pub(crate) fn push<'a, T>(arguments: &mut PgArguments, value: T) -> Result<(), EngineError>
where
    T: Encode<'a, Postgres> + Type<Postgres>,
{
    arguments.add(value).map_err(|err| EngineError::BadValue(format!("a parameter cannot be sent: {err}")))
}

/// Adds the values of a column as an array of the type of the column's metrics.
pub(crate) fn add_array<'a>(
    arguments: &mut PgArguments,
    metric_type: MetricType,
    values: impl Iterator<Item = &'a Value>,
) -> Result<(), EngineError> {
    macro_rules! array {
        ($pattern:pat => $element:expr) => {{
            let element = |value: &'a Value| match value {
                Value::Null => Ok(None),
                $pattern => $element.map(Some),
                other => Err(EngineError::BadValue(format!("{other:?} is no {metric_type:?} value"))),
            };
            push(arguments, values.map(element).collect::<Result<Vec<_>, _>>()?)
        }};
    }
    match metric_type {
        MetricType::Bool => array!(Value::Bool(truth) => Ok(*truth)),
        MetricType::Int => array!(Value::Int(number) => Ok(*number)),
        MetricType::Float => array!(Value::Float(number) => Ok(*number)),
        MetricType::Bytes => array!(Value::Bytes(bytes) => Ok(bytes.as_slice())),
        MetricType::Date => array!(Value::Date(date) => checked_date(*date)),
        MetricType::Timestamp => array!(Value::Timestamp(time) => checked_timestamp(*time)),
        MetricType::Duration => array!(Value::Duration(duration) => interval(*duration)),
        MetricType::Json => array!(Value::Json(json) => Ok(Json(json))),
        _ => array!(Value::Text(text) => Ok(text.as_str())),
    }
}

/// An array has the type of its elements; without an element it is taken for a list of ids.
fn add_list(arguments: &mut PgArguments, values: &[Value]) -> Result<(), EngineError> {
    if let Some(array) =
        elements(values, |value| if let Value::Int(number) = value { Some(*number) } else { None })
    {
        return push(arguments, array);
    }
    if let Some(array) = elements(values, float) {
        return push(arguments, array);
    }
    if let Some(array) =
        elements(values, |value| if let Value::Text(text) = value { Some(text.as_str()) } else { None })
    {
        return push(arguments, array);
    }
    if let Some(array) =
        elements(values, |value| if let Value::Bool(truth) = value { Some(*truth) } else { None })
    {
        return push(arguments, array);
    }
    if let Some(array) =
        elements(values, |value| if let Value::Timestamp(time) = value { Some(*time) } else { None })
    {
        return push(arguments, array);
    }
    Err(EngineError::BadValue(
        "a list parameter must hold only integers, only numbers, only texts, only booleans or only timestamps"
            .to_owned(),
    ))
}

/// The elements as `element` reads them, NULL as `None`; `None` if there is one that it does not read.
fn elements<'a, T>(values: &'a [Value], element: impl Fn(&'a Value) -> Option<T>) -> Option<Vec<Option<T>>> {
    let read = |value: &'a Value| if value.is_null() { Some(None) } else { element(value).map(Some) };
    values.iter().map(read).collect()
}

fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Float(number) => Some(*number),
        Value::Int(number) => sqltrack_engines::exact_f64(*number),
        _ => None,
    }
}

fn interval(duration: Duration) -> Result<PgInterval, EngineError> {
    let microseconds = i64::try_from(duration.whole_microseconds()).map_err(|_| {
        EngineError::BadValue(format!(
            "the duration {duration} is out of range; an interval has 64 bits of microseconds"
        ))
    })?;
    Ok(PgInterval { months: 0, days: 0, microseconds })
}

/// PostgreSQL has no year before 4714 BC, and sqlx would wrap around there.
fn checked_timestamp(time: OffsetDateTime) -> Result<OffsetDateTime, EngineError> {
    if time.year() < FIRST_YEAR { Err(too_early("time", &time)) } else { Ok(time) }
}

fn checked_date(date: Date) -> Result<Date, EngineError> {
    if date.year() < FIRST_YEAR { Err(too_early("date", &date)) } else { Ok(date) }
}

fn too_early(what: &str, value: &dyn std::fmt::Display) -> EngineError {
    EngineError::BadValue(format!("the {what} {value} is out of range; the first year is 4713 BC"))
}
