//! The two ways to fail: a help text that describes no arguments, and a command line that does not fit it.

use std::fmt;

use crate::convert::ConversionError;
use crate::docopt::Given;

/// Why there are no arguments. The two cases concern different people: the author of a program, and its user.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// The help text is broken; no command line would fit it.
    #[error(transparent)]
    HelpText(#[from] HelpTextError),
    /// The command line does not fit the help text.
    #[error(transparent)]
    CommandLine(#[from] CommandLineError),
}

/// A help text that does not describe arguments.
#[derive(Debug, Clone, PartialEq)]
pub struct HelpTextError {
    line: Option<usize>,
    problem: HelpTextProblem,
}

impl HelpTextError {
    pub(crate) fn new(line: Option<usize>, problem: HelpTextProblem) -> Self {
        Self { line, problem }
    }

    /// The line of the help text that is wrong, counted from 1, where the problem has a place.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.line
    }

    /// What is wrong.
    #[must_use]
    pub fn problem(&self) -> &HelpTextProblem {
        &self.problem
    }
}

impl fmt::Display for HelpTextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "help text, line {line}: {}", self.problem),
            None => write!(f, "help text: {}", self.problem),
        }
    }
}

impl std::error::Error for HelpTextError {}

/// What can be wrong with a help text.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum HelpTextProblem {
    /// No line has `usage:` in it.
    #[error("there is no `usage:` section; add a line `usage: prog [options]`")]
    NoUsage,
    /// The usage section has no text.
    #[error("the `usage:` section is empty; it needs at least the name of the program")]
    EmptyUsage,
    /// `usage:` occurs twice.
    #[error("a second `usage:`; a help text has one usage section")]
    SecondUsage,
    /// `options:` occurs in the usage section.
    #[error("`options:` inside the `usage:` section; put an empty line in front of it")]
    OptionsInUsage,
    /// A bracket is never closed.
    #[error("`{0}` is not closed")]
    Unclosed(&'static str),
    /// A bracket closes nothing.
    #[error("`{0}` closes nothing")]
    UnexpectedClose(String),
    /// The description of an option says that it has a value, the usage does not name one.
    #[error("`{0}` requires an argument; name it in the usage as in its description")]
    RequiresArgument(String),
    /// The usage gives a value to an option whose description has none.
    #[error("`{0}` must not have an argument; name it in its description if it has one")]
    TakesNoArgument(String),
    /// An option is described more than once.
    #[error("`{option}` is described {times} times")]
    Ambiguous {
        /// The option's name.
        option: String,
        /// How often it is described.
        times: usize,
    },
    /// `...` follows several stacked options.
    #[error("`...` after several options in one word; write `(-a -b)...` instead of `-ab...`")]
    RepeatedStack,
    /// Brackets are nested too deeply.
    #[error("brackets are nested more than {0} deep")]
    TooDeep(usize),
    /// Matching takes too long.
    #[error("the usage needs too many steps to match; simplify its alternatives and repetitions")]
    TooComplex,
    /// A default value does not fit its option's name.
    #[error("the default of {0}")]
    Default(ConversionError),
}

/// A command line that does not fit the help text. Displays what is wrong, then the usage.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandLineError {
    problem: Box<CommandLineProblem>,
    usage: String,
}

impl CommandLineError {
    pub(crate) fn new(problem: CommandLineProblem, usage: &str) -> Self {
        Self { problem: Box::new(problem), usage: usage.to_owned() }
    }

    /// What is wrong.
    #[must_use]
    pub fn problem(&self) -> &CommandLineProblem {
        &self.problem
    }

    /// The usage section of the help text.
    #[must_use]
    pub fn usage(&self) -> &str {
        &self.usage
    }
}

impl fmt::Display for CommandLineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.problem, self.usage)
    }
}

impl std::error::Error for CommandLineError {}

/// What can be wrong with a command line.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandLineProblem {
    /// An option came without its value.
    #[error("`{0}` requires an argument")]
    RequiresArgument(String),
    /// A switch came with a value.
    #[error("`{0}` must not have an argument")]
    TakesNoArgument(String),
    /// The usage is satisfied, and these are left over: unknown, or more than it allows.
    #[error("unexpected {}", list(.0, ", "))]
    Unexpected(Vec<Given>),
    /// The usage is not satisfied.
    #[error("{}{}", missing(.expected), beside(.given))]
    Missing {
        /// What would have helped: one of these names.
        expected: Vec<String>,
        /// All that was given.
        given: Vec<Given>,
    },
    /// A value does not fit its name.
    #[error(transparent)]
    Conversion(#[from] ConversionError),
    /// The values do not fit the program's own type of arguments.
    #[error("{0}")]
    Invalid(String),
}

fn missing(expected: &[String]) -> String {
    match expected {
        [] => "the arguments do not fit the usage".to_owned(),
        _ => format!("missing {}", list(expected, " or ")),
    }
}

fn beside(given: &[Given]) -> String {
    if given.is_empty() { String::new() } else { format!(" (given: {})", list(given, ", ")) }
}

fn list<T: fmt::Display>(items: &[T], separator: &str) -> String {
    items.iter().map(|item| format!("`{item}`")).collect::<Vec<_>>().join(separator)
}
