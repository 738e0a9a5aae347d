//! `query`: any SQL.

use std::io::Write;

use anyhow::anyhow;
use serde_json::Value as Json;
use sqltrack_core::{Client, Error, Parameters, Value};

use crate::format::FormatArgs;
use crate::input;

/// Run one SQL statement and print its rows
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Parameters are `:name` in the statement; their values are bound, never pasted into it. VALUE is
read as JSON if it is any:
  7, 0.5, true, null      a number, a truth value, NULL
  \"7\"                     the text 7
  [1, 2], [\"a\", \"b\"]      a list, as for `id = ANY(:ids)`, on SQLite
                          `id IN (SELECT value FROM json_each(:ids))`
  {\"tag\": true}           a JSON document
Everything else is text. Text that looks like JSON is quoted for JSON and for the shell:
-P 'id=\"7\"'.

In JSON, NaN and the infinities are the strings \"NaN\", \"Infinity\" and \"-Infinity\", times are UTC,
durations are seconds, bytes are \\x and hex digits, and integers and decimals have all of their
digits; a column name that comes twice gets a number. CSV has the same values, NULL being nothing
and an empty text \"\".

Examples:
  sqltrack-cli query 'SELECT max(val_acc) FROM metrics WHERE run_id = :run' -P run=7
  sqltrack-cli query --format csv - < report.sql > report.csv")]
pub(crate) struct Args {
    /// The statement; `-` reads it from standard input
    #[arg(allow_hyphen_values = true)]
    sql: String,
    /// The value of a parameter; may be given several times
    #[arg(short = 'P', long = "parameter", value_name = "NAME=VALUE", value_parser = parameter)]
    parameters: Vec<(String, Value)>,
    #[command(flatten)]
    format: FormatArgs,
}

pub(super) async fn run(args: &Args, client: &Client, out: &mut impl Write) -> anyhow::Result<()> {
    let sql = if args.sql == "-" { input::standard_input()? } else { args.sql.clone() };
    let rows = client.query(&sql, Parameters::named(args.parameters.iter().cloned())).await;
    args.format.print(&rows.map_err(explain)?, out)
}

/// The library speaks of its own calls; here they are commands.
fn explain(err: Error) -> anyhow::Error {
    match err {
        Error::NotOneStatement(0) => anyhow!("there is no SQL statement to run"),
        Error::NotOneStatement(found) => {
            anyhow!("expected one statement, found {found}; run scripts with `sqltrack-cli execute`")
        }
        Error::TransactionControl { statement } => anyhow!(
            "`{statement}` controls transactions, and a query is one by itself; run scripts with `sqltrack-cli execute`"
        ),
        err => err.into(),
    }
}

fn parameter(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    let name = name.strip_prefix(':').unwrap_or(name);
    if name.is_empty() {
        return Err("the name is missing; expected NAME=VALUE".to_owned());
    }
    Ok((name.to_owned(), typed(value)?))
}

/// The value that a text stands for: that of the JSON which it is, or the text itself.
fn typed(text: &str) -> Result<Value, String> {
    match serde_json::from_str(text) {
        Ok(Json::Number(number)) => self::number(&number, text.contains(['.', 'e', 'E'])),
        Ok(Json::Array(values)) if !values.iter().any(|value| value.is_array() || value.is_object()) => {
            values.into_iter().map(scalar).collect()
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Value) {
        assert_eq!(typed(text), Ok(expected), "{text}");
    }

    #[test]
    fn values_are_json_or_text() {
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
        check("[[1]]", Value::Json(serde_json::json!([[1]])));
        check("{\"tag\": true}", Value::Json(serde_json::json!({ "tag": true })));
        for text in ["", "abc", "NaN", "07", "1_000", "'x'", "[1,", "a=b", "True", "; DROP TABLE runs"] {
            check(text, Value::Text(text.to_owned()));
        }
    }

    #[test]
    fn integers_that_do_not_fit_are_refused() {
        for text in ["9223372036854775808", "-9223372036854775809", "[18446744073709551616]"] {
            assert!(typed(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_parameter_is_a_name_and_a_value() {
        assert_eq!(parameter("a=b=c"), Ok(("a".to_owned(), Value::Text("b=c".to_owned()))));
        assert_eq!(parameter(":a="), Ok(("a".to_owned(), Value::Text(String::new()))));
        assert!(parameter("a").is_err());
        assert!(parameter("=1").is_err());
    }
}
