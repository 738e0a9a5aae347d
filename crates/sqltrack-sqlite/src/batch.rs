//! Many rows of metrics in one transaction. The caller holds the write lock.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use sqltrack_engines::{
    ColumnSet, Dialect, EngineError, MetricsBatch, MetricsGroup, MetricsKey, OverflowValue, RunId, RunWrite,
    Value,
    sql::{Composable as _, Literal, SqlError, upsert_metrics},
};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteArguments;

use crate::arguments::add;
use crate::error::{is_foreign_key_violation, translate};
use crate::metrics::encode_overflow;
use crate::{dynamic, life, runs};

/// The most statements whose text is kept.
const KEPT: usize = 500;
/// SQLite's limit for the parameters of a statement (`MAX_VARIABLE_NUMBER`).
const MAX_PARAMETERS: usize = 32_766;
/// How many rows a statement may have. There are few sizes, so that few statements are made, and each number of rows is
/// a sum of few.
const SIZES: [usize; 10] = [1000, 500, 200, 100, 50, 20, 10, 5, 2, 1];
/// How many values of the overflow a statement takes.
const OVERFLOW_ROWS: usize = 500;

/// The most runs that are remembered to have something in the overflow.
const REMEMBERED: usize = 10_000;

/// The texts of the statements that a connection has used, and the runs whose batches are not one text.
#[derive(Default)]
pub(crate) struct Statements {
    texts: HashMap<(u64, Shape), Arc<str>>,
    involved: HashSet<RunId>,
}

/// What a text is like, apart from its columns.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Shape {
    /// Inserts so many rows.
    Rows(usize),
    /// A whole transaction around one row.
    Lone { has_lease: bool, is_touching: bool },
    /// A whole transaction around so many rows.
    Whole { rows: usize, has_lease: bool, is_touching: bool },
}

impl Statements {
    fn get(&mut self, columns: &ColumnSet, shape: Shape) -> Result<Arc<str>, EngineError> {
        let key = (columns.id(), shape);
        if let Some(sql) = self.texts.get(&key) {
            return Ok(sql.clone());
        }
        if self.texts.len() >= KEPT {
            self.texts.clear();
        }
        let names: Vec<&str> = columns.columns().iter().map(|(name, _)| name.as_str()).collect();
        let sql = match shape {
            Shape::Rows(rows) => rows_text(&names, rows),
            Shape::Whole { rows, has_lease, is_touching } => whole_text(&names, rows, has_lease, is_touching),
            Shape::Lone { has_lease, is_touching } => lone_text(&names, has_lease, is_touching),
        };
        let sql: Arc<str> = sql.map_err(|err| EngineError::BadValue(err.to_string()))?.into();
        self.texts.insert(key, sql.clone());
        Ok(sql)
    }
}

fn rows_text(names: &[&str], rows: usize) -> Result<String, SqlError> {
    let row = format!("(?{})", ", ?".repeat(2 + names.len()));
    upsert_metrics(names, &format!("VALUES {}", vec![row; rows].join(", ")))
}

/// What the text of a whole transaction fails with where that is not enough: no text can branch.
const NOT_ENOUGH: &str = "malformed JSON";

/// The transaction of many rows of one run as one text: while there is a change of threads for each statement, all other
/// processes wait for the lock. It fails with [`NOT_ENOUGH`] if the run has another lease, or something in the overflow
/// that the rows may have to take the place of.
fn whole_text(names: &[&str], rows: usize, has_lease: bool, is_touching: bool) -> Result<String, SqlError> {
    let held = if has_lease {
        "SELECT json('') WHERE NOT EXISTS (SELECT 1 FROM runs WHERE id = ? AND lease = ?); "
    } else {
        ""
    };
    let touch = if is_touching { "UPDATE runs SET time_updated = ? WHERE id = ?; " } else { "" };
    let clear = "SELECT json('') WHERE EXISTS (SELECT 1 FROM metrics_overflow WHERE run_id = ?); ";
    Ok(format!("BEGIN IMMEDIATE; {held}{}; {clear}{touch}COMMIT", rows_text(names, rows)?))
}

