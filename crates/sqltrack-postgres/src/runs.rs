//! The statements on runs and their links.

use sqltrack_engines::{Belongings, EngineError, ExperimentId, Moment, RunChanges, RunId};
use time::OffsetDateTime;

use crate::error::{translate, violated_foreign_key};
use crate::patch::{Links, PatchArguments, missing_key};
use crate::session::Session;

pub(crate) async fn experiment_of(
    conn: &mut Session,
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
    conn: &mut Session,
    target: &str,
    experiment: ExperimentId,
    id: Option<RunId>,
) -> Result<Option<RunId>, EngineError> {
    let failed = |err: sqlx::Error| match violated_foreign_key(&err) {
        Some(_) => EngineError::NoSuchExperiment(experiment),
        None => translate(target, err),
    };
    if let Some(id) = id {
        let inserted = sqlx::query_file_scalar!("../../queries/insert_run_as.sql", id.0, experiment.0);
        return inserted.fetch_optional(conn).await.map(|id| id.map(RunId)).map_err(failed);
    }
    loop {
        let inserted = sqlx::query_scalar!(
            "INSERT INTO runs (experiment_id) VALUES ($1) ON CONFLICT DO NOTHING RETURNING id",
            experiment.0
        );
        if let Some(id) = inserted.fetch_optional(&mut *conn).await.map_err(failed)? {
            return Ok(Some(RunId(id)));
        }
        skip_used_ids(conn, target).await?;
    }
}

/// Moves the sequence of automatic ids to the end of the block of used ids that it has run into. Someone
/// else may move it at the same time: the worst that can come of it is another conflict and another call.
async fn skip_used_ids(conn: &mut Session, target: &str) -> Result<(), EngineError> {
    sqlx::query!(
        "SELECT setval(pg_get_serial_sequence('runs', 'id'), used.id) AS moved
        FROM runs AS used
        WHERE used.id >= (SELECT nextval(pg_get_serial_sequence('runs', 'id')) - 1)
            AND NOT EXISTS (SELECT FROM runs AS next WHERE next.id = used.id + 1)
        ORDER BY used.id
        LIMIT 1"
    )
    .fetch_optional(conn)
    .await
    .map_err(|err| translate(target, err))?;
    Ok(())
}

/// Whether to write a time, and which: none is the time on the server's clock.
pub(crate) fn moment(moment: Option<Moment>) -> (bool, Option<OffsetDateTime>) {
    match moment {
        None => (false, None),
        Some(Moment::Now) => (true, None),
        Some(Moment::At(time)) => (true, Some(time)),
    }
}

pub(crate) async fn update(
    conn: &mut Session,
    target: &str,
    run: RunId,
    changes: &RunChanges,
) -> Result<(), EngineError> {
    let [tags, args, env, extras] =
        [&changes.tags, &changes.args, &changes.env, &changes.extras].map(PatchArguments::new);
    let links = Links::new(&changes.links);
    let (sets_created, created) = moment(changes.created);
    let (sets_started, started) = moment(changes.started);
    let (sets_updated, updated) = moment(changes.updated);
    let found = sqlx::query_file_scalar!(
        "sql/update_run.sql",
        run.0,
        changes.status,
        changes.comment.is_some(),
        changes.comment.as_ref().and_then(Option::as_deref),
        sets_created,
        created,
        sets_started,
        started,
        sets_updated,
        updated,
        tags.mode,
        tags.object,
        &tags.remove,
        args.mode,
        args.object,
        &args.remove,
        env.mode,
        env.object,
        &env.remove,
        extras.mode,
        extras.object,
        &extras.remove,
        &links.kinds,
        &links.to_ids,
        &links.is_added,
    )
    .fetch_one(conn)
    .await
    .map_err(|err| match violated_foreign_key(&err) {
        Some(_) => EngineError::NoSuchRun(RunId(missing_key(&err).unwrap_or(run.0))),
        None => translate(target, err),
    })?;
    if found == 0 { Err(EngineError::NoSuchRun(run)) } else { Ok(()) }
}

pub(crate) async fn belongings(
    conn: &mut Session,
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

pub(crate) async fn delete(conn: &mut Session, target: &str, run: RunId) -> Result<(), EngineError> {
    let deleted = sqlx::query_file!("../../queries/delete_run.sql", run.0)
        .execute(conn)
        .await
        .map_err(|err| translate(target, err))?;
    if deleted.rows_affected() == 0 { Err(EngineError::NoSuchRun(run)) } else { Ok(()) }
}
