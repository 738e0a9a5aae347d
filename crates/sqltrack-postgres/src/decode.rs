//! Rows of any query as values. Decoding goes by the wire format itself, since a result may hold what the
//! decoders of sqlx take badly: infinite timestamps, enums, domains, numbers without bounds.

use std::collections::HashMap;

use sqltrack_engines::{Column, EngineError, Value};
use sqlx::postgres::{PgRow, PgValueFormat};
use sqlx::{Column as _, Row as _, TypeInfo as _, ValueRef as _};
use time::{Date, Duration, PrimitiveDateTime, Time, macros::datetime};

use crate::numeric;

/// Types that the server knows and this crate does not, by OID: their base type and name.
pub(crate) type UserTypes = HashMap<u32, UserType>;

/// What is known of a type that is not built in.
#[derive(Debug, Clone)]
pub(crate) struct UserType {
    pub(crate) name: String,
    /// The OID of a built-in type of the same wire format; `None` if there is none.
    pub(crate) base: Option<u32>,
}

const TEXT: u32 = 25;
const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;
const EPOCH: PrimitiveDateTime = datetime!(2000-01-01 0:00);

/// The OIDs of the columns that need a look into `pg_type` before they can be decoded.
pub(crate) fn unknown_types(columns: &[sqlx::postgres::PgColumn]) -> Vec<u32> {
    let oids = columns.iter().filter_map(|column| column.type_info().oid()).map(|oid| oid.0);
    oids.filter(|oid| !is_known(*oid)).collect()
}

/// The columns of a result.
pub(crate) fn columns(columns: &[sqlx::postgres::PgColumn], types: &UserTypes) -> Vec<Column> {
    let type_name = |column: &sqlx::postgres::PgColumn| {
        let info = column.type_info();
        let user = info.oid().and_then(|oid| types.get(&oid.0));
        user.map_or_else(|| info.name().to_lowercase(), |user| user.name.clone())
    };
    columns
        .iter()
        .map(|column| Column { name: column.name().to_owned(), type_name: type_name(column) })
        .collect()
}

/// The values of one row.
pub(crate) fn values(row: &PgRow, types: &UserTypes) -> Result<Vec<Value>, EngineError> {
    row.columns().iter().map(|column| value(row, column, types)).collect()
}

fn value(row: &PgRow, column: &sqlx::postgres::PgColumn, types: &UserTypes) -> Result<Value, EngineError> {
    let oid = column.type_info().oid().map_or(0, |oid| oid.0);
    let user = types.get(&oid);
    let unreadable = || EngineError::UnreadableColumn {
        column: column.name().to_owned(),
        type_name: user.map_or_else(|| column.type_info().name().to_lowercase(), |user| user.name.clone()),
    };
    let raw = row.try_get_raw(column.ordinal()).map_err(|_| unreadable())?;
    if raw.is_null() {
        return Ok(Value::Null);
    }
    let oid = user.map_or(Some(oid), |user| user.base).ok_or_else(unreadable)?;
    if raw.format() != PgValueFormat::Binary {
        return Err(unreadable());
    }
    raw.as_bytes().ok().and_then(|bytes| decode(oid, bytes)).ok_or_else(unreadable)
}

fn is_known(oid: u32) -> bool {
    matches!(
        oid,
        16..=21
            | 23
            | TEXT
            | 26
            | 114
            | 142
            | 700
            | 701
            | 705
            | 1042
            | 1043
            | 1082
            | 1083
            | 1114
            | 1184
            | 1186
            | 1700
            | 2205
            | 2206
            | 2278
            | 2950
            | 3802
    ) || is_array(oid)
}

/// The arrays of the known types; the element's type stands in the value itself.
fn is_array(oid: u32) -> bool {
    matches!(
        oid,
        199 | 1000
            | 1001
            | 1003
            | 1005
            | 1007
            | 1009
            | 1014
            | 1015
            | 1016
            | 1021
            | 1022
            | 1028
            | 1115
            | 1182
            | 1183
            | 1185
            | 1187
            | 1231
            | 2951
            | 3807
    )
}

/// The value that `bytes` stand for in the binary format of the type `oid`.
fn decode(oid: u32, bytes: &[u8]) -> Option<Value> {
    Some(match oid {
        16 => Value::Bool(*bytes.first()? != 0),
        17 => Value::Bytes(bytes.to_vec()),
        18 | 19 | TEXT | 142 | 705 | 1042 | 1043 => Value::Text(std::str::from_utf8(bytes).ok()?.to_owned()),
        20 => Value::Int(i64_of(bytes)?),
        21 => Value::Int(i16::from_be_bytes(bytes.try_into().ok()?).into()),
        23 => Value::Int(i32_of(bytes)?.into()),
        26 | 2205 | 2206 => Value::Int(u32::from_be_bytes(bytes.try_into().ok()?).into()),
        114 => Value::Json(serde_json::from_slice(bytes).ok()?),
        // The first byte of a jsonb is the version of its format.
        3802 => Value::Json(serde_json::from_slice(bytes.get(1..)?).ok()?),
        700 => Value::Float(f32::from_be_bytes(bytes.try_into().ok()?).into()),
        701 => Value::Float(f64::from_be_bytes(bytes.try_into().ok()?)),
        1082 => date(i32_of(bytes)?)?,
        1083 => Value::Time(time_of_day(i64_of(bytes)?)?),
        1114 => local_timestamp(i64_of(bytes)?)?,
        1184 => timestamp(i64_of(bytes)?)?,
        1186 => interval(bytes)?,
        1700 => Value::Decimal(numeric::decode(bytes)?),
        2278 => Value::Null,
        2950 => Value::Text(uuid(bytes)?),
        _ if is_array(oid) => array(bytes)?,
        _ => return None,
    })
}

