//! SQL for those who run the server: a role and a database to create, rights to grant and to revoke. Nothing of it
//! is run here; it takes rights that users of SQLTrack should not need.

mod grant;
mod names;
mod scram;

pub use grant::{Rights, grant, revoke};
use sqltrack_engines::sql::{Composable as _, Literal};
use sqltrack_engines::{Dialect, Secret};
use sqltrack_postgres::PostgresOptions;

use crate::{Config, ConfigError};

/// Why there are no statements to print. Every message is one line that says what to do; none contains a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CreateError {
    /// SQLite has neither roles nor databases.
    #[error("there is nothing to create for sqlite, whose database is a file: run `sqltrack-cli setup`")]
    NothingToCreate,
    /// SQLite has no roles.
    #[error("sqlite has no roles to give rights to; set the permissions of the file and its folder")]
    NoRoles,
    /// A name cannot be one of Postgres'.
    #[error("{what} {problem}")]
    Name {
        /// What it names: ``the role `alice` ``.
        what: String,
        /// What is wrong with it, and what to do.
        problem: &'static str,
    },
    /// The role owns the tables.
    #[error("`{0}` is the configured `user`, who owns the tables and has every right; name another role")]
    Owner(String),
    /// A password cannot be used.
    #[error("the password {0}")]
    Password(&'static str),
    /// No randomness was to be had.
    #[error("the system gives no random bytes for the salt of the password: {0}")]
    NoRandomness(String),
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

/// How a role's password is written into the statement that creates it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RolePassword {
    /// As a SCRAM-SHA-256 verifier, by which the server can check the password and nobody can log in.
    Verifier(Secret),
    /// As it is.
    Plain(Secret),
}

impl RolePassword {
    fn literal(&self) -> Result<String, CreateError> {
        let text = match self {
            Self::Verifier(password) => scram::verifier(password.expose())?,
            Self::Plain(password) if password.expose().is_empty() => return Err(scram::EMPTY),
            Self::Plain(password) => password.expose().to_owned(),
        };
        let literal = Literal::from(text).to_string_for(Dialect::Postgres);
        literal.map_err(|_| CreateError::Password("contains a NUL character; choose another"))
    }
}

/// A role and a database to create, see [`create`].
#[derive(Debug, Clone)]
#[must_use]
pub struct Create {
    user: String,
    dbname: String,
    password: Option<RolePassword>,
    has_role: bool,
    has_database: bool,
}

/// What to create so that a client with this configuration can connect: the role `user`, and the database `dbname`
/// that it owns.
///
/// # Errors
///
/// [`CreateError::NothingToCreate`] if the engine is SQLite, [`CreateError::Config`] if a parameter cannot be used.
///
/// ```
/// use sqltrack_core::{Config, create};
///
/// let config = Config::explicit([("host", "db"), ("user", "alice")])?;
/// let statements = create(&config)?.statements()?;
/// assert_eq!(statements[1], "CREATE DATABASE alice OWNER alice;");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn create(config: &Config) -> Result<Create, CreateError> {
    if config.engine() != Dialect::Postgres {
        return Err(CreateError::NothingToCreate);
    }
    let options = options(config)?;
    let value = |name| options.settings.value(name).unwrap_or_default().to_owned();
    let (user, dbname) = (value("user"), value("dbname"));
    Ok(Create { user, dbname, password: None, has_role: true, has_database: true })
}

impl Create {
    /// Leaves the role out: it exists.
    pub fn without_role(mut self) -> Self {
        self.has_role = false;
        self
    }

    /// Leaves the database out: it exists.
    pub fn without_database(mut self) -> Self {
        self.has_database = false;
        self
    }

    /// Gives the role a password.
    pub fn password(mut self, password: RolePassword) -> Self {
        self.password = Some(password);
        self
    }

