//! Where scripts come from.

use std::path::{Path, PathBuf};

use super::SetupError;

/// A script: a file, or a name with its SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScriptSource {
    /// The script in a file, known by the file's base name.
    File(PathBuf),
    /// A script by name and text.
    Text {
        /// The name it is known by.
        name: String,
        /// The SQL.
        sql: String,
    },
}

impl From<&str> for ScriptSource {
    fn from(path: &str) -> Self {
        Self::File(path.into())
    }
}

impl From<String> for ScriptSource {
    fn from(path: String) -> Self {
        Self::File(path.into())
    }
}

impl From<&Path> for ScriptSource {
    fn from(path: &Path) -> Self {
        Self::File(path.to_owned())
    }
}

impl From<PathBuf> for ScriptSource {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

impl<N: Into<String>, S: Into<String>> From<(N, S)> for ScriptSource {
    fn from((name, sql): (N, S)) -> Self {
        Self::Text { name: name.into(), sql: sql.into() }
    }
}

/// A script with its text.
pub(super) struct Loaded {
    pub(super) name: String,
    pub(super) sql: String,
    /// Where it was found, for messages.
    pub(super) origin: String,
}

impl ScriptSource {
    pub(super) fn load(self) -> Result<Loaded, SetupError> {
        match self {
            Self::Text { name, sql } => {
                let base = Path::new(&name).file_name().and_then(|base| base.to_str()).unwrap_or(&name);
                Ok(Loaded { name: base.to_owned(), sql, origin: name })
            }
            Self::File(path) => load_file(&path),
        }
    }
}

fn load_file(path: &Path) -> Result<Loaded, SetupError> {
    let origin = path.display().to_string();
    let unreadable = |reason: String| SetupError::Unreadable { path: origin.clone(), reason };
    let name = path.file_name().and_then(|name| name.to_str());
    let name =
        name.ok_or_else(|| unreadable("its name is no Unicode text; rename it".to_owned()))?.to_owned();
    let bytes = std::fs::read(path).map_err(|err| unreadable(err.to_string()))?;
    let sql = String::from_utf8(bytes).map_err(|err| {
        let line = 1 + err.as_bytes()[..err.utf8_error().valid_up_to()]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        unreadable(format!("line {line} is not UTF-8; convert the file"))
    })?;
    Ok(Loaded { name, sql, origin })
}
