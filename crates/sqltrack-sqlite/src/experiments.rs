//! The statements on experiments. The caller holds the write lock for those that write.

use sqltrack_engines::{
    Belongings, EngineError, ExperimentChanges, ExperimentId, ExperimentRecord, ObjectPatch,
};
use sqlx::SqliteConnection;

use crate::error::{is_unique_violation, translate};
use crate::ids::{self, Table};
use crate::links::change_experiment_links;
use crate::runs::patched;

pub(crate) async fn find(
    conn: &mut SqliteConnection,
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
    conn: &mut SqliteConnection,
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
    conn: &mut SqliteConnection,
    target: &str,
    id: Option<ExperimentId>,
    name: &str,
) -> Result<Option<ExperimentId>, EngineError> {
    let failed = |err| translate(target, err);
    let last = ids::last(&mut *conn, Table::Experiments).await.map_err(failed)?;
    let new = match id {
        Some(id) => id.0,
        None => ids::unused(&mut *conn, Table::Experiments).await.map_err(failed)?,
    };
    let inserted = sqlx::query_file_scalar!("../../queries/insert_experiment_as.sql", new, name)
        .fetch_optional(&mut *conn)
        .await
        .map_err(failed)?;
    if id.is_some() {
        ids::restore(conn, Table::Experiments, last).await.map_err(failed)?;
    }
    Ok(inserted.map(ExperimentId))
}

pub(crate) async fn update(
    conn: &mut SqliteConnection,
    target: &str,
    id: ExperimentId,
    changes: &ExperimentChanges,
) -> Result<(), EngineError> {
    let failed = |err| translate(target, err);
    let old = sqlx::query!(
        r#"SELECT tags AS "tags: String", extras AS "extras: String" FROM experiments WHERE id = $1"#,
        id.0
    );
    let old = old.fetch_optional(&mut *conn).await.map_err(failed)?;
    let old = old.ok_or(EngineError::NoSuchExperiment(id))?;
    let sets_comment = changes.comment.is_some();
    let comment = changes.comment.as_ref().and_then(Option::as_deref);
    let apply = |patch: &ObjectPatch, old: Option<String>| patched(target, patch, old);
    let tags = apply(&changes.tags, old.tags)?;
    let extras = apply(&changes.extras, old.extras)?;
    sqlx::query!(
        "UPDATE experiments SET
            name = COALESCE($2, name),
            comment = CASE WHEN $3 THEN $4 ELSE comment END,
            tags = $5,
            extras = $6
        WHERE id = $1",
        id.0,
        changes.name,
        sets_comment,
        comment,
        tags,
        extras
    )
    .execute(&mut *conn)
    .await
    .map_err(|err| match &changes.name {
        Some(name) if is_unique_violation(&err) => EngineError::NameTaken { name: name.clone() },
        _ => translate(target, err),
    })?;
    change_experiment_links(conn, target, id, &changes.links).await
}

pub(crate) async fn belongings(
    conn: &mut SqliteConnection,
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

pub(crate) async fn delete(
    conn: &mut SqliteConnection,
    target: &str,
    id: ExperimentId,
) -> Result<(), EngineError> {
    let deleted = sqlx::query_file!("../../queries/delete_experiment.sql", id.0)
        .execute(conn)
        .await
        .map_err(|err| translate(target, err))?;
    if deleted.rows_affected() == 0 { Err(EngineError::NoSuchExperiment(id)) } else { Ok(()) }
}
