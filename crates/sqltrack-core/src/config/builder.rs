//! Collects what the caller wants before the sources are read.

use std::path::PathBuf;

use super::{Config, ConfigError, Environment, FILE_NAME, Source, resolve};

/// What to load a [`Config`] from. Made by [`Config::builder`].
///
/// ```no_run
/// use sqltrack_core::Config;
///
/// let config = Config::builder()
///     .path("team.conf")
///     .set("host", "db")
///     .set_from("port", "5433", "--port")
///     .load()?;
/// # Ok::<(), sqltrack_core::ConfigError>(())
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct ConfigBuilder {
    pub(super) path: Option<(PathBuf, Source)>,
    pub(super) file_name: String,
    pub(super) environment: Option<Environment>,
    pub(super) parameters: Parameters,
}

/// Names, values and sources in the order in which they were set. `Debug` shows no values.
#[derive(Clone, Default)]
pub(super) struct Parameters(pub(super) Vec<(String, String, Source)>);

impl std::fmt::Debug for Parameters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.0.iter().map(|(name, _, source)| (name, source))).finish()
    }
}

impl ConfigBuilder {
    pub(super) fn new() -> Self {
        Self {
            path: None,
            file_name: FILE_NAME.to_owned(),
            environment: None,
            parameters: Parameters::default(),
        }
    }

    /// Reads this file, which must exist, in place of looking for one.
    pub fn path(self, path: impl Into<PathBuf>) -> Self {
        self.path_from(path, "parameter")
    }

    /// Like [`path`](Self::path), with a word like `--config-path` for messages.
    pub fn path_from(mut self, path: impl Into<PathBuf>, how: &str) -> Self {
        self.path = Some((path.into(), Source::Parameter(how.to_owned())));
        self
    }

    /// Looks for files of this name in place of `sqltrack.conf`.
    pub fn file_name(mut self, name: impl Into<String>) -> Self {
        self.file_name = name.into();
        self
    }

    /// Uses these variables in place of the process's.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = Some(environment);
        self
    }

    /// Sets a parameter over every other source, and over an earlier call. Empty stands for the default.
    pub fn set(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.set_from(name, value, "parameter")
    }

    /// Like [`set`](Self::set), with a word like `--port` for messages.
    pub fn set_from(mut self, name: impl Into<String>, value: impl Into<String>, how: &str) -> Self {
        let name = name.into();
        self.parameters.0.retain(|(earlier, ..)| *earlier != name);
        self.parameters.0.push((name, value.into(), Source::Parameter(how.to_owned())));
        self
    }

    /// Reads every source.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], naming source and parameter, if a source cannot be read or a value cannot be used.
    pub fn load(self) -> Result<Config, ConfigError> {
        resolve::load(self)
    }
}
