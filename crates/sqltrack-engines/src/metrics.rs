//! Metrics: their names, the columns that hold them, and which value fits which column.

use crate::{MetricType, Value};

/// The longest metric name in bytes, PostgreSQL's limit for the name of a column.
pub const MAX_NAME_BYTES: usize = 63;

/// Names that no metric can have, whatever their case: the key of `metrics`, and the system columns
/// of PostgreSQL and SQLite.
const RESERVED_NAMES: [&str; 12] = [
    "run_id", "step", "progress", "tableoid", "xmin", "cmin", "xmax", "cmax", "ctid", "rowid", "oid",
    "_rowid_",
];

/// Why a text cannot be the name of a metric.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MetricNameError {
    /// The name is empty.
    #[error("a metric needs a name; the given one is empty")]
    Empty,
    /// The name is longer than [`MAX_NAME_BYTES`].
    #[error(
        "metric name `{name}` has {} bytes, the limit is {MAX_NAME_BYTES}; choose a shorter one",
        .name.len()
    )]
    TooLong {
        /// The name.
        name: String,
    },
    /// The name is that of a column with a meaning of its own.
    #[error("metric name `{name}` is reserved; choose another")]
    Reserved {
        /// The name.
        name: String,
    },
    /// The name holds a NUL character, which no database takes.
    #[error("metric name {name:?} holds a NUL character; remove it")]
    Nul {
        /// The name.
        name: String,
    },
}

/// Checks that `name` can be the name of a metric, on every engine.
///
/// # Errors
///
/// [`MetricNameError`] if it cannot.
///
/// ```
/// use sqltrack_engines::check_metric_name;
///
/// assert!(check_metric_name("val/acc@5").is_ok());
/// assert!(check_metric_name("Step").is_err());
/// ```
pub fn check_metric_name(name: &str) -> Result<(), MetricNameError> {
    if name.is_empty() {
        return Err(MetricNameError::Empty);
    }
    if name.contains('\0') {
        return Err(MetricNameError::Nul { name: name.to_owned() });
    }
    if name.len() > MAX_NAME_BYTES {
        return Err(MetricNameError::TooLong { name: name.to_owned() });
    }
    if RESERVED_NAMES.iter().any(|reserved| reserved.eq_ignore_ascii_case(name)) {
        return Err(MetricNameError::Reserved { name: name.to_owned() });
    }
    Ok(())
}

/// What a column of `metrics` can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ColumnKind {
    /// Values of a metric type, in the SQL type that the engine has for it.
    Metric(MetricType),
    /// 16-bit integers (`SMALLINT`).
    Int16,
    /// 32-bit integers (`INTEGER` of PostgreSQL).
    Int32,
    /// Single-precision floats (`REAL` of PostgreSQL).
    Float32,
    /// A type of the user's own that SQLTrack does not write.
    Other,
}

/// A column of `metrics`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricColumn {
    /// The metric's name.
    pub name: String,
    /// What the column can hold.
    pub kind: ColumnKind,
    /// The database's name of its type.
    pub type_name: String,
}

/// How a value and a column go together.
#[derive(Debug, Clone, PartialEq)]
pub enum Fit {
    /// The column takes this value, which is the given one in the column's type.
    Exact(Value),
    /// The column must become a float column first.
    Widen,
    /// The column cannot hold the value.
    Refused,
}

impl ColumnKind {
    /// How `value` goes into a column of this kind. Nothing is ever rounded: an integer goes into a
    /// float column only if the float is equal to it.
    ///
    /// ```
    /// use sqltrack_engines::{ColumnKind, Fit, MetricType, Value};
    ///
    /// let float = ColumnKind::Metric(MetricType::Float);
    /// assert_eq!(float.fit(&Value::Int(7)), Fit::Exact(Value::Float(7.0)));
    /// assert_eq!(float.fit(&Value::Int(i64::MAX)), Fit::Refused);
    /// let int = ColumnKind::Metric(MetricType::Int);
    /// assert_eq!(int.fit(&Value::Float(2.5)), Fit::Widen);
    /// ```
    #[must_use]
    pub fn fit(self, value: &Value) -> Fit {
        let exact = match (self, value) {
            (_, Value::Null) => Some(Value::Null),
            (Self::Metric(MetricType::Int) | Self::Int16 | Self::Int32, Value::Float(_)) => {
                return Fit::Widen;
            }
            (Self::Metric(MetricType::Float), Value::Int(number)) => exact_f64(*number).map(Value::Float),
            (Self::Metric(kind), value) => (value.metric_type() == Some(kind)).then(|| value.clone()),
            (Self::Int16, Value::Int(number)) => i16::try_from(*number).ok().map(Value::from),
            (Self::Int32, Value::Int(number)) => i32::try_from(*number).ok().map(Value::from),
            (Self::Float32, Value::Float(number)) => exact_f32(*number).then(|| value.clone()),
            (Self::Float32, Value::Int(number)) => {
                exact_f64(*number).filter(|number| exact_f32(*number)).map(Value::Float)
            }
            _ => None,
        };
        exact.map_or(Fit::Refused, Fit::Exact)
    }
}

/// `number` as a double, if the double is equal to it.
#[must_use]
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "the result is compared")]
pub fn exact_f64(number: i64) -> Option<f64> {
    let float = number as f64;
    (float as i128 == i128::from(number)).then_some(float)
}

#[expect(clippy::cast_possible_truncation, reason = "the result is compared")]
fn exact_f32(number: f64) -> bool {
    number.is_nan() || f64::from(number as f32) == number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: ColumnKind, value: impl Into<Value>, expected: Fit) {
        assert_eq!(kind.fit(&value.into()), expected);
    }

    #[test]
    fn only_what_is_exact_fits() {
        use MetricType::{Bool, Float, Int, Json, Text};
        let metric = ColumnKind::Metric;
        check(metric(Int), i64::MIN, Fit::Exact(Value::Int(i64::MIN)));
        check(metric(Int), f64::NAN, Fit::Widen);
        check(metric(Int), "1", Fit::Refused);
        check(metric(Int), u64::MAX, Fit::Refused);
        check(metric(Float), (1_i64 << 53) + 1, Fit::Refused);
        check(metric(Float), i64::MIN, Fit::Exact(Value::Float(i64::MIN as f64)));
        check(metric(Bool), 1, Fit::Refused);
        check(metric(Text), serde_json::json!("x"), Fit::Refused);
        check(metric(Json), None::<f64>, Fit::Exact(Value::Null));
        check(ColumnKind::Int32, i64::from(i32::MAX) + 1, Fit::Refused);
        check(ColumnKind::Float32, 0.1_f32, Fit::Exact(Value::Float(f64::from(0.1_f32))));
        check(ColumnKind::Float32, 0.1_f64, Fit::Refused);
        check(ColumnKind::Float32, f64::INFINITY, Fit::Exact(Value::Float(f64::INFINITY)));
        check(ColumnKind::Other, 1, Fit::Refused);
    }

    #[test]
    fn names_are_checked() {
        let long = "é".repeat(32);
        for (name, ok) in [
            ("loss", true),
            ("val/acc@5", true),
            ("Loss \"x\"", true),
            ("select", true),
            ("损失", true),
            (&long[..62], true),
            (&long, false),
            ("", false),
            ("RUN_ID", false),
            ("rowid", false),
            ("a\0b", false),
        ] {
            assert_eq!(check_metric_name(name).is_ok(), ok, "{name:?}");
        }
    }
}
