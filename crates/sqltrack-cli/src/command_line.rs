//! Command lines that runs are recorded for: the program's name and its arguments. Nothing is run to know them.

use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};
use sqltrack_args::{Error, Settings, SourceError, parse_docstrings, read_help_texts};
use sqltrack_core::{Object, Redactor};

/// The one argument of a program that does not say which ones it has: the list of the words.
const UNPARSED: &str = "argv";

/// How the names of scripts end.
const SCRIPTS: [&str; 10] = ["py", "sh", "bash", "r", "R", "jl", "rb", "pl", "js", "lua"];

/// A program with its arguments.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CommandLine {
    /// The file that says what the words mean, if it has a help text.
    script: Option<PathBuf>,
    program: String,
    /// The words behind the script, or all of them if there is none.
    words: Vec<String>,
}

impl CommandLine {
    /// A script with its arguments.
    pub(crate) fn of_script(script: &Path, arguments: &[OsString]) -> Self {
        let program = script.file_stem().unwrap_or(script.as_os_str());
        Self { script: Some(script.to_owned()), program: text(program), words: texts(arguments) }
    }

    /// A command as it is run: `./train.py …` and `python train.py …` have a script, `cargo run …` and
    /// `python -m package …` do not.
    pub(crate) fn of_command(command: &[OsString]) -> Self {
        let Some((first, rest)) = command.split_first() else { return Self::opaque(OsStr::new(""), command) };
        let path = Path::new(first);
        if path.components().count() > 1 {
            return Self::of_script(path, rest);
        }
        match if is_python(first) { python(rest) } else { Python::Other } {
            Python::Script(script, arguments) => Self::of_script(Path::new(script), arguments),
            Python::Module(module) => Self::opaque(module, command),
            Python::Other => {
                Self::opaque(script_in(rest).unwrap_or(path).file_stem().unwrap_or(first), command)
            }
        }
    }

    fn opaque(program: &OsStr, command: &[OsString]) -> Self {
        Self { script: None, program: text(program), words: texts(command) }
    }

    /// What the program is called: the name for its experiment.
    pub(crate) fn program(&self) -> &str {
        &self.program
    }

    /// The arguments by their names, as the help text of the script says, or the list of words if there is none. What is
    /// secret is masked.
    ///
    /// Fails with a [`sqltrack_args::CommandLineError`] if the words do not fit the help text, or if there is no such
    /// script.
    pub(crate) fn arguments(&self, redactor: &Redactor) -> anyhow::Result<Object> {
        Ok(self.parsed()?.map_or_else(|| self.unparsed(redactor), |arguments| redactor.object(&arguments)))
    }

    /// The arguments as the list of words, whatever the script says.
    pub(crate) fn unparsed(&self, redactor: &Redactor) -> Object {
        [(UNPARSED.to_owned(), json!(redactor.arguments(&self.words)))].into_iter().collect()
    }

    fn parsed(&self) -> anyhow::Result<Option<Object>> {
        let Some(script) = &self.script else { return Ok(None) };
        let texts = match read_help_texts(script) {
            Ok(texts) => texts,
            // To be run it need not be readable.
            Err(SourceError::Io { source, .. }) if source.kind() == ErrorKind::PermissionDenied => {
                return Ok(None);
            }
            Err(err @ SourceError::Io { .. }) => return Err(err.into()),
            Err(err) => {
                tracing::info!("the arguments are recorded as they are, since there is no help text: {err}");
                return Ok(None);
            }
        };
        // What calls itself usage in a script of another language may mean anything.
        let is_foreign = texts.iter().any(|text| text.starts_with("#!"));
        match parse_docstrings(&texts, &self.words, &Settings::new().default_help(false)) {
            Ok(outcome) => Ok(outcome.options().and_then(|options| match options.to_json() {
                Json::Object(object) => Some(object),
                _ => None,
            })),
            Err(Error::CommandLine(wrong)) if !is_foreign => Err(wrong.into()),
            Err(err) => {
                tracing::info!("the arguments of {} are recorded as they are: {err}", script.display());
                Ok(None)
            }
        }
    }
}

