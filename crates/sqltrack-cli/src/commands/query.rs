//! `query`: any SQL.

use std::io::Write;

use anyhow::anyhow;
use sqltrack_core::{Client, Error, Parameters, Value};

use crate::format::FormatArgs;
use crate::{input, typed};

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
  sqltrack-cli query --format csv - < report.sql > report.csv
  sqltrack-cli query 'SELECT * FROM metrics_long' -o metrics.parquet")]
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
    let parts = client.query_parts(&sql, Parameters::named(args.parameters.iter().cloned()));
    args.format.print_query(parts.map_err(explain)?, out).await
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
    let (name, value) = typed::pair(text.strip_prefix(':').unwrap_or(text))?;
    Ok((name.to_owned(), typed::parameter(value)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_a_name_and_a_value() {
        assert_eq!(parameter("a=b=c"), Ok(("a".to_owned(), Value::Text("b=c".to_owned()))));
        assert_eq!(parameter(":a="), Ok(("a".to_owned(), Value::Text(String::new()))));
        assert!(parameter("a").is_err());
        assert!(parameter("=1").is_err());
    }
}
