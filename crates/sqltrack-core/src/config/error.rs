//! What can be wrong with a configuration.

use std::path::PathBuf;

use super::{InvalidSetting, Source};

/// Why there is no [`Config`](super::Config). Every message is one line that names the source and says
/// what to do; none contains a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A config file was named and does not exist.
    #[error("the config file `{}` (from {origin}) does not exist; correct the path or create it", path.display())]
    MissingFile {
        /// The file.
        path: PathBuf,
        /// Who named it.
        origin: Source,
    },
    /// The config file cannot be read.
    #[error("cannot read the config file `{}`: {reason}", path.display())]
    ReadFile {
        /// The file.
        path: PathBuf,
        /// Why, and what to do.
        reason: String,
    },
    /// A line of the config file makes no sense.
    #[error("{}:{line}: {reason}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// Why, and what to do.
        reason: String,
    },
    /// No parameter has this name.
    #[error("unknown parameter `{name}` from {origin}; did you mean `{nearest}`?")]
    UnknownParameter {
        /// The name.
        name: String,
        /// Where it is.
        origin: Source,
        /// The known name that is most like it.
        nearest: &'static str,
    },
    /// Something stands where a parameter's name should. It is not shown, since it may be a password.
    #[error("{origin} holds something that cannot be a parameter's name; names are letters, digits and `_`")]
    NotAName {
        /// Where it is.
        origin: Source,
    },
    /// One source gives a parameter two values.
    #[error("`{name}` is set twice, by {first} and by {second}; remove one")]
    Conflict {
        /// The parameter.
        name: String,
        /// Where it is set first.
        first: Box<Source>,
        /// Where it is set again.
        second: Box<Source>,
    },
    /// A `url` cannot be read. It is not shown, since it may contain a password.
    #[error("`url` from {origin}: {reason}")]
    Url {
        /// Where the url is.
        origin: Source,
        /// Why, and what is expected.
        reason: String,
    },
    /// A parameter has a value that cannot be used.
    #[error(transparent)]
    Invalid(#[from] InvalidSetting),
    /// A variable of the environment is not text.
    #[error(transparent)]
    NotUnicode(#[from] sqltrack_engines::NotUnicode),
    /// libpq's environment or the parameters of Postgres cannot be used.
    #[cfg(feature = "postgres")]
    #[error(transparent)]
    Postgres(sqltrack_postgres::OptionsError),
}

#[cfg(feature = "postgres")]
impl From<sqltrack_postgres::OptionsError> for ConfigError {
    fn from(err: sqltrack_postgres::OptionsError) -> Self {
        use sqltrack_postgres::OptionsError;
        match err {
            OptionsError::Invalid(err) => Self::Invalid(err),
            OptionsError::NotUnicode(err) => Self::NotUnicode(err),
            err => Self::Postgres(err),
        }
    }
}