/// The script that a command runs by an interpreter, to be called by its name: `train.py` in `srun python train.py`.
fn script_in(words: &[OsString]) -> Option<&Path> {
    let is_script = |word: &Path| {
        let ending = word.extension().and_then(OsStr::to_str);
        ending.is_some_and(|ending| SCRIPTS.contains(&ending)) && word.is_file()
    };
    words.iter().map(Path::new).find(|word| is_script(word))
}

/// What Python runs.
enum Python<'a> {
    Script(&'a OsStr, &'a [OsString]),
    Module(&'a OsStr),
    Other,
}

fn is_python(program: &OsStr) -> bool {
    program.to_str().is_some_and(|name| name.starts_with("python") || name.starts_with("pypy"))
}

/// What the words behind `python` make it run. Its options may be run together, as in `-um package`.
fn python(words: &[OsString]) -> Python<'_> {
    let mut rest = words;
    while let Some((word, behind)) = rest.split_first() {
        let value = behind.first().map(OsString::as_os_str);
        rest = behind;
        match word.to_str() {
            Some("--check-hash-based-pycs") => rest = rest.get(1..).unwrap_or_default(),
            Some(long) if long.starts_with("--") => {}
            Some(flags) if flags.len() > 1 && flags.starts_with('-') => {
                let Some(at) = flags.find(['c', 'm', 'W', 'X']) else { continue };
                let (flag, joined) = flags[at..].split_at(1);
                match flag {
                    "c" => return Python::Other,
                    "m" if joined.is_empty() => return value.map_or(Python::Other, Python::Module),
                    "m" => return Python::Module(OsStr::new(joined)),
                    _ if joined.is_empty() => rest = rest.get(1..).unwrap_or_default(),
                    _ => {}
                }
            }
            Some("-") => return Python::Other,
            _ => return Python::Script(word, behind),
        }
    }
    Python::Other
}

fn text(word: &OsStr) -> String {
    word.to_string_lossy().into_owned()
}

fn texts(words: &[OsString]) -> Vec<String> {
    words.iter().map(|word| text(word)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(command: &str, script: Option<&str>, program: &str, words: &str) {
        let command: Vec<OsString> = command.split_whitespace().map(Into::into).collect();
        let expected = CommandLine {
            script: script.map(PathBuf::from),
            program: program.to_owned(),
            words: words.split_whitespace().map(str::to_owned).collect(),
        };
        assert_eq!(CommandLine::of_command(&command), expected);
    }

    #[test]
    fn scripts_are_found_in_commands() {
        check("./train.py --lr 1", Some("./train.py"), "train", "--lr 1");
        check("target/debug/train -v", Some("target/debug/train"), "train", "-v");
        check("python train.py --lr 1", Some("train.py"), "train", "--lr 1");
        check("python3.12 -u -W error -Xdev -EI src/a.py -m x", Some("src/a.py"), "a", "-m x");
        check("pypy3 --check-hash-based-pycs always a.py", Some("a.py"), "a", "");
        check("cargo run --release", None, "cargo", "cargo run --release");
        check("python -m pkg.train --lr 1", None, "pkg.train", "python -m pkg.train --lr 1");
        check("python -um pkg", None, "pkg", "python -um pkg");
        check("python -mpkg", None, "pkg", "python -mpkg");
        for command in ["python", "python -c pass", "python -", "python -W", "python -m", "python --version"]
        {
            check(command, None, "python", command);
        }
        check("", None, "", "");
    }

    #[test]
    fn passwords_are_masked_wherever_they_are() {
        let words = ["--db", "postgres://alice:canary@db/x", "[\"http://a:canary@b\"]"].map(OsString::from);
        let config = sqltrack_core::Config::explicit([("engine", "sqlite")]).unwrap();
        let arguments = CommandLine::of_command(&words).unparsed(&Redactor::new(&config));
        assert!(!json!(arguments).to_string().contains("canary"), "{arguments:?}");
    }
}