/// The transaction of one row as one text: each statement that goes to the driver alone costs a change of threads.
fn lone_text(names: &[&str], has_lease: bool, is_touching: bool) -> Result<String, SqlError> {
    let mut next = 4 + names.len();
    let mut held = String::new();
    if has_lease {
        held = format!(" AND EXISTS (SELECT 1 FROM runs WHERE id = ?1 AND lease = ?{next})");
        next += 1;
    }
    let values: String = (4..4 + names.len()).map(|number| format!(", ?{number}")).collect();
    let upsert = upsert_metrics(names, &format!("SELECT ?1, ?2, ?3{values} WHERE TRUE{held}"))?;
    let literals = names.iter().map(|name| Literal::from(*name).to_string_for(Dialect::Sqlite));
    let literals = literals.collect::<Result<Vec<_>, _>>()?.join(", ");
    // With a mere `name`, the index would be searched once for each, where mostly there is nothing for the whole row.
    let clear = format!(
        "DELETE FROM metrics_overflow WHERE run_id = ?1 AND step = ?2 AND progress = ?3 AND +name IN ({literals}){held}"
    );
    let touch = if is_touching {
        format!("UPDATE runs SET time_updated = ?{next} WHERE id = ?1{held}; ")
    } else {
        String::new()
    };
    Ok(format!("BEGIN IMMEDIATE; {upsert} RETURNING 1; {clear}; {touch}COMMIT"))
}

/// The only row of a batch, and what is done to its run, if that is all there is.
pub(crate) fn lone(batch: &MetricsBatch) -> Option<(&RunWrite, &MetricsGroup)> {
    match (batch.runs.as_slice(), batch.groups.as_slice()) {
        ([run], [group])
            if batch.overflow.is_empty() && group.keys.len() == 1 && !group.columns.is_empty() =>
        {
            Some((run, group))
        }
        _ => None,
    }
}

/// Writes one row in a transaction of its own. An error may leave that open.
pub(crate) async fn write_lone(
    conn: &mut SqliteConnection,
    target: &str,
    statements: &mut Statements,
    run: &RunWrite,
    group: &MetricsGroup,
) -> Result<(), EngineError> {
    let updated = runs::moment(run.updated)?;
    let shape = Shape::Lone { has_lease: run.lease.is_some(), is_touching: updated.is_some() };
    let sql = statements.get(&group.columns, shape)?;
    let mut arguments = SqliteArguments::default();
    for (key, values) in group.rows() {
        add_key(&mut arguments, key)?;
        for value in values {
            add(&mut arguments, value)?;
        }
    }
    if let Some(lease) = run.lease {
        add(&mut arguments, &Value::Int(lease))?;
    }
    if let Some(updated) = updated {
        add(&mut arguments, &Value::Text(updated))?;
    }
    let written = dynamic::count_rows(&mut *conn, sql, arguments).await.map_err(|err| {
        if is_foreign_key_violation(&err) { EngineError::NoSuchRun(run.run) } else { translate(target, err) }
    })?;
    match run.lease {
        Some(lease) if written == 0 => life::check_lease(conn, target, run.run, lease).await,
        _ => Ok(()),
    }
}

/// The rows of a batch and what is done to their run, if that can be one text.
pub(crate) fn whole<'a>(
    batch: &'a MetricsBatch,
    statements: &Statements,
) -> Option<(&'a RunWrite, &'a MetricsGroup)> {
    let ([run], [group]) = (batch.runs.as_slice(), batch.groups.as_slice()) else { return None };
    let parameters = group.keys.len() * (3 + group.columns.len()) + 5;
    let is_one = batch.overflow.is_empty()
        && SIZES.contains(&group.keys.len())
        && parameters <= MAX_PARAMETERS
        && !group.columns.is_empty()
        && !statements.involved.contains(&run.run);
    is_one.then_some((run, group))
}

