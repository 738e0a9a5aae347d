//! How to read a command line, and what can come of it.

use crate::convert::Conversions;

/// How to read a command line: docopt's parameters, and how to convert.
#[derive(Debug, Clone)]
pub struct Settings {
    pub(crate) options_first: bool,
    pub(crate) default_help: bool,
    pub(crate) version: Option<String>,
    pub(crate) simplify_names: bool,
    pub(crate) conversions: Option<Conversions>,
}

impl Settings {
    /// Options anywhere, help on `-h` and `--help`, no version, simple names, the registered conversions.
    #[must_use]
    pub fn new() -> Self {
        Self {
            options_first: false,
            default_help: true,
            version: None,
            simplify_names: true,
            conversions: None,
        }
    }

    /// Whether the first positional argument ends the options, so that the rest can be another program's.
    #[must_use]
    pub fn options_first(mut self, on: bool) -> Self {
        self.options_first = on;
        self
    }

    /// Whether `-h` and `--help` ask for the help text ([`Outcome::Help`]). If not, they are options like any
    /// other.
    #[must_use]
    pub fn default_help(mut self, on: bool) -> Self {
        self.default_help = on;
        self
    }

    /// What `--version` prints ([`Outcome::Version`]). Without a version, `--version` is an option like any
    /// other.
    #[must_use]
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into()).filter(|version| !version.is_empty());
        self
    }

    /// Whether `--batch-size` is called `batch_size`, and `<file>` is called `file`.
    #[must_use]
    pub fn simplify_names(mut self, on: bool) -> Self {
        self.simplify_names = on;
        self
    }

    /// Converts with these conversions instead of the registered ones.
    #[must_use]
    pub fn conversions(mut self, conversions: Conversions) -> Self {
        self.conversions = Some(conversions);
        self
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::new()
    }
}

/// What a command line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<T> {
    /// To run, with these options.
    Options(T),
    /// To print this help text.
    Help(String),
    /// To print this version.
    Version(String),
}

impl<T> Outcome<T> {
    /// The options, unless help or the version is wanted.
    #[must_use]
    pub fn options(self) -> Option<T> {
        match self {
            Self::Options(options) => Some(options),
            Self::Help(_) | Self::Version(_) => None,
        }
    }

    /// Changes the options.
    pub(crate) fn try_map<U, E>(self, change: impl FnOnce(T) -> Result<U, E>) -> Result<Outcome<U>, E> {
        match self {
            Self::Options(options) => change(options).map(Outcome::Options),
            Self::Help(text) => Ok(Outcome::Help(text)),
            Self::Version(text) => Ok(Outcome::Version(text)),
        }
    }
}
