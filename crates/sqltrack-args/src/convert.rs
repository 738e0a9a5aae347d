//! From text to values: by what an argument is called, else by what its text looks like.

use std::fmt::{self, Display};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use crate::docopt::{RawOptions, RawValue};
use crate::fnmatch::Pattern;
use crate::options::{ParsedOptions, simple_names};
use crate::settings::Settings;
use crate::value::ArgValue;
use crate::{json, literals};

/// A value that does not fit the name of its argument.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{option}`: cannot convert `{value}` with `{conversion}`: {reason}; give another value, or rename the option"
)]
pub struct ConversionError {
    /// The argument, written as in the help text.
    pub option: String,
    /// Its text.
    pub value: String,
    /// The conversion that its name asks for.
    pub conversion: String,
    /// Why it failed.
    pub reason: String,
}

type Convert = dyn Fn(&str, &str) -> Option<Result<ArgValue, String>> + Send + Sync;

/// Converts the texts of those arguments that it is meant for.
#[derive(Clone)]
pub struct Conversion(Arc<Convert>);

impl Conversion {
    /// A conversion from a function of an argument's simple name and its text. `None` leaves the argument to
    /// the next conversion.
    pub fn new<F>(convert: F) -> Self
    where
        F: Fn(&str, &str) -> Option<Result<ArgValue, String>> + Send + Sync + 'static,
    {
        Self(Arc::new(convert))
    }
}

impl fmt::Debug for Conversion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Conversion")
    }
}

/// A conversion for arguments whose simple name matches `pattern`, with `*`, `?`, `[abc]` and `[!abc]` as in
/// a shell.
///
/// ```
/// use sqltrack_args::{ArgValue, Conversions, make_conversion};
///
/// let mut conversions = Conversions::standard();
/// conversions.register("percent", make_conversion("*percent", |text| {
///     text.trim_end_matches('%').parse::<f64>().map(|percent| percent / 100.0)
/// }));
/// assert_eq!(conversions.convert("warmup_percent", "5%")?, ArgValue::Float(0.05));
/// # Ok::<(), sqltrack_args::ConversionError>(())
/// ```
pub fn make_conversion<F, T, E>(pattern: impl Into<String>, convert: F) -> Conversion
where
    F: Fn(&str) -> Result<T, E> + Send + Sync + 'static,
    T: Into<ArgValue>,
    E: Display,
{
    let pattern = Pattern::new(&pattern.into());
    Conversion::new(move |name, text| {
        pattern.matches(name).then(|| convert(text).map(Into::into).map_err(|err| err.to_string()))
    })
}

/// Conversions in the order in which they are tried.
#[derive(Debug, Clone)]
pub struct Conversions(Vec<(String, Conversion)>);

impl Conversions {
    /// `*int`, `*float`, `*complex`, `*path`, `*json` and `*str`.
    #[must_use]
    pub fn standard() -> Self {
        let entry = |name: &str, convert: fn(&str) -> Option<ArgValue>, reason: &'static str| {
            let convert = move |text: &str| convert(text).ok_or(reason);
            (name.to_owned(), make_conversion(format!("*{name}"), convert))
        };
        Self(vec![
            entry("int", literals::int, "not a whole number"),
            entry("float", |text| literals::float(text).map(ArgValue::Float), "not a number"),
            entry("complex", |text| literals::complex(text).map(ArgValue::Complex), "not a complex number"),
            entry("path", |text| Some(ArgValue::Path(PathBuf::from(text))), "not a path"),
            entry("json", json::parse_json, "not JSON"),
            entry("str", |text| Some(ArgValue::from(text)), "not a text"),
        ])
    }

    /// Appends a conversion, or replaces the one of that name where it stands.
    pub fn register(&mut self, name: impl Into<String>, conversion: Conversion) {
        let name = name.into();
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = conversion,
            None => self.0.push((name, conversion)),
        }
    }

    /// The names of the conversions, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Converts the text of the argument with this simple name. If no conversion is meant for the name, the
    /// text is an int, a float, a complex number or JSON, whichever it first can be, else it stays as it is.
    ///
    /// # Errors
    ///
    /// [`ConversionError`] if a conversion is meant for the name and fails.
    pub fn convert(&self, name: &str, text: &str) -> Result<ArgValue, ConversionError> {
        for (conversion, Conversion(convert)) in &self.0 {
            if let Some(result) = convert(name, text) {
                return result.map_err(|reason| ConversionError {
                    option: name.to_owned(),
                    value: text.to_owned(),
                    conversion: conversion.clone(),
                    reason,
                });
            }
        }
        Ok(guess(text))
    }
}

