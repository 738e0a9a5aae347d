//! The values that cross the border between SQLTrack and a database.

use time::{Date, Duration, OffsetDateTime};

/// One value: of a metric, of a query parameter, or of a column in a result.
///
/// Times and durations have a resolution of one microsecond, that of PostgreSQL; the `From`
/// impls cut off finer digits, so that a value is the same before and after it is stored.
///
/// ```
/// use sqltrack_engines::Value;
///
/// assert_eq!(Value::from(7), Value::Int(7));
/// assert_eq!(Value::from(Some(0.5)), Value::Float(0.5));
/// assert_eq!(Value::from(None::<f64>), Value::Null);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// SQL's NULL. As a metric: the metric has no value at this step.
    Null,
    /// A truth value.
    Bool(bool),
    /// A 64-bit integer.
    Int(i64),
    /// A double; NaN and the infinities are values like any other.
    Float(f64),
    /// A number of arbitrary precision in its decimal form, from a result only (`numeric`).
    Decimal(String),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A calendar date.
    Date(Date),
    /// A time of day, from a result only.
    Time(time::Time),
    /// A point in time.
    Timestamp(OffsetDateTime),
    /// A span of time.
    Duration(Duration),
    /// A JSON document. JSON's `null` is a document, not [`Value::Null`].
    Json(serde_json::Value),
    /// Several values of one type: an array in PostgreSQL, a JSON array in SQLite.
    List(Vec<Value>),
}

/// The types that a metric can have; each engine has a SQL type for every one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum MetricType {
    /// Truth values.
    Bool,
    /// 64-bit integers.
    Int,
    /// Doubles.
    Float,
    /// Text.
    Text,
    /// Bytes.
    Bytes,
    /// Calendar dates.
    Date,
    /// Points in time.
    Timestamp,
    /// Spans of time.
    Duration,
    /// JSON documents.
    Json,
}

impl MetricType {
    /// Every metric type.
    pub const ALL: [Self; 9] = [
        Self::Bool,
        Self::Int,
        Self::Float,
        Self::Text,
        Self::Bytes,
        Self::Date,
        Self::Timestamp,
        Self::Duration,
        Self::Json,
    ];
}

impl Value {
    /// The metric type of this value; `None` for NULL and for what cannot be a metric.
    #[must_use]
    pub fn metric_type(&self) -> Option<MetricType> {
        match self {
            Self::Bool(_) => Some(MetricType::Bool),
            Self::Int(_) => Some(MetricType::Int),
            Self::Float(_) => Some(MetricType::Float),
            Self::Text(_) => Some(MetricType::Text),
            Self::Bytes(_) => Some(MetricType::Bytes),
            Self::Date(_) => Some(MetricType::Date),
            Self::Timestamp(_) => Some(MetricType::Timestamp),
            Self::Duration(_) => Some(MetricType::Duration),
            Self::Json(_) => Some(MetricType::Json),
            Self::Null | Self::Decimal(_) | Self::Time(_) | Self::List(_) => None,
        }
    }

    /// What the value is, in a word for messages.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Bool(_) => "boolean",
            Self::Int(_) => "integer",
            Self::Float(_) => "float",
            Self::Decimal(_) => "decimal",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::Date(_) => "date",
            Self::Time(_) => "time",
            Self::Timestamp(_) => "timestamp",
            Self::Duration(_) => "duration",
            Self::Json(_) => "JSON",
            Self::List(_) => "list",
        }
    }

    /// Whether this is [`Value::Null`].
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

/// Cuts `time` to whole microseconds, the resolution of stored times, and turns it to UTC.
#[must_use]
pub fn to_microseconds(time: OffsetDateTime) -> OffsetDateTime {
    let utc = time.to_offset(time::UtcOffset::UTC);
    utc.replace_nanosecond(utc.microsecond() * 1_000).unwrap_or(utc)
}

macro_rules! value_from {
    ($($from:ty => $variant:ident($convert:expr),)*) => {$(
        impl From<$from> for Value {
            fn from(value: $from) -> Self {
                Self::$variant($convert(value))
            }
        }
    )*};
}

value_from! {
    bool => Bool(std::convert::identity),
    i8 => Int(i64::from),
    i16 => Int(i64::from),
    i32 => Int(i64::from),
    i64 => Int(std::convert::identity),
    u8 => Int(i64::from),
    u16 => Int(i64::from),
    u32 => Int(i64::from),
    f32 => Float(f64::from),
    f64 => Float(std::convert::identity),
    String => Text(std::convert::identity),
    &str => Text(str::to_owned),
    &String => Text(String::clone),
    std::borrow::Cow<'_, str> => Text(std::borrow::Cow::into_owned),
    Vec<u8> => Bytes(std::convert::identity),
    &[u8] => Bytes(<[u8]>::to_vec),
    Date => Date(std::convert::identity),
    OffsetDateTime => Timestamp(to_microseconds),
    Duration => Duration(cut_duration),
    serde_json::Value => Json(std::convert::identity),
}

fn cut_duration(duration: Duration) -> Duration {
    Duration::new(duration.whole_seconds(), duration.subsec_microseconds() * 1_000)
}

impl<const N: usize> From<&[u8; N]> for Value {
    fn from(bytes: &[u8; N]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Integers that may not fit a column: beyond `i64::MAX` there is no exact SQL type, so they turn
/// into [`Value::Decimal`], which no metric column takes; the write then fails by name.
macro_rules! value_from_wide {
    ($($from:ty),*) => {$(
        impl From<$from> for Value {
            fn from(value: $from) -> Self {
                i64::try_from(value).map_or_else(|_| Self::Decimal(value.to_string()), Self::Int)
            }
        }
    )*};
}

value_from_wide!(u64, usize, isize, i128, u128);

impl From<std::time::Duration> for Value {
    fn from(value: std::time::Duration) -> Self {
        Self::from(Duration::try_from(value).unwrap_or(Duration::MAX))
    }
}

/// A list, as `= ANY($1)` of PostgreSQL and `json_each($1)` of SQLite take it.
impl<T: Into<Value>> FromIterator<T> for Value {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn integers_beyond_i64_are_kept_apart() {
        assert_eq!(Value::from(i64::MAX as u64), Value::Int(i64::MAX));
        assert_eq!(Value::from(u64::MAX), Value::Decimal("18446744073709551615".to_owned()));
        assert_eq!(Value::from(u64::MAX).metric_type(), None);
    }

    #[test]
    fn times_are_cut_to_microseconds_in_utc() {
        let value = Value::from(datetime!(2024-05-07 14:30:00.123_456_789 +2));
        assert_eq!(value, Value::Timestamp(datetime!(2024-05-07 12:30:00.123_456 UTC)));
        let value = Value::from(Duration::new(-1, -1_999));
        assert_eq!(value, Value::Duration(Duration::new(-1, -1_000)));
    }
}
