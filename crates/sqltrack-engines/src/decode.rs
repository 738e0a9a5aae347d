//! From the values of a row to Rust types.

use serde_json::Value as Json;
use time::{Date, Duration, OffsetDateTime, Time};

use crate::{ExperimentId, Row, RunId, Value};

/// Why a value of a row cannot be had as the type that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The result has no such column.
    #[error("the result has no column `{column}`")]
    NoSuchColumn {
        /// The name or position that was asked for.
        column: String,
    },
    /// The value is of another type, or out of the range of the type.
    #[error("column `{column}` holds {found}, which is no {expected}")]
    WrongType {
        /// The column's name; `?` outside of a row.
        column: String,
        /// What the value is.
        found: String,
        /// The Rust type that was asked for.
        expected: &'static str,
    },
    /// The row has more or fewer columns than the tuple that was asked for.
    #[error("the result has {found} columns, {expected} were asked for")]
    WrongWidth {
        /// How many columns the row has.
        found: usize,
        /// How many were asked for.
        expected: usize,
    },
}

impl DecodeError {
    fn wrong<T>(value: &Value) -> Self {
        let found = match value {
            Value::Int(_) | Value::Float(_) | Value::Bool(_) => {
                format!("the {} {value:?}", value.type_name())
            }
            _ => value.type_name().to_owned(),
        };
        Self::WrongType { column: "?".to_owned(), found, expected: std::any::type_name::<T>() }
    }

    /// The same error, naming the column it happened in.
    #[must_use]
    pub fn in_column(self, name: &str) -> Self {
        match self {
            Self::WrongType { found, expected, .. } => {
                Self::WrongType { column: name.to_owned(), found, expected }
            }
            other => other,
        }
    }
}

/// A type that can be read from a [`Value`].
pub trait Decode: Sized {
    /// Reads `value`.
    ///
    /// # Errors
    ///
    /// [`DecodeError::WrongType`] if the value does not fit exactly. NULL only fits `Option` and [`Value`].
    fn decode(value: Value) -> Result<Self, DecodeError>;
}

/// A type that can be read from a whole row.
pub trait FromRow: Sized {
    /// Reads `row`.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if a column is missing or a value does not fit.
    fn from_row(row: Row) -> Result<Self, DecodeError>;
}

impl Decode for Value {
    fn decode(value: Value) -> Result<Self, DecodeError> {
        Ok(value)
    }
}

impl<T: Decode> Decode for Option<T> {
    fn decode(value: Value) -> Result<Self, DecodeError> {
        if value.is_null() { Ok(None) } else { T::decode(value).map(Some) }
    }
}

macro_rules! decode_integer {
    ($($ty:ty),*) => {$(
        impl Decode for $ty {
            fn decode(value: Value) -> Result<Self, DecodeError> {
                let number = match &value {
                    Value::Int(number) => Self::try_from(*number).ok(),
                    Value::Decimal(digits) => digits.parse().ok(),
                    _ => None,
                };
                number.ok_or_else(|| DecodeError::wrong::<Self>(&value))
            }
        }
    )*};
}

decode_integer!(i8, i16, i32, i64, i128, u8, u16, u32, u64, usize);

impl Decode for f64 {
    fn decode(value: Value) -> Result<Self, DecodeError> {
        let number = match &value {
            Value::Float(number) => Some(*number),
            Value::Int(number) => crate::metrics::exact_f64(*number),
            Value::Decimal(digits) => digits.parse().ok(),
            _ => None,
        };
        number.ok_or_else(|| DecodeError::wrong::<Self>(&value))
    }
}

impl Decode for f32 {
    #[expect(clippy::cast_possible_truncation, reason = "the caller asks for single precision")]
    fn decode(value: Value) -> Result<Self, DecodeError> {
        f64::decode(value).map(|number| number as Self)
    }
}

impl Decode for bool {
    fn decode(value: Value) -> Result<Self, DecodeError> {
        match value {
            Value::Bool(truth) => Ok(truth),
            // SQLite has no booleans of its own: an expression such as `tags ->> 'x'` yields 0 or 1.
            Value::Int(0) => Ok(false),
            Value::Int(1) => Ok(true),
            other => Err(DecodeError::wrong::<Self>(&other)),
        }
    }
}

impl Decode for String {
    fn decode(value: Value) -> Result<Self, DecodeError> {
        match value {
            Value::Text(text) | Value::Decimal(text) => Ok(text),
            other => Err(DecodeError::wrong::<Self>(&other)),
        }
    }
}

macro_rules! decode_as {
    ($($ty:ty: $pattern:pat => $result:expr,)*) => {$(
        impl Decode for $ty {
            fn decode(value: Value) -> Result<Self, DecodeError> {
                match value {
                    $pattern => Ok($result),
                    other => Err(DecodeError::wrong::<Self>(&other)),
                }
            }
        }
    )*};
}

decode_as! {
    Vec<u8>: Value::Bytes(bytes) => bytes,
    Date: Value::Date(date) => date,
    Time: Value::Time(time) => time,
    OffsetDateTime: Value::Timestamp(time) => time,
    Duration: Value::Duration(duration) => duration,
    Json: Value::Json(json) => json,
    RunId: Value::Int(id) => RunId(id),
    ExperimentId: Value::Int(id) => ExperimentId(id),
}

impl Decode for crate::Object {
    fn decode(value: Value) -> Result<Self, DecodeError> {
        match value {
            Value::Json(Json::Object(object)) => Ok(object),
            other => Err(DecodeError::wrong::<Self>(&other)),
        }
    }
}

impl FromRow for Row {
    fn from_row(row: Row) -> Result<Self, DecodeError> {
        Ok(row)
    }
}

macro_rules! from_row_tuple {
    ($count:literal: $($ty:ident $index:tt),*) => {
        impl<$($ty: Decode),*> FromRow for ($($ty,)*) {
            fn from_row(row: Row) -> Result<Self, DecodeError> {
                let found = row.columns().len();
                if found != $count {
                    return Err(DecodeError::WrongWidth { found, expected: $count });
                }
                Ok(($(row.get::<$ty>($index)?,)*))
            }
        }
    };
}

from_row_tuple!(1: A 0);
from_row_tuple!(2: A 0, B 1);
from_row_tuple!(3: A 0, B 1, C 2);
from_row_tuple!(4: A 0, B 1, C 2, D 3);
from_row_tuple!(5: A 0, B 1, C 2, D 3, E 4);
from_row_tuple!(6: A 0, B 1, C 2, D 3, E 4, F 5);
from_row_tuple!(7: A 0, B 1, C 2, D 3, E 4, F 5, G 6);
from_row_tuple!(8: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
