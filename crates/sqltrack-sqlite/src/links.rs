//! Links between experiments and between runs.

use sqltrack_engines::{EngineError, ExperimentId, LinkChanges, RunId};
use sqlx::SqliteConnection;

use crate::error::{is_foreign_key_violation, translate};

pub(crate) async fn change_experiment_links(
    conn: &mut SqliteConnection,
    target: &str,
    from: ExperimentId,
    changes: &LinkChanges,
) -> Result<(), EngineError> {
    for ((kind, to_id), is_added) in changes {
        let done = if *is_added {
            sqlx::query!(
                "INSERT INTO experiment_links (from_id, kind, to_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                from.0,
                kind,
                to_id
            )
            .execute(&mut *conn)
            .await
        } else {
            sqlx::query!(
                "DELETE FROM experiment_links WHERE from_id = $1 AND kind = $2 AND to_id = $3",
                from.0,
                kind,
                to_id
            )
            .execute(&mut *conn)
            .await
        };
        done.map_err(|err| match is_foreign_key_violation(&err) {
            true => EngineError::NoSuchExperiment(ExperimentId(*to_id)),
            false => translate(target, err),
        })?;
    }
    Ok(())
}

pub(crate) async fn change_run_links(
    conn: &mut SqliteConnection,
    target: &str,
    from: RunId,
    changes: &LinkChanges,
) -> Result<(), EngineError> {
    for ((kind, to_id), is_added) in changes {
        let done = if *is_added {
            sqlx::query!(
                "INSERT INTO run_links (from_id, kind, to_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                from.0,
                kind,
                to_id
            )
            .execute(&mut *conn)
            .await
        } else {
            sqlx::query!(
                "DELETE FROM run_links WHERE from_id = $1 AND kind = $2 AND to_id = $3",
                from.0,
                kind,
                to_id
            )
            .execute(&mut *conn)
            .await
        };
        done.map_err(|err| match is_foreign_key_violation(&err) {
            true => EngineError::NoSuchRun(RunId(*to_id)),
            false => translate(target, err),
        })?;
    }
    Ok(())
}
