//! Values as numbers.

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
