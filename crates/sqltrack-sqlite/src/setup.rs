//! The statements of setup: the table of sqlx' migrations that tracks scripts.

use std::borrow::Cow;
use std::sync::Arc;

use sqltrack_engines::{AppliedScript, EngineError};
use sqlx::SqliteConnection;
use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType};

use crate::error::translate;

/// The table that tracks scripts, of the shape that sqlx' migrator gives it.
const TABLE: &str = "sqltrack_migrations";

fn failed(target: &str) -> impl Fn(sqlx::Error) -> EngineError {
    move |err| translate(target, err)
}

fn migrate_failed(target: &str) -> impl Fn(MigrateError) -> EngineError {
    move |err| match err {
        MigrateError::Execute(err) => translate(target, err),
        err => EngineError::Database {
            message: err.to_string(),
            code: None,
            position: None,
            source: Arc::new(err),
        },
    }
}

pub(crate) async fn prepare(conn: &mut SqliteConnection, target: &str) -> Result<(), EngineError> {
    conn.ensure_migrations_table(TABLE).await.map_err(migrate_failed(target))
}

pub(crate) async fn applied(
    conn: &mut SqliteConnection,
    target: &str,
) -> Result<Vec<AppliedScript>, EngineError> {
    let exists: Option<i64> =
        sqlx::query_scalar("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1")
            .bind(TABLE)
            .fetch_optional(&mut *conn)
            .await
            .map_err(failed(target))?;
    if exists.is_none() {
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
    conn: &mut SqliteConnection,
    target: &str,
    script: &AppliedScript,
) -> Result<(), EngineError> {
    forget(&mut *conn, target, script.version).await?;
    let migration = Migration {
        version: script.version,
        description: script.name.clone().into(),
        migration_type: MigrationType::Simple,
        sql: sqlx::SqlSafeStr::into_sql_str(""),
        checksum: Cow::Owned(script.checksum.clone()),
        no_tx: false,
    };
    conn.skip(TABLE, &migration).await.map_err(migrate_failed(target))?;
    if !script.finished {
        sqlx::query("UPDATE sqltrack_migrations SET success = FALSE WHERE version = $1")
            .bind(script.version)
            .execute(conn)
            .await
            .map_err(failed(target))?;
    }
    Ok(())
}

pub(crate) async fn forget(
    conn: &mut SqliteConnection,
    target: &str,
    version: i64,
) -> Result<(), EngineError> {
    sqlx::query("DELETE FROM sqltrack_migrations WHERE version = $1")
        .bind(version)
        .execute(conn)
        .await
        .map_err(failed(target))?;
    Ok(())
}