/// Writes rows in a transaction of their own; false if it takes more than one text, which is to be tried then. That, and an
/// error, may leave it open.
pub(crate) async fn write_whole(
    conn: &mut SqliteConnection,
    target: &str,
    statements: &mut Statements,
    run: &RunWrite,
    group: &MetricsGroup,
) -> Result<bool, EngineError> {
    let updated = runs::moment(run.updated)?;
    let (has_lease, is_touching) = (run.lease.is_some(), updated.is_some());
    let shape = Shape::Whole { rows: group.keys.len(), has_lease, is_touching };
    let sql = statements.get(&group.columns, shape)?;
    let id = Value::Int(run.run.0);
    let mut arguments = SqliteArguments::default();
    if let Some(lease) = run.lease {
        add(&mut arguments, &id)?;
        add(&mut arguments, &Value::Int(lease))?;
    }
    for (key, values) in group.rows() {
        add_key(&mut arguments, key)?;
        values.iter().try_for_each(|value| add(&mut arguments, value))?;
    }
    add(&mut arguments, &id)?;
    if let Some(updated) = updated {
        add(&mut arguments, &Value::Text(updated))?;
        add(&mut arguments, &id)?;
    }
    match dynamic::run_kept(conn, sql, arguments).await {
        Ok(_) => Ok(true),
        Err(err) if err.as_database_error().is_some_and(|err| err.message() == NOT_ENOUGH) => {
            if statements.involved.len() >= REMEMBERED {
                statements.involved.clear();
            }
            statements.involved.insert(run.run);
            Ok(false)
        }
        Err(err) if is_foreign_key_violation(&err) => Err(EngineError::NoSuchRun(run.run)),
        Err(err) => Err(translate(target, err)),
    }
}

/// Writes everything, in the open transaction.
pub(crate) async fn write(
    conn: &mut SqliteConnection,
    target: &str,
    statements: &mut Statements,
    batch: &MetricsBatch,
) -> Result<(), EngineError> {
    for run in &batch.runs {
        match run.lease {
            Some(lease) => life::check_lease(&mut *conn, target, run.run, lease).await?,
            // A violated foreign key does not tell which of several rows it is, and without rows there is none.
            None if batch.runs.len() > 1 || batch.groups.is_empty() => {
                check_run(&mut *conn, target, run.run).await?
            }
            None => {}
        }
    }
    let run = batch.runs.first().map_or(RunId(0), |run| run.run);
    let failed = |err: sqlx::Error| match is_foreign_key_violation(&err) {
        true => EngineError::NoSuchRun(run),
        false => translate(target, err),
    };
    for group in &batch.groups {
        write_group(&mut *conn, statements, group, failed).await?;
    }
    clear_overflow(&mut *conn, target, batch).await?;
    write_overflow(&mut *conn, &batch.overflow).await?.map_err(failed)?;
    for run in &batch.runs {
        if let Some(updated) = runs::moment(run.updated)? {
            sqlx::query!("UPDATE runs SET time_updated = $2 WHERE id = $1", run.run.0, updated)
                .execute(&mut *conn)
                .await
                .map_err(failed)?;
        }
    }
    Ok(())
}

async fn check_run(conn: &mut SqliteConnection, target: &str, run: RunId) -> Result<(), EngineError> {
    match runs::experiment_of(conn, target, run).await? {
        Some(_) => Ok(()),
        None => Err(EngineError::NoSuchRun(run)),
    }
}

