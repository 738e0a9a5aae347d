//! The statements on writers and on runs that were begun without a database.

use sqltrack_engines::{EngineError, OfflineRunId, RunId, WriterId};

use crate::error::{translate, violated_foreign_key};
use crate::session::Session;

pub(crate) async fn delivered(
    conn: &mut Session,
    target: &str,
    writer: WriterId,
) -> Result<i64, EngineError> {
    // An update where there is a row, since that locks it.
    sqlx::query_file_scalar!("../../queries/delivered.sql", writer.to_string())
        .fetch_one(conn)
        .await
        .map_err(|err| translate(target, err))
}

pub(crate) async fn note_delivered(
    conn: &mut Session,
    target: &str,
    writer: WriterId,
    last_seq: i64,
) -> Result<(), EngineError> {
    let noted = sqlx::query_file!("../../queries/note_delivered.sql", writer.to_string(), last_seq)
        .execute(conn)
        .await
        .map_err(|err| translate(target, err))?;
    if noted.rows_affected() == 0 { Err(EngineError::AlreadyDelivered { writer, last_seq }) } else { Ok(()) }
}

pub(crate) async fn finish(conn: &mut Session, target: &str, writer: WriterId) -> Result<(), EngineError> {
    sqlx::query_file!("../../queries/finish_writer.sql", writer.to_string())
        .execute(conn)
        .await
        .map_err(|err| translate(target, err))?;
    Ok(())
}

pub(crate) async fn offline_run(
    conn: &mut Session,
    target: &str,
    id: OfflineRunId,
) -> Result<Option<RunId>, EngineError> {
    let run = sqlx::query_file_scalar!("../../queries/offline_run.sql", id.to_string())
        .fetch_optional(conn)
        .await
        .map_err(|err| translate(target, err))?;
    Ok(run.map(RunId))
}

pub(crate) async fn note_offline_run(
    conn: &mut Session,
    target: &str,
    id: OfflineRunId,
    run: RunId,
) -> Result<(), EngineError> {
    let noted = sqlx::query_file!("../../queries/note_offline_run.sql", id.to_string(), run.0);
    noted.execute(conn).await.map(drop).map_err(|err| match violated_foreign_key(&err) {
        Some(_) => EngineError::NoSuchRun(run),
        None => translate(target, err),
    })
}
