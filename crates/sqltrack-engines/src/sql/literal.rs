//! Values in SQL text.

use std::fmt::Write;

use super::SqlError;
use crate::Dialect;

/// A value that is written into SQL text. Where the statement can take parameters, bind the value instead.
///
/// ```
/// use sqltrack_engines::Dialect;
/// use sqltrack_engines::sql::{Composable, Literal};
///
/// assert_eq!(Literal::from(true).to_string_for(Dialect::Postgres)?, "TRUE");
/// assert_eq!(Literal::from(true).to_string_for(Dialect::Sqlite)?, "1");
/// assert_eq!(Literal::from(None::<&str>).to_string_for(Dialect::Sqlite)?, "NULL");
/// # Ok::<(), sqltrack_engines::sql::SqlError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Literal(Value);

#[derive(Clone, Debug, PartialEq)]
enum Value {
    Null,
    Integer(i64),
    Float(f64),
    Boolean(bool),
    Text(String),
    Bytes(Vec<u8>),
}

impl Literal {
    /// The value as the dialect writes it. A negative number is put in parentheses: behind a minus it would
    /// start a comment, and before a cast only its digits would be cast.
    pub(super) fn written(&self, dialect: Dialect) -> Result<String, SqlError> {
        let text = match (&self.0, dialect) {
            (Value::Null, _) => "NULL".to_owned(),
            (Value::Integer(number), _) if *number < 0 => format!("({number})"),
            (Value::Integer(number), _) => number.to_string(),
            (Value::Float(number), _) => float(*number, dialect)?,
            (Value::Boolean(value), Dialect::Postgres) => if *value { "TRUE" } else { "FALSE" }.to_owned(),
            (Value::Boolean(value), Dialect::Sqlite) => i32::from(*value).to_string(),
            (Value::Text(text), _) => string(text, dialect)?,
            // As an escape string, since the backslash of a plain one depends on `standard_conforming_strings`.
            (Value::Bytes(bytes), Dialect::Postgres) => format!(r"E'\\x{}'::bytea", hexadecimal(bytes)),
            (Value::Bytes(bytes), Dialect::Sqlite) => format!("X'{}'", hexadecimal(bytes)),
        };
        Ok(text)
    }
}

/// With an exponent or a point, so that SQLite sees no integer, and with as many digits as bring the number back.
fn float(number: f64, dialect: Dialect) -> Result<String, SqlError> {
    let text = match dialect {
        Dialect::Postgres if number.is_nan() => "'NaN'::float8".to_owned(),
        Dialect::Postgres if number == f64::INFINITY => "'Infinity'::float8".to_owned(),
        Dialect::Postgres if number == f64::NEG_INFINITY => "'-Infinity'::float8".to_owned(),
        // As a number it would be of the type `numeric`, which has no negative zero.
        Dialect::Postgres if number == 0.0 && number.is_sign_negative() => "'-0'::float8".to_owned(),
        Dialect::Sqlite if number.is_nan() => return Err(SqlError::Unsupported { value: "NaN", dialect }),
        Dialect::Sqlite if number == f64::INFINITY => "9e999".to_owned(),
        Dialect::Sqlite if number == f64::NEG_INFINITY => "(-9e999)".to_owned(),
        _ if number.is_sign_negative() => format!("({number:?})"),
        _ => format!("{number:?}"),
    };
    Ok(text)
}

fn string(text: &str, dialect: Dialect) -> Result<String, SqlError> {
    if text.contains('\0') {
        return Err(SqlError::Nul("a string".to_owned()));
    }
    let quotes_doubled = text.replace('\'', "''");
    Ok(if dialect == Dialect::Postgres && text.contains('\\') {
        format!("E'{}'", quotes_doubled.replace('\\', r"\\"))
    } else {
        format!("'{quotes_doubled}'")
    })
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

impl From<i32> for Literal {
    fn from(number: i32) -> Self {
        Self(Value::Integer(number.into()))
    }
}

impl From<i64> for Literal {
    fn from(number: i64) -> Self {
        Self(Value::Integer(number))
    }
}

impl From<f64> for Literal {
    fn from(number: f64) -> Self {
        Self(Value::Float(number))
    }
}

impl From<bool> for Literal {
    fn from(value: bool) -> Self {
        Self(Value::Boolean(value))
    }
}

impl From<&str> for Literal {
    fn from(text: &str) -> Self {
        Self(Value::Text(text.to_owned()))
    }
}

impl From<String> for Literal {
    fn from(text: String) -> Self {
        Self(Value::Text(text))
    }
}

impl From<&[u8]> for Literal {
    fn from(bytes: &[u8]) -> Self {
        Self(Value::Bytes(bytes.to_owned()))
    }
}

impl From<Vec<u8>> for Literal {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Value::Bytes(bytes))
    }
}

/// `NULL` for `None`.
impl<T: Into<Literal>> From<Option<T>> for Literal {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self(Value::Null), Into::into)
    }
}
