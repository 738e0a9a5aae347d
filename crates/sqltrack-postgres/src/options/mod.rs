//! Connection parameters: from [`Settings`] to what the driver takes and what it does not.
//!
//! The driver honors only some of libpq's keywords, and takes some of libpq's variables by itself. Here
//! every value is resolved first, and handed over so that ours wins; what cannot be honored is an error.

use std::fmt;
use std::fs::Metadata;
use std::path::Path;
use std::time::Duration;

use sqltrack_engines::{Environment, Settings, Source};
use sqlx::postgres::PgConnectOptions;

mod error;
mod keywords;
mod libpq;
pub mod passfile;
mod pooler;
mod schema;
mod server;
mod service;
mod session;
mod tls;

pub use error::OptionsError;
pub use keywords::check;
pub use libpq::libpq_settings;

/// Everything needed to connect. `Debug` shows no secret.
#[derive(Clone)]
#[non_exhaustive]
pub struct PostgresOptions {
    /// What the driver takes. Its own `Debug` prints the password: never print it, and never ask it for
    /// a URL, which panics for some names.
    pub connect: PgConnectOptions,
    /// How long a connection attempt may take, which the driver does not limit; `None` is for ever.
    pub connect_timeout: Option<Duration>,
    /// The schemas in `schema`, unquoted; empty if the server's search path stays as it is.
    pub schemas: Vec<String>,
    /// Whether a pooler between here and the server chooses the server's connection for each transaction.
    pub is_pooled: bool,
    /// The effective parameters with their sources: also the host and port that were found by looking,
    /// and the password out of the password file.
    pub settings: Settings,
    /// The database in words, for messages: ``database `runs` on db:5432 as `alice` ``.
    pub description: String,
}

impl PostgresOptions {
    /// Resolves the parameters. `env` is where to find the home directory and the password file;
    /// `PG*` variables are part of `settings` already (see [`libpq_settings`]).
    ///
    /// # Errors
    ///
    /// [`OptionsError`], naming parameter and source, if a value cannot be honored.
    ///
    /// ```
    /// use sqltrack_engines::{Environment, Settings};
    /// use sqltrack_postgres::PostgresOptions;
    ///
    /// let settings = Settings::from_iter([("host", "db"), ("user", "alice"), ("dbname", "runs")]);
    /// let options = PostgresOptions::new(&settings, &Environment::empty())?;
    /// assert_eq!(options.description, "database `runs` on db:5432 as `alice`");
    /// # Ok::<(), sqltrack_postgres::OptionsError>(())
    /// ```
    pub fn new(settings: &Settings, env: &Environment) -> Result<Self, OptionsError> {
        check(settings)?;
        let mut settings = settings.clone();
        add_identity(&mut settings, env)?;
        let server = server::find(&mut settings)?;
        add_password(&mut settings, &server, env);
        let schemas = match settings.value("schema") {
            Some(list) => schema::parse(list).map_err(|reason| settings.invalid("schema", reason))?,
            None => Vec::new(),
        };
        let is_pooled = pooler::is_between(&settings)?;
        let mut connect = session::apply(base(&settings, &server), &settings, &schemas)?;
        if is_pooled {
            // PgBouncer refuses it. Nothing is lost: numbers travel in binary, and are exact as text, too, since version 12.
            connect = connect.extra_float_digits(None);
        }
        let connect = server.apply(connect, &settings, env)?;
        let description = format!(
            "database `{}` on {} as `{}`",
            settings.value("dbname").unwrap_or_default().escape_debug(),
            server,
            settings.value("user").unwrap_or_default().escape_debug(),
        );
        let connect_timeout = keywords::connect_timeout(&settings)?;
        Ok(Self { connect, connect_timeout, schemas, is_pooled, settings, description })
    }

    /// Where the password comes from; `None` if there is none.
    pub fn password_source(&self) -> Option<&Source> {
        self.settings
            .get("password")
            .filter(|password| !password.value().is_empty())
            .map(|found| found.source())
    }
}

impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresOptions")
            .field("settings", &self.settings)
            .field("schemas", &self.schemas)
            .field("connect_timeout", &self.connect_timeout)
            .field("is_pooled", &self.is_pooled)
            .finish_non_exhaustive()
    }
}

/// User and database, as libpq finds them: the login name, and a database named as the user.
fn add_identity(settings: &mut Settings, env: &Environment) -> Result<(), OptionsError> {
    if settings.value("user").is_none() {
        let name = env
            .login_name()
            .ok_or_else(|| settings.invalid("user", "there is no login name to fall back on; set it"))?;
        settings.set("user", name, Source::Default("login name"));
    }
    if settings.value("dbname").is_none()
        && let Some(user) = settings.value("user").map(str::to_owned)
    {
        settings.set("dbname", user, Source::Default("same as user"));
    }
    Ok(())
}

fn add_password(settings: &mut Settings, server: &server::Server, env: &Environment) {
    if settings.value("password").is_some() {
        return;
    }
    let target = passfile::Target {
        host: settings.value("host").or(settings.value("hostaddr")).unwrap_or_default(),
        port: server.port,
        dbname: settings.value("dbname").unwrap_or_default(),
        user: settings.value("user").unwrap_or_default(),
    };
    if let Some(found) = passfile::lookup(settings.value("passfile").map(Path::new), &target, env) {
        settings.set("password", found.password.expose(), found.source);
    }
}

/// The driver's options with everything overridden that it may have read from the environment.
fn base(settings: &Settings, server: &server::Server) -> PgConnectOptions {
    const NAME: &str = "sqltrack";
    let name = settings.value("application_name").or(settings.value("fallback_application_name"));
    PgConnectOptions::new_without_pgpass()
        .port(server.port)
        .username(settings.value("user").unwrap_or_default())
        .database(settings.value("dbname").unwrap_or_default())
        // An empty password is the driver's way to have none.
        .password(settings.value("password").unwrap_or_default())
        .application_name(name.unwrap_or(NAME))
}

/// Whether only the owner may read a file.
#[cfg(unix)]
fn is_private(file: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.permissions().mode() & 0o077 == 0
}

/// Whether only the owner may read a file: not known here.
#[cfg(not(unix))]
fn is_private(_: &Metadata) -> bool {
    true
}
