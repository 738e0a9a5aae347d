//! The statements on experiments and their links.

use sqltrack_engines::{Belongings, EngineError, ExperimentChanges, ExperimentId, ExperimentRecord};

use crate::error::{is_unique_violation, translate, violated_foreign_key};
use crate::patch::{Links, PatchArguments, missing_key};
use crate::session::Session;

pub(crate) async fn find(
    conn: &mut Session,
    target: &str,
    id: ExperimentId,
) -> Result<Option<ExperimentRecord>, EngineError> {
    let row = sqlx::query_file!("../../queries/experiment_by_id.sql", id.0)
        .fetch_optional(conn)
        .await
        .map_err(|err| translate(target, err))?;
    Ok(row.map(|row| ExperimentRecord { id: ExperimentId(row.id), name: row.name }))
}

pub(crate) async fn find_named(
    conn: &mut Session,
    target: &str,
    name: &str,
) -> Result<Option<ExperimentRecord>, EngineError> {
    let row = sqlx::query_file!("../../queries/experiment_by_name.sql", name)
        .fetch_optional(conn)
        .await
        .map_err(|err| translate(target, err))?;
    Ok(row.map(|row| ExperimentRecord { id: ExperimentId(row.id), name: row.name }))
}

pub(crate) async fn insert(
    conn: &mut Session,
    target: &str,
    id: Option<ExperimentId>,
    name: &str,
) -> Result<Option<ExperimentId>, EngineError> {
    if let Some(id) = id {
        return insert_as(conn, target, id, name).await;
    }
    loop {
        let inserted = sqlx::query_scalar!(
            "INSERT INTO experiments (name) VALUES ($1) ON CONFLICT DO NOTHING RETURNING id",
            name
        )
        .fetch_optional(&mut *conn)
        .await
        .map_err(|err| translate(target, err))?;
        if let Some(id) = inserted {
            return Ok(Some(ExperimentId(id)));
        }
        if find_named(conn, target, name).await?.is_some() {
            return Ok(None);
        }
        skip_used_ids(conn, target).await?;
    }
}

async fn insert_as(
    conn: &mut Session,
    target: &str,
    id: ExperimentId,
    name: &str,
) -> Result<Option<ExperimentId>, EngineError> {
    let inserted = sqlx::query_file_scalar!("../../queries/insert_experiment_as.sql", id.0, name)
        .fetch_optional(conn)
        .await
        .map_err(|err| translate(target, err))?;
    Ok(inserted.map(ExperimentId))
}

/// Moves the sequence of automatic ids to the end of the block of used ids that it has run into. Someone
/// else may move it at the same time: the worst that can come of it is another conflict and another call.
async fn skip_used_ids(conn: &mut Session, target: &str) -> Result<(), EngineError> {
    sqlx::query!(
        "SELECT setval(pg_get_serial_sequence('experiments', 'id'), used.id) AS moved
        FROM experiments AS used
        WHERE used.id >= (SELECT nextval(pg_get_serial_sequence('experiments', 'id')) - 1)
            AND NOT EXISTS (SELECT FROM experiments AS next WHERE next.id = used.id + 1)
        ORDER BY used.id
        LIMIT 1"
    )
    .fetch_optional(conn)
    .await
    .map_err(|err| translate(target, err))?;
    Ok(())
}

pub(crate) async fn update(
    conn: &mut Session,
    target: &str,
    id: ExperimentId,
    changes: &ExperimentChanges,
) -> Result<(), EngineError> {
    let tags = PatchArguments::new(&changes.tags);
    let extras = PatchArguments::new(&changes.extras);
    let links = Links::new(&changes.links);
    let updated = sqlx::query_file_scalar!(
        "sql/update_experiment.sql",
        id.0,
        changes.name,
        changes.comment.is_some(),
        changes.comment.as_ref().and_then(Option::as_deref),
        tags.mode,
        tags.object,
        &tags.remove,
        extras.mode,
        extras.object,
        &extras.remove,
        &links.kinds,
        &links.to_ids,
        &links.is_added,
    )
    .fetch_one(conn)
    .await
    .map_err(|err| {
        if violated_foreign_key(&err).is_some() {
            return EngineError::NoSuchExperiment(ExperimentId(missing_key(&err).unwrap_or(id.0)));
        }
        match &changes.name {
            Some(name) if is_unique_violation(&err) => EngineError::NameTaken { name: name.clone() },
            _ => translate(target, err),
        }
    })?;
    if updated == 0 { Err(EngineError::NoSuchExperiment(id)) } else { Ok(()) }
}

pub(crate) async fn belongings(
    conn: &mut Session,
    target: &str,
    id: ExperimentId,
) -> Result<Option<Belongings>, EngineError> {
    let found = sqlx::query_file!("../../queries/experiment_belongings.sql", id.0)
        .fetch_optional(conn)
        .await
        .map_err(|err| translate(target, err))?;
    Ok(found.map(|row| Belongings {
        runs: row.runs.unsigned_abs(),
        metric_rows: row.metric_rows.unsigned_abs(),
        links: row.links.unsigned_abs(),
    }))
}

pub(crate) async fn delete(conn: &mut Session, target: &str, id: ExperimentId) -> Result<(), EngineError> {
    let deleted = sqlx::query_file!("../../queries/delete_experiment.sql", id.0)
        .execute(conn)
        .await
        .map_err(|err| translate(target, err))?;
    if deleted.rows_affected() == 0 { Err(EngineError::NoSuchExperiment(id)) } else { Ok(()) }
}
