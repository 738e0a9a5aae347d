//! Where settings come from. Later sources win: defaults, libpq's own environment, the config file,
//! `SQLTRACK_DSN_*` variables, parameters. Every value knows its source.
//!
//! ```
//! use sqltrack_core::Config;
//! use sqltrack_core::config::Environment;
//!
//! let config = Config::builder()
//!     .environment(Environment::from_iter([("SQLTRACK_DSN_ENGINE", "sqlite")]))
//!     .set("dbpath", "runs.db")
//!     .load()?;
//! assert_eq!(config.get("dbpath"), Some("runs.db"));
//! assert_eq!(config.settings().get("engine").unwrap().source().to_string(), "SQLTRACK_DSN_ENGINE");
//! # Ok::<(), sqltrack_core::ConfigError>(())
//! ```

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use sqltrack_engines::{
    Dialect, Environment, InvalidSetting, PARAMETERS, Parameter, Secret, Setting, Settings, Source,
};

mod builder;
mod error;
mod file;
mod layer;
mod names;
mod resolve;
mod syntax;
mod url;

pub use builder::ConfigBuilder;
pub use error::ConfigError;

use crate::spool::Fsync;

/// The name that config files have unless one says otherwise.
pub const FILE_NAME: &str = "sqltrack.conf";

/// A complete configuration: the engine, and its parameters with their sources.
#[derive(Debug, Clone)]
pub struct Config {
    engine: Dialect,
    settings: Settings,
    unused: Settings,
    path: Option<PathBuf>,
    environment: Environment,
}

impl Config {
    /// Reads every source. To name a file or set parameters, use [`Config::builder`].
    ///
    /// # Errors
    ///
    /// [`ConfigError`], naming source and parameter, if a source cannot be read or a value cannot be used.
    ///
    /// ```no_run
    /// let config = sqltrack_core::Config::load()?;
    /// println!("using {}", config.engine());
    /// # Ok::<(), sqltrack_core::ConfigError>(())
    /// ```
    pub fn load() -> Result<Self, ConfigError> {
        Self::builder().load()
    }

    /// A configuration to add a file or parameters to, before it is loaded.
    pub fn builder() -> ConfigBuilder {
        ConfigBuilder::new()
    }

    /// A configuration that is complete in itself: no file, no variable, no service and no password file
    /// but the one in `passfile` is read. Defaults stand in only for what must exist: the engine,
    /// `dbpath`, `user` (the login name) and `dbname` (the same as `user`).
    ///
    /// # Errors
    ///
    /// [`ConfigError`], naming the parameter, if a value cannot be used.
    ///
    /// ```
    /// use sqltrack_core::Config;
    ///
    /// let config = Config::explicit([("host", "db"), ("user", "alice")])?;
    /// assert_eq!(config.get("dbname"), Some("alice"));
    /// # Ok::<(), sqltrack_core::ConfigError>(())
    /// ```
    pub fn explicit<K, V>(parameters: impl IntoIterator<Item = (K, V)>) -> Result<Self, ConfigError>
    where
        K: Into<String>,
        V: Into<String>,
    {
        resolve::explicit(parameters.into_iter().map(|(name, value)| (name.into(), value.into())))
    }

    /// The engine to use.
    pub fn engine(&self) -> Dialect {
        self.engine
    }

