//! The help texts in source files. Files are read and parsed; nothing in them runs.

#[cfg(feature = "python")]
mod dedent;
mod nesting;
#[cfg(feature = "python")]
mod python;
mod rust;

#[cfg(feature = "python")]
pub use dedent::dedent;
#[cfg(feature = "python")]
pub use python::python_help_texts;
pub use rust::{rust_doc_text, rust_help_texts, rust_module_doc};

use std::fmt;
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::docopt::text::universal_newlines;

/// Larger files are data or programs, not sources.
const MAX_SIZE: u64 = 16 << 20;

/// Why the help texts of a file cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The file cannot be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file is not text in the encoding that it should have, or no valid Rust or Python.
    #[error("{}:{source}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        source: SyntaxError,
    },
    /// The file is too large for a source file.
    #[error("`{}` has more than 16 MiB; give a source file or a text file", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The crate was built without a parser for Python.
    #[error("`{}` is a Python file; build `sqltrack-args` with its feature `python` to read it", path.display())]
    NoPython {
        /// The file.
        path: PathBuf,
    },
}

/// Something in a source that cannot be understood. Displays as `line:column: what`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {message}")]
pub struct SyntaxError {
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

impl SyntaxError {
    /// An error at a byte of the source.
    fn at(source: &str, offset: usize, message: impl fmt::Display) -> Self {
        let mut offset = offset.min(source.len());
        while !source.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &source[..offset];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            message: message.to_string().replace('\n', " "),
        }
    }
}

/// The help texts of a file, in the order in which they are tried.
///
/// - `.rs`: the doc comments of functions with `#[docopt_main]` or `#[docopt_arguments]`, then the file's
///   `//!`.
/// - `.py`, `.pyw`, or a first line `#!…python…`: the docstrings of functions decorated with `docopt_main` or
///   `docopt_arguments`, then the module's.
/// - Anything else: the whole file.
///
/// # Errors
///
/// [`SourceError`] if the file cannot be read or understood. That none of the texts describes arguments is no
/// error yet.
pub fn read_help_texts(path: &Path) -> Result<Vec<String>, SourceError> {
    let io_error = |source| SourceError::Io { path: path.to_owned(), source };
    if fs::metadata(path).map_err(io_error)?.len() > MAX_SIZE {
        return Err(SourceError::TooLarge { path: path.to_owned() });
    }
    let bytes = fs::read(path).map_err(io_error)?;
    let syntax_error = |source| SourceError::Syntax { path: path.to_owned(), source };
    match language(path, &bytes) {
        Language::Rust => {
            decode_utf8(&bytes).and_then(|source| rust_help_texts(&source)).map_err(syntax_error)
        }
        Language::Python => python_texts(path, &bytes),
        Language::Text => decode_utf8(&bytes).map(|text| vec![text]).map_err(syntax_error),
    }
}

#[cfg(feature = "python")]
fn python_texts(path: &Path, bytes: &[u8]) -> Result<Vec<String>, SourceError> {
    python::decode(bytes)
        .and_then(|source| python_help_texts(&source))
        .map_err(|source| SourceError::Syntax { path: path.to_owned(), source })
}

#[cfg(not(feature = "python"))]
fn python_texts(path: &Path, _bytes: &[u8]) -> Result<Vec<String>, SourceError> {
    Err(SourceError::NoPython { path: path.to_owned() })
}

enum Language {
    Rust,
    Python,
    Text,
}

fn language(path: &Path, bytes: &[u8]) -> Language {
    let extension = path.extension().map(|extension| extension.to_ascii_lowercase());
    match extension.as_ref().and_then(|extension| extension.to_str()) {
        Some("rs") => Language::Rust,
        Some("py" | "pyw") => Language::Python,
        _ => {
            let first_line = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
            let is_python =
                first_line.starts_with(b"#!") && first_line.windows(6).any(|word| word == b"python");
            if is_python { Language::Python } else { Language::Text }
        }
    }
}

/// The text of a file, without a byte order mark and with `\n` at line ends.
fn decode_utf8(bytes: &[u8]) -> Result<String, SyntaxError> {
    let text = str::from_utf8(bytes).map_err(|err| {
        let valid = String::from_utf8_lossy(&bytes[..err.valid_up_to()]);
        SyntaxError::at(&valid, valid.len(), "not valid UTF-8")
    })?;
    Ok(universal_newlines(text.strip_prefix('\u{feff}').unwrap_or(text)))
}

/// How deep the parsers of Rust and Python may have to go, see [`nesting`].
const PARSER_STACK: usize = 256 << 20;

/// Runs a recursive parser where it has enough stack for all that [`nesting`] lets through.
fn with_deep_stack<T: Send>(parse: impl FnOnce() -> Result<T, SyntaxError> + Send) -> Result<T, SyntaxError> {
    let failed = |reason: &str| SyntaxError { line: 1, column: 1, message: reason.to_owned() };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(PARSER_STACK).spawn_scoped(scope, parse);
        match thread.map(|thread| thread.join()) {
            Ok(Ok(parsed)) => parsed,
            Ok(Err(_)) => Err(failed("the parser gave up on this file")),
            Err(_) => Err(failed("there is not enough memory to parse this file")),
        }
    })
}

fn too_deep(line: usize) -> SyntaxError {
    SyntaxError { line, column: 1, message: "nested too deeply to read; split this expression".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(name: &str, bytes: &[u8]) -> String {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        let err = read_help_texts(&path).unwrap_err().to_string();
        err.replace(&dir.path().display().to_string(), "")
    }

    #[test]
    fn errors_are_one_line_with_the_place() {
        assert_eq!(error_of("a.txt", b"\xef\xbb\xbfab\n\xc3\xa9x\xff"), "/a.txt:2:3: not valid UTF-8");
        assert!(error_of("a.rs", b"fn main() {\n    let x = ;\n}").starts_with("/a.rs:2:13: "));
        assert!(error_of("a.rs", b"fn main() {\n  (\n}").starts_with("/a.rs:3:1: "));
    }

    #[test]
    fn files_without_an_extension_are_python_by_their_first_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("train");
        fs::write(&path, "usage: train [-a]\r\n  train b\r\n").unwrap();
        assert_eq!(read_help_texts(&path).unwrap(), ["usage: train [-a]\n  train b\n"]);
        fs::write(&path, "#!/usr/bin/env python3\n\"\"\"usage: train\"\"\"\n").unwrap();
        #[cfg(feature = "python")]
        assert_eq!(read_help_texts(&path).unwrap(), ["usage: train"]);
        #[cfg(not(feature = "python"))]
        assert!(matches!(read_help_texts(&path), Err(SourceError::NoPython { .. })));
    }
}
