//! Texts that come from a file or standard input, and answers.

use std::io::{ErrorKind, IsTerminal as _, Read as _, Write as _};
use std::path::Path;

use anyhow::anyhow;

use crate::diagnostics::note;

const STANDARD_INPUT: &str = "standard input";

/// The text in a file; `-` is standard input.
pub(crate) fn file(path: &Path) -> anyhow::Result<String> {
    if is_standard_input(path) {
        return standard_input();
    }
    let text = std::fs::read(path).map_err(|err| {
        anyhow!("cannot read `{}`: {err}; correct the path or the permissions", path.display())
    })?;
    utf8(text, &name(path))
}

/// What a file is called in messages.
pub(crate) fn name(path: &Path) -> String {
    if is_standard_input(path) { STANDARD_INPUT.to_owned() } else { path.display().to_string() }
}

/// All of standard input.
pub(crate) fn standard_input() -> anyhow::Result<String> {
    let mut stdin = std::io::stdin();
    if stdin.is_terminal() {
        note("reading SQL from the terminal; end it with Ctrl-D");
    }
    let mut text = Vec::new();
    stdin.read_to_end(&mut text).map_err(|err| anyhow!("cannot read standard input: {err}"))?;
    utf8(text, STANDARD_INPUT)
}

/// The lines of standard input with their numbers, each as soon as it is there.
pub(crate) fn lines() -> impl Iterator<Item = anyhow::Result<(usize, String)>> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        note("reading lines from the terminal; end them with Ctrl-D");
    }
    (1..).zip(stdin.lines()).map(|(number, line)| match line {
        Ok(line) => Ok((number, line)),
        Err(err) if err.kind() == ErrorKind::InvalidData => {
            Err(anyhow!("{STANDARD_INPUT}:{number}: this is not UTF-8; convert the text"))
        }
        Err(err) => Err(anyhow!("cannot read {STANDARD_INPUT}: {err}")),
    })
}

/// Whether the user says yes to a question; `None` if there is no terminal to ask on.
pub(crate) fn confirm(question: &str) -> anyhow::Result<Option<bool>> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Ok(None);
    }
    write!(std::io::stderr(), "{question} [y/N] ")?;
    let mut answer = String::new();
    stdin.read_line(&mut answer).map_err(|err| anyhow!("cannot read the answer: {err}"))?;
    Ok(Some(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")))
}

fn is_standard_input(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn utf8(text: Vec<u8>, origin: &str) -> anyhow::Result<String> {
    String::from_utf8(text).map_err(|err| {
        let before = err.as_bytes().iter().take(err.utf8_error().valid_up_to());
        let line = 1 + before.filter(|byte| **byte == b'\n').count();
        anyhow!("{origin}:{line}: this is not UTF-8; convert the text")
    })
}