    /// The statements, one a line. Names are quoted where they have to be.
    ///
    /// # Errors
    ///
    /// [`CreateError::Name`] if a name cannot be one of Postgres', [`CreateError::Password`] if the password is
    /// empty or has characters that no password may have.
    pub fn statements(&self) -> Result<Vec<String>, CreateError> {
        let role = names::quoted("the role", &self.user)?;
        let mut statements = Vec::new();
        if self.has_role {
            let mut statement =
                format!("CREATE ROLE {role} NOSUPERUSER NOCREATEDB NOCREATEROLE INHERIT LOGIN");
            if let Some(password) = &self.password {
                statement.push_str(" PASSWORD ");
                statement.push_str(&password.literal()?);
            }
            statements.push(statement + ";");
        }
        if self.has_database {
            let database = names::quoted("the database", &self.dbname)?;
            statements.push(format!("CREATE DATABASE {database} OWNER {role};"));
        }
        Ok(statements)
    }
}

/// The password that a client with this configuration logs in with: the parameter `password`, or else that of the
/// password file for its host, port, database and user.
///
/// # Errors
///
/// [`ConfigError`] if a parameter cannot be used.
pub fn configured_password(config: &Config) -> Result<Option<Secret>, ConfigError> {
    let options = options(config)?;
    Ok(options.settings.value("password").map(Secret::from))
}

fn options(config: &Config) -> Result<PostgresOptions, ConfigError> {
    Ok(PostgresOptions::new(config.settings(), config.environment())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config<const N: usize>(parameters: [(&str, &str); N]) -> Config {
        Config::explicit(parameters.into_iter().chain([("host", "db")])).unwrap()
    }

    #[test]
    fn the_statements_are_those_of_the_manual() {
        let create = create(&config([("user", "alice")])).unwrap();
        let expected = [
            "CREATE ROLE alice NOSUPERUSER NOCREATEDB NOCREATEROLE INHERIT LOGIN;",
            "CREATE DATABASE alice OWNER alice;",
        ];
        assert_eq!(create.statements().unwrap(), expected);
        assert_eq!(create.clone().without_role().statements().unwrap(), expected[1..]);
        assert_eq!(create.without_database().statements().unwrap(), expected[..1]);
    }

    #[test]
    fn hostile_names_and_passwords_stay_one_token() {
        let create = create(&config([("user", r#"al"; DROP"#), ("dbname", "Über DB")])).unwrap();
        let create = create.password(RolePassword::Plain(r"it's \ $1".into()));
        assert_eq!(
            create.statements().unwrap(),
            [
                r#"CREATE ROLE "al""; DROP" NOSUPERUSER NOCREATEDB NOCREATEROLE INHERIT LOGIN PASSWORD E'it''s \\ $1';"#,
                r#"CREATE DATABASE "Über DB" OWNER "al""; DROP";"#,
            ]
        );
    }

    #[test]
    fn a_verifier_is_no_password() {
        let create = create(&config([("user", "alice")])).unwrap();
        let verifier = RolePassword::Verifier("hunter2".into());
        assert!(!format!("{verifier:?}").contains("hunter2"));
        let statement = create.password(verifier).statements().unwrap().remove(0);
        assert!(statement.contains(" PASSWORD 'SCRAM-SHA-256$4096:"), "{statement}");
        assert!(!statement.contains("hunter2"));
    }

    #[test]
    fn passwords_that_cannot_be_are_refused() {
        let create = create(&config([("user", "alice")])).unwrap();
        for password in ["", "a\0b"] {
            for password in [RolePassword::Plain(password.into()), RolePassword::Verifier(password.into())] {
                let err = create.clone().password(password).statements().unwrap_err();
                assert!(matches!(err, CreateError::Password(_)), "{err}");
            }
        }
    }

    #[test]
    fn names_that_postgres_would_cut_are_refused() {
        let create = create(&config([("user", "x".repeat(64).as_str())])).unwrap();
        assert!(matches!(create.statements(), Err(CreateError::Name { .. })));
    }

    #[test]
    fn sqlite_has_nothing_to_create() {
        let config = config([("engine", "sqlite")]);
        assert!(matches!(create(&config), Err(CreateError::NothingToCreate)));
        assert!(matches!(grant(&config, "bob", Rights::Read), Err(CreateError::NoRoles)));
        assert!(matches!(revoke(&config, "bob"), Err(CreateError::NoRoles)));
    }
}
