//! SQL that is known at run time alone. This is the only module that may hand such text to the driver:
//! what comes here is the user's own statement, or was put together from quoted identifiers.

#![expect(clippy::disallowed_methods, reason = "the one place where run-time SQL goes to the driver")]

use std::sync::Arc;

use futures_util::TryStreamExt as _;
use sqltrack_engines::script::StatementKind;
use sqltrack_engines::{Dialect, EngineError, RowSink, Rows, Value};
use sqlx::postgres::{PgArguments, PgQueryResult};
use sqlx::{AssertSqlSafe, Executor as _, SqlSafeStr as _, Statement as _};

use crate::arguments::arguments;
use crate::decode::{self, UserType, UserTypes};
use crate::error::{has_code, is_plan_changed, translate};
use crate::session::Session;

/// Runs one statement without parameters by the simple protocol, for scripts.
pub(crate) async fn run(conn: &mut Session, sql: &str) -> Result<PgQueryResult, sqlx::Error> {
    conn.driver().execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await
}

/// Runs one statement that names all of its columns; its plan is kept, as its text is by the caller.
pub(crate) async fn run_kept(
    conn: &mut Session,
    sql: Arc<str>,
    arguments: PgArguments,
) -> Result<PgQueryResult, sqlx::Error> {
    sqlx::query_with(AssertSqlSafe(sql), arguments).execute(conn).await
}

/// "unnamed prepared statement does not exist": the driver looked up a type that it meets for the first time,
/// which took the place of the statement. It keeps what it finds.
const STATEMENT_REPLACED: &str = "26000";
/// How often a statement is tried: on a busy machine, others may add one column after the other just when it runs.
const TRIES: u32 = 64;

/// Whether nothing has happened yet when `err` was reported, and a second try may work.
fn is_passing(err: &sqlx::Error) -> bool {
    is_plan_changed(err) || has_code(err, STATEMENT_REPLACED)
}

/// Where a statement of the user's runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Outside of a transaction.
    Alone,
    /// In a transaction, where a failure must not undo what came before, so that there can be a second try.
    Within,
    /// In a transaction, and tried once: it ran just before, or it must not come behind a savepoint.
    Once,
}

/// Runs a statement of the user's and returns how many rows it changed.
pub(crate) async fn execute(
    conn: &mut Session,
    target: &str,
    sql: &str,
    parameters: &[Value],
    place: Place,
) -> Result<u64, EngineError> {
    // Through a pooler, a statement that is parsed apart from its run needs a transaction. This one is sent whole.
    let is_apart = conn.is_pooled() && place == Place::Alone && parameters.is_empty();
    if is_apart && StatementKind::of(sql, Dialect::Postgres).forbidden_in_transaction() {
        return run(conn, sql).await.map(|done| done.rows_affected()).map_err(|err| translate(target, err));
    }
    let mut attempt = 0;
    loop {
        attempt += 1;
        guard(conn, place, "SAVEPOINT sqltrack_try").await.map_err(|err| translate(target, err))?;
        let query = sqlx::query_with(AssertSqlSafe(sql.to_owned()), arguments(parameters)?).persistent(false);
        let done = query.execute(&mut *conn).await;
        if let Some(done) = settle(conn, target, place, attempt, done).await? {
            return Ok(done.rows_affected());
        }
    }
}

/// Runs SQL about savepoints where there are any.
async fn guard(conn: &mut Session, place: Place, sql: &str) -> Result<(), sqlx::Error> {
    if place == Place::Within { run(conn, sql).await.map(drop) } else { Ok(()) }
}

/// The result of a try; `None` if there is to be another one.
async fn settle<T>(
    conn: &mut Session,
    target: &str,
    place: Place,
    attempt: u32,
    result: Result<T, sqlx::Error>,
) -> Result<Option<T>, EngineError> {
    let failed = |err| translate(target, err);
    match result {
        Ok(done) => {
            guard(conn, place, "RELEASE sqltrack_try").await.map_err(failed)?;
            Ok(Some(done))
        }
        Err(err) if place != Place::Once && attempt < TRIES && is_passing(&err) => {
            guard(conn, place, "ROLLBACK TO sqltrack_try; RELEASE sqltrack_try").await.map_err(failed)?;
            Ok(None)
        }
        Err(err) => Err(failed(err)),
    }
}

