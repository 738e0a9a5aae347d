//! The statements on the life of runs. The clock is the server's.

use std::time::Duration;

use sqltrack_engines::{
    EngineError, ExperimentId, Heartbeat, ReapedRun, Reaping, RunId, RunLife, RunLifeChange,
};

use crate::error::{has_code, translate};
use crate::runs::moment;
use crate::session::Session;

const UNDEFINED_COLUMN: &str = "42703";

fn failed(target: &str) -> impl Fn(sqlx::Error) -> EngineError {
    move |err| match has_code(&err, UNDEFINED_COLUMN) {
        true => EngineError::Outdated { target: target.to_owned() },
        false => translate(target, err),
    }
}

/// A number of seconds in a column; one that no duration can have is none.
fn seconds(number: Option<f64>) -> Option<Duration> {
    Duration::try_from_secs_f64(number?.max(0.0)).ok()
}

pub(crate) async fn find(
    conn: &mut Session,
    target: &str,
    run: RunId,
) -> Result<Option<RunLife>, EngineError> {
    // The weaker of the locks for writing: adding metrics refers to the run, and need not wait.
    let row = sqlx::query!(
        r#"SELECT
            status,
            time_started IS NOT NULL AS "is_started!",
            lease,
            holder,
            COALESCE(trackers, 0)::BIGINT AS "trackers!",
            EXTRACT(EPOCH FROM clock_timestamp() - time_heartbeat)::DOUBLE PRECISION AS silence,
            heartbeat_interval
        FROM runs WHERE id = $1 FOR NO KEY UPDATE"#,
        run.0
    )
    .fetch_optional(conn)
    .await
    .map_err(failed(target))?;
    Ok(row.map(|row| RunLife {
        status: row.status,
        is_started: row.is_started,
        lease: row.lease,
        holder: row.holder,
        trackers: row.trackers,
        silence: seconds(row.silence),
        interval: seconds(row.heartbeat_interval),
    }))
}

pub(crate) async fn set(
    conn: &mut Session,
    target: &str,
    run: RunId,
    change: &RunLifeChange,
) -> Result<(), EngineError> {
    let (sets_started, started) = moment(change.started);
    let (sets_updated, updated) = moment(change.updated);
    // One time for all, so that the first heartbeat does not come before the start.
    let done = sqlx::query!(
        "UPDATE runs SET
            status = COALESCE($2, status),
            time_started = CASE WHEN $3::BOOLEAN THEN COALESCE($4, clock.now) ELSE time_started END,
            time_updated = CASE WHEN $5::BOOLEAN THEN COALESCE($6, clock.now) ELSE time_updated END,
            lease = $7,
            holder = $8,
            trackers = $9::BIGINT,
            heartbeat_interval = $10,
            time_heartbeat = CASE WHEN $11::BOOLEAN THEN clock.now END
        FROM (SELECT clock_timestamp() AS now) AS clock
        WHERE id = $1",
        run.0,
        change.status,
        sets_started,
        started,
        sets_updated,
        updated,
        change.lease,
        change.holder,
        change.trackers,
        change.interval.as_secs_f64(),
        change.beats,
    )
    .execute(conn)
    .await
    .map_err(failed(target))?;
    if done.rows_affected() == 0 { Err(EngineError::NoSuchRun(run)) } else { Ok(()) }
}

/// Why a run is not this process's any more: someone else has it, or it is gone.
pub(crate) async fn explain_loss(conn: &mut Session, target: &str, run: RunId) -> EngineError {
    let holder = sqlx::query_scalar!("SELECT holder FROM runs WHERE id = $1", run.0);
    match holder.fetch_optional(conn).await.map_err(failed(target)) {
        Ok(Some(holder)) => EngineError::LeaseLost { run, holder },
        Ok(None) => EngineError::NoSuchRun(run),
        Err(err) => err,
    }
}

pub(crate) async fn beat(
    conn: &mut Session,
    target: &str,
    beats: &[Heartbeat],
) -> Result<Vec<RunId>, EngineError> {
    let runs: Vec<i64> = beats.iter().map(|beat| beat.run.0).collect();
    let leases: Vec<i64> = beats.iter().map(|beat| beat.lease).collect();
    let touches: Vec<bool> = beats.iter().map(|beat| beat.touches).collect();
    let held = sqlx::query_scalar!(
        "UPDATE runs SET
            time_heartbeat = clock_timestamp(),
            time_updated = CASE WHEN beat.touches THEN clock_timestamp() ELSE time_updated END
        FROM unnest($1::BIGINT[], $2::BIGINT[], $3::BOOLEAN[]) AS beat (id, lease, touches)
        WHERE runs.id = beat.id AND runs.lease = beat.lease AND runs.trackers > 0
        RETURNING runs.id",
        &runs,
        &leases,
        &touches
    )
    .fetch_all(conn)
    .await
    .map_err(failed(target))?;
    Ok(held.into_iter().map(RunId).collect())
}

pub(crate) async fn reap(
    conn: &mut Session,
    target: &str,
    reaping: &Reaping,
) -> Result<Vec<ReapedRun>, EngineError> {
    let rows = sqlx::query!(
        r#"UPDATE runs SET status = $1, trackers = CASE WHEN lease IS NOT NULL THEN 0 END
        WHERE status = 'RUNNING' AND CASE
            WHEN time_heartbeat >= COALESCE(time_started, time_heartbeat) THEN
                time_heartbeat < clock_timestamp() - make_interval(secs => GREATEST($2, 3 * heartbeat_interval))
            ELSE
                $3::BOOLEAN
                AND COALESCE(time_updated, time_started, time_created) < clock_timestamp() - make_interval(secs => $2)
        END
        RETURNING
            id,
            experiment_id,
            holder,
            COALESCE(GREATEST(time_heartbeat, time_updated), time_started, time_created) AS "last_heard!""#,
        reaping.status,
        reaping.stale.as_secs_f64(),
        reaping.untracked
    )
    .fetch_all(conn)
    .await
    .map_err(failed(target))?;
    let reaped = rows.into_iter().map(|row| ReapedRun {
        run: RunId(row.id),
        experiment: ExperimentId(row.experiment_id),
        holder: row.holder,
        last_heard: row.last_heard,
    });
    Ok(reaped.collect())
}
