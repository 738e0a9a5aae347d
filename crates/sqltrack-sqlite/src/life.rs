//! The statements on the life of runs. The caller holds the write lock.

use std::time::Duration;

use sqltrack_engines::{
    EngineError, ExperimentId, Heartbeat, Moment, ReapedRun, Reaping, RunId, RunLife, RunLifeChange,
};
use sqlx::SqliteConnection;
use time::OffsetDateTime;

use crate::error::translate;
use crate::runs::moment;
use crate::text;

/// A missing column of a known table is one that a newer setup adds.
fn failed(target: &str) -> impl Fn(sqlx::Error) -> EngineError {
    move |err| match translate(target, err) {
        EngineError::NoSuchColumn { .. } => EngineError::Outdated { target: target.to_owned() },
        other => other,
    }
}

/// A number of seconds in a column; one that no duration can have is none.
fn seconds(number: Option<f64>) -> Option<Duration> {
    Duration::try_from_secs_f64(number?.max(0.0)).ok()
}

/// `now` where the time of the change is asked for.
fn at(change: Option<Moment>, now: OffsetDateTime) -> Option<Moment> {
    change.map(|change| match change {
        Moment::Now => Moment::At(now),
        at => at,
    })
}

pub(crate) async fn find(
    conn: &mut SqliteConnection,
    target: &str,
    run: RunId,
    now: OffsetDateTime,
) -> Result<Option<RunLife>, EngineError> {
    let now = moment(Some(Moment::At(now)))?;
    let row = sqlx::query!(
        r#"SELECT
            status,
            time_started IS NOT NULL AS "is_started!: bool",
            lease,
            holder,
            COALESCE(trackers, 0) AS "trackers!: i64",
            unixepoch($2, 'subsec') - unixepoch(time_heartbeat, 'subsec') AS "silence: f64",
            heartbeat_interval
        FROM runs WHERE id = $1"#,
        run.0,
        now
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
    conn: &mut SqliteConnection,
    target: &str,
    run: RunId,
    change: &RunLifeChange,
    now: OffsetDateTime,
) -> Result<(), EngineError> {
    let started = moment(at(change.started, now))?;
    let updated = moment(at(change.updated, now))?;
    let heartbeat = moment(change.beats.then_some(Moment::At(now)))?;
    let interval = change.interval.as_secs_f64();
    let done = sqlx::query!(
        "UPDATE runs SET
            status = COALESCE($2, status),
            time_started = COALESCE($3, time_started),
            time_updated = COALESCE($4, time_updated),
            lease = $5,
            holder = $6,
            trackers = $7,
            heartbeat_interval = $8,
            time_heartbeat = $9
        WHERE id = $1",
        run.0,
        change.status,
        started,
        updated,
        change.lease,
        change.holder,
        change.trackers,
        interval,
        heartbeat
    )
    .execute(conn)
    .await
    .map_err(failed(target))?;
    if done.rows_affected() == 0 { Err(EngineError::NoSuchRun(run)) } else { Ok(()) }
}

/// Whether `run` has this lease. A run that is gone has none.
pub(crate) async fn check_lease(
    conn: &mut SqliteConnection,
    target: &str,
    run: RunId,
    lease: i64,
) -> Result<(), EngineError> {
    let row = sqlx::query!("SELECT lease, holder FROM runs WHERE id = $1", run.0)
        .fetch_optional(conn)
        .await
        .map_err(failed(target))?;
    match row {
        None => Err(EngineError::NoSuchRun(run)),
        Some(row) if row.lease == Some(lease) => Ok(()),
        Some(row) => Err(EngineError::LeaseLost { run, holder: row.holder }),
    }
}

pub(crate) async fn beat(
    conn: &mut SqliteConnection,
    target: &str,
    beats: &[Heartbeat],
    now: OffsetDateTime,
) -> Result<Vec<RunId>, EngineError> {
    let now = moment(Some(Moment::At(now)))?;
    let mut held = Vec::with_capacity(beats.len());
    for beat in beats {
        let done = sqlx::query!(
            "UPDATE runs SET
                time_heartbeat = $3,
                time_updated = CASE WHEN $4 THEN $3 ELSE time_updated END
            WHERE id = $1 AND lease = $2 AND trackers > 0",
            beat.run.0,
            beat.lease,
            now,
            beat.touches
        )
        .execute(&mut *conn)
        .await
        .map_err(failed(target))?;
        if done.rows_affected() > 0 {
            held.push(beat.run);
        }
    }
    Ok(held)
}

pub(crate) async fn reap(
    conn: &mut SqliteConnection,
    target: &str,
    reaping: &Reaping,
    now: OffsetDateTime,
) -> Result<Vec<ReapedRun>, EngineError> {
    let now_text = moment(Some(Moment::At(now)))?;
    let stale = reaping.stale.as_secs_f64();
    let rows = sqlx::query!(
        r#"UPDATE runs SET status = $1, trackers = CASE WHEN lease IS NOT NULL THEN 0 END
        WHERE status = 'RUNNING' AND CASE
            WHEN time_heartbeat >= COALESCE(time_started, time_heartbeat) THEN
                unixepoch($4, 'subsec') - unixepoch(time_heartbeat, 'subsec') > max($2, 3 * heartbeat_interval)
            ELSE
                $3 AND unixepoch($4, 'subsec')
                    - unixepoch(COALESCE(time_updated, time_started, time_created), 'subsec') > $2
        END
        RETURNING
            id AS "id!: i64",
            experiment_id AS "experiment_id!: i64",
            holder,
            COALESCE(
                max(time_heartbeat, time_updated), time_heartbeat, time_updated, time_started, time_created
            ) AS "last_heard!: String""#,
        reaping.status,
        stale,
        reaping.untracked,
        now_text
    )
    .fetch_all(conn)
    .await
    .map_err(failed(target))?;
    let reaped = rows.into_iter().map(|row| ReapedRun {
        run: RunId(row.id),
        experiment: ExperimentId(row.experiment_id),
        holder: row.holder,
        // Text that is no time was written by someone else.
        last_heard: text::to_timestamp(&row.last_heard).unwrap_or(now),
    });
    Ok(reaped.collect())
}
