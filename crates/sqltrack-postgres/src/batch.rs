//! Many rows of metrics at once. Rows that name the same columns are one statement, which is its own transaction, if they
//! are of one run, or of runs of which nothing else is wanted; everything else is a transaction of several statements.

use std::collections::HashMap;
use std::sync::Arc;

use sqltrack_engines::{
    ColumnSet, EngineError, MetricType, MetricsBatch, MetricsGroup, MetricsKey, Moment, OverflowValue, RunId,
    RunWrite, Value, overflow,
    sql::{Literal, upsert_metrics},
};
use sqlx::postgres::PgArguments;
use sqlx::types::Json;

use crate::arguments::{add, push};
use crate::dynamic;
use crate::metrics::{explain, sql_type};
use crate::session::Session;

/// The most statements whose text is kept. Column sets come and go with the columns.
const KEPT: usize = 500;

/// The texts of the statements that a connection has used.
#[derive(Default)]
pub(crate) struct Statements(HashMap<(u64, Shape), Arc<str>>);

/// What a statement is like, apart from its columns.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Shape {
    /// One row, and what it does to its run.
    Row(Touch),
    /// Many rows of one run.
    Rows(Touch),
    /// Rows of any runs, of which nothing is wanted but that they are there.
    Many,
    /// Rows of any runs, which are dealt with before.
    Group,
    /// Takes values out of the overflow that rows of any runs bring columns for.
    Clear,
}

/// What a statement does to the run of its rows.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Touch {
    has_lease: bool,
    updated: Updated,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Updated {
    No,
    Now,
    At,
}

impl Touch {
    fn of(run: &RunWrite) -> Self {
        let updated = match run.updated {
            None => Updated::No,
            Some(Moment::Now) => Updated::Now,
            Some(Moment::At(_)) => Updated::At,
        };
        Self { has_lease: run.lease.is_some(), updated }
    }

    /// The part of the statement that deals with the run `$1`, whose parameters begin at `next`.
    fn part(self, next: usize) -> Option<String> {
        let held = if self.has_lease { format!(" AND lease = ${next}") } else { String::new() };
        let time = match self.updated {
            Updated::No if self.has_lease => {
                return Some(format!("held AS (SELECT id FROM runs WHERE id = $1{held} FOR SHARE)"));
            }
            Updated::No => return None,
            Updated::Now => "clock_timestamp()".to_owned(),
            Updated::At => format!("${}::TIMESTAMPTZ", next + usize::from(self.has_lease)),
        };
        Some(format!("held AS (UPDATE runs SET time_updated = {time} WHERE id = $1{held} RETURNING id)"))
    }

    fn add(self, arguments: &mut PgArguments, run: &RunWrite) -> Result<(), EngineError> {
        if let Some(lease) = run.lease {
            push(arguments, lease)?;
        }
        match run.updated {
            Some(Moment::At(time)) => add(arguments, &Value::from(time)),
            _ => Ok(()),
        }
    }

    /// The SQL of the run's id. A run that someone else has taken over has none, and nothing of the statement happens.
    fn run(self) -> &'static str {
        if self.has_lease { "(SELECT id FROM held)" } else { "$1" }
    }
}

impl Statements {
    fn get(
        &mut self,
        columns: &ColumnSet,
        shape: Shape,
        make: impl FnOnce() -> Result<String, sqltrack_engines::sql::SqlError>,
    ) -> Result<Arc<str>, EngineError> {
        let key = (columns.id(), shape);
        if let Some(sql) = self.0.get(&key) {
            return Ok(sql.clone());
        }
        if self.0.len() >= KEPT {
            self.0.clear();
        }
        let sql: Arc<str> = make().map_err(|err| EngineError::BadValue(err.to_string()))?.into();
        self.0.insert(key, sql.clone());
        Ok(sql)
    }
}

/// What is one statement.
pub(crate) enum Single<'a> {
    /// The rows of one run.
    Run(&'a RunWrite, &'a MetricsGroup),
    /// The rows of several runs, of which nothing is wanted but that they are there.
    Runs(&'a MetricsGroup),
}

/// The batch as one statement, if it can be one.
pub(crate) fn single(batch: &MetricsBatch) -> Option<Single<'_>> {
    let [group] = batch.groups.as_slice() else { return None };
    if !batch.overflow.is_empty() || group.columns.is_empty() {
        return None;
    }
    match batch.runs.as_slice() {
        [run] => Some(Single::Run(run, group)),
        runs if runs.iter().all(|run| run.lease.is_none() && run.updated.is_none()) => {
            Some(Single::Runs(group))
        }
        _ => None,
    }
}

