//! What the attributes `#[docopt_main]` and `#[docopt_arguments]` call when the program runs.

use std::io::Write;
use std::sync::{PoisonError, RwLock};
use std::{env, io, process};

use serde::de::DeserializeOwned;

use crate::detect::parse_docstrings;
use crate::docopt::HelpText;
use crate::error::{CommandLineError, CommandLineProblem, Error};
use crate::options::ParsedOptions;
use crate::settings::{Outcome, Settings};

static EMBEDDED: RwLock<Vec<(&'static str, Settings)>> = RwLock::new(Vec::new());

/// Makes a help text of the running program known to [`crate::detect_args`]. The attributes do this when
/// their function is called; a program that has its help text elsewhere can do it by hand.
pub fn register(text: &'static str, settings: Settings) {
    let mut embedded = EMBEDDED.write().unwrap_or_else(PoisonError::into_inner);
    match embedded.iter_mut().find(|(known, _)| *known == text) {
        Some((_, known)) => *known = settings,
        None => embedded.push((text, settings)),
    }
}

/// The registered help texts.
pub(crate) fn embedded() -> Vec<(&'static str, Settings)> {
    EMBEDDED.read().unwrap_or_else(PoisonError::into_inner).clone()
}

/// The arguments of the running program without its name. What is not Unicode is replaced by `U+FFFD`.
#[must_use]
pub fn command_line() -> Vec<String> {
    env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect()
}

/// The arguments of the running program as a `T`, with `overrides` on top.
///
/// Ends the program instead if its user asks for help or the version (exit code 0, on standard output), or if
/// the command line is wrong (exit code 2, on standard error).
pub fn arguments<T: DeserializeOwned + 'static>(
    text: &'static str,
    settings: &Settings,
    overrides: ParsedOptions,
) -> T {
    register(text, settings.clone());
    match read_arguments(text, &command_line(), settings, overrides) {
        Ok(arguments) => arguments,
        Err(exit) => exit.now(),
    }
}

/// What a program says before it ends.
#[derive(Debug, PartialEq, Eq)]
struct Exit {
    code: i32,
    text: String,
}

impl Exit {
    fn now(&self) -> ! {
        // Nobody is left to tell if the output is closed.
        let _written = match self.code {
            0 => writeln!(io::stdout(), "{}", self.text),
            _ => writeln!(io::stderr(), "{}", self.text),
        };
        process::exit(self.code)
    }
}

impl From<Error> for Exit {
    fn from(err: Error) -> Self {
        let code = if matches!(err, Error::CommandLine(_)) { 2 } else { 1 };
        Self { code, text: err.to_string() }
    }
}

fn read_arguments<T: DeserializeOwned + 'static>(
    text: &str,
    argv: &[String],
    settings: &Settings,
    overrides: ParsedOptions,
) -> Result<T, Exit> {
    let options = match parse_docstrings(&[text], argv, settings)? {
        Outcome::Options(options) => options.overridden(overrides),
        Outcome::Help(text) | Outcome::Version(text) => return Err(Exit { code: 0, text }),
    };
    options.deserialize().map_err(|err| {
        let usage = HelpText::parse(text).map(|help| help.usage().to_owned()).unwrap_or_default();
        Error::from(CommandLineError::new(CommandLineProblem::Invalid(err.to_string()), &usage)).into()
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{ArgValue, detect_args_with};

    const TEXT: &str = "\nusage: prog [-n N]\n\noptions: -n N  Number [default: 1]\n";

    fn read<T: DeserializeOwned + 'static>(argv: &str) -> Result<T, Exit> {
        let argv: Vec<String> = argv.split_whitespace().map(str::to_owned).collect();
        read_arguments(TEXT, &argv, &Settings::new().version("1.2"), ParsedOptions::new())
    }

    #[test]
    fn help_and_version_end_well() {
        let help = Exit { code: 0, text: TEXT.trim_matches('\n').to_owned() };
        assert_eq!(read::<ParsedOptions>("--help"), Err(help));
        assert_eq!(read::<ParsedOptions>("--version"), Err(Exit { code: 0, text: "1.2".to_owned() }));
    }

    #[test]
    fn a_wrong_command_line_ends_badly() {
        let wrong = |text: &str| Exit { code: 2, text: format!("{text}\nusage: prog [-n N]") };
        assert_eq!(read::<ParsedOptions>("a b"), Err(wrong("unexpected `a`, `b`")));
        let mismatch = "`n`: invalid type: string \"x\", expected u8";
        assert_eq!(read::<BTreeMap<String, u8>>("-n x"), Err(wrong(mismatch)));
        assert_eq!(read::<BTreeMap<String, u8>>("-n 3"), Ok(BTreeMap::from([("n".to_owned(), 3)])));
    }

    #[test]
    fn embedded_texts_are_detected() {
        assert!(
            detect_args_with(None, &["-n", "3"], &Settings::new()).is_ok_and(|options| options.is_none())
        );
        register(TEXT, Settings::new());
        let options = detect_args_with(None, &["-n", "3"], &Settings::new()).unwrap().unwrap();
        assert_eq!(options["n"], ArgValue::Int(3));
        assert!(detect_args_with(None, &["x"], &Settings::new()).is_err());
    }
}
