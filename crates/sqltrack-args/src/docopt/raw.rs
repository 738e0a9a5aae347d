//! Arguments as docopt returns them: names as written, values as text.

use indexmap::IndexMap;
use serde::Serialize;

/// The value of one argument, as docopt returns it. In JSON: `null`, a boolean, a number, a string, a list of
/// strings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum RawValue {
    /// It was not given and has no default.
    Null,
    /// Whether a switch or command was given.
    Bool(bool),
    /// How often a repeatable switch or command was given.
    Count(u64),
    /// What was given, or the default.
    Text(String),
    /// All that was given to a repeatable argument, or its default's words.
    List(Vec<String>),
}

/// The arguments of one command line, as docopt returns them, in the order of the help text.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct RawOptions {
    values: IndexMap<String, RawValue>,
    #[serde(skip)]
    given: Vec<bool>,
}

impl RawOptions {
    /// The value called `name`, written as in the help text (`--batch-size`, `<file>`, `FILE`).
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&RawValue> {
        self.values.get(name)
    }

    /// Whether the command line gave a value to `name`; if not, it has its default.
    #[must_use]
    pub fn is_given(&self, name: &str) -> bool {
        self.values.get_index_of(name).is_some_and(|index| self.given[index])
    }

    /// All names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// How many arguments there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether the help text describes no arguments at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Sets a value; a second value of one name replaces the first and keeps its place.
    pub(crate) fn set(&mut self, name: &str, value: RawValue, given: bool) {
        let (index, _) = self.values.insert_full(name.to_owned(), value);
        self.given.resize(self.values.len(), false);
        self.given[index] = given;
    }
}
