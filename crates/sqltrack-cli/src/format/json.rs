//! JSON: an array with an object for each row, one a line.

use std::io::{self, Write};

use sqltrack_analysis::unique_names;
use sqltrack_core::{Column, Row, Rows, Value, text};

use super::{RowWriter, plain};

#[derive(Default)]
pub(super) struct Json {
    has_rows: bool,
}

impl RowWriter for Json {
    fn rows(&mut self, rows: Rows, out: &mut dyn Write) -> anyhow::Result<()> {
        let keys = keys(rows.columns());
        for row in &rows {
            let separator = if std::mem::replace(&mut self.has_rows, true) { "," } else { "[" };
            writeln!(out, "{separator}")?;
            object(&keys, row, out)?;
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut dyn Write) -> anyhow::Result<()> {
        let open = if self.has_rows { "\n" } else { "[" };
        Ok(writeln!(out, "{open}]")?)
    }
}

/// The names of the columns as JSON strings. A name that a query uses again gets a number, since what readers
/// make of a key that comes twice differs.
pub(super) fn keys(columns: &[Column]) -> Vec<String> {
    unique_names(columns).iter().map(|name| string(name)).collect()
}

/// One row as an object.
pub(super) fn object(keys: &[String], row: &Row, out: &mut dyn Write) -> io::Result<()> {
    let mut separator = "{";
    for (key, value) in keys.iter().zip(row.values()) {
        write!(out, "{separator}{key}:{}", self::value(value))?;
        separator = ",";
    }
    write!(out, "}}")
}

/// A value as JSON, with all of its digits.
pub(super) fn value(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) | Value::Int(_) => text::of(value),
        Value::Float(number) if number.is_finite() => text::float(*number),
        Value::Decimal(digits) if is_number(digits) => digits.clone(),
        Value::Duration(duration) => plain::seconds(*duration),
        Value::Json(json) => json.to_string(),
        Value::List(values) => {
            let values: Vec<String> = values.iter().map(self::value).collect();
            format!("[{}]", values.join(","))
        }
        other => string(&plain::text(other).unwrap_or_default()),
    }
}

/// Whether the text of a decimal is a number of JSON, which knows no `NaN`.
fn is_number(digits: &str) -> bool {
    digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.'))
        && serde_json::from_str::<serde_json::Number>(digits).is_ok()
}

fn string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{rows, text};
    use super::*;

    #[test]
    fn rows_are_objects_one_a_line() {
        let two = rows(&["a", "b"], vec![vec![1.into(), "x".into()], vec![Value::Null, "".into()]]);
        assert_eq!(text(Json::default(), two), "[\n{\"a\":1,\"b\":\"x\"},\n{\"a\":null,\"b\":\"\"}\n]\n");
        assert_eq!(text(Json::default(), rows(&["a"], Vec::new())), "[]\n");
        assert_eq!(text(Json::default(), rows(&[], Vec::new())), "[]\n");
    }

    #[test]
    fn values_keep_all_that_they_are() {
        let decimal = |digits: &str| Value::Decimal(digits.to_owned());
        for (input, expected) in [
            (Value::Float(f64::NAN), "\"NaN\""),
            (Value::Float(f64::INFINITY), "\"Infinity\""),
            (Value::Float(f64::NEG_INFINITY), "\"-Infinity\""),
            (Value::Float(0.1), "0.1"),
            (Value::Float(-0.0), "-0.0"),
            (Value::Int(i64::MIN), "-9223372036854775808"),
            (Value::Int((1 << 53) + 1), "9007199254740993"),
            (decimal("123456789012345678901234567890.10"), "123456789012345678901234567890.10"),
            (decimal("NaN"), "\"NaN\""),
            (decimal("-Infinity"), "\"-Infinity\""),
            (Value::Bytes(vec![0, 255]), "\"\\\\x00ff\""),
            (Value::Duration(time::Duration::milliseconds(-1_500)), "-1.5"),
            (Value::Timestamp(time::macros::datetime!(2024-05-07 14:30 +2)), "\"2024-05-07T12:30:00Z\""),
            (Value::Date(time::macros::date!(2024 - 05 - 07)), "\"2024-05-07\""),
            (Value::Json(serde_json::json!({"b": [1], "a": null})), "{\"b\":[1],\"a\":null}"),
            (Value::List(vec![Value::Float(f64::NAN), Value::Null]), "[\"NaN\",null]"),
            (Value::Text("\"\u{1}\n损".to_owned()), "\"\\\"\\u0001\\n损\""),
        ] {
            let json = value(&input);
            assert_eq!(json, expected);
            serde_json::from_str::<serde_json::Value>(&json).unwrap();
        }
    }

    #[test]
    fn extreme_floats_read_back_as_they_were() {
        for number in [f64::MAX, f64::MIN_POSITIVE, 5e-324, 1e21, 1.0, 123_456_789.123_456_79] {
            assert_eq!(serde_json::from_str::<f64>(&value(&Value::Float(number))).unwrap(), number);
        }
    }

    #[test]
    fn a_name_that_comes_twice_is_numbered() {
        let rows = rows(&["id", "id", "id_2", "id"], Vec::new());
        assert_eq!(keys(rows.columns()), ["\"id\"", "\"id_3\"", "\"id_2\"", "\"id_4\""]);
    }
}
