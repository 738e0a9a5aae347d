//! What the driver and the server report, in the words of the contract.

use std::sync::Arc;

use sqltrack_engines::EngineError;
use sqlx::postgres::{PgDatabaseError, PgErrorPosition};

/// The tables and views of `base.sql`; a statement that misses one of them needs a setup first.
const RELATIONS: [&str; 7] =
    ["experiments", "experiment_links", "runs", "run_links", "metrics", "metrics_overflow", "metrics_long"];

/// What later scripts add; a statement that misses one of them needs a setup, too.
const LATER_RELATIONS: [&str; 3] = ["run_status", "writers", "offline_runs"];

/// The meaning of `err`, which a statement on `target` reported.
pub(crate) fn translate(target: &str, err: sqlx::Error) -> EngineError {
    match err {
        sqlx::Error::Database(db) => match db.try_downcast::<PgDatabaseError>() {
            Ok(db) => from_server(target, *db),
            Err(db) => EngineError::Database {
                message: db.message().to_owned(),
                code: None,
                position: None,
                source: db.into_error().into(),
            },
        },
        err @ (sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_)) => {
            EngineError::ConnectionLost {
                target: target.to_owned(),
                reason: reason(&err),
                source: Arc::new(err),
            }
        }
        err => EngineError::Database {
            message: err.to_string(),
            code: None,
            position: None,
            source: Arc::new(err),
        },
    }
}

/// The meaning of `err`, which happened while connecting to `target`.
pub(crate) fn translate_connect(target: &str, err: sqlx::Error) -> EngineError {
    match translate(target, err) {
        EngineError::ConnectionLost { target, reason, source } => {
            EngineError::Unreachable { target, reason, source: Some(source) }
        }
        other => other,
    }
}

/// A driver's message without the prefix that says it is one.
fn reason(err: &sqlx::Error) -> String {
    match err {
        sqlx::Error::Io(err) => err.to_string(),
        sqlx::Error::Tls(err) => format!("TLS: {err}"),
        err => err.to_string(),
    }
}

fn from_server(target: &str, db: PgDatabaseError) -> EngineError {
    let target = target.to_owned();
    let code = db.code().to_owned();
    let message = match (db.detail(), db.hint()) {
        (Some(detail), _) => format!("{} ({detail})", db.message()),
        (None, Some(hint)) => format!("{} ({hint})", db.message()),
        (None, None) => db.message().to_owned(),
    }
    .replace('\n', " ");
    let lost = |db: PgDatabaseError| EngineError::ConnectionLost {
        target: target.clone(),
        reason: db.message().to_owned(),
        source: Arc::new(db),
    };
    match code.as_str() {
        "28000" | "28P01" => EngineError::LoginRefused { target, message },
        "3D000" => EngineError::NoSuchDatabase { target, message },
        "42P01" if names(&RELATIONS, &message) => EngineError::NotSetUp { target },
        "42P01" if names(&LATER_RELATIONS, &message) => EngineError::Outdated { target },
        "42501" => EngineError::PermissionDenied { target, message },
        "25006" => EngineError::ReadOnly { target, message },
        "53100" => EngineError::DiskFull { target, message },
        "55P03" | "53300" => EngineError::Busy { target, message },
        "57P01" | "57P02" | "57P03" => lost(db),
        _ => {
            let position = match db.position() {
                Some(PgErrorPosition::Original(position)) => Some(position),
                _ => None,
            };
            EngineError::Database { message, code: Some(code), position, source: Arc::new(db) }
        }
    }
}

fn names(relations: &[&str], message: &str) -> bool {
    relations
        .iter()
        .any(|name| message.contains(&format!("\"{name}\"")) || message.contains(&format!(".{name}\"")))
}

/// Whether `err` says that a unique constraint is violated.
pub(crate) fn is_unique_violation(err: &sqlx::Error) -> bool {
    err.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

/// The constraint of the foreign key that `err` says is violated, if it says so.
pub(crate) fn violated_foreign_key(err: &sqlx::Error) -> Option<&str> {
    let db = err.as_database_error()?;
    if db.is_foreign_key_violation() { db.constraint() } else { None }
}

/// Whether `err` has this SQLSTATE.
pub(crate) fn has_code(err: &sqlx::Error, code: &str) -> bool {
    err.as_database_error().and_then(sqlx::error::DatabaseError::code).is_some_and(|found| found == code)
}

/// Whether `err` says "cached plan must not change result type": the table changed between parsing and running the
/// statement. Its SQLSTATE is that of everything that is not supported, its text is translated; its place is its own.
pub(crate) fn is_plan_changed(err: &sqlx::Error) -> bool {
    let db = err.as_database_error().and_then(|db| db.try_downcast_ref::<PgDatabaseError>());
    db.is_some_and(|db| db.code() == "0A000" && db.routine() == Some("RevalidateCachedQuery"))
}