/// Writes what is one statement.
pub(crate) async fn write_single(
    conn: &mut Session,
    target: &str,
    statements: &mut Statements,
    single: Single<'_>,
) -> Result<(), EngineError> {
    let group = match single {
        Single::Run(run, group) => return write_run(conn, target, statements, run, group).await,
        Single::Runs(group) => group,
    };
    let mut arguments = keys(group.keys.iter())?;
    add_columns(&mut arguments, group)?;
    let sql = statements.get(&group.columns, Shape::Many, || many_statement(&group.columns))?;
    let Err(err) = dynamic::run_kept(conn, sql, arguments).await else { return Ok(()) };
    match explain(target, RunId(0), None, err) {
        EngineError::NoSuchRun(_) => Err(missing_run(conn, target, group).await),
        err => Err(err),
    }
}

/// Which of the runs is not there: the violated foreign key does not say.
async fn missing_run(conn: &mut Session, target: &str, group: &MetricsGroup) -> EngineError {
    let ids: Vec<i64> = group.keys.iter().map(|key| key.run.0).collect();
    let missing = sqlx::query_scalar!(
        r#"SELECT id AS "id!" FROM unnest($1::BIGINT[]) AS wanted (id)
        WHERE NOT EXISTS (SELECT FROM runs WHERE runs.id = wanted.id) LIMIT 1"#,
        &ids
    );
    match missing.fetch_optional(conn).await {
        Ok(Some(id)) => EngineError::NoSuchRun(RunId(id)),
        // It has come meanwhile, and the batch can be tried again.
        Ok(None) => EngineError::Busy {
            target: target.to_owned(),
            message: "a run came and went while metrics were written".to_owned(),
        },
        Err(err) => crate::error::translate(target, err),
    }
}

/// Writes the rows of one run by one statement.
async fn write_run(
    conn: &mut Session,
    target: &str,
    statements: &mut Statements,
    run: &RunWrite,
    group: &MetricsGroup,
) -> Result<(), EngineError> {
    let touch = Touch::of(run);
    let columns = &*group.columns;
    let mut arguments = PgArguments::default();
    push(&mut arguments, run.run.0)?;
    let sql = match group.keys.as_slice() {
        [key] => {
            push(&mut arguments, key.step)?;
            push(&mut arguments, key.progress)?;
            for value in &group.values {
                add(&mut arguments, value)?;
            }
            statements.get(columns, Shape::Row(touch), || row_statement(columns, touch))?
        }
        keys => {
            push(&mut arguments, keys.iter().map(|key| key.step).collect::<Vec<_>>())?;
            push(&mut arguments, keys.iter().map(|key| key.progress).collect::<Vec<_>>())?;
            add_columns(&mut arguments, group)?;
            statements.get(columns, Shape::Rows(touch), || rows_statement(columns, touch))?
        }
    };
    touch.add(&mut arguments, run)?;
    dynamic::run_kept(conn, sql, arguments).await.map_err(|err| explain(target, run.run, run.lease, err))?;
    Ok(())
}

/// Writes anything, in the open transaction.
pub(crate) async fn write_parts(
    conn: &mut Session,
    target: &str,
    statements: &mut Statements,
    batch: &MetricsBatch,
) -> Result<(), EngineError> {
    hold_runs(conn, target, &batch.runs).await?;
    for group in &batch.groups {
        let mut arguments = keys(group.keys.iter())?;
        if group.columns.is_empty() {
            let sql = statements.get(&group.columns, Shape::Group, || group_statement(&group.columns))?;
            run(conn, target, batch, sql, arguments).await?;
            continue;
        }
        add_columns(&mut arguments, group)?;
        let sql = statements.get(&group.columns, Shape::Group, || group_statement(&group.columns))?;
        run(conn, target, batch, sql, arguments).await?;
        let sql = statements.get(&group.columns, Shape::Clear, || clear_statement(&group.columns))?;
        run(conn, target, batch, sql, keys(group.keys.iter())?).await?;
    }
    write_overflow(conn, target, &batch.overflow).await
}

async fn run(
    conn: &mut Session,
    target: &str,
    batch: &MetricsBatch,
    sql: Arc<str>,
    arguments: PgArguments,
) -> Result<(), EngineError> {
    let first = batch.runs.first().map_or(RunId(0), |run| run.run);
    dynamic::run_kept(conn, sql, arguments).await.map_err(|err| explain(target, first, None, err))?;
    Ok(())
}