impl Default for Conversions {
    fn default() -> Self {
        Self::standard()
    }
}

fn guess(text: &str) -> ArgValue {
    literals::int(text)
        .or_else(|| literals::float(text).map(ArgValue::Float))
        .or_else(|| literals::complex(text).map(ArgValue::Complex))
        .or_else(|| json::parse_json(text))
        .unwrap_or_else(|| ArgValue::from(text))
}

static REGISTERED: RwLock<Option<Conversions>> = RwLock::new(None);

/// Registers a conversion for the whole program: appends it, or replaces the one of that name where it
/// stands.
///
/// Arguments that are read from a file without running the program ([`crate::detect_args`] in another
/// program, `sqltrack-cli args`) cannot know of it.
pub fn register_conversion(name: impl Into<String>, conversion: Conversion) {
    let mut registered = REGISTERED.write().unwrap_or_else(PoisonError::into_inner);
    registered.get_or_insert_with(Conversions::standard).register(name, conversion);
}

/// The conversions of this program: the standard ones, and those registered with [`register_conversion`].
#[must_use]
pub fn registered_conversions() -> Conversions {
    let registered = REGISTERED.read().unwrap_or_else(PoisonError::into_inner);
    registered.clone().unwrap_or_default()
}

/// Converts all arguments of a command line and simplifies their names.
///
/// Two names that would become one (`--name` and `<name>`) both stay as they are written.
///
/// # Errors
///
/// [`ConversionError`] if a value does not fit its name.
pub fn convert_arguments(raw: &RawOptions, settings: &Settings) -> Result<ParsedOptions, ConversionError> {
    let registered;
    let conversions = match &settings.conversions {
        Some(conversions) => conversions,
        None => {
            registered = registered_conversions();
            &registered
        }
    };
    let names = simple_names(raw.iter().map(|(name, _)| name));
    raw.iter()
        .zip(names)
        .map(|((written, value), names)| {
            let text = |text: &String| {
                conversions
                    .convert(&names.simple, text)
                    .map_err(|err| ConversionError { option: written.to_owned(), ..err })
            };
            let value = match value {
                RawValue::Null => ArgValue::None,
                RawValue::Bool(value) => ArgValue::Bool(*value),
                RawValue::Count(times) => ArgValue::from(*times),
                RawValue::Text(value) => text(value)?,
                RawValue::List(values) => ArgValue::List(values.iter().map(text).collect::<Result<_, _>>()?),
            };
            let name = if settings.simplify_names { names.unique } else { written.to_owned() };
            Ok((name, value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, text: &str, expected: &str) {
        let written = match Conversions::standard().convert(name, text) {
            Ok(value) => value.repr(),
            Err(err) => err.reason,
        };
        assert_eq!(written, expected, "{name} {text:?}");
    }

    #[test]
    fn names_decide_first() {
        check("versionstr", "3.0", "'3.0'");
        check("nint", " 7 ", "7");
        check("nint", "7.0", "not a whole number");
        check("lrfloat", "1", "1.0");
        check("zcomplex", "1", "(1+0j)");
        check("datapath", "12", "'12'");
        check("xjson", "{\"a\": 1}", "{'a': 1}");
        check("xjson", "a", "not JSON");
    }

    #[test]
    fn looks_decide_else() {
        for (text, expected) in [
            ("1_000", "1000"),
            ("0x10", "'0x10'"),
            ("1e3", "1000.0"),
            ("nan", "nan"),
            ("1+2j", "(1+2j)"),
            ("true", "True"),
            ("True", "'True'"),
            ("[1, 2]", "[1, 2]"),
            ("resnet18", "'resnet18'"),
            ("", "''"),
        ] {
            check("x", text, expected);
        }
    }

    #[test]
    fn a_registered_conversion_is_replaced_in_place() {
        let mut conversions = Conversions::standard();
        conversions.register("float", make_conversion("*", |text| Ok::<_, String>(format!("<{text}>"))));
        conversions.register("new", make_conversion("*", |_| Err::<(), _>("never")));
        assert_eq!(conversions.convert("x", "1"), Ok(ArgValue::from("<1>")));
        assert_eq!(conversions.convert("nint", "1"), Ok(ArgValue::Int(1)));
        assert_eq!(conversions.names().collect::<Vec<_>>().last(), Some(&"new"));
    }
}
