//! The statements of setup: the schema, the lock, and the table that tracks scripts, of the shape that sqlx' migrator
//! gives to its own. The migrator itself would bypass [`Session`].

use crate::dynamic;
use crate::error::translate;
use crate::session::Session;
use sqltrack_engines::sql::Identifier;
use sqltrack_engines::{AppliedScript, EngineError};

/// The columns of the table that tracks scripts.
const COLUMNS: &str = "
    version BIGINT PRIMARY KEY,
    description TEXT NOT NULL,
    installed_on TIMESTAMPTZ NOT NULL DEFAULT now(),
    success BOOLEAN NOT NULL,
    checksum BYTEA NOT NULL,
    execution_time BIGINT NOT NULL
";

fn failed(target: &str) -> impl Fn(sqlx::Error) -> EngineError {
    move |err| translate(target, err)
}

/// Creates the schema and the tracking table. The caller holds the lock.
pub(crate) async fn prepare(
    conn: &mut Session,
    target: &str,
    schema: Option<&str>,
) -> Result<(), EngineError> {
    if let Some(schema) = schema {
        // `CREATE SCHEMA IF NOT EXISTS` asks for the right to create one even where there is nothing to do.
        let exists = sqlx::query_scalar!(
            r#"SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1) AS "exists!""#,
            schema
        );
        if !exists.fetch_one(&mut *conn).await.map_err(failed(target))? {
            let quoted =
                Identifier::new(schema).quoted().map_err(|err| EngineError::BadValue(err.to_string()))?;
            dynamic::run(conn, &format!("CREATE SCHEMA {quoted}")).await.map_err(failed(target))?;
        }
    }
    // Another schema of the search path may have a table of this name, which does not count.
    let is_here = applied_table(conn, target, schema).await?;
    if !is_here {
        let schema = sqlx::query_scalar!("SELECT quote_ident(current_schema())").fetch_one(&mut *conn).await;
        let Some(schema) = schema.map_err(failed(target))? else {
            return Err(EngineError::BadValue(format!(
                "{target}: no schema of the search path exists; set `schema`, or create one"
            )));
        };
        // In the schema that new tables go to.
        let create = format!("CREATE TABLE IF NOT EXISTS {schema}.sqltrack_migrations ({COLUMNS})");
        dynamic::run(conn, &create).await.map_err(failed(target))?;
    }
    Ok(())
}

/// Waits for the lock that every setup of this schema takes, and keeps it until the transaction ends.
pub(crate) async fn lock(conn: &mut Session, target: &str, schema: Option<&str>) -> Result<(), EngineError> {
    sqlx::query!(
        "SELECT pg_advisory_xact_lock(hashtext('sqltrack setup'), hashtext(COALESCE($1, current_schema(), '')))",
        schema
    )
    .execute(conn)
    .await
    .map_err(failed(target))?;
    Ok(())
}

async fn applied_table(conn: &mut Session, target: &str, schema: Option<&str>) -> Result<bool, EngineError> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (
            SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
            WHERE c.relname = 'sqltrack_migrations' AND n.nspname = COALESCE($1, current_schema())
        ) AS "exists!""#,
        schema
    )
    .fetch_one(conn)
    .await
    .map_err(failed(target))
}

/// The applied scripts; none if the tracking table is not there.
pub(crate) async fn applied(
    conn: &mut Session,
    target: &str,
    schema: Option<&str>,
) -> Result<Vec<AppliedScript>, EngineError> {
    if !applied_table(conn, target, schema).await? {
        return Ok(Vec::new());
    }
    // The migrator's own table is no part of the base schema, so that its statements are checked at run time.
    let rows: Vec<(i64, String, Vec<u8>, bool)> = sqlx::query_as(
        "SELECT version, description, checksum, success FROM sqltrack_migrations ORDER BY version",
    )
    .fetch_all(conn)
    .await
    .map_err(failed(target))?;
    let script = |(version, name, checksum, finished)| AppliedScript { version, name, checksum, finished };
    Ok(rows.into_iter().map(script).collect())
}

pub(crate) async fn record(
    conn: &mut Session,
    target: &str,
    script: &AppliedScript,
) -> Result<(), EngineError> {
    forget(conn, target, script.version).await?;
    sqlx::query(
        "INSERT INTO sqltrack_migrations (version, description, checksum, success, execution_time)
        VALUES ($1, $2, $3, $4, -1)",
    )
    .bind(script.version)
    .bind(&script.name)
    .bind(&script.checksum)
    .bind(script.finished)
    .execute(conn)
    .await
    .map_err(failed(target))?;
    Ok(())
}

pub(crate) async fn forget(conn: &mut Session, target: &str, version: i64) -> Result<(), EngineError> {
    sqlx::query("DELETE FROM sqltrack_migrations WHERE version = $1")
        .bind(version)
        .execute(conn)
        .await
        .map_err(failed(target))?;
    Ok(())
}