/// Looks whether every run is there under its lease, writes down the time, and keeps it so until the end of the
/// transaction.
async fn hold_runs(conn: &mut Session, target: &str, runs: &[RunWrite]) -> Result<(), EngineError> {
    let failed = |err| crate::error::translate(target, err);
    let (touched, others): (Vec<_>, Vec<_>) = runs.iter().partition(|run| run.updated.is_some());
    let mut held = Vec::with_capacity(runs.len());
    if !touched.is_empty() {
        let ids: Vec<i64> = touched.iter().map(|run| run.run.0).collect();
        let leases: Vec<Option<i64>> = touched.iter().map(|run| run.lease).collect();
        let times: Vec<Option<time::OffsetDateTime>> = touched
            .iter()
            .map(|run| if let Some(Moment::At(time)) = run.updated { Some(time) } else { None })
            .collect();
        let found = sqlx::query_scalar!(
            "UPDATE runs SET time_updated = COALESCE(touch.time, clock_timestamp())
            FROM unnest($1::BIGINT[], $2::BIGINT[], $3::TIMESTAMPTZ[]) AS touch (id, lease, time)
            WHERE runs.id = touch.id AND (touch.lease IS NULL OR runs.lease = touch.lease)
            RETURNING runs.id",
            &ids,
            &leases as &[Option<i64>],
            &times as &[Option<time::OffsetDateTime>]
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(failed)?;
        held.extend(found);
    }
    if !others.is_empty() {
        let ids: Vec<i64> = others.iter().map(|run| run.run.0).collect();
        let leases: Vec<Option<i64>> = others.iter().map(|run| run.lease).collect();
        let found = sqlx::query_scalar!(
            "SELECT runs.id FROM runs
            JOIN unnest($1::BIGINT[], $2::BIGINT[]) AS wanted (id, lease)
                ON runs.id = wanted.id AND (wanted.lease IS NULL OR runs.lease = wanted.lease)
            ORDER BY runs.id
            FOR SHARE OF runs",
            &ids,
            &leases as &[Option<i64>]
        )
        .fetch_all(&mut *conn)
        .await
        .map_err(failed)?;
        held.extend(found);
    }
    match runs.iter().find(|run| !held.contains(&run.run.0)) {
        None => Ok(()),
        Some(lost) if lost.lease.is_some() => Err(crate::life::explain_loss(conn, target, lost.run).await),
        Some(lost) => Err(EngineError::NoSuchRun(lost.run)),
    }
}

async fn write_overflow(
    conn: &mut Session,
    target: &str,
    values: &[OverflowValue],
) -> Result<(), EngineError> {
    let (removed, spilled): (Vec<_>, Vec<_>) = values.iter().partition(|value| value.value.is_null());
    if !removed.is_empty() {
        let sql = "DELETE FROM metrics_overflow AS o
            USING unnest($1::BIGINT[], $2::BIGINT[], $3::DOUBLE PRECISION[], $4::TEXT[]) AS k (run_id, step, progress, name)
            WHERE o.run_id = k.run_id AND o.step = k.step AND o.progress = k.progress AND o.name = k.name";
        let mut arguments = keys(removed.iter().map(|value| &value.key))?;
        push(&mut arguments, removed.iter().map(|value| value.name.clone()).collect::<Vec<_>>())?;
        dynamic::run_kept(conn, sql.into(), arguments)
            .await
            .map_err(|err| crate::error::translate(target, err))?;
    }
    if spilled.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO metrics_overflow (run_id, step, progress, name, value, other)
        SELECT * FROM unnest(
            $1::BIGINT[], $2::BIGINT[], $3::DOUBLE PRECISION[], $4::TEXT[], $5::DOUBLE PRECISION[], $6::JSONB[]
        )
        ON CONFLICT (run_id, step, progress, name) DO UPDATE SET value = excluded.value, other = excluded.other";
    let mut arguments = keys(spilled.iter().map(|value| &value.key))?;
    let encode = |value: &&OverflowValue| {
        overflow::encode(&value.value).ok_or_else(|| crate::metrics::beyond_columns(&value.name))
    };
    let encoded: Vec<(Option<f64>, Option<serde_json::Value>)> =
        spilled.iter().map(encode).collect::<Result<_, _>>()?;
    let (numbers, others): (Vec<_>, Vec<_>) = encoded.into_iter().unzip();
    push(&mut arguments, spilled.iter().map(|value| value.name.clone()).collect::<Vec<_>>())?;
    push(&mut arguments, numbers)?;
    push(&mut arguments, others.into_iter().map(|other| other.map(Json)).collect::<Vec<_>>())?;
    dynamic::run_kept(conn, sql.into(), arguments)
        .await
        .map_err(|err| crate::error::translate(target, err))?;
    Ok(())
}

/// The parameters that every statement on many keys begins with.
fn keys<'a>(keys: impl Iterator<Item = &'a MetricsKey>) -> Result<PgArguments, EngineError> {
    let (mut runs, mut steps, mut progresses) = (Vec::new(), Vec::new(), Vec::new());
    for key in keys {
        runs.push(key.run.0);
        steps.push(key.step);
        progresses.push(key.progress);
    }
    let mut arguments = PgArguments::default();
    push(&mut arguments, runs)?;
    push(&mut arguments, steps)?;
    push(&mut arguments, progresses)?;
    Ok(arguments)
}

