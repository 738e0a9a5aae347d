//! From help texts, or from the files that hold them, to arguments.

use std::path::Path;

use crate::convert::convert_arguments;
use crate::docopt::{HelpText, RawOptions};
use crate::error::{CommandLineError, CommandLineProblem, Error, HelpTextError, HelpTextProblem};
use crate::options::ParsedOptions;
use crate::runtime;
use crate::settings::{Outcome, Settings};
use crate::sources::{SourceError, read_help_texts};

/// Matches a command line (without the program's name) against help texts, and converts its values. The first
/// text that it fits is taken.
///
/// # Errors
///
/// [`Error::CommandLine`] if at least one text describes arguments, but the command line fits none (the first
/// of them explains why); [`Error::HelpText`] if no text describes arguments.
pub fn parse_docstrings<T: AsRef<str>, A: AsRef<str>>(
    texts: &[T],
    argv: &[A],
    settings: &Settings,
) -> Result<Outcome<ParsedOptions>, Error> {
    first_fitting(texts, |help| {
        help.match_arguments(argv, settings)?.try_map(|raw| converted(&raw, help, settings))
    })
}

/// The same without conversion: names and values as docopt returns them.
///
/// # Errors
///
/// As [`parse_docstrings`].
pub fn parse_docstrings_raw<T: AsRef<str>, A: AsRef<str>>(
    texts: &[T],
    argv: &[A],
    settings: &Settings,
) -> Result<Outcome<RawOptions>, Error> {
    first_fitting(texts, |help| help.match_arguments(argv, settings))
}

fn first_fitting<T: AsRef<str>, R>(
    texts: &[T],
    read: impl Fn(&HelpText) -> Result<R, Error>,
) -> Result<R, Error> {
    let mut error = Error::from(HelpTextError::new(None, HelpTextProblem::NoUsage));
    for text in texts {
        match HelpText::parse(text.as_ref()).map_err(Error::from).and_then(|help| read(&help)) {
            Ok(result) => return Ok(result),
            Err(next) if relevance(&next) > relevance(&error) => error = next,
            Err(_) => {}
        }
    }
    Err(error)
}

/// How much an error says about what the author of the texts had in mind.
fn relevance(err: &Error) -> u8 {
    match err {
        Error::HelpText(err) if *err.problem() == HelpTextProblem::NoUsage => 0,
        Error::HelpText(_) => 1,
        Error::CommandLine(_) => 2,
    }
}

fn converted(raw: &RawOptions, help: &HelpText, settings: &Settings) -> Result<ParsedOptions, Error> {
    convert_arguments(raw, settings).map_err(|err| {
        if raw.is_given(&err.option) {
            CommandLineError::new(CommandLineProblem::Conversion(err), help.usage()).into()
        } else {
            HelpTextError::new(None, HelpTextProblem::Default(err)).into()
        }
    })
}

/// Why arguments could not be detected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DetectError {
    /// The file cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Its help text is broken, or the command line does not fit it.
    #[error(transparent)]
    Arguments(#[from] Error),
}

/// The arguments of the running program's command line, as the help texts of a file describe them (see
/// [`read_help_texts`]), or those of the program itself: the texts that `#[docopt_main]` and
/// `#[docopt_arguments]` embedded. `Ok(None)` if there is no help text with a `usage:` section.
///
/// `-h` and `--help` are options like any other here, since a program that shows its help has no arguments to
/// detect.
///
/// # Errors
///
/// [`DetectError`] if the file cannot be read, if its help text is broken, or if the command line does not
/// fit it.
pub fn detect_args(path: Option<&Path>) -> Result<Option<ParsedOptions>, DetectError> {
    detect_args_with(path, &runtime::command_line(), &Settings::new())
}

/// The same for another command line (without the program's name) and other settings. Embedded help texts
/// come with the settings of their attribute.
///
/// # Errors
///
/// As [`detect_args`].
pub fn detect_args_with<A: AsRef<str>>(
    path: Option<&Path>,
    argv: &[A],
    settings: &Settings,
) -> Result<Option<ParsedOptions>, DetectError> {
    let Some(path) = path else { return Ok(detect_embedded(argv)?) };
    let texts = read_help_texts(path)?;
    Ok(detected(parse_docstrings(&texts, argv, &quiet(settings)))?)
}

/// The texts of the running program, each with its own settings.
fn detect_embedded<A: AsRef<str>>(argv: &[A]) -> Result<Option<ParsedOptions>, Error> {
    let mut first_error = Ok(None);
    for (text, settings) in runtime::embedded() {
        match detected(parse_docstrings(&[text], argv, &quiet(&settings))) {
            Ok(None) => {}
            Ok(options) => return Ok(options),
            Err(err) => first_error = first_error.and(Err(err)),
        }
    }
    first_error
}

fn detected(parsed: Result<Outcome<ParsedOptions>, Error>) -> Result<Option<ParsedOptions>, Error> {
    match parsed {
        Ok(outcome) => Ok(outcome.options()),
        Err(Error::HelpText(err)) if *err.problem() == HelpTextProblem::NoUsage => Ok(None),
        Err(err) => Err(err),
    }
}

fn quiet(settings: &Settings) -> Settings {
    Settings { version: None, ..settings.clone() }.default_help(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn describe(texts: &[&str], argv: &[&str]) -> String {
        match parse_docstrings(texts, argv, &Settings::new()) {
            Ok(outcome) => format!("{outcome:?}"),
            Err(err) => err.to_string(),
        }
    }

    #[test]
    fn the_first_text_that_fits_is_taken() {
        let texts = ["prose", "usage: a [", "usage: b X", "usage: c X Y"];
        assert!(describe(&texts, &["1"]).contains("\"X\": Int(1)"));
        assert!(describe(&texts, &["1", "2"]).contains("\"Y\": Int(2)"));
        assert_eq!(describe(&texts, &[]), "missing `X`\nusage: b X");
        assert_eq!(describe(&texts[..2], &[]), "help text, line 1: `[` is not closed");
        assert!(describe(&texts[..1], &[]).starts_with("help text: there is no `usage:` section"));
    }

    #[test]
    fn a_value_that_does_not_fit_is_the_users_mistake_a_default_the_authors() {
        let text = "usage: a [--nint=N]\n\noptions: --nint=N  Number [default: x]";
        assert!(
            describe(&[text], &["--nint=y"])
                .starts_with("`--nint`: cannot convert `y` with `int`: not a whole")
        );
        assert!(describe(&[text], &[]).starts_with("help text: the default of `--nint`: cannot convert `x`"));
    }
}
