//! The statements on runs. The caller holds the write lock for those that write.

use sqltrack_engines::{Belongings, EngineError, ExperimentId, Moment, ObjectPatch, RunChanges, RunId};
use sqlx::SqliteConnection;
use time::OffsetDateTime;

use crate::error::{is_foreign_key_violation, translate};
use crate::ids::{self, Table};
use crate::links::change_run_links;
use crate::text;

pub(crate) async fn experiment_of(
    conn: &mut SqliteConnection,
    target: &str,
    run: RunId,
) -> Result<Option<ExperimentId>, EngineError> {
    let experiment = sqlx::query_file_scalar!("../../queries/experiment_of_run.sql", run.0)
        .fetch_optional(conn)
        .await
        .map_err(|err| translate(target, err))?;
    Ok(experiment.map(ExperimentId))
}

pub(crate) async fn insert(
    conn: &mut SqliteConnection,
    target: &str,
    experiment: ExperimentId,
    id: Option<RunId>,
) -> Result<Option<RunId>, EngineError> {
    let failed = |err| translate(target, err);
    let last = ids::last(&mut *conn, Table::Runs).await.map_err(failed)?;
    let new = match id {
        Some(id) => id.0,
        None => ids::unused(&mut *conn, Table::Runs).await.map_err(failed)?,
    };
    let inserted = sqlx::query_file_scalar!("../../queries/insert_run_as.sql", new, experiment.0)
        .fetch_optional(&mut *conn)
        .await
        .map_err(|err| match is_foreign_key_violation(&err) {
            true => EngineError::NoSuchExperiment(experiment),
            false => translate(target, err),
        })?;
    if id.is_some() {
        ids::restore(conn, Table::Runs, last).await.map_err(failed)?;
    }
    Ok(inserted.map(RunId))
}

/// The text of a time to write; the clock of this machine is that of the database.
pub(crate) fn moment(moment: Option<Moment>) -> Result<Option<String>, EngineError> {
    let time = match moment {
        None => return Ok(None),
        Some(Moment::Now) => OffsetDateTime::now_utc(),
        Some(Moment::At(time)) => time,
    };
    let text = text::from_timestamp(time);
    text.map(Some).ok_or_else(|| {
        EngineError::BadValue(format!("the time {time} is out of range; SQLite knows the years 0 to 9999"))
    })
}

/// The text of the JSON object that comes of the old one.
pub(crate) fn patched(
    target: &str,
    patch: &ObjectPatch,
    old: Option<String>,
) -> Result<Option<String>, EngineError> {
    if patch.is_empty() {
        return Ok(old);
    }
    let old = match old {
        Some(text) if patch.replace.is_none() => Some(serde_json::from_str(&text).map_err(|err| {
            EngineError::BadValue(format!("{target} holds `{text}` where a JSON object belongs: {err}"))
        })?),
        _ => None,
    };
    Ok(patch.apply(old).map(|object| serde_json::Value::Object(object).to_string()))
}

pub(crate) async fn update(
    conn: &mut SqliteConnection,
    target: &str,
    run: RunId,
    changes: &RunChanges,
) -> Result<(), EngineError> {
    let failed = |err| translate(target, err);
    let old = sqlx::query!(
        r#"SELECT tags AS "tags: String", args AS "args: String", env AS "env: String", extras AS "extras: String"
        FROM runs WHERE id = $1"#,
        run.0
    );
    let old = old.fetch_optional(&mut *conn).await.map_err(failed)?.ok_or(EngineError::NoSuchRun(run))?;
    let sets_comment = changes.comment.is_some();
    let comment = changes.comment.as_ref().and_then(Option::as_deref);
    let created = moment(changes.created)?;
    let started = moment(changes.started)?;
    let updated = moment(changes.updated)?;
    let tags = patched(target, &changes.tags, old.tags)?;
    let args = patched(target, &changes.args, old.args)?;
    let env = patched(target, &changes.env, old.env)?;
    let extras = patched(target, &changes.extras, old.extras)?;
    sqlx::query!(
        "UPDATE runs SET
            status = COALESCE($2, status),
            comment = CASE WHEN $3 THEN $4 ELSE comment END,
            time_created = COALESCE($5, time_created),
            time_started = COALESCE($6, time_started),
            time_updated = COALESCE($7, time_updated),
            tags = $8,
            args = $9,
            env = $10,
            extras = $11
        WHERE id = $1",
        run.0,
        changes.status,
        sets_comment,
        comment,
        created,
        started,
        updated,
        tags,
        args,
        env,
        extras
    )
    .execute(&mut *conn)
    .await
    .map_err(failed)?;
    change_run_links(conn, target, run, &changes.links).await
}

pub(crate) async fn belongings(
    conn: &mut SqliteConnection,
    target: &str,
    run: RunId,
) -> Result<Option<Belongings>, EngineError> {
    let found = sqlx::query_file!("../../queries/run_belongings.sql", run.0)
        .fetch_optional(conn)
        .await
        .map_err(|err| translate(target, err))?;
    Ok(found.map(|row| Belongings {
        runs: 0,
        metric_rows: row.metric_rows.unsigned_abs(),
        links: row.links.unsigned_abs(),
    }))
}

pub(crate) async fn delete(conn: &mut SqliteConnection, target: &str, run: RunId) -> Result<(), EngineError> {
    let deleted = sqlx::query_file!("../../queries/delete_run.sql", run.0)
        .execute(conn)
        .await
        .map_err(|err| translate(target, err))?;
    if deleted.rows_affected() == 0 { Err(EngineError::NoSuchRun(run)) } else { Ok(()) }
}