/// Runs a statement of the user's and returns its rows. Its plan is never kept, since a kept plan of
/// `SELECT *` fails once someone adds a column. The table may change even between parsing and running; nothing
/// has happened then, so the statement is run again.
pub(crate) async fn query(
    conn: &mut Session,
    target: &str,
    sql: &str,
    parameters: &[Value],
    place: Place,
) -> Result<Rows, EngineError> {
    let mut attempt = 0;
    let rows = loop {
        attempt += 1;
        guard(conn, place, "SAVEPOINT sqltrack_try").await.map_err(|err| translate(target, err))?;
        let query = sqlx::query_with(AssertSqlSafe(sql.to_owned()), arguments(parameters)?).persistent(false);
        let rows = query.fetch_all(&mut *conn).await;
        if let Some(rows) = settle(conn, target, place, attempt, rows).await? {
            break rows;
        }
    };
    let Some(first) = rows.first() else {
        return empty_result(conn, target, sql).await;
    };
    let types = user_types(conn, target, decode::unknown_types(sqlx::Row::columns(first))).await?;
    let columns = decode::columns(sqlx::Row::columns(first), &types);
    let values = rows.iter().map(|row| decode::values(row, &types)).collect::<Result<_, _>>()?;
    Ok(Rows::new(columns, values))
}

/// What has to be known of the types of a statement's result before its rows can be decoded. None if the server does not tell it
/// without the parameters.
pub(crate) async fn result_types(
    conn: &mut Session,
    target: &str,
    sql: &str,
) -> Result<Option<UserTypes>, EngineError> {
    let prepared = conn.prepare(AssertSqlSafe(sql.to_owned()).into_sql_str()).await;
    let oids = prepared.map(|statement| decode::unknown_types(statement.columns()));
    conn.clear_cached_statements().await.map_err(|err| translate(target, err))?;
    let Ok(oids) = oids else { return Ok(None) };
    user_types(conn, target, oids).await.map(Some)
}

/// Hands over the rows of a query part by part as the server sends them. Tells whether all were taken.
pub(crate) async fn stream_parts(
    conn: &mut Session,
    target: &str,
    sql: &str,
    parameters: &[Value],
    types: &UserTypes,
    size: usize,
    sink: &mut dyn RowSink,
) -> Result<bool, EngineError> {
    for attempt in 1.. {
        let query = sqlx::query_with(AssertSqlSafe(sql.to_owned()), arguments(parameters)?).persistent(false);
        let mut rows = query.fetch(&mut *conn);
        let first = match rows.try_next().await {
            Ok(first) => first,
            // Nothing has happened yet.
            Err(err) if attempt < TRIES && is_passing(&err) => continue,
            Err(err) => return Err(translate(target, err)),
        };
        let Some(first) = first else {
            drop(rows);
            return Ok(sink.take(empty_result(conn, target, sql).await?).await);
        };
        let columns = decode::columns(sqlx::Row::columns(&first), types);
        let mut part = Vec::with_capacity(size);
        part.push(decode::values(&first, types)?);
        while let Some(row) = rows.try_next().await.map_err(|err| translate(target, err))? {
            if part.len() == size {
                let full = std::mem::replace(&mut part, Vec::with_capacity(size));
                if !sink.take(Rows::new(columns.clone(), full)).await {
                    return Ok(false);
                }
            }
            part.push(decode::values(&row, types)?);
        }
        sink.take(Rows::new(columns, part)).await;
        return Ok(true);
    }
    Ok(true)
}

/// The columns of a result with no row. The driver tells them only of a statement that it prepares and
/// keeps, so the kept ones are dropped again.
async fn empty_result(conn: &mut Session, target: &str, sql: &str) -> Result<Rows, EngineError> {
    let prepared = conn.prepare(AssertSqlSafe(sql.to_owned()).into_sql_str()).await;
    let columns = prepared.map(|statement| decode::columns(statement.columns(), &UserTypes::new()));
    conn.clear_cached_statements().await.map_err(|err| translate(target, err))?;
    Ok(Rows::new(columns.unwrap_or_default(), Vec::new()))
}

/// What the server knows of types that are not built in.
async fn user_types(conn: &mut Session, target: &str, oids: Vec<u32>) -> Result<UserTypes, EngineError> {
    if oids.is_empty() {
        return Ok(UserTypes::new());
    }
    let oids: Vec<i64> = oids.into_iter().map(i64::from).collect();
    // The text types and enums travel as text, a domain as the type below it.
    let types = sqlx::query!(
        r#"SELECT
            oid::BIGINT AS "oid!",
            typname::TEXT AS "name!",
            CASE WHEN typtype = 'd' THEN typbasetype::BIGINT WHEN typcategory IN ('S', 'E') THEN 25 END AS base
        FROM pg_catalog.pg_type
        WHERE oid::BIGINT = ANY($1)"#,
        &oids
    )
    .fetch_all(conn)
    .await
    .map_err(|err| translate(target, err))?;
    let known = types.into_iter().filter_map(|row| {
        let base = row.base.and_then(|base| u32::try_from(base).ok());
        Some((u32::try_from(row.oid).ok()?, UserType { name: row.name, base }))
    });
    Ok(known.collect())
}