    /// The parameters of the engine, each with its source.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The value of a parameter of the engine; `None` if it is unset or empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.settings.value(name)
    }

    /// The time between heartbeats of a tracked run: the parameter `heartbeat`, 30 s by default.
    pub fn heartbeat(&self) -> Duration {
        self.seconds("heartbeat", Duration::from_secs(30))
    }

    /// How long a process that tracks a run may take to end on a signal: the parameter `grace`, 10 s by default.
    pub fn grace(&self) -> Duration {
        self.seconds("grace", Duration::from_secs(10))
    }

    /// For how long a write is tried while the database is away or busy: the parameter `retry`, 60 s by default.
    pub fn retry(&self) -> Duration {
        self.seconds("retry", Duration::from_secs(60))
    }

    /// How many columns `metrics` may get: the parameter `columns`, 800 by default.
    pub fn columns(&self) -> usize {
        self.get("columns").and_then(resolve::columns).unwrap_or(800)
    }

    /// How many bytes of metrics may wait for the database: the parameter `queue` in MiB, 64 by default.
    pub fn queue(&self) -> usize {
        self.get("queue").and_then(resolve::mebibytes).unwrap_or(64 << 20)
    }

    /// Whether a call is refused when the queue, and the spool if there is one, is full (`queue_full = refuse`) and does
    /// not wait for room (`wait`, the default).
    pub fn refuses_when_full(&self) -> bool {
        self.get("queue_full") == Some("refuse")
    }

    /// The folder in which metrics wait for the database: the parameter `spool`; `None` if it is not set or `off`.
    ///
    /// ```
    /// use sqltrack_core::Config;
    ///
    /// let config = Config::explicit([("spool", "/scratch/spool")])?;
    /// assert_eq!(config.spool(), Some("/scratch/spool".into()));
    /// assert_eq!(Config::explicit([("spool", "off")])?.spool(), None);
    /// # Ok::<(), sqltrack_core::ConfigError>(())
    /// ```
    pub fn spool(&self) -> Option<PathBuf> {
        self.get("spool").filter(|spool| *spool != resolve::OFF).map(PathBuf::from)
    }

    /// The same, or where that is not set, the folder that is used then: `sqltrack/spool` in `$XDG_STATE_HOME`, or in
    /// `~/.local/state`. `None` if it is `off`, or there is no home directory.
    pub fn spool_or_default(&self) -> Option<PathBuf> {
        if self.get("spool").is_some() {
            return self.spool();
        }
        let of_home = || self.environment.home().map(|home| home.join(".local/state"));
        let state = self.environment.path("XDG_STATE_HOME").filter(|path| path.is_absolute());
        Some(state.or_else(of_home)?.join("sqltrack/spool"))
    }

    /// Whether there is no database, so that everything goes to the spool: the parameter `offline`.
    ///
    /// ```
    /// use sqltrack_core::Config;
    ///
    /// let config = Config::explicit([("offline", "true"), ("spool", "/scratch/spool")])?;
    /// assert!(config.is_offline());
    /// # Ok::<(), sqltrack_core::ConfigError>(())
    /// ```
    pub fn is_offline(&self) -> bool {
        self.get("offline").and_then(resolve::truth).unwrap_or_default()
    }

    /// The same configuration without a database (`offline`), for a program that finds that there is none; `None` if there
    /// is no folder for a spool.
    ///
    /// ```
    /// use sqltrack_core::Config;
    ///
    /// let config = Config::explicit([("host", "db"), ("spool", "/scratch/spool")])?;
    /// assert!(config.to_offline().is_some_and(|config| config.is_offline()));
    /// assert!(Config::explicit([("spool", "off")])?.to_offline().is_none());
    /// # Ok::<(), sqltrack_core::ConfigError>(())
    /// ```
    pub fn to_offline(&self) -> Option<Self> {
        self.spool_or_default()?;
        let mut config = self.clone();
        config.settings.set("offline", "true", Source::Parameter("parameter".to_owned()));
        Some(config)
    }

    /// When the spool is forced onto the disk: the parameter `spool_fsync`.
    pub fn spool_fsync(&self) -> Fsync {
        self.get("spool_fsync").and_then(|text| text.parse().ok()).unwrap_or_default()
    }

    fn seconds(&self, name: &str, default: Duration) -> Duration {
        self.get(name).and_then(resolve::seconds).unwrap_or(default)
    }

    /// Parameters that someone set for the other engine, and that this one has no use for.
    pub fn unused(&self) -> &Settings {
        &self.unused
    }

    /// The config file that was read, if any.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// What the engine may look up when it connects: the home directory, a password file. Empty for a
    /// configuration that is complete in itself.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }
}

/// The config file to use: `path`, or else `SQLTRACK_CONFIG_PATH`, or else the first that exists of
/// `./sqltrack.conf`, `$XDG_CONFIG_HOME/sqltrack/sqltrack.conf`, `%APPDATA%/sqltrack/sqltrack.conf`,
/// `$HOME/.config/sqltrack/sqltrack.conf` and `$HOME/sqltrack.conf`.
///
/// # Errors
///
/// [`ConfigError::MissingFile`] if a file was named and does not exist.
///
/// ```
/// use sqltrack_core::config::find_config_file;
///
/// assert!(find_config_file(Some("no/such/file".as_ref())).is_err());
/// ```
pub fn find_config_file(path: Option<&Path>) -> Result<Option<PathBuf>, ConfigError> {
    let named = path.map(|path| (path.to_owned(), Source::Parameter("parameter".to_owned())));
    file::find(named, FILE_NAME, &Environment::process())
}

/// The parameters in `SQLTRACK_DSN_<PARAM>` variables, with names in lower case and `url` expanded.
///
/// # Errors
///
/// [`ConfigError`] if a variable names no parameter or is not Unicode.
///
/// ```no_run
/// let settings = sqltrack_core::config::env_config()?;
/// println!("{settings:?}");
/// # Ok::<(), sqltrack_core::ConfigError>(())
/// ```
pub fn env_config() -> Result<Settings, ConfigError> {
    Ok(resolve::environment(&Environment::process())?.into_settings())
}

/// Loads a configuration from every source, with parameters on top. Short for [`Config::builder`].
///
/// # Errors
///
/// [`ConfigError`], as [`Config::load`].
///
/// ```no_run
/// let config = sqltrack_core::config::load_config(None, [("host", "db")])?;
/// # Ok::<(), sqltrack_core::ConfigError>(())
/// ```
pub fn load_config<K, V>(
    path: Option<&Path>,
    parameters: impl IntoIterator<Item = (K, V)>,
) -> Result<Config, ConfigError>
where
    K: Into<String>,
    V: Into<String>,
{
    let builder = path.map_or_else(Config::builder, |path| Config::builder().path(path));
    parameters.into_iter().fold(builder, |builder, (name, value)| builder.set(name, value)).load()
}

/// The parameter whose name is nearest to a mistyped one.
///
/// ```
/// assert_eq!(sqltrack_core::config::nearest_parameter("pasword"), "password");
/// assert_eq!(sqltrack_core::config::nearest_parameter("database"), "dbname");
/// ```
pub fn nearest_parameter(name: &str) -> &'static str {
    names::nearest(name)
}
