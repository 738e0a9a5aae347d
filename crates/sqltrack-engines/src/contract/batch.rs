//! What a batch of metrics has to do: everything of it or nothing.

use std::slice::from_ref;
use std::sync::Arc;
use std::time::Duration;

use super::metrics::add_column;
use super::{connect, life::beginning, run, values};
use crate::{
    ColumnSet, Connection, Engine, EngineError, MetricType, MetricsBatch, MetricsGroup, MetricsKey, Moment,
    OverflowValue, RunId, RunWrite, Value,
};

fn key(run: RunId, step: i64) -> MetricsKey {
    MetricsKey { run, step, progress: 0.0 }
}

fn group(columns: &[(&str, MetricType)], rows: &[(MetricsKey, &[Value])]) -> MetricsGroup {
    let columns = columns.iter().map(|(name, metric_type)| ((*name).to_owned(), *metric_type)).collect();
    MetricsGroup {
        columns: Arc::new(ColumnSet::new(columns)),
        keys: rows.iter().map(|(key, _)| *key).collect(),
        values: rows.iter().flat_map(|(_, values)| values.iter().cloned()).collect(),
    }
}

fn plain(run: RunId) -> RunWrite {
    RunWrite { run, lease: None, updated: None }
}

async fn columns(conn: &mut dyn Connection) {
    add_column(conn, "a", MetricType::Float).await;
    add_column(conn, "b", MetricType::Text).await;
}

/// Rows of one run, and rows of several, with one value or many.
pub async fn a_batch_is_written_whole(engine: &dyn Engine) {
    let mut conn = connect(engine).await;
    let first = run(&mut *conn).await;
    let second = super::life::further_run(&mut *conn).await;
    columns(&mut *conn).await;
    let (one, two) = (Value::Float(1.0), Value::Float(f64::NEG_INFINITY));
    let text = Value::from("x\u{1F980}");
    let a = &[("a", MetricType::Float)][..];
    let both = &[("b", MetricType::Text), ("a", MetricType::Float)][..];
    let batch = MetricsBatch {
        runs: vec![plain(first)],
        groups: vec![group(a, &[(key(first, 1), from_ref(&one)), (key(first, 2), from_ref(&two))])],
        overflow: vec![],
    };
    conn.write_metrics_batch(&batch).await.unwrap();
    let batch = MetricsBatch {
        runs: vec![plain(first), plain(second)],
        groups: vec![
            group(a, &[(key(second, 1), from_ref(&two))]),
            group(
                both,
                &[
                    (key(first, 2), &[text.clone(), Value::Null]),
                    (key(second, 7), &[Value::Null, one.clone()]),
                ],
            ),
        ],
        overflow: vec![OverflowValue { key: key(second, 7), name: "far".to_owned(), value: Value::Int(7) }],
    };
    conn.write_metrics_batch(&batch).await.unwrap();
    let stored = values(&mut *conn, "SELECT run_id, step, a, b FROM metrics ORDER BY run_id, step").await;
    let id = |run: RunId| Value::Int(run.0);
    assert_eq!(
        stored,
        [
            [id(first), 1.into(), one.clone(), Value::Null],
            [id(first), 2.into(), Value::Null, text],
            [id(second), 1.into(), two, Value::Null],
            [id(second), 7.into(), one, Value::Null],
        ]
    );
    let spilled = values(&mut *conn, "SELECT run_id, step, name, value FROM metrics_overflow").await;
    assert_eq!(spilled, [[id(second), 7.into(), "far".into(), 7.0.into()]]);
}

/// A value is in one place, also if it moves there with many others.
pub async fn a_batch_takes_values_out_of_the_overflow(engine: &dyn Engine) {
    let mut conn = connect(engine).await;
    let run = run(&mut *conn).await;
    columns(&mut *conn).await;
    let spilled = |step, name: &str| OverflowValue {
        key: key(run, step),
        name: name.to_owned(),
        value: Value::Float(0.5),
    };
    for is_alone in [true, false] {
        let overflow = vec![spilled(1, "a"), spilled(1, "far"), spilled(2, "a"), spilled(3, "a")];
        conn.write_metrics_batch(&MetricsBatch { runs: vec![plain(run)], groups: vec![], overflow })
            .await
            .unwrap();
        let value = &[Value::Float(1.5)][..];
        let a = &[("a", MetricType::Float)][..];
        let overflow =
            if is_alone { vec![] } else { vec![OverflowValue { value: Value::Null, ..spilled(3, "a") }] };
        let rows = [(key(run, 1), value), (key(run, 2), value)];
        let batch = MetricsBatch { runs: vec![plain(run)], groups: vec![group(a, &rows)], overflow };
        conn.write_metrics_batch(&batch).await.unwrap();
        let left = values(&mut *conn, "SELECT step, name FROM metrics_overflow ORDER BY step, name").await;
        let mut expected = vec![[Value::Int(1), "far".into()], [Value::Int(3), "a".into()]];
        expected.truncate(if is_alone { 2 } else { 1 });
        assert_eq!(left, expected);
    }
}

/// One run that is not there, or not held any more, keeps everything from being written.
pub async fn a_batch_is_refused_whole(engine: &dyn Engine) {
    let mut conn = connect(engine).await;
    let run = run(&mut *conn).await;
    columns(&mut *conn).await;
    conn.set_run_life(run, &beginning(1, Duration::from_secs(30))).await.unwrap();
    let a = &[("a", MetricType::Float)][..];
    let value = &[Value::Float(1.5)][..];
    let now = Some(Moment::Now);
    let written = "SELECT (SELECT count(*) FROM metrics) + (SELECT count(*) FROM metrics_overflow) \
        + (SELECT count(*) FROM runs WHERE time_updated IS NOT NULL)";
    for (runs, rows) in [
        (vec![RunWrite { run, lease: Some(2), updated: now }], vec![key(run, 1), key(run, 2)]),
        (vec![RunWrite { run, lease: Some(2), updated: None }], vec![key(run, 1)]),
        (
            vec![RunWrite { updated: now, ..plain(run) }, plain(RunId(404))],
            vec![key(run, 1), key(RunId(404), 1)],
        ),
        (vec![plain(RunId(404))], vec![]),
    ] {
        let is_lost = runs[0].lease.is_some();
        let rows: Vec<_> = rows.into_iter().map(|key| (key, value)).collect();
        let groups = if rows.is_empty() { vec![] } else { vec![group(a, &rows)] };
        let batch = MetricsBatch { runs, groups, overflow: vec![] };
        let err = conn.write_metrics_batch(&batch).await.unwrap_err();
        match err {
            EngineError::LeaseLost { run: id, .. } => assert!(is_lost && id == run),
            EngineError::NoSuchRun(RunId(404)) => assert!(!is_lost),
            err => panic!("{err:?}"),
        }
        assert_eq!(values(&mut *conn, written).await, [[Value::Int(0)]]);
    }
    let held = RunWrite { run, lease: Some(1), updated: now };
    let batch =
        MetricsBatch { runs: vec![held], groups: vec![group(a, &[(key(run, 1), value)])], overflow: vec![] };
    conn.write_metrics_batch(&batch).await.unwrap();
    assert_eq!(values(&mut *conn, written).await, [[Value::Int(2)]]);
}
