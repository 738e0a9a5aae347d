//! How `metrics_overflow` holds values: a number in `value`, everything else in `other`.
//!
//! A float stands in `value` alone. An integer, a boolean and a text stand in `other` as what they are
//! in JSON (an integer in `value` too, for aggregates). What JSON has no form for is an object with one
//! key that names the type: `{"date": "2024-05-07"}`, `{"float": "NaN"}` where `value` cannot be NaN.

use serde_json::{Value as Json, json};
use time::format_description::well_known::{Iso8601, Rfc3339};
use time::{Date, Duration, OffsetDateTime};

use crate::Value;

/// The columns `value` and `other` that stand for a metric value; `None` for what is no metric value.
#[must_use]
pub fn encode(value: &Value) -> Option<(Option<f64>, Option<Json>)> {
    let other = match value {
        Value::Float(number) => return Some((Some(*number), None)),
        #[expect(clippy::cast_precision_loss, reason = "`other` holds the exact integer")]
        Value::Int(number) => return Some((Some(*number as f64), Some(json!(number)))),
        Value::Bool(truth) => json!(truth),
        Value::Text(text) => json!(text),
        Value::Bytes(bytes) => json!({"bytes": hex(bytes)}),
        Value::Date(date) => json!({"date": date.format(&Iso8601::DATE).ok()?}),
        Value::Timestamp(time) => json!({"timestamp": time.format(&Rfc3339).ok()?}),
        Value::Duration(duration) => {
            json!({"microseconds": i64::try_from(duration.whole_microseconds()).ok()?})
        }
        Value::Json(json) => json!({"json": json}),
        Value::Null | Value::Decimal(_) | Value::Time(_) | Value::List(_) => return None,
    };
    Some((None, Some(other)))
}

/// The form of NaN for a database whose `value` cannot hold it.
#[must_use]
pub fn nan() -> Json {
    json!({"float": "NaN"})
}

/// The metric value that `value` and `other` stand for; `None` if they stand for nothing.
#[must_use]
pub fn decode(value: Option<f64>, other: Option<Json>) -> Option<Value> {
    let object = match other {
        None => return value.map(Value::Float),
        Some(Json::Bool(truth)) => return Some(Value::Bool(truth)),
        Some(Json::String(text)) => return Some(Value::Text(text)),
        Some(Json::Number(number)) => return number.as_i64().map(Value::Int),
        Some(Json::Object(object)) => object,
        Some(Json::Null | Json::Array(_)) => return None,
    };
    let (kind, content) = object.into_iter().next()?;
    match (kind.as_str(), content) {
        ("json", json) => Some(Value::Json(json)),
        ("float", Json::String(text)) => text.parse().ok().map(Value::Float),
        ("bytes", Json::String(text)) => unhex(&text).map(Value::Bytes),
        ("date", Json::String(text)) => Date::parse(&text, &Iso8601::DATE).ok().map(Value::Date),
        ("timestamp", Json::String(text)) => {
            OffsetDateTime::parse(&text, &Rfc3339).ok().map(Value::Timestamp)
        }
        ("microseconds", Json::Number(number)) => {
            Some(Value::Duration(Duration::microseconds(number.as_i64()?)))
        }
        _ => None,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !text.is_ascii() || !digits.len().is_multiple_of(2) {
        return None;
    }
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::{date, datetime};

    #[test]
    fn every_metric_value_comes_back() {
        for value in [
            Value::Bool(true),
            Value::Int(i64::MAX),
            Value::Float(-0.5),
            Value::Float(f64::INFINITY),
            Value::Text(String::new()),
            Value::Bytes(vec![0, 255]),
            Value::Date(date!(2024 - 05 - 07)),
            Value::Timestamp(datetime!(2024-05-07 12:30:00.000_001 UTC)),
            Value::Duration(Duration::microseconds(-1)),
            Value::Json(json!(null)),
            Value::Json(json!({"date": 1})),
        ] {
            let (number, other) = encode(&value).unwrap();
            assert_eq!(decode(number, other), Some(value));
        }
        assert!(matches!(decode(None, Some(nan())), Some(Value::Float(number)) if number.is_nan()));
    }
}
