//! Rights on the tables for a role that does not own them.

use sqltrack_engines::Dialect;

use super::{CreateError, names, options};
use crate::Config;

/// What a role may do with the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rights {
    /// Look at everything.
    Read,
    /// Track runs as well. Columns for new metrics can only the owner add.
    Write,
}

/// The configured database, schemas and owner, and another role, quoted for SQL.
struct Scope {
    database: String,
    schemas: Vec<String>,
    owner: String,
    user: String,
}

/// The statements that let `user` use the tables of the configured database and schemas, those that the configured
/// user makes later included. To be run in that database, by its owner or a superuser.
///
/// # Errors
///
/// [`CreateError::NoRoles`] if the engine is SQLite, [`CreateError::Owner`] if `user` is the configured user,
/// [`CreateError::Name`] and [`CreateError::Config`] if a name or a parameter cannot be used.
///
/// ```
/// use sqltrack_core::{Config, Rights, grant};
///
/// let config = Config::explicit([("host", "db"), ("user", "alice"), ("schema", "lab")])?;
/// let statements = grant(&config, "bob", Rights::Read)?;
/// assert_eq!(statements[0], "GRANT CONNECT ON DATABASE alice TO bob;");
/// assert_eq!(statements[1], "GRANT USAGE ON SCHEMA lab TO bob;");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn grant(config: &Config, user: &str, rights: Rights) -> Result<Vec<String>, CreateError> {
    let Scope { database, schemas, owner, user } = scope(config, user)?;
    let on_tables = match rights {
        Rights::Read => "SELECT",
        Rights::Write => WRITE,
    };
    let mut statements = vec![format!("GRANT CONNECT ON DATABASE {database} TO {user};")];
    for schema in schemas {
        let later = format!("ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema} GRANT");
        statements.push(format!("GRANT USAGE ON SCHEMA {schema} TO {user};"));
        statements.push(format!("GRANT {on_tables} ON ALL TABLES IN SCHEMA {schema} TO {user};"));
        statements.push(format!("{later} {on_tables} ON TABLES TO {user};"));
        if rights == Rights::Write {
            statements.push(format!("GRANT {SEQUENCES} ON ALL SEQUENCES IN SCHEMA {schema} TO {user};"));
            statements.push(format!("{later} {SEQUENCES} ON SEQUENCES TO {user};"));
        }
    }
    Ok(statements)
}

/// The statements that take back all that [`grant`] gives, whichever rights they were.
///
/// # Errors
///
/// As [`grant`].
pub fn revoke(config: &Config, user: &str) -> Result<Vec<String>, CreateError> {
    let Scope { database, schemas, owner, user } = scope(config, user)?;
    let mut statements = Vec::new();
    for schema in schemas {
        let later = format!("ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema} REVOKE");
        statements.push(format!("{later} {SEQUENCES} ON SEQUENCES FROM {user};"));
        statements.push(format!("REVOKE {SEQUENCES} ON ALL SEQUENCES IN SCHEMA {schema} FROM {user};"));
        statements.push(format!("{later} {WRITE} ON TABLES FROM {user};"));
        statements.push(format!("REVOKE {WRITE} ON ALL TABLES IN SCHEMA {schema} FROM {user};"));
        statements.push(format!("REVOKE USAGE ON SCHEMA {schema} FROM {user};"));
    }
    statements.push(format!("REVOKE CONNECT ON DATABASE {database} FROM {user};"));
    Ok(statements)
}

const WRITE: &str = "SELECT, INSERT, UPDATE, DELETE";
/// An automatic id takes `nextval`, and `setval` where explicit ids are in its way.
const SEQUENCES: &str = "USAGE, SELECT, UPDATE";

fn scope(config: &Config, user: &str) -> Result<Scope, CreateError> {
    if config.engine() != Dialect::Postgres {
        return Err(CreateError::NoRoles);
    }
    let options = options(config)?;
    let value = |name| options.settings.value(name).unwrap_or_default();
    let owner = value("user");
    if user == owner {
        return Err(CreateError::Owner(user.to_owned()));
    }
    let mut schemas = Vec::new();
    for schema in &options.schemas {
        // The search path stands for the user's own schema so.
        let schema = if schema == "$user" { owner } else { schema };
        let schema = names::quoted("the schema", schema)?;
        if !schemas.contains(&schema) {
            schemas.push(schema);
        }
    }
    if schemas.is_empty() {
        schemas.push("public".to_owned());
    }
    Ok(Scope {
        database: names::quoted("the database", value("dbname"))?,
        schemas,
        owner: names::quoted("the role", owner)?,
        user: names::quoted("the role", user)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(schema: &str) -> Config {
        let parameters = [("host", "db"), ("user", "alice"), ("dbname", "runs"), ("schema", schema)];
        Config::explicit(parameters).unwrap()
    }

    #[test]
    fn a_reader_may_only_read() {
        let statements = grant(&config(""), "Bob", Rights::Read).unwrap();
        let expected = [
            "GRANT CONNECT ON DATABASE runs TO \"Bob\";",
            "GRANT USAGE ON SCHEMA public TO \"Bob\";",
            "GRANT SELECT ON ALL TABLES IN SCHEMA public TO \"Bob\";",
            "ALTER DEFAULT PRIVILEGES FOR ROLE alice IN SCHEMA public GRANT SELECT ON TABLES TO \"Bob\";",
        ];
        assert_eq!(statements, expected);
    }

    #[test]
    fn every_schema_gets_its_rights_and_loses_them() {
        let config = config("lab, \"$user\", lab");
        let granted = grant(&config, "bob", Rights::Write).unwrap();
        let revoked = revoke(&config, "bob").unwrap();
        assert_eq!((granted.len(), revoked.len()), (1 + 2 * 5, 1 + 2 * 5));
        for schema in ["lab", "alice"] {
            let of_schema = format!("SCHEMA {schema} ");
            for statements in [&granted, &revoked] {
                assert_eq!(statements.iter().filter(|statement| statement.contains(&of_schema)).count(), 5);
            }
        }
    }

    #[test]
    fn the_owner_keeps_its_rights() {
        assert!(matches!(revoke(&config(""), "alice"), Err(CreateError::Owner(_))));
        assert!(matches!(grant(&config(""), "", Rights::Read), Err(CreateError::Name { .. })));
    }
}
