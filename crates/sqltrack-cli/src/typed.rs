//! Words of the command line as values: what is JSON is what it says, everything else is text.

use serde_json::Value as Json;
use sqltrack_core::Value;

/// The two sides of the first `=`.
pub(crate) fn pair(text: &str) -> Result<(&str, &str), String> {
    match text.split_once('=') {
        None => Err("expected NAME=VALUE".to_owned()),
        Some(("", _)) => Err("the name is missing; expected NAME=VALUE".to_owned()),
        Some(pair) => Ok(pair),
    }
}

/// The value of a parameter of a statement. A list is one for `= ANY(…)`.
pub(crate) fn parameter(text: &str) -> Result<Value, String> {
    match serde_json::from_str(text) {
        Ok(Json::Array(values)) if !values.iter().any(|value| value.is_array() || value.is_object()) => {
            values.into_iter().map(scalar).collect()
        }
        Ok(Json::Number(number)) => self::number(&number, is_written_as_float(text)),
        Ok(json) => scalar(json),
        Err(_) => Ok(Value::Text(text.to_owned())),
    }
}

fn scalar(json: Json) -> Result<Value, String> {
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Bool(truth),
        Json::String(text) => Value::Text(text),
        Json::Number(number) => self::number(&number, false)?,
        json => Value::Json(json),
    })
}

/// An integer too big for 64 bits would be a float that is not the same.
fn number(number: &serde_json::Number, is_written_as_float: bool) -> Result<Value, String> {
    const INTEGERS_END: f64 = 9_223_372_036_854_775_808.0;
    match (number.as_i64(), number.as_f64()) {
        (Some(integer), _) => Ok(Value::Int(integer)),
        (None, Some(float)) if is_written_as_float || float.abs() < INTEGERS_END => Ok(Value::Float(float)),
        _ => Err("the number is beyond 64 bits; give it as text and cast it in the statement".to_owned()),
    }
}

fn is_written_as_float(text: &str) -> bool {
    text.contains(['.', 'e', 'E'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(text: &str, expected: Value) {
        assert_eq!(parameter(text), Ok(expected), "{text}");
    }

    #[test]
    fn parameters_are_json_or_text() {
        check("7", Value::Int(7));
        check("-9223372036854775808", Value::Int(i64::MIN));
        check("1e300", Value::Float(1e300));
        check("1e19", Value::Float(1e19));
        check("2.0", Value::Float(2.0));
        check("true", Value::Bool(true));
        check("null", Value::Null);
        check("\"7\"", Value::Text("7".to_owned()));
        check("[1, 2]", Value::List(vec![Value::Int(1), Value::Int(2)]));
        check("[\"a\", null]", Value::List(vec![Value::Text("a".to_owned()), Value::Null]));
        check("[[1]]", Value::Json(json!([[1]])));
        check("{\"tag\": true}", Value::Json(json!({ "tag": true })));
        for text in ["", "abc", "NaN", "07", "1_000", "'x'", "[1,", "a=b", "True", "; DROP TABLE runs"] {
            check(text, Value::Text(text.to_owned()));
        }
    }

    #[test]
    fn integers_that_do_not_fit_are_refused() {
        for text in ["9223372036854775808", "-9223372036854775809", "[18446744073709551616]"] {
            assert!(parameter(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_pair_is_a_name_and_a_value() {
        assert_eq!(pair("a=b=c"), Ok(("a", "b=c")));
        assert_eq!(pair("a="), Ok(("a", "")));
        assert!(pair("a").is_err());
        assert!(pair("=1").is_err());
    }
}