/// The values of each column as an array.
fn add_columns(arguments: &mut PgArguments, group: &MetricsGroup) -> Result<(), EngineError> {
    for (place, (_, metric_type)) in group.columns.columns().iter().enumerate() {
        crate::arguments::add_array(arguments, *metric_type, group.column(place))?;
    }
    Ok(())
}

fn names(columns: &ColumnSet) -> Vec<&str> {
    columns.columns().iter().map(|(name, _)| name.as_str()).collect()
}

/// The names as SQL that stands in the brackets of `IN`. What is compared with them is no mere column: else the index
/// would be searched once for each name, where mostly there is nothing for the whole row.
fn name_list(columns: &ColumnSet) -> Result<String, sqltrack_engines::sql::SqlError> {
    use sqltrack_engines::sql::Composable as _;
    let names = columns
        .columns()
        .iter()
        .map(|(name, _)| Literal::from(name.as_str()).to_string_for(sqltrack_engines::Dialect::Postgres));
    Ok(names.collect::<Result<Vec<_>, _>>()?.join(", "))
}

/// The types that the driver sends are the types that a kept plan was made for: it keeps plans by their text alone.
fn cast(number: usize, metric_type: MetricType, suffix: &str) -> String {
    format!("${number}::{}{suffix}", sql_type(metric_type))
}

fn row_statement(columns: &ColumnSet, touch: Touch) -> Result<String, sqltrack_engines::sql::SqlError> {
    let values: String = (4..)
        .zip(columns.columns())
        .map(|(number, (_, metric_type))| format!(", {}", cast(number, *metric_type, "")))
        .collect();
    let upsert = upsert_metrics(&names(columns), &format!("VALUES ({}, $2, $3{values})", touch.run()))?;
    let clear = format!(
        "cleared AS (DELETE FROM metrics_overflow
            WHERE run_id = $1 AND step = $2 AND progress = $3 AND name || '' IN ({}))",
        name_list(columns)?
    );
    Ok(format!("WITH {}{clear} {upsert}", first(touch, 4 + columns.len())))
}

fn rows_statement(columns: &ColumnSet, touch: Touch) -> Result<String, sqltrack_engines::sql::SqlError> {
    let arrays: String = (4..)
        .zip(columns.columns())
        .map(|(number, (_, metric_type))| format!(", {}", cast(number, *metric_type, "[]")))
        .collect();
    let source =
        format!("SELECT {}, k.* FROM unnest($2::BIGINT[], $3::DOUBLE PRECISION[]{arrays}) AS k", touch.run());
    let upsert = upsert_metrics(&names(columns), &source)?;
    // Most runs have nothing there, which is seen once and not row by row.
    let clear = format!(
        "cleared AS (DELETE FROM metrics_overflow AS o
            USING unnest($2::BIGINT[], $3::DOUBLE PRECISION[]) AS k (step, progress)
            WHERE EXISTS (SELECT FROM metrics_overflow WHERE run_id = $1)
                AND o.run_id = $1 AND o.step = k.step AND o.progress = k.progress AND o.name || '' IN ({}))",
        name_list(columns)?
    );
    Ok(format!("WITH {}{clear} {upsert}", first(touch, 4 + columns.len())))
}

fn first(touch: Touch, next: usize) -> String {
    touch.part(next).map(|part| part + ", ").unwrap_or_default()
}

fn group_statement(columns: &ColumnSet) -> Result<String, sqltrack_engines::sql::SqlError> {
    let arrays: String = (4..)
        .zip(columns.columns())
        .map(|(number, (_, metric_type))| format!(", {}", cast(number, *metric_type, "[]")))
        .collect();
    let source = format!("SELECT * FROM unnest($1::BIGINT[], $2::BIGINT[], $3::DOUBLE PRECISION[]{arrays})");
    upsert_metrics(&names(columns), &source)
}

fn many_statement(columns: &ColumnSet) -> Result<String, sqltrack_engines::sql::SqlError> {
    Ok(format!("WITH cleared AS ({}) {}", clear_statement(columns)?, group_statement(columns)?))
}

fn clear_statement(columns: &ColumnSet) -> Result<String, sqltrack_engines::sql::SqlError> {
    Ok(format!(
        "DELETE FROM metrics_overflow AS o
        USING unnest($1::BIGINT[], $2::BIGINT[], $3::DOUBLE PRECISION[]) AS k (run_id, step, progress)
        WHERE EXISTS (SELECT FROM metrics_overflow WHERE run_id = ANY($1))
            AND o.run_id = k.run_id AND o.step = k.step AND o.progress = k.progress AND o.name || '' IN ({})",
        name_list(columns)?
    ))
}
