//! Cases on the life of runs: leases, heartbeats, and giving up.

use std::time::Duration;

use super::metrics::{MetricsRow, add_column, row, write};
use super::{connect, run, values};
use crate::{
    Connection, Engine, EngineError, Heartbeat, MetricType, Moment, ReapedRun, Reaping, RunChanges, RunId,
    RunLife, RunLifeChange, Value,
};

const RUNS: &str = "SELECT id, time_heartbeat, time_updated FROM runs ORDER BY id";

/// A tracker that begins now.
pub(super) fn beginning(lease: i64, interval: Duration) -> RunLifeChange {
    RunLifeChange {
        status: Some("RUNNING".to_owned()),
        started: Some(Moment::Now),
        updated: None,
        lease,
        holder: Some("node:1".to_owned()),
        trackers: 1,
        interval,
        beats: true,
    }
}

pub(super) async fn further_run(conn: &mut dyn Connection) -> RunId {
    let experiment = conn.experiment_named("contract").await.unwrap().unwrap();
    conn.insert_run(experiment.id, None).await.unwrap().unwrap()
}

/// What is written is read, and a run that nobody has tracked has no life but its status.
pub async fn the_life_of_a_run_comes_back_as_written(engine: &dyn Engine) {
    let mut conn = connect(engine).await;
    let run = run(&mut *conn).await;
    let interval = Duration::from_millis(1500);
    let none = conn.run_life(run).await.unwrap().unwrap();
    assert_eq!(
        (none.status.as_str(), none.lease, none.trackers, none.is_live()),
        ("PLANNED", None, 0, false)
    );
    assert_eq!(conn.run_life(RunId(404)).await.unwrap(), None);
    let err = conn.set_run_life(RunId(404), &beginning(1, interval)).await.unwrap_err();
    assert!(matches!(err, EngineError::NoSuchRun(RunId(404))), "{err:?}");

    conn.set_run_life(run, &beginning(i64::MAX, interval)).await.unwrap();
    let life = conn.run_life(run).await.unwrap().unwrap();
    let expected = RunLife {
        status: "RUNNING".to_owned(),
        is_started: true,
        lease: Some(i64::MAX),
        holder: Some("node:1".to_owned()),
        trackers: 1,
        silence: Some(life.silence.unwrap()),
        interval: Some(interval),
    };
    assert_eq!(life, expected);
    let end = RunLifeChange { status: None, beats: false, trackers: 0, ..beginning(i64::MAX, interval) };
    conn.set_run_life(run, &end).await.unwrap();
    let ended = conn.run_life(run).await.unwrap().unwrap();
    assert_eq!((ended.status.as_str(), ended.silence, ended.is_live()), ("RUNNING", None, false));
}

/// A heartbeat tells which of its runs still have their tracker, and leaves the others alone.
pub async fn a_heartbeat_needs_its_lease(engine: &dyn Engine) {
    let mut conn = connect(engine).await;
    let mine = run(&mut *conn).await;
    let (other, ended) = (further_run(&mut *conn).await, further_run(&mut *conn).await);
    let interval = Duration::from_secs(30);
    conn.set_run_life(mine, &beginning(1, interval)).await.unwrap();
    conn.set_run_life(other, &beginning(2, interval)).await.unwrap();
    conn.set_run_life(ended, &RunLifeChange { trackers: 0, ..beginning(1, interval) }).await.unwrap();
    let before = values(&mut *conn, RUNS).await;
    let beats = [mine, other, ended].map(|run| Heartbeat { run, lease: 1, touches: true });
    let mut held = Vec::new();
    let mut after = before.clone();
    // A clock may stand still for a moment.
    while before[0][1] == after[0][1] {
        held = conn.beat(&beats).await.unwrap();
        after = values(&mut *conn, RUNS).await;
    }
    assert_eq!(held, [mine]);
    assert_eq!(before[1..], after[1..]);
    assert!(!after[0][2].is_null());
    assert_eq!(conn.beat(&[]).await.unwrap(), []);
}

/// A lease that is not the run's any more keeps everything of a row from being written.
pub async fn metrics_need_the_lease_that_they_name(engine: &dyn Engine) {
    let mut conn = connect(engine).await;
    let run = run(&mut *conn).await;
    add_column(&mut *conn, "n", MetricType::Int).await;
    conn.set_run_life(run, &beginning(1, Duration::from_secs(30))).await.unwrap();
    let one = row(run, &[("n", Value::Int(1))]);
    for updated in [None, Some(Moment::Now)] {
        let overflow = vec![("far".to_owned(), Value::Float(0.5))];
        let lost = MetricsRow { lease: Some(2), updated, overflow, ..one.clone() };
        let err = write(&mut *conn, &lost).await.unwrap_err();
        assert!(matches!(err, EngineError::LeaseLost { run: id, .. } if id == run), "{err:?}");
        let written = "SELECT (SELECT count(*) FROM metrics) + (SELECT count(*) FROM metrics_overflow) \
            + (SELECT count(*) FROM runs WHERE time_updated IS NOT NULL)";
        assert_eq!(values(&mut *conn, written).await, [[Value::Int(0)]]);
    }
    let unknown = MetricsRow { run: RunId(404), lease: Some(1), ..one.clone() };
    let err = write(&mut *conn, &unknown).await.unwrap_err();
    assert!(matches!(err, EngineError::NoSuchRun(RunId(404))), "{err:?}");
    for updated in [None, Some(Moment::Now)] {
        write(&mut *conn, &MetricsRow { lease: Some(1), updated, ..one.clone() }).await.unwrap();
    }
    assert_eq!(values(&mut *conn, "SELECT n FROM metrics").await, [[Value::Int(1)]]);
}

fn reaping(stale: Duration, untracked: bool) -> Reaping {
    Reaping { status: "GONE".to_owned(), stale, untracked }
}

/// Gives up until there is something to give up.
async fn reap(conn: &mut dyn Connection, reaping: &Reaping) -> Vec<(RunId, Option<String>)> {
    loop {
        let reaped = conn.reap(reaping).await.unwrap();
        if !reaped.is_empty() {
            return reaped.into_iter().map(|ReapedRun { run, holder, .. }| (run, holder)).collect();
        }
    }
}

/// Patience is at least that of three heartbeats, and a run without any is judged only if that is asked for.
pub async fn only_silent_runs_are_reaped(engine: &dyn Engine) {
    let mut conn = connect(engine).await;
    let short = run(&mut *conn).await;
    let (long, plain) = (further_run(&mut *conn).await, further_run(&mut *conn).await);
    conn.set_run_life(short, &beginning(1, Duration::from_millis(1))).await.unwrap();
    conn.set_run_life(long, &beginning(1, Duration::from_secs(30))).await.unwrap();
    let running = RunChanges { status: Some("RUNNING".to_owned()), ..RunChanges::default() };
    conn.update_run(plain, &running).await.unwrap();
    assert_eq!(conn.reap(&reaping(Duration::from_secs(3600), true)).await.unwrap(), []);
    let reaped = reap(&mut *conn, &reaping(Duration::ZERO, false)).await;
    assert_eq!(reaped, [(short, Some("node:1".to_owned()))]);
    assert_eq!(reap(&mut *conn, &reaping(Duration::ZERO, true)).await, [(plain, None)]);
    let left = values(&mut *conn, "SELECT status FROM runs ORDER BY id").await;
    assert_eq!(left.concat(), ["GONE", "RUNNING", "GONE"].map(Value::from));
}
