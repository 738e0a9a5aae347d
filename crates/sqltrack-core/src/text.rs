//! Values as text for people.

use std::fmt::Write as _;

use sqltrack_engines::Value;

/// A value as a person writes it: `0.5`, `NaN`, `2024-05-07`, JSON as JSON, NULL as nothing.
#[must_use]
pub fn of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(truth) => truth.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => float(*number),
        Value::Decimal(text) | Value::Text(text) => text.clone(),
        Value::Bytes(bytes) => bytes.iter().fold("\\x".to_owned(), |text, byte| format!("{text}{byte:02x}")),
        Value::Date(date) => date.to_string(),
        Value::Time(time) => time.to_string(),
        Value::Timestamp(time) => timestamp(*time),
        Value::Duration(duration) => span(*duration),
        Value::Json(json) => json.to_string(),
        Value::List(values) => {
            let values: Vec<String> = values.iter().map(of).collect();
            format!("[{}]", values.join(", "))
        }
        other => format!("{other:?}"),
    }
}

/// Appends a value as [`of`] writes it, which for a number takes no memory of its own.
pub fn append(value: &Value, text: &mut String) {
    // A `String` takes everything.
    let _ = match value {
        Value::Int(number) => write!(text, "{number}"),
        Value::Float(number) if number.is_finite() => write!(text, "{number:?}"),
        value => text.write_str(&of(value)),
    };
}

/// A float in the shortest form that reads back as the same: `0.1`, `1.0`, `1e-300`, `NaN`, `Infinity`.
#[must_use]
pub fn float(number: f64) -> String {
    if number.is_infinite() {
        return if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    format!("{number:?}")
}

/// A time in UTC, to the second or as fine as it is: `2024-05-07 12:30:00+00:00`.
#[must_use]
pub fn timestamp(time: time::OffsetDateTime) -> String {
    let utc = sqltrack_engines::to_microseconds(time);
    let fraction = match utc.microsecond() {
        0 => String::new(),
        microsecond => format!(".{microsecond:06}").trim_end_matches('0').to_owned(),
    };
    let (hour, minute, second) = utc.to_hms();
    format!("{} {hour:02}:{minute:02}:{second:02}{fraction}+00:00", utc.date())
}

/// A span as days and clock time: `1 d 02:03:04.5`.
#[must_use]
pub fn span(duration: time::Duration) -> String {
    let sign = if duration.is_negative() { "-" } else { "" };
    let microseconds = duration.whole_microseconds().unsigned_abs();
    let (seconds, fraction) = (microseconds / 1_000_000, microseconds % 1_000_000);
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let days = if days == 0 { String::new() } else { format!("{days} d ") };
    let fraction = match fraction {
        0 => String::new(),
        fraction => format!(".{fraction:06}").trim_end_matches('0').to_owned(),
    };
    format!("{sign}{days}{:02}:{:02}:{:02}{fraction}", rest / 3600, rest / 60 % 60, rest % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn values_read_as_people_write_them() {
        for (value, expected) in [
            (Value::Float(0.1), "0.1"),
            (Value::Float(f64::NAN), "NaN"),
            (Value::Float(f64::NEG_INFINITY), "-Infinity"),
            (Value::Timestamp(datetime!(2024-05-07 14:30:00.5 +2)), "2024-05-07 12:30:00.5+00:00"),
            (Value::Duration(time::Duration::seconds_f64(-93784.5)), "-1 d 02:03:04.5"),
            (Value::Bytes(vec![0, 255]), "\\x00ff"),
            (Value::List(vec![Value::Int(1), Value::Int(2)]), "[1, 2]"),
            (Value::Null, ""),
        ] {
            assert_eq!(of(&value), expected);
        }
    }
}
