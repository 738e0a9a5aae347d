//! How a value is written down: a byte for its kind, and its bits.

use sqltrack_engines::Value;
use time::{Date, Duration, OffsetDateTime, Time};

/// How deep documents and lists may be nested; what is deeper could not be read back.
const MAX_DEPTH: usize = 100;

/// Bytes that are not what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// What is left to read of a record.
pub(super) struct Cursor<'a>(pub(super) &'a [u8]);

impl<'a> Cursor<'a> {
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn array<const COUNT: usize>(&mut self) -> Result<[u8; COUNT], Malformed> {
        self.take(COUNT)?.try_into().map_err(|_| Malformed)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Malformed> {
        self.array().map(|[byte]| byte)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn i32(&mut self) -> Result<i32, Malformed> {
        self.array().map(i32::from_le_bytes)
    }

    pub(super) fn i64(&mut self) -> Result<i64, Malformed> {
        self.array().map(i64::from_le_bytes)
    }

    pub(super) fn f64(&mut self) -> Result<f64, Malformed> {
        self.array().map(f64::from_le_bytes)
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.u32()?;
        self.take(usize::try_from(length).map_err(|_| Malformed)?)
    }

    pub(super) fn text(&mut self) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Malformed)
    }

    pub(super) fn time(&mut self) -> Result<OffsetDateTime, Malformed> {
        let (seconds, nanosecond) = (self.i64()?, self.u32()?);
        let time = OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| Malformed)?;
        time.replace_nanosecond(nanosecond).map_err(|_| Malformed)
    }
}

/// Appends a length and bytes.
pub(super) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), String> {
    let length = u32::try_from(bytes.len()).map_err(|_| "a value of 4 GiB or more".to_owned())?;
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(bytes);
    Ok(())
}

/// Appends a point in time, of any offset, as what it is in UTC.
pub(super) fn put_time(out: &mut Vec<u8>, time: OffsetDateTime) -> Result<(), String> {
    let seconds = time.unix_timestamp();
    if OffsetDateTime::from_unix_timestamp(seconds).is_err() {
        return Err(format!("the time {time}, which is out of range in UTC"));
    }
    out.extend_from_slice(&seconds.to_le_bytes());
    out.extend_from_slice(&time.nanosecond().to_le_bytes());
    Ok(())
}

/// Appends a value. The error says what cannot be written down.
pub(super) fn put(out: &mut Vec<u8>, value: &Value) -> Result<(), String> {
    put_at(out, value, 0)
}

fn put_at(out: &mut Vec<u8>, value: &Value, depth: usize) -> Result<(), String> {
    match value {
        Value::Null => out.push(0),
        Value::Float(number) => {
            out.push(1);
            out.extend_from_slice(&number.to_le_bytes());
        }
        Value::Int(number) => {
            out.push(2);
            out.extend_from_slice(&number.to_le_bytes());
        }
        Value::Bool(is_true) => out.push(3 + u8::from(*is_true)),
        Value::Text(text) => {
            out.push(5);
            put_bytes(out, text.as_bytes())?;
        }
        Value::Bytes(bytes) => {
            out.push(6);
            put_bytes(out, bytes)?;
        }
        Value::Date(date) => {
            out.push(7);
            out.extend_from_slice(&date.to_julian_day().to_le_bytes());
        }
        Value::Timestamp(time) => {
            out.push(8);
            put_time(out, *time)?;
        }
        Value::Duration(duration) => {
            out.push(9);
            out.extend_from_slice(&duration.whole_seconds().to_le_bytes());
            out.extend_from_slice(&duration.subsec_nanoseconds().to_le_bytes());
        }
        Value::Json(document) => {
            out.push(10);
            if !is_shallow(document, MAX_DEPTH) {
                return Err(format!("JSON that is nested more than {MAX_DEPTH} deep"));
            }
            put_bytes(out, &serde_json::to_vec(document).map_err(|err| format!("JSON: {err}"))?)?;
        }
        Value::Decimal(digits) => {
            out.push(11);
            put_bytes(out, digits.as_bytes())?;
        }
        Value::Time(time) => {
            out.push(12);
            let (hour, minute, second, nanosecond) = time.as_hms_nano();
            out.extend_from_slice(&[hour, minute, second]);
            out.extend_from_slice(&nanosecond.to_le_bytes());
        }
        Value::List(values) if depth < MAX_DEPTH => {
            out.push(13);
            let count = u32::try_from(values.len()).map_err(|_| "a list that is too long".to_owned())?;
            out.extend_from_slice(&count.to_le_bytes());
            values.iter().try_for_each(|value| put_at(out, value, depth + 1))?;
        }
        other => return Err(format!("a {} value", other.type_name())),
    }
    Ok(())
}

fn is_shallow(document: &serde_json::Value, depth: usize) -> bool {
    match document {
        serde_json::Value::Array(values) => {
            depth > 0 && values.iter().all(|value| is_shallow(value, depth - 1))
        }
        serde_json::Value::Object(members) => {
            depth > 0 && members.values().all(|value| is_shallow(value, depth - 1))
        }
        _ => true,
    }
}

/// Reads a value.
pub(super) fn take(cursor: &mut Cursor<'_>) -> Result<Value, Malformed> {
    take_at(cursor, 0)
}

fn take_at(cursor: &mut Cursor<'_>, depth: usize) -> Result<Value, Malformed> {
    Ok(match cursor.byte()? {
        0 => Value::Null,
        1 => Value::Float(cursor.f64()?),
        2 => Value::Int(cursor.i64()?),
        3 => Value::Bool(false),
        4 => Value::Bool(true),
        5 => Value::Text(cursor.text()?.to_owned()),
        6 => Value::Bytes(cursor.bytes()?.to_vec()),
        7 => Value::Date(Date::from_julian_day(cursor.i32()?).map_err(|_| Malformed)?),
        8 => Value::Timestamp(cursor.time()?),
        9 => Value::Duration(Duration::new(cursor.i64()?, cursor.i32()?)),
        10 => Value::Json(serde_json::from_slice(cursor.bytes()?).map_err(|_| Malformed)?),
        11 => Value::Decimal(cursor.text()?.to_owned()),
        12 => {
            let ([hour, minute, second], nanosecond) = (cursor.array()?, cursor.u32()?);
            Value::Time(Time::from_hms_nano(hour, minute, second, nanosecond).map_err(|_| Malformed)?)
        }
        13 if depth < MAX_DEPTH => {
            let count = cursor.u32()?;
            // Each value takes a byte at least, so that a wrong count ends soon.
            (0..count).map(|_| take_at(cursor, depth + 1)).collect::<Result<Vec<_>, _>>().map(Value::List)?
        }
        _ => return Err(Malformed),
    })
}
