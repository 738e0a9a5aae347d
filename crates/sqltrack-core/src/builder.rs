//! How a client is made: its configuration, and the engine that this asks for.

use std::sync::Arc;

use sqltrack_engines::{Dialect, Engine, Environment};

use crate::{Client, Config, ConfigBuilder, Error};

/// A client in the making: a configuration to add to.
#[derive(Debug)]
#[must_use]
pub struct ClientBuilder {
    config: ConfigBuilder,
}

impl ClientBuilder {
    pub(crate) fn new() -> Self {
        Self { config: Config::builder() }
    }

    /// Reads this config file, and no other. One that does not exist is an error.
    pub fn config_path(mut self, path: impl Into<std::path::PathBuf>) -> Self {
        self.config = self.config.path(path);
        self
    }

    /// Sets a parameter, over every other source.
    pub fn set(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.config = self.config.set(name, value);
        self
    }

    /// Uses these variables instead of those of the process.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.config = self.config.environment(environment);
        self
    }

    /// Reads the configuration and makes the client. Nothing is connected yet.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if the configuration cannot be used.
    #[expect(clippy::unused_async, reason = "a client may want to look at the database here")]
    pub async fn connect(self) -> Result<Client, Error> {
        Client::from_config(self.config.load()?)
    }
}

/// The engine that a configuration asks for.
///
/// # Errors
///
/// [`Error::Config`] if the parameters cannot be used, [`Error::EngineNotBuilt`] if the engine was left out.
pub fn create_engine(config: &Config) -> Result<Arc<dyn Engine>, Error> {
    match config.engine() {
        #[cfg(feature = "postgres")]
        Dialect::Postgres => {
            let options = sqltrack_postgres::PostgresOptions::new(config.settings(), config.environment())
                .map_err(crate::ConfigError::from)?;
            Ok(Arc::new(sqltrack_postgres::PostgresEngine::new(options)?))
        }
        #[cfg(feature = "sqlite")]
        Dialect::Sqlite => {
            let path = config.get("dbpath").unwrap_or("sqltrack.db");
            Ok(Arc::new(sqltrack_sqlite::SqliteEngine::new(path)?))
        }
        #[allow(unreachable_patterns, reason = "which engines are left depends on the features")]
        other => Err(Error::EngineNotBuilt(other)),
    }
}
