//! SQL that is known at run time alone. This is the only module that may hand such text to the driver:
//! what comes here is the user's own statement, or was put together from quoted identifiers.

#![expect(clippy::disallowed_methods, reason = "the one place where run-time SQL goes to the driver")]

use sqltrack_engines::{EngineError, Rows, Value};
use sqlx::postgres::{PgArguments, PgQueryResult};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqlSafeStr as _, Statement as _};

use crate::arguments::arguments;
use crate::decode::{self, UserType, UserTypes};
use crate::error::{is_plan_changed, translate};

/// Runs one statement without parameters by the simple protocol, for scripts.
pub(crate) async fn run(conn: &mut PgConnection, sql: &str) -> Result<PgQueryResult, sqlx::Error> {
    conn.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await
}

/// Runs one statement that names all of its columns; its plan is kept.
pub(crate) async fn run_prepared(
    conn: &mut PgConnection,
    sql: String,
    arguments: PgArguments,
) -> Result<PgQueryResult, sqlx::Error> {
    sqlx::query_with(AssertSqlSafe(sql), arguments).execute(conn).await
}

/// Runs a statement of the user's and returns how many rows it changed.
pub(crate) async fn execute(
    conn: &mut PgConnection,
    target: &str,
    sql: &str,
    parameters: &[Value],
) -> Result<u64, EngineError> {
    let query = sqlx::query_with(AssertSqlSafe(sql.to_owned()), arguments(parameters)?).persistent(false);
    let done = query.execute(conn).await.map_err(|err| translate(target, err))?;
    Ok(done.rows_affected())
}

/// Runs a statement of the user's and returns its rows. Its plan is never kept, since a kept plan of
/// `SELECT *` fails once someone adds a column. Outside of a transaction the table may change even between
/// parsing and running; nothing has happened then, so the statement is run again.
pub(crate) async fn query(
    conn: &mut PgConnection,
    target: &str,
    sql: &str,
    parameters: &[Value],
    in_transaction: bool,
) -> Result<Rows, EngineError> {
    let rows = loop {
        let query = sqlx::query_with(AssertSqlSafe(sql.to_owned()), arguments(parameters)?).persistent(false);
        match query.fetch_all(&mut *conn).await {
            Ok(rows) => break rows,
            Err(err) if !in_transaction && is_plan_changed(&err) => {}
            Err(err) => return Err(translate(target, err)),
        }
    };
    let Some(first) = rows.first() else {
        return empty_result(conn, target, sql).await;
    };
    let types = user_types(conn, target, decode::unknown_types(first)).await?;
    let columns = decode::columns(sqlx::Row::columns(first), &types);
    let values = rows.iter().map(|row| decode::values(row, &types)).collect::<Result<_, _>>()?;
    Ok(Rows::new(columns, values))
}

/// The columns of a result with no row. The driver tells them only of a statement that it prepares and
/// keeps, so the kept ones are dropped again.
async fn empty_result(conn: &mut PgConnection, target: &str, sql: &str) -> Result<Rows, EngineError> {
    let prepared = conn.prepare(AssertSqlSafe(sql.to_owned()).into_sql_str()).await;
    let columns = prepared.map(|statement| decode::columns(statement.columns(), &UserTypes::new()));
    conn.clear_cached_statements().await.map_err(|err| translate(target, err))?;
    Ok(Rows::new(columns.unwrap_or_default(), Vec::new()))
}

/// What the server knows of types that are not built in.
async fn user_types(conn: &mut PgConnection, target: &str, oids: Vec<u32>) -> Result<UserTypes, EngineError> {
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
