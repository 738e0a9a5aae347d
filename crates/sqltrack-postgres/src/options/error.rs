//! What can be wrong with connection parameters before any connection is tried.

use std::path::PathBuf;

use sqltrack_engines::{InvalidSetting, NotUnicode, Source};

/// Why there are no [`PostgresOptions`](super::PostgresOptions). No message contains a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OptionsError {
    /// A parameter has a value that cannot be used, or one that the driver cannot honor.
    #[error(transparent)]
    Invalid(#[from] InvalidSetting),
    /// A variable of the environment is not text.
    #[error(transparent)]
    NotUnicode(#[from] NotUnicode),
    /// No service file has a section for the service.
    #[error(
        "service `{name}` (from {origin}) is not defined in {searched}; add a section [{name}] or unset it"
    )]
    NoSuchService {
        /// The name of the service.
        name: String,
        /// Who asked for it.
        origin: Box<Source>,
        /// The files that were looked at.
        searched: String,
    },
    /// A service file cannot be read.
    #[error("cannot read the service file `{}`: {reason}; correct the path or the permissions", path.display())]
    ServiceFile {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// A line of a service file makes no sense.
    #[error("{}:{line}: {reason}", path.display())]
    ServiceLine {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The driver reads this variable by itself, and nothing we could pass would undo it.
    #[error("the driver would use {variable} although {reason}; unset {variable}")]
    Inherited {
        /// The variable.
        variable: &'static str,
        /// What contradicts it.
        reason: String,
    },
}