fn i32_of(bytes: &[u8]) -> Option<i32> {
    bytes.try_into().ok().map(i32::from_be_bytes)
}

fn i64_of(bytes: &[u8]) -> Option<i64> {
    bytes.try_into().ok().map(i64::from_be_bytes)
}

/// PostgreSQL's infinities of dates and times are given as text. Years beyond what [`time`] knows cannot be read.
fn infinity(number: i64, last: i64) -> Option<Value> {
    let text = if number == last {
        "infinity"
    } else if number == -last - 1 {
        "-infinity"
    } else {
        return None;
    };
    Some(Value::Text(text.to_owned()))
}

fn date(days: i32) -> Option<Value> {
    let date = i32::checked_add(days, EPOCH.to_julian_day()).and_then(|day| Date::from_julian_day(day).ok());
    date.map(Value::Date).or_else(|| infinity(days.into(), i32::MAX.into()))
}

/// `24:00` is a time of PostgreSQL's alone.
fn time_of_day(microseconds: i64) -> Option<Time> {
    (0..MICROSECONDS_PER_DAY)
        .contains(&microseconds)
        .then(|| Time::MIDNIGHT + Duration::microseconds(microseconds))
}

fn since_epoch(microseconds: i64) -> Option<PrimitiveDateTime> {
    EPOCH.checked_add(Duration::microseconds(microseconds))
}

fn timestamp(microseconds: i64) -> Option<Value> {
    let time = since_epoch(microseconds).map(|time| Value::Timestamp(time.assume_utc()));
    time.or_else(|| infinity(microseconds, i64::MAX))
}

/// A time without an offset is no point in time: it is given as the text that PostgreSQL prints.
fn local_timestamp(microseconds: i64) -> Option<Value> {
    let text = since_epoch(microseconds).map(|time| time.to_string());
    text.map(|text| Value::Text(text.trim_end_matches(".0").to_owned()))
        .or_else(|| infinity(microseconds, i64::MAX))
}

/// A span with months in it has no length of its own: it is given as ISO 8601 text.
fn interval(bytes: &[u8]) -> Option<Value> {
    let microseconds = i64_of(bytes.get(..8)?)?;
    let days = i32_of(bytes.get(8..12)?)?;
    let months = i32_of(bytes.get(12..16)?)?;
    let total =
        i64::from(days).checked_mul(MICROSECONDS_PER_DAY).and_then(|days| days.checked_add(microseconds));
    Some(match total {
        Some(total) if months == 0 => Value::Duration(Duration::microseconds(total)),
        _ => {
            let seconds = Duration::microseconds(microseconds).as_seconds_f64();
            Value::Text(format!("P{months}M{days}DT{seconds}S"))
        }
    })
}

fn uuid(bytes: &[u8]) -> Option<String> {
    let number = u128::from_be_bytes(bytes.try_into().ok()?);
    let digits = format!("{number:032x}");
    Some([&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-"))
}

/// An array: the number of dimensions, a flag, the element's type, then size and lower bound of each
/// dimension, then the elements with their lengths (-1: NULL).
fn array(bytes: &[u8]) -> Option<Value> {
    let dimensions = usize::try_from(i32_of(bytes.get(..4)?)?).ok()?;
    let element = u32::from_be_bytes(bytes.get(8..12)?.try_into().ok()?);
    let mut rest = bytes.get(12..)?;
    let mut sizes = Vec::with_capacity(dimensions.min(6));
    for _ in 0..dimensions {
        sizes.push(usize::try_from(i32_of(rest.get(..4)?)?).ok()?);
        rest = rest.get(8..)?;
    }
    nested(&sizes, element, &mut rest)
}

fn nested(sizes: &[usize], element: u32, rest: &mut &[u8]) -> Option<Value> {
    let Some((size, inner)) = sizes.split_first() else { return Some(Value::List(Vec::new())) };
    let mut values = Vec::new();
    for _ in 0..*size {
        values.push(if inner.is_empty() {
            array_element(element, rest)?
        } else {
            nested(inner, element, rest)?
        });
    }
    Some(Value::List(values))
}

fn array_element(element: u32, rest: &mut &[u8]) -> Option<Value> {
    let length = i32_of(rest.get(..4)?)?;
    *rest = rest.get(4..)?;
    let Ok(length) = usize::try_from(length) else { return Some(Value::Null) };
    let value = decode(element, rest.get(..length)?)?;
    *rest = rest.get(length..)?;
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_out_of_range_are_text() {
        for (oid, bytes) in [(1184, i64::MAX), (1184, i64::MIN), (1114, i64::MAX)] {
            assert!(matches!(decode(oid, &bytes.to_be_bytes()), Some(Value::Text(_))));
        }
        assert_eq!(decode(1082, &i32::MAX.to_be_bytes()), Some(Value::Text("infinity".to_owned())));
        assert_eq!(decode(1184, &0_i64.to_be_bytes()), Some(Value::Timestamp(EPOCH.assume_utc())));
    }

    #[test]
    fn broken_bytes_are_no_value() {
        for oid in [16, 20, 21, 23, 114, 700, 701, 1082, 1184, 1186, 1700, 2950, 3802, 1016] {
            assert_eq!(decode(oid, &[]), None, "{oid}");
        }
    }
}
