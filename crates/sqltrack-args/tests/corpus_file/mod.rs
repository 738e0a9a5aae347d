//! The files in `corpus/`: help texts, command lines, and what they should give.
//!
//! ```text
//! # a comment, between cases
//! === name of the case [options_first] [no_help] [version=1.2]
//! the help text, line by line
//! $ prog a 'command line'
//! {"the": "result"}, user-error: why, help-text-error: why, help, or version
//! ```

use std::path::{Path, PathBuf};
use std::{fs, io};

use sqltrack_args::Settings;

/// One command line of a corpus file.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// File, line, title of the help text, command line.
    pub(crate) name: String,
    pub(crate) help: String,
    pub(crate) argv: Vec<String>,
    pub(crate) mode: Mode,
    /// The line below the command line.
    pub(crate) expected: String,
}

/// docopt's parameters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Mode {
    pub(crate) options_first: bool,
    pub(crate) no_help: bool,
    pub(crate) version: Option<String>,
}

impl Mode {
    pub(crate) fn settings(&self) -> Settings {
        let settings = Settings::new().options_first(self.options_first).default_help(!self.no_help);
        match &self.version {
            Some(version) => settings.version(version),
            None => settings,
        }
    }
}

/// All cases of all files.
pub(crate) fn cases() -> io::Result<Vec<Case>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>()?;
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        read(&file, &fs::read_to_string(&file)?, &mut cases);
    }
    Ok(cases)
}

fn read(file: &Path, text: &str, cases: &mut Vec<Case>) {
    let file = file.file_stem().unwrap_or_default().to_string_lossy();
    let (mut title, mut mode, mut help, mut in_help) = (String::new(), Mode::default(), String::new(), false);
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        if let Some(heading) = line.strip_prefix("=== ") {
            (title, mode) = heading_parts(heading);
            help.clear();
            in_help = true;
        } else if let Some(command_line) = line.strip_prefix("$ prog") {
            in_help = false;
            let expected = lines.next().map(|(_, line)| line.to_owned()).unwrap_or_default();
            cases.push(Case {
                name: format!("{file}:{} {title}:{command_line}", index + 1),
                help: help.clone(),
                argv: words(command_line),
                mode: mode.clone(),
                expected,
            });
        } else if in_help {
            help.push_str(line);
            help.push('\n');
        }
    }
}

fn heading_parts(heading: &str) -> (String, Mode) {
    let mut parts = heading.split(" [");
    let title = parts.next().unwrap_or_default().to_owned();
    let mut mode = Mode::default();
    for part in parts {
        match part.trim_end_matches(']') {
            "options_first" => mode.options_first = true,
            "no_help" => mode.no_help = true,
            other => mode.version = other.strip_prefix("version=").map(str::to_owned),
        }
    }
    (title, mode)
}

/// Words as a shell splits them, with single quotes only.
fn words(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let (mut in_word, mut in_quotes) = (false, false);
    for c in line.chars() {
        if c == ' ' && !in_quotes {
            in_word = false;
            continue;
        }
        if !in_word {
            words.push(String::new());
            in_word = true;
        }
        match (c, words.last_mut()) {
            ('\'', _) => in_quotes = !in_quotes,
            (c, Some(word)) => word.push(c),
            (_, None) => {}
        }
    }
    words
}
