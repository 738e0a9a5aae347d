//! Command lines, from words to options and positional arguments.

use std::fmt;

use super::descriptions::OptionSpec;
use super::options::{Found, OptionTable};
use super::raw::RawValue;
use crate::error::{CommandLineError, CommandLineProblem, Error, HelpTextError, HelpTextProblem};
use crate::literals;

/// One thing that a command line gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// A word that is no option.
    Argument(String),
    /// An option.
    Option {
        /// Its short name, if it is known.
        short: Option<String>,
        /// Its long name in full, if it is known.
        long: Option<String>,
        /// Its value; `true` for a switch.
        value: RawValue,
    },
}

impl Given {
    /// The name under which results list an option.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Argument(_) => None,
            Self::Option { short, long, .. } => long.as_deref().or(short.as_deref()),
        }
    }
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argument(text) => f.write_str(text),
            Self::Option { long, value, .. } => {
                let name = self.name().unwrap_or_default();
                let sign = if long.is_some() { "=" } else { " " };
                match value {
                    RawValue::Text(text) => write!(f, "{name}{sign}{text}"),
                    RawValue::List(texts) => write!(f, "{name}{sign}{}", texts.join(" ")),
                    _ => f.write_str(name),
                }
            }
        }
    }
}

/// Reads a command line. `options` grows by the options that it does not know.
pub(crate) fn read_argv(
    argv: &[&str],
    options: &mut OptionTable,
    options_first: bool,
    usage: &str,
) -> Result<Vec<Given>, Error> {
    let mut reader = Reader { rest: argv, options, usage, given: Vec::with_capacity(argv.len()) };
    while let Some(&word) = reader.rest.first() {
        if word == "--" {
            break;
        } else if word.starts_with("--") {
            reader.long_option(word)?;
        } else if word.starts_with('-') && word != "-" && literals::float(word).is_none() {
            reader.short_options(word)?;
        } else if options_first {
            break;
        } else {
            reader.given.push(Given::Argument(word.to_owned()));
            reader.rest = &reader.rest[1..];
        }
    }
    let Reader { rest, mut given, .. } = reader;
    given.extend(rest.iter().map(|&word| Given::Argument(word.to_owned())));
    Ok(given)
}

struct Reader<'a> {
    rest: &'a [&'a str],
    options: &'a mut OptionTable,
    usage: &'a str,
    given: Vec<Given>,
}

impl Reader<'_> {
    fn long_option(&mut self, word: &str) -> Result<(), Error> {
        self.rest = &self.rest[1..];
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (word, None),
        };
        let found = match self.options.long(name) {
            Found::None => self.options.long_by_prefix(name),
            found => found,
        };
        let option = match found {
            Found::One(option) => option.clone(),
            Found::Many(times) => return Err(ambiguous(name, times)),
            Found::None => {
                let option = OptionSpec::long(name, value.is_some());
                self.options.add(option.clone());
                self.push(option, value);
                return Ok(());
            }
        };
        let value = match (option.takes_argument, value) {
            (false, Some(_)) => {
                return Err(self.error(CommandLineProblem::TakesNoArgument(option.name().to_owned())));
            }
            (true, None) => Some(self.value_of(option.name())?),
            (_, value) => value,
        };
        self.push(option, value);
        Ok(())
    }

    fn short_options(&mut self, word: &str) -> Result<(), Error> {
        self.rest = &self.rest[1..];
        let mut letters = word.trim_start_matches('-').chars();
        while let Some(letter) = letters.next() {
            let name = format!("-{letter}");
            let option = match self.options.short(&name) {
                Found::One(option) => option.clone(),
                Found::Many(times) => return Err(ambiguous(&name, times)),
                Found::None => {
                    let option = OptionSpec::short(&name);
                    self.options.add(option.clone());
                    option
                }
            };
            let value = match letters.as_str() {
                _ if !option.takes_argument => None,
                "" => Some(self.value_of(&name)?),
                attached => Some(attached.to_owned()),
            };
            if value.is_some() {
                letters = "".chars();
            }
            self.push(option, value);
        }
        Ok(())
    }

    fn value_of(&mut self, option: &str) -> Result<String, Error> {
        match self.rest.split_first() {
            Some((&value, rest)) if value != "--" => {
                self.rest = rest;
                Ok(value.to_owned())
            }
            _ => Err(self.error(CommandLineProblem::RequiresArgument(option.to_owned()))),
        }
    }

    fn push(&mut self, option: OptionSpec, value: Option<String>) {
        let value = value.map_or(RawValue::Bool(true), RawValue::Text);
        self.given.push(Given::Option { short: option.short, long: option.long, value });
    }

    fn error(&self, problem: CommandLineProblem) -> Error {
        CommandLineError::new(problem, self.usage).into()
    }
}

fn ambiguous(option: &str, times: usize) -> Error {
    HelpTextError::new(None, HelpTextProblem::Ambiguous { option: option.to_owned(), times }).into()
}

#[cfg(test)]
mod tests {
    use super::super::descriptions::described_options;
    use super::*;

    #[track_caller]
    fn check(descriptions: &str, argv: &str, options_first: bool, expected: &str) {
        let mut options = described_options(descriptions).into_iter().collect();
        let words: Vec<&str> = argv.split(' ').collect();
        let given = read_argv(&words, &mut options, options_first, "usage");
        let written = match given {
            Ok(given) => given.iter().map(ToString::to_string).collect::<Vec<_>>().join("|"),
            Err(Error::CommandLine(err)) => err.problem().to_string(),
            Err(Error::HelpText(err)) => err.problem().to_string(),
        };
        assert_eq!(written, expected);
    }

    #[test]
    fn options_are_found_by_name_prefix_and_stack() {
        let options = "-v --verbose\n-n N --number N\n--name X";
        check(
            options,
            "-vn3 a --verb --number 4 --name=x",
            false,
            "--verbose|--number=3|a|--verbose|--number=4|--name=x",
        );
        check(options, "--n 3", false, "--n|3");
        check(options, "--name x --name= --zap=1", false, "--name=x|--name=|--zap=1");
        check(options, "-z a", false, "-z|a");
    }

    #[test]
    fn values_that_are_missing_or_not_wanted_are_errors() {
        check("-n N", "-n", false, "`-n` requires an argument");
        check("--number N", "--number --", false, "`--number` requires an argument");
        check("--all", "--all=", false, "`--all` must not have an argument");
        check("--all\n--all", "--all", false, "`--all` is described 2 times");
    }

    #[test]
    fn what_is_no_option_is_an_argument() {
        check("-a", "- -1 -1e3 -inf a -a -- -a", false, "-|-1|-1e3|-inf|a|-a|--|-a");
        check("-a", "-a b -a", true, "-a|b|-a");
    }
}
