//! Words of the command line as values: what is JSON is what it says, everything else is text.

use serde_json::Value as Json;
use sqltrack_args::{ArgValue, parse_json};
use sqltrack_core::{Fields, Stamp, Status, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

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

/// The value of a metric. Also numbers that JSON lacks are numbers: NaN, the infinities, and `.5` as `bc` prints it.
pub(crate) fn metric(text: &str) -> Value {
    let is_meant =
        text.trim_start_matches('-').starts_with('.') || !text.contains(|c: char| c.is_ascii_digit());
    if let Some(number) = text.parse().ok().filter(|_| is_meant) {
        return Value::Float(number);
    }
    parse_json(text).map_or_else(|| Value::Text(text.to_owned()), metric_of)
}

/// What a JSON document is as a metric.
pub(crate) fn metric_of(json: ArgValue) -> Value {
    match json {
        ArgValue::None => Value::Null,
        ArgValue::Bool(truth) => Value::Bool(truth),
        ArgValue::Int(number) => Value::Int(number),
        ArgValue::BigInt(digits) => Value::Decimal(digits),
        ArgValue::Float(number) => Value::Float(number),
        ArgValue::Str(text) => Value::Text(text),
        json => Value::Json(json.to_json()),
    }
}

/// A member of a JSON object. `NaN` is text there.
pub(crate) fn member(text: &str) -> Result<(String, Json), String> {
    let (name, value) = pair(text)?;
    let value = match serde_json::from_str(value) {
        Ok(Json::Number(number)) if number.is_f64() && !is_written_as_float(value) => {
            return Err(format!("the number {value} is beyond 64 bits; give it as text, in quotes"));
        }
        Ok(json) => json,
        Err(_) => Json::String(value.to_owned()),
    };
    Ok((name.to_owned(), value))
}

/// A variable of an environment, which is always text.
pub(crate) fn variable(text: &str) -> Result<(String, Json), String> {
    let (name, value) = pair(text)?;
    Ok((name.to_owned(), value.into()))
}

/// A whole JSON object, or NULL.
pub(crate) fn object(text: &str) -> Result<Fields, String> {
    match serde_json::from_str(text) {
        Ok(json @ (Json::Object(_) | Json::Null)) => Ok(json.into()),
        _ => Err("expected a JSON object such as {\"name\": 0.5}, or null".to_owned()),
    }
}

/// The same for an environment, which may also be that of this process.
pub(crate) fn environment(text: &str) -> Result<Fields, String> {
    if text == "auto" { Ok(Fields::Auto) } else { object(text) }
}

/// A time to write.
pub(crate) fn time(text: &str) -> Result<Stamp, String> {
    if text == "now" {
        return Ok(Stamp::Auto);
    }
    let time = OffsetDateTime::parse(&text.replacen(' ', "T", 1), &Rfc3339);
    time.map(Stamp::At).map_err(|_| {
        "expected `now`, or a time with its offset such as 2024-05-07T12:30:00Z or 2024-05-07T14:30:00+02:00"
            .to_owned()
    })
}

/// The same, or to leave the one that is there.
pub(crate) fn stamp(text: &str) -> Result<Stamp, String> {
    if text == "keep" { Ok(Stamp::Keep) } else { time(text) }
}

/// A status. A known one may be written in any case, lest `failed` be another than `FAILED`.
#[expect(clippy::unnecessary_wraps, reason = "clap asks for it")]
pub(crate) fn status(text: &str) -> Result<Status, String> {
    let known = Status::KNOWN.iter().find(|status| status.as_str().eq_ignore_ascii_case(text));
    Ok(known.cloned().unwrap_or_else(|| text.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use time::macros::datetime;

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
        assert!(member("n=18446744073709551616").is_err());
        assert_eq!(metric("9223372036854775808"), Value::Decimal("9223372036854775808".to_owned()));
    }

    #[test]
    fn metrics_are_numbers_in_every_usual_form() {
        for (text, expected) in [
            ("7", Value::Int(7)),
            ("7.0", Value::Float(7.0)),
            ("-1e-3", Value::Float(-0.001)),
            (".5", Value::Float(0.5)),
            ("-.5", Value::Float(-0.5)),
            ("Infinity", Value::Float(f64::INFINITY)),
            ("-Infinity", Value::Float(f64::NEG_INFINITY)),
            ("-inf", Value::Float(f64::NEG_INFINITY)),
            ("null", Value::Null),
            ("false", Value::Bool(false)),
            ("[1, 2]", Value::Json(json!([1, 2]))),
            ("\"NaN\"", Value::Text("NaN".to_owned())),
        ] {
            assert_eq!(metric(text), expected, "{text}");
        }
        for text in ["NaN", "nan", "-nan"] {
            assert!(matches!(metric(text), Value::Float(number) if number.is_nan()), "{text}");
        }
        for text in ["", ".", "-", "...", "train", "007", "+5", "5.", "1_000", "infinit", "0x1f"] {
            assert_eq!(metric(text), Value::Text(text.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_pair_is_a_name_and_a_value() {
        assert_eq!(pair("a=b=c"), Ok(("a", "b=c")));
        assert_eq!(pair("a="), Ok(("a", "")));
        assert!(pair("a").is_err());
        assert!(pair("=1").is_err());
        assert_eq!(member("lr=0.1"), Ok(("lr".to_owned(), json!(0.1))));
        assert_eq!(member("id=18446744073709551615"), Ok(("id".to_owned(), json!(u64::MAX))));
        assert_eq!(member("lr=NaN"), Ok(("lr".to_owned(), json!("NaN"))));
        assert_eq!(variable("THREADS=4"), Ok(("THREADS".to_owned(), json!("4"))));
    }

    #[test]
    fn objects_are_whole() {
        assert_eq!(object("{\"a\": 1}"), Ok([("a", 1)].into()));
        assert_eq!(object("null"), Ok(Fields::Object(None)));
        assert_eq!(environment("auto"), Ok(Fields::Auto));
        for text in ["", "[1]", "auto", "a=1"] {
            assert!(object(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_have_an_offset() {
        let expected = Stamp::At(datetime!(2024-05-07 12:30 UTC));
        for text in [
            "2024-05-07T12:30:00Z",
            "2024-05-07 12:30:00+00:00",
            "2024-05-07T14:30:00.0+02:00",
            "2024-05-07t12:30:00z",
        ] {
            assert_eq!(time(text), Ok(expected), "{text}");
        }
        assert_eq!((time("now"), stamp("keep")), (Ok(Stamp::Auto), Ok(Stamp::Keep)));
        for text in ["", "keep", "2024-05-07T12:30:00", "2024-05-07", "yesterday"] {
            assert!(time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn known_statuses_may_be_written_in_any_case() {
        assert_eq!(status("failed"), Ok(Status::Failed));
        assert_eq!(status("half done"), Ok(Status::Other("half done".to_owned())));
    }
}