async fn write_group(
    conn: &mut SqliteConnection,
    statements: &mut Statements,
    group: &MetricsGroup,
    failed: impl Fn(sqlx::Error) -> EngineError,
) -> Result<(), EngineError> {
    let width = 3 + group.columns.len();
    let mut rows = group.rows();
    let mut left = group.keys.len();
    while left > 0 {
        let fits = |size: &usize| *size <= left && size * width <= MAX_PARAMETERS;
        let size = SIZES.into_iter().find(fits).unwrap_or(1);
        let sql = statements.get(&group.columns, Shape::Rows(size))?;
        let mut arguments = SqliteArguments::default();
        for (key, values) in rows.by_ref().take(size) {
            add_key(&mut arguments, key)?;
            for value in values {
                add(&mut arguments, value)?;
            }
        }
        dynamic::run_kept(&mut *conn, sql, arguments).await.map_err(&failed)?;
        left -= size;
    }
    Ok(())
}

fn add_key(arguments: &mut SqliteArguments, key: &MetricsKey) -> Result<(), EngineError> {
    add(arguments, &Value::Int(key.run.0))?;
    add(arguments, &Value::Int(key.step))?;
    add(arguments, &Value::Float(key.progress))
}

/// Takes out of the overflow what the rows bring columns for. Most runs have nothing there, which is seen at once, as
/// nobody else writes meanwhile.
async fn clear_overflow(
    conn: &mut SqliteConnection,
    target: &str,
    batch: &MetricsBatch,
) -> Result<(), EngineError> {
    for run in &batch.runs {
        let has_any = sqlx::query_scalar!(
            r#"SELECT EXISTS (SELECT 1 FROM metrics_overflow WHERE run_id = $1) AS "any!: bool""#,
            run.run.0
        )
        .fetch_one(&mut *conn)
        .await
        .map_err(|err| translate(target, err))?;
        if !has_any {
            continue;
        }
        for group in batch.groups.iter().filter(|group| !group.columns.is_empty()) {
            let names = group.columns.columns().iter().map(|(name, _)| name.as_str());
            let names = serde_json::Value::from_iter(names).to_string();
            for key in group.keys.iter().filter(|key| key.run == run.run) {
                sqlx::query!(
                    "DELETE FROM metrics_overflow WHERE run_id = $1 AND step = $2 AND progress = $3
                        AND name IN (SELECT value FROM json_each($4))",
                    key.run.0,
                    key.step,
                    key.progress,
                    names
                )
                .execute(&mut *conn)
                .await
                .map_err(|err| translate(target, err))?;
            }
        }
    }
    Ok(())
}

async fn write_overflow(
    conn: &mut SqliteConnection,
    values: &[OverflowValue],
) -> Result<Result<(), sqlx::Error>, EngineError> {
    let (removed, kept): (Vec<_>, Vec<_>) = values.iter().partition(|value| value.value.is_null());
    for value in removed {
        let deleted = sqlx::query!(
            "DELETE FROM metrics_overflow WHERE run_id = $1 AND step = $2 AND progress = $3 AND name = $4",
            value.key.run.0,
            value.key.step,
            value.key.progress,
            value.name
        );
        if let Err(err) = deleted.execute(&mut *conn).await {
            return Ok(Err(err));
        }
    }
    for chunk in kept.chunks(OVERFLOW_ROWS) {
        let rows = vec!["(?, ?, ?, ?, ?, ?)"; chunk.len()].join(", ");
        let sql = format!(
            "INSERT INTO metrics_overflow (run_id, step, progress, name, value, other) VALUES {rows}
            ON CONFLICT (run_id, step, progress, name) DO UPDATE SET value = excluded.value, other = excluded.other"
        );
        let mut arguments = SqliteArguments::default();
        for value in chunk {
            add_key(&mut arguments, &value.key)?;
            add(&mut arguments, &Value::from(value.name.as_str()))?;
            let (number, other) = encode_overflow(&value.value);
            add(&mut arguments, &Value::from(number))?;
            add(&mut arguments, &Value::from(other))?;
        }
        if let Err(err) = dynamic::run_kept(&mut *conn, sql.into(), arguments).await {
            return Ok(Err(err));
        }
    }
    Ok(Ok(()))
}
