//! The docopt language: help texts in, arguments out.
//!
//! A help text is split into its usage section and the rest ([`sections`]). The rest describes options
//! ([`descriptions`]), the usage section is cut into [`tokens`], which the [`parser`] makes a [`pattern`]. A
//! command line becomes a list of options and positional arguments ([`argv`]), which the [`matcher`] holds
//! against the pattern.

mod argv;
mod descriptions;
mod matcher;
mod options;
mod parser;
mod pattern;
mod raw;
mod sections;
pub(crate) mod text;
mod tokens;

pub use argv::Given;
pub use raw::{RawOptions, RawValue};

use std::str::FromStr;

use descriptions::described_options;
use options::OptionTable;
use pattern::{Leaf, LeafId, Usage};
use sections::Sections;

use crate::error::{CommandLineError, CommandLineProblem, Error, HelpTextError, HelpTextProblem};
use crate::settings::{Outcome, Settings};

/// A help text that describes arguments.
///
/// ```
/// use sqltrack_args::{HelpText, Outcome, RawValue, Settings};
///
/// let help = HelpText::parse("usage: train [--epochs=N] FILE...")?;
/// let Outcome::Options(options) = help.match_arguments(&["--epochs=9", "a", "b"], &Settings::new())? else {
///     unreachable!("no --help in the command line");
/// };
/// assert_eq!(options.get("FILE"), Some(&RawValue::List(vec!["a".into(), "b".into()])));
/// # Ok::<(), sqltrack_args::Error>(())
/// ```
#[derive(Debug)]
pub struct HelpText {
    text: String,
    usage_text: String,
    options: OptionTable,
    usage: Usage,
}

impl HelpText {
    /// Reads a help text.
    ///
    /// # Errors
    ///
    /// [`HelpTextError`], with the line, if there is no usage section or if it is broken.
    pub fn parse(text: &str) -> Result<Self, HelpTextError> {
        let sections = Sections::split(text)?;
        let mut described = described_options(sections.before);
        described.append(&mut described_options(sections.after));
        let mut options: OptionTable = described.into_iter().collect();
        let usage = parser::parse(tokens::tokens(sections.body, sections.line), &mut options)?;
        let usage_text =
            text::strip(&text[sections.before.len()..text.len() - sections.after.len()]).to_owned();
        Ok(Self { text: text.to_owned(), usage_text, options, usage })
    }

    /// The whole text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The usage section.
    #[must_use]
    pub fn usage(&self) -> &str {
        &self.usage_text
    }

    /// Matches a command line (without the program's name). Values are not converted.
    ///
    /// # Errors
    ///
    /// [`Error::CommandLine`] if the command line does not fit, [`Error::HelpText`] if it uses an option that
    /// is described twice, or if the usage is too complex to match in a reasonable time.
    pub fn match_arguments<S: AsRef<str>>(
        &self,
        argv: &[S],
        settings: &Settings,
    ) -> Result<Outcome<RawOptions>, Error> {
        let words: Vec<&str> = argv.iter().map(AsRef::as_ref).collect();
        let given = argv::read_argv(&words, &mut self.options.clone(), settings.options_first, self.usage())?;
        if settings.default_help && given.iter().any(|item| is_set(item, &["-h", "--help"])) {
            return Ok(Outcome::Help(self.text.trim_matches('\n').to_owned()));
        }
        if let Some(version) = &settings.version
            && given.iter().any(|item| is_set(item, &["--version"]))
        {
            return Ok(Outcome::Version(version.clone()));
        }
        let outcome = matcher::match_usage(&self.usage, given)
            .map_err(|_| HelpTextError::new(None, HelpTextProblem::TooComplex))?;
        self.options_of(outcome).map(Outcome::Options)
    }

    fn options_of(&self, outcome: matcher::Outcome) -> Result<RawOptions, Error> {
        let problem = match outcome {
            matcher::Outcome { matched: true, left, collected, .. } if left.is_empty() => {
                let mut options = RawOptions::default();
                for leaf in self.usage.flat() {
                    options.set(self.usage.leaves[leaf].name(), self.initial_value(leaf), false);
                }
                for (name, value) in collected {
                    options.set(&name, value, true);
                }
                return Ok(options);
            }
            matcher::Outcome { matched: true, left, .. } => CommandLineProblem::Unexpected(left),
            matcher::Outcome { left, expected, .. } => {
                let expected =
                    expected.into_iter().map(|leaf| self.usage.leaves[leaf].name().to_owned()).collect();
                CommandLineProblem::Missing { expected, given: left }
            }
        };
        Err(CommandLineError::new(problem, self.usage()).into())
    }

    /// The value of something that is not given.
    fn initial_value(&self, leaf: LeafId) -> RawValue {
        let repeats = self.usage.repeats[leaf];
        let default = match &self.usage.leaves[leaf] {
            Leaf::Option(option) => option.default.as_deref(),
            Leaf::Argument(_) | Leaf::Command(_) => None,
        };
        match (self.usage.leaves[leaf].takes_text(), repeats) {
            (false, false) => RawValue::Bool(false),
            (false, true) => RawValue::Count(0),
            (true, false) => default.map_or(RawValue::Null, |text| RawValue::Text(text.to_owned())),
            (true, true) => RawValue::List(
                default.map_or_else(Vec::new, |text| text::words(text).map(str::to_owned).collect()),
            ),
        }
    }
}

impl FromStr for HelpText {
    type Err = HelpTextError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// Whether a command line gives one of these options, with a value that is not empty if it has one.
fn is_set(given: &Given, names: &[&str]) -> bool {
    let is_empty = matches!(given, Given::Option { value: RawValue::Text(text), .. } if text.is_empty());
    given.name().is_some_and(|name| names.contains(&name)) && !is_empty
}
