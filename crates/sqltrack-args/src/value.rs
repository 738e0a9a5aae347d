//! The values that arguments have after conversion.

use std::fmt;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;

use crate::literals::{write_complex, write_float, write_str};

/// The value of an argument.
///
/// Displays as Python's `print` would show it, so that output does not depend on the language of a program.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum ArgValue {
    /// It was not given and has no default.
    #[default]
    None,
    /// A switch or command; also JSON's `true` and `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number that an `i64` cannot hold, as its decimal digits.
    BigInt(String),
    /// A floating-point number.
    Float(f64),
    /// A complex number.
    Complex(Complex),
    /// A text.
    Str(String),
    /// A path in the file system.
    Path(PathBuf),
    /// The values of a repeatable argument; also a JSON array.
    List(Vec<ArgValue>),
    /// A JSON object.
    Map(IndexMap<String, ArgValue>),
}

/// A complex number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Complex {
    /// The real part.
    pub re: f64,
    /// The imaginary part.
    pub im: f64,
}

static NONE: ArgValue = ArgValue::None;

impl ArgValue {
    pub(crate) fn none() -> &'static Self {
        &NONE
    }

    /// Whether there is no value.
    #[must_use]
    pub fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// The value as Python's `repr` writes it: texts are in quotes.
    #[must_use]
    pub fn repr(&self) -> String {
        match self {
            Self::None => "None".to_owned(),
            Self::Bool(true) => "True".to_owned(),
            Self::Bool(false) => "False".to_owned(),
            Self::Int(value) => value.to_string(),
            Self::BigInt(digits) => digits.clone(),
            Self::Float(value) => write_float(*value),
            Self::Complex(value) => value.to_string(),
            Self::Str(text) => write_str(text),
            Self::Path(path) => write_str(&path.to_string_lossy()),
            Self::List(items) => format!("[{}]", items.iter().map(Self::repr).collect::<Vec<_>>().join(", ")),
            Self::Map(entries) => {
                let entry = |(key, value): (&String, &Self)| format!("{}: {}", write_str(key), value.repr());
                format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// The value as JSON. What JSON lacks is text: big numbers as digits, `nan` and `inf`, complex numbers,
    /// paths.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value;
        match self {
            Self::None => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(value) => Value::from(*value),
            Self::BigInt(digits) => {
                digits.parse::<u64>().map_or_else(|_| Value::String(digits.clone()), Value::from)
            }
            Self::Float(value) if value.is_finite() => Value::from(*value),
            Self::Float(value) => Value::String(write_float(*value)),
            Self::Complex(value) => Value::String(value.to_string()),
            Self::Str(text) => Value::String(text.clone()),
            Self::Path(path) => Value::String(path.to_string_lossy().into_owned()),
            Self::List(items) => Value::Array(items.iter().map(Self::to_json).collect()),
            Self::Map(entries) => {
                Value::Object(entries.iter().map(|(key, value)| (key.clone(), value.to_json())).collect())
            }
        }
    }
}

impl fmt::Display for ArgValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Str(text) => f.pad(text),
            Self::Path(path) => f.pad(&path.to_string_lossy()),
            other => f.pad(&other.repr()),
        }
    }
}

impl fmt::Display for Complex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&write_complex(*self))
    }
}

macro_rules! from_values {
    ($($source:ty, $value:ident => $target:expr;)*) => {
        $(impl From<$source> for ArgValue {
            fn from($value: $source) -> Self {
                $target
            }
        })*
    };
}

from_values! {
    (), _value => Self::None;
    bool, value => Self::Bool(value);
    i8, value => Self::Int(value.into());
    i16, value => Self::Int(value.into());
    i32, value => Self::Int(value.into());
    i64, value => Self::Int(value);
    u8, value => Self::Int(value.into());
    u16, value => Self::Int(value.into());
    u32, value => Self::Int(value.into());
    u64, value => i64::try_from(value).map_or_else(|_| Self::BigInt(value.to_string()), Self::Int);
    usize, value => i64::try_from(value).map_or_else(|_| Self::BigInt(value.to_string()), Self::Int);
    f32, value => Self::Float(value.into());
    f64, value => Self::Float(value);
    Complex, value => Self::Complex(value);
    &str, value => Self::Str(value.to_owned());
    String, value => Self::Str(value);
    &Path, value => Self::Path(value.to_owned());
    PathBuf, value => Self::Path(value);
}

impl<T: Into<ArgValue>> From<Vec<T>> for ArgValue {
    fn from(items: Vec<T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<ArgValue>> From<Option<T>> for ArgValue {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::None, Into::into)
    }
}

impl From<serde_json::Value> for ArgValue {
    fn from(value: serde_json::Value) -> Self {
        use serde_json::Value;
        match value {
            Value::Null => Self::None,
            Value::Bool(value) => Self::Bool(value),
            Value::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(value), _) => Self::Int(value),
                (None, Some(value)) => Self::from(value),
                (None, None) => Self::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            Value::String(text) => Self::Str(text),
            Value::Array(items) => Self::List(items.into_iter().map(Self::from).collect()),
            Value::Object(entries) => {
                Self::Map(entries.into_iter().map(|(key, value)| (key, Self::from(value))).collect())
            }
        }
    }
}
