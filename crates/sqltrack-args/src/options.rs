//! [`ParsedOptions`]: the arguments of a program, by name.

use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::Index;

use indexmap::IndexMap;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::value::ArgValue;

/// The arguments of a program, by name, in the order of the help text.
///
/// `options["name"]` is the value called `name`, [`ArgValue::None`] if there is none; [`get`](Self::get)
/// converts it, and tells a wrong name from a missing value. [`deserialize`](Self::deserialize) makes them a
/// struct of your own, [`to_json`](Self::to_json) an object that can be recorded. They display as a Python
/// dictionary, sorted by name.
///
/// ```
/// use sqltrack_args::{Settings, options, parse_docstrings};
///
/// let help = "usage: train [options]
///
/// options:
///     --amp          Mixed precision
///     --lr R         Learning rate [default: 0.1]
///     --layers JSON  Widths of the layers";
/// let argv = ["--layers", "[64, 10]"];
/// let parsed = parse_docstrings(&[help], &argv, &Settings::new())?.options().unwrap();
/// assert_eq!(parsed.get::<f64>("lr")?, 0.1);
/// assert_eq!(parsed.get::<Vec<usize>>("layers")?, [64, 10]);
///
/// let forced = parsed.overridden(options! { "amp" => true });
/// assert_eq!(forced.to_string(), "{'amp': True,\n 'layers': [64, 10],\n 'lr': 0.1}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ParsedOptions(IndexMap<String, ArgValue>);

impl ParsedOptions {
    /// No options.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The value called `name`, if there is such an argument.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&ArgValue> {
        self.0.get(name)
    }

    /// The value called `name` as a `T`: a number, a `bool`, a `String` or `PathBuf`, a `Vec` of these, an
    /// `Option` for what may be missing, an [`ArgValue`], or anything else that serde can deserialize.
    ///
    /// # Errors
    ///
    /// [`GetError`] if there is no argument of this name, or if its value is no `T`.
    pub fn get<T: DeserializeOwned + 'static>(&self, name: &str) -> Result<T, GetError> {
        let value = self.value(name).ok_or_else(|| self.unknown(name))?;
        if let Some(value) = same_type(value.clone()) {
            return Ok(value);
        }
        T::deserialize(value).map_err(|err| GetError::Type { name: name.to_owned(), reason: err.to_string() })
    }

    /// All values as a struct (or map) of your own. Fields that no argument fills need a `#[serde(default)]`.
    ///
    /// # Errors
    ///
    /// [`GetError::Invalid`], which names the argument, if a value does not fit its field.
    pub fn deserialize<T: DeserializeOwned + 'static>(&self) -> Result<T, GetError> {
        if let Some(options) = same_type(self.clone()) {
            return Ok(options);
        }
        T::deserialize(self).map_err(|err| GetError::Invalid(err.to_string()))
    }

    /// Sets a value. A value of that name is replaced where it stands.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<ArgValue>) {
        self.0.insert(name.into(), value.into());
    }

    /// These options with others on top: equal names are replaced where they stand, new ones follow.
    #[must_use]
    pub fn overridden(mut self, overrides: impl Into<Self>) -> Self {
        self.0.extend(overrides.into().0);
        self
    }

    /// All names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ArgValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The options as a JSON object. See [`ArgValue::to_json`] for what JSON cannot hold.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        self.0.iter().map(|(name, value)| (name.clone(), value.to_json())).collect()
    }

    fn unknown(&self, name: &str) -> GetError {
        let known = self.0.keys().map(|known| format!("`{known}`")).collect::<Vec<_>>().join(", ");
        GetError::Unknown { name: name.to_owned(), known }
    }
}

/// `value` itself, if a `T` is what it is: serde would lose the difference between a text and a path.
fn same_type<V: 'static, T: 'static>(value: V) -> Option<T> {
    let mut value = Some(value);
    (&mut value as &mut dyn Any).downcast_mut::<Option<T>>().and_then(Option::take)
}

/// Why a value could not be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GetError {
    /// The help text describes no argument of this name.
    #[error("there is no argument `{name}`; there are {known}")]
    Unknown {
        /// The name that was asked for.
        name: String,
        /// The names that there are.
        known: String,
    },
    /// The value has another type.
    #[error("`{name}`: {reason}")]
    Type {
        /// The name that was asked for.
        name: String,
        /// What was expected, and what is there.
        reason: String,
    },
    /// A field of a struct does not fit its argument.
    #[error("{0}")]
    Invalid(String),
}

impl Index<&str> for ParsedOptions {
    type Output = ArgValue;

    fn index(&self, name: &str) -> &ArgValue {
        self.value(name).unwrap_or(ArgValue::none())
    }
}

impl fmt::Display for ParsedOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut entries: Vec<_> = self.iter().collect();
        entries.sort_by_key(|(name, _)| *name);
        let entry =
            |(name, value): (&str, &ArgValue)| format!("{}: {}", ArgValue::from(name).repr(), value.repr());
        let entries: Vec<String> = entries.into_iter().map(entry).collect();
        write!(f, "{{{}}}", entries.join(",\n "))
    }
}

