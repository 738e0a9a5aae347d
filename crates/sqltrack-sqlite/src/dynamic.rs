//! SQL that is known at run time alone. This is the only module that may hand such text to the driver:
//! what comes here is the user's own statement, or was put together from quoted identifiers.

#![expect(clippy::disallowed_methods, reason = "the one place where run-time SQL goes to the driver")]

use std::sync::Arc;

use futures_util::TryStreamExt;
use sqltrack_engines::script::StatementKind;
use sqltrack_engines::{Column, Dialect, EngineError, RowSink, Rows, Value};
use sqlx::sqlite::{SqliteArguments, SqliteColumn, SqliteQueryResult, SqliteRow};
use sqlx::{
    AssertSqlSafe, Either, Executor as _, Row as _, SqlSafeStr as _, SqliteConnection, Statement as _,
};

use crate::arguments::arguments;
use crate::decode::{self, DeclaredTypes};
use crate::error::translate;

/// Runs statements without parameters, for scripts and transactions.
pub(crate) async fn run(conn: &mut SqliteConnection, sql: &str) -> Result<SqliteQueryResult, sqlx::Error> {
    conn.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await
}

/// Runs one statement that names all of its columns; it is kept prepared, as its text is by the caller.
pub(crate) async fn run_kept(
    conn: &mut SqliteConnection,
    sql: Arc<str>,
    arguments: SqliteArguments,
) -> Result<SqliteQueryResult, sqlx::Error> {
    sqlx::query_with(AssertSqlSafe(sql), arguments).execute(conn).await
}

/// Runs the statements of a text, and returns how many rows they give.
pub(crate) async fn count_rows(
    conn: &mut SqliteConnection,
    sql: Arc<str>,
    arguments: SqliteArguments,
) -> Result<usize, sqlx::Error> {
    Ok(sqlx::query_with(AssertSqlSafe(sql), arguments).fetch_all(conn).await?.len())
}

/// What a statement of the user's does, and so what transaction it needs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    /// It only reads: a snapshot.
    Snapshot,
    /// It may write: the write lock, from the beginning, since a reader cannot always become a writer.
    WriteLock,
    /// It cannot run in a transaction, or works on the connection itself.
    Nothing,
}

/// Which transaction a statement of the user's needs.
pub(crate) fn needs(sql: &str) -> Needs {
    let kind = StatementKind::of(sql, Dialect::Sqlite);
    if kind.is_pragma() || kind.forbidden_in_transaction() {
        Needs::Nothing
    } else if kind.returns_rows_without_writing() {
        Needs::Snapshot
    } else {
        Needs::WriteLock
    }
}

/// What a statement of the user's gave.
pub(crate) struct Outcome {
    pub(crate) rows: Rows,
    pub(crate) changed: u64,
}

/// Runs a statement of the user's inside the transaction that it needs.
///
/// Reading the schema first makes the connection know the columns that others have added since it last
/// looked, and the transaction keeps them so until the end. Without it sqlx trips over a `SELECT *` with
/// more columns than it knows of, and loses its worker and the rows. A kept statement would trip, too.
pub(crate) async fn query(
    conn: &mut SqliteConnection,
    target: &str,
    sql: &str,
    parameters: &[Value],
) -> Result<Outcome, EngineError> {
    let failed = |err| translate(target, err);
    read_schema(conn).await.map_err(failed)?;
    let query = sqlx::query_with(AssertSqlSafe(sql.to_owned()), arguments(parameters)?).persistent(false);
    let (rows, changed) = fetch(conn, query).await.map_err(failed)?;
    let columns = match rows.first() {
        Some(row) => row.columns().to_vec(),
        None => prepared_columns(conn, sql).await.map_err(failed)?,
    };
    let columns = with_declared_types(conn, columns).await.map_err(failed)?;
    let kinds = decode::kinds(&columns);
    let values = rows.iter().map(|row| decode::values(row, &columns, &kinds)).collect::<Result<_, _>>()?;
    Ok(Outcome { rows: Rows::new(columns, values), changed })
}

/// Hands over the rows of a query part by part, while the open transaction keeps them as they are.
pub(crate) async fn query_parts(
    conn: &mut SqliteConnection,
    target: &str,
    sql: &str,
    parameters: &[Value],
    size: usize,
    sink: &mut dyn RowSink,
) -> Result<(), EngineError> {
    let failed = |err| translate(target, err);
    read_schema(conn).await.map_err(failed)?;
    // Their types have to be known before the rows come, since nothing else can be asked meanwhile.
    let columns = prepared_columns(conn, sql).await.map_err(failed)?;
    let columns = with_declared_types(conn, columns).await.map_err(failed)?;
    let kinds = decode::kinds(&columns);
    let query = sqlx::query_with(AssertSqlSafe(sql.to_owned()), arguments(parameters)?).persistent(false);
    let mut rows = conn.fetch(query);
    let mut part = Vec::with_capacity(size);
    let mut is_first = true;
    while let Some(row) = rows.try_next().await.map_err(failed)? {
        part.push(decode::values(&row, &columns, &kinds)?);
        if part.len() == size {
            is_first = false;
            let full = std::mem::replace(&mut part, Vec::with_capacity(size));
            if !sink.take(Rows::new(columns.clone(), full)).await {
                return Ok(());
            }
        }
    }
    if is_first || !part.is_empty() {
        sink.take(Rows::new(columns, part)).await;
    }
    Ok(())
}

/// Makes the connection know the columns that others have added since it last looked, until the end of the transaction.
async fn read_schema(conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT count(*) FROM sqlite_master").persistent(false).execute(conn).await.map(drop)
}

/// The columns that a statement gives. The driver keeps what it prepares, so all of that is dropped again.
async fn prepared_columns(conn: &mut SqliteConnection, sql: &str) -> Result<Vec<SqliteColumn>, sqlx::Error> {
    let prepared = conn.prepare(AssertSqlSafe(sql.to_owned()).into_sql_str()).await;
    let columns = prepared.map(|statement| statement.columns().to_vec()).unwrap_or_default();
    sqlx::Connection::clear_cached_statements(conn).await?;
    Ok(columns)
}

async fn with_declared_types(
    conn: &mut SqliteConnection,
    columns: Vec<SqliteColumn>,
) -> Result<Vec<Column>, sqlx::Error> {
    let mut declared = DeclaredTypes::new();
    for table in decode::tables(&columns) {
        declare(conn, &table, &mut declared).await?;
    }
    Ok(decode::columns(&columns, &declared))
}

async fn fetch(
    conn: &mut SqliteConnection,
    query: sqlx::query::Query<'_, sqlx::Sqlite, SqliteArguments>,
) -> Result<(Vec<SqliteRow>, u64), sqlx::Error> {
    let mut rows = Vec::new();
    let mut changed = 0;
    let mut results = conn.fetch_many(query);
    while let Some(result) = results.try_next().await? {
        match result {
            Either::Left(done) => changed += done.rows_affected(),
            Either::Right(row) => rows.push(row),
        }
    }
    Ok((rows, changed))
}

/// Adds the declared types of the columns of `table`.
async fn declare(
    conn: &mut SqliteConnection,
    table: &str,
    declared: &mut DeclaredTypes,
) -> Result<(), sqlx::Error> {
    let types: Vec<(String, String)> = sqlx::query_as("SELECT name, type FROM pragma_table_info($1)")
        .bind(table)
        .persistent(false)
        .fetch_all(conn)
        .await?;
    declared.extend(types.into_iter().map(|(column, kind)| ((table.to_owned(), column), kind)));
    Ok(())
}
