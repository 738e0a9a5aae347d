//! What the driver and SQLite report, in the words of the contract.

use std::sync::Arc;

use sqltrack_engines::EngineError;

const TABLES: [&str; 7] =
    ["experiments", "experiment_links", "runs", "run_links", "metrics", "metrics_overflow", "metrics_long"];

/// What later scripts add; a statement that misses one of them needs a setup, too.
const LATER_TABLES: [&str; 3] = ["run_status", "writers", "offline_runs"];

/// The meaning of `err`, which a statement on `target` reported. The numbers are SQLite's result codes,
/// see <https://www.sqlite.org/rescode.html>.
pub(crate) fn translate(target: &str, err: sqlx::Error) -> EngineError {
    let target = target.to_owned();
    let sqlx::Error::Database(db) = err else { return translate_driver(target, err) };
    let message = db.message().replace('\n', " ");
    match primary_code(&*db) {
        1 if misses(&TABLES, &message) => EngineError::NotSetUp { target },
        1 if misses(&LATER_TABLES, &message) => EngineError::Outdated { target },
        1 if is_missing_column(&message) => EngineError::NoSuchColumn { message },
        3 => EngineError::PermissionDenied { target, message },
        5 | 6 => EngineError::Busy { target, message },
        8 => EngineError::ReadOnly { target, message },
        13 => EngineError::DiskFull { target, message },
        14 => EngineError::CannotOpen { target, reason: message },
        11 | 26 => EngineError::CannotOpen {
            target,
            reason: format!("{message}; it is no SQLite database, or a damaged one"),
        },
        code => {
            let message = match code {
                10 => format!("{target}: {message}; check the disk, its free space and your quota"),
                _ => message,
            };
            let code = db.code().map(|code| code.into_owned());
            EngineError::Database { message, code, position: None, source: db.into_error().into() }
        }
    }
}

fn translate_driver(target: String, err: sqlx::Error) -> EngineError {
    match err {
        sqlx::Error::WorkerCrashed | sqlx::Error::Io(_) => {
            EngineError::ConnectionLost { target, reason: err.to_string(), source: Arc::new(err) }
        }
        err => EngineError::Database {
            message: err.to_string(),
            code: None,
            position: None,
            source: Arc::new(err),
        },
    }
}

/// The result code without its extension, which tells the details.
fn primary_code(db: &dyn sqlx::error::DatabaseError) -> u32 {
    db.code().and_then(|code| code.parse::<u32>().ok()).unwrap_or(0) & 0xff
}

/// Whether `err` says that another connection holds a lock.
pub(crate) fn is_busy(err: &sqlx::Error) -> bool {
    err.as_database_error().is_some_and(|db| matches!(primary_code(db), 5 | 6))
}

/// Whether `err` says that a foreign key does not point to a row.
pub(crate) fn is_foreign_key_violation(err: &sqlx::Error) -> bool {
    err.as_database_error().is_some_and(sqlx::error::DatabaseError::is_foreign_key_violation)
}

/// Whether `err` says that a unique value is taken.
pub(crate) fn is_unique_violation(err: &sqlx::Error) -> bool {
    err.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

fn misses(tables: &[&str], message: &str) -> bool {
    let Some((_, table)) = message.split_once("no such table: ") else { return false };
    let table = table.strip_prefix("main.").unwrap_or(table);
    tables.contains(&table)
}

fn is_missing_column(message: &str) -> bool {
    message.contains("has no column named") || message.contains("no such column")
}