impl<K: Into<String>, V: Into<ArgValue>> FromIterator<(K, V)> for ParsedOptions {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Self(entries.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl<K: Into<String>, V: Into<ArgValue>> Extend<(K, V)> for ParsedOptions {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        self.0.extend(entries.into_iter().map(|(name, value)| (name.into(), value.into())));
    }
}

impl IntoIterator for ParsedOptions {
    type Item = (String, ArgValue);
    type IntoIter = indexmap::map::IntoIter<String, ArgValue>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// No overrides: `main(())`.
impl From<()> for ParsedOptions {
    fn from((): ()) -> Self {
        Self::new()
    }
}

macro_rules! from_maps {
    ($([$($generics:tt)*] $map:ty;)*) => {
        $(impl<$($generics)*> From<$map> for ParsedOptions {
            fn from(entries: $map) -> Self {
                entries.into_iter().collect()
            }
        })*
    };
}

from_maps! {
    [K: Into<String>, V: Into<ArgValue>, const N: usize] [(K, V); N];
    [K: Into<String>, V: Into<ArgValue>] Vec<(K, V)>;
    [K: Into<String>, V: Into<ArgValue>] BTreeMap<K, V>;
    [K: Into<String>, V: Into<ArgValue>, S] HashMap<K, V, S>;
    [K: Into<String>, V: Into<ArgValue>, S] IndexMap<K, V, S>;
    [] serde_json::Map<String, serde_json::Value>;
}

impl From<ParsedOptions> for serde_json::Value {
    fn from(options: ParsedOptions) -> Self {
        options.to_json()
    }
}

/// [`ParsedOptions`] from names and values: `options! { "amp" => true, "epochs" => 360 }`.
#[macro_export]
macro_rules! options {
    ($($name:expr => $value:expr),* $(,)?) => {{
        #[allow(unused_mut)]
        let mut options = $crate::ParsedOptions::new();
        $(options.set($name, $value);)*
        options
    }};
}

/// The names that an argument can have in [`ParsedOptions`].
pub(crate) struct Names {
    /// Without dashes in front and angle brackets, other dashes as underscores.
    pub(crate) simple: String,
    /// The simple name if no other argument has it, else the name as written.
    pub(crate) unique: String,
}

/// Simplifies names.
pub(crate) fn simple_names<'a>(written: impl Iterator<Item = &'a str>) -> Vec<Names> {
    let names: Vec<(&str, String)> = written.map(|name| (name, simple_name(name))).collect();
    let mut users: HashMap<&str, usize> = HashMap::new();
    names.iter().for_each(|(_, simple)| *users.entry(simple).or_default() += 1);
    names
        .iter()
        .map(|(written, simple)| {
            let unique = if users[simple.as_str()] == 1 { simple.clone() } else { (*written).to_owned() };
            Names { simple: simple.clone(), unique }
        })
        .collect()
}

fn simple_name(written: &str) -> String {
    let bare = written.trim_start_matches('-');
    let bare = bare.strip_prefix('<').and_then(|bare| bare.strip_suffix('>')).unwrap_or(bare);
    if bare.is_empty() { written.to_owned() } else { bare.replace('-', "_") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_what_marks_them_unless_they_would_clash() {
        let names = ["--batch-size", "<in-file>", "-v", "FILE", "add", "--name", "<name>", "-", "--"];
        let unique: Vec<String> =
            simple_names(names.into_iter()).into_iter().map(|names| names.unique).collect();
        assert_eq!(unique, ["batch_size", "in_file", "v", "FILE", "add", "--name", "<name>", "-", "--"]);
    }

    #[test]
    fn overrides_keep_the_order() {
        let options = options! { "a" => 1, "b" => 2 }.overridden([("c", 3), ("a", 4)]);
        assert_eq!(options.iter().map(|(name, _)| name).collect::<String>(), "abc");
        assert_eq!(options["a"], ArgValue::Int(4));
        assert_eq!(options["z"], ArgValue::None);
        assert_eq!(options.clone().overridden(()), options);
    }

    #[test]
    fn getting_names_what_is_wrong() {
        let options = options! { "epochs" => 3, "lr" => "x" };
        assert_eq!(options.get::<u8>("epochs"), Ok(3));
        assert_eq!(options.get::<Option<u8>>("epochs"), Ok(Some(3)));
        assert_eq!(options.get::<ArgValue>("epochs"), Ok(ArgValue::Int(3)));
        let unknown = options.get::<u8>("epoch").unwrap_err().to_string();
        assert_eq!(unknown, "there is no argument `epoch`; there are `epochs`, `lr`");
        let wrong = options.get::<f64>("lr").unwrap_err().to_string();
        assert_eq!(wrong, "`lr`: invalid type: string \"x\", expected f64");
    }
}
