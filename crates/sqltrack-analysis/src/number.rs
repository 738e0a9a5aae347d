//! Values as numbers, and values out of documents.

use sqltrack_core::Value;

/// The number that a value is, as a float: an integer, a float or a decimal. None for what is no number.
///
/// ```
/// use sqltrack_core::Value;
///
/// assert_eq!(sqltrack_analysis::as_number(&Value::Int(7)), Some(7.0));
/// assert_eq!(sqltrack_analysis::as_number(&Value::from("7")), None);
/// ```
#[must_use]
pub fn as_number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        Value::Decimal(digits) => digits.parse().ok(),
        _ => None,
    }
}

/// What a value of a JSON document is by itself: a text, a number with all of its digits, a truth value, NULL; and what holds
/// others, the document that it is.
///
/// ```
/// use sqltrack_core::Value;
///
/// assert_eq!(sqltrack_analysis::scalar(serde_json::json!(0.1)), Value::Float(0.1));
/// let large = Value::Decimal(u64::MAX.to_string());
/// assert_eq!(sqltrack_analysis::scalar(serde_json::json!(u64::MAX)), large);
/// ```
#[must_use]
pub fn scalar(json: serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(truth) => Value::Bool(truth),
        serde_json::Value::String(text) => Value::Text(text),
        serde_json::Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => Value::Int(integer),
            (None, Some(float)) if number.is_f64() => Value::Float(float),
            // No float has the digits of so large an integer.
            _ => Value::Decimal(number.to_string()),
        },
        other => Value::Json(other),
    }
}
