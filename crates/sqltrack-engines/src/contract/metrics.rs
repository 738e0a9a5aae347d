//! Cases on single rows of metrics and the columns that they need.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::{connect, run, values};
use crate::{
    ColumnSet, Connection, Engine, EngineError, MetricType, MetricsBatch, MetricsGroup, MetricsKey, Moment,
    OverflowValue, RunId, RunWrite, Value,
};

/// One row of metrics. A column whose value is NULL is one of integers.
#[derive(Clone)]
pub(super) struct MetricsRow {
    pub(super) run: RunId,
    pub(super) step: i64,
    pub(super) progress: f64,
    pub(super) columns: Vec<(String, Value)>,
    pub(super) overflow: Vec<(String, Value)>,
    pub(super) updated: Option<Moment>,
    pub(super) lease: Option<i64>,
}

pub(super) fn row(run: RunId, columns: &[(&str, Value)]) -> MetricsRow {
    let columns = columns.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    MetricsRow { run, step: 3, progress: 0.5, columns, overflow: Vec::new(), updated: None, lease: None }
}

/// Writes one row alone.
pub(super) async fn write(conn: &mut dyn Connection, row: &MetricsRow) -> Result<(), EngineError> {
    let key = MetricsKey { run: row.run, step: row.step, progress: row.progress };
    let typed =
        |(name, value): &(String, Value)| (name.clone(), value.metric_type().unwrap_or(MetricType::Int));
    let columns = Arc::new(ColumnSet::new(row.columns.iter().map(typed).collect()));
    let values = row.columns.iter().map(|(_, value)| value.clone()).collect();
    let spilled =
        |(name, value): &(String, Value)| OverflowValue { key, name: name.clone(), value: value.clone() };
    let batch = MetricsBatch {
        runs: vec![RunWrite { run: row.run, lease: row.lease, updated: row.updated }],
        groups: vec![MetricsGroup { columns, keys: vec![key], values }],
        overflow: row.overflow.iter().map(spilled).collect(),
    };
    conn.write_metrics_batch(&batch).await
}

pub(super) async fn add_column(conn: &mut dyn Connection, name: &str, metric_type: MetricType) {
    conn.add_metric_columns(&[(name.to_owned(), metric_type)], Duration::from_secs(10)).await.unwrap();
}

/// Metrics of no run are an error.
pub async fn metrics_need_their_run(engine: &dyn Engine) {
    let mut conn = connect(engine).await;
    let err = write(&mut *conn, &row(RunId(404), &[])).await.unwrap_err();
    assert!(matches!(err, EngineError::NoSuchRun(RunId(404))), "{err:?}");
}

/// A column that is missing is an error of its own, since a caller can do something about it.
pub async fn metrics_need_their_columns(engine: &dyn Engine) {
    let mut conn = connect(engine).await;
    let run = run(&mut *conn).await;
    let err = write(&mut *conn, &row(run, &[("loss", Value::Float(0.5))])).await.unwrap_err();
    assert!(matches!(err, EngineError::NoSuchColumn { .. }), "{err:?}");
}

/// Adding a column that exists changes nothing, whatever type is asked for.
pub async fn a_column_is_added_once(engine: &dyn Engine) {
    let mut conn = connect(engine).await;
    add_column(&mut *conn, "loss", MetricType::Float).await;
    add_column(&mut *conn, "loss", MetricType::Text).await;
    let columns = conn.metric_columns().await.unwrap();
    let columns: Vec<_> = columns.iter().map(|column| (column.name.as_str(), column.kind)).collect();
    assert_eq!(columns, [("loss", crate::ColumnKind::Metric(MetricType::Float))]);
}

/// Integers are the floats that equal them, NULL stays NULL.
pub async fn a_wide_column_keeps_its_integers(engine: &dyn Engine) {
    let mut conn = connect(engine).await;
    let run = run(&mut *conn).await;
    add_column(&mut *conn, "n", MetricType::Int).await;
    write(&mut *conn, &row(run, &[("n", Value::Int(1 << 53))])).await.unwrap();
    write(&mut *conn, &MetricsRow { step: 4, ..row(run, &[("n", Value::Null)]) }).await.unwrap();
    conn.widen_metric_column("n", Duration::from_secs(10)).await.unwrap();
    let stored = values(&mut *conn, "SELECT n FROM metrics ORDER BY step").await;
    assert_eq!(stored, [[Value::Float(9_007_199_254_740_992.0)], [Value::Null]]);
}

/// An integer that no float equals is in the way.
pub async fn a_column_is_not_widened_over_large_integers(engine: &dyn Engine) {
    let mut conn = connect(engine).await;
    let run = run(&mut *conn).await;
    add_column(&mut *conn, "n", MetricType::Int).await;
    write(&mut *conn, &row(run, &[("n", Value::Int((1 << 53) + 1))])).await.unwrap();
    let err = conn.widen_metric_column("n", Duration::from_secs(10)).await.unwrap_err();
    assert!(matches!(err, EngineError::BadValue(_)), "{err:?}");
    assert_eq!(values(&mut *conn, "SELECT n FROM metrics").await, [[Value::Int((1 << 53) + 1)]]);
}

/// NULL is a value to write, not one to leave out.
pub async fn null_clears_a_metric(engine: &dyn Engine) {
    let mut conn = connect(engine).await;
    let run = run(&mut *conn).await;
    add_column(&mut *conn, "a", MetricType::Int).await;
    add_column(&mut *conn, "b", MetricType::Int).await;
    write(&mut *conn, &row(run, &[("a", Value::Int(1)), ("b", Value::Int(2))])).await.unwrap();
    write(&mut *conn, &row(run, &[("a", Value::Null)])).await.unwrap();
    assert_eq!(values(&mut *conn, "SELECT a, b FROM metrics").await, [[Value::Null, Value::Int(2)]]);
}

/// A metric is in one place at a time.
pub async fn a_value_moves_from_the_overflow_to_its_column(engine: &dyn Engine) {
    let mut conn = connect(engine).await;
    let run = run(&mut *conn).await;
    let overflow = vec![("a".to_owned(), Value::Json(json!({"x": [1]}))), ("b".to_owned(), Value::Int(7))];
    write(&mut *conn, &MetricsRow { overflow, ..row(run, &[]) }).await.unwrap();
    add_column(&mut *conn, "a", MetricType::Int).await;
    write(&mut *conn, &row(run, &[("a", Value::Int(1))])).await.unwrap();
    let spilled = values(&mut *conn, "SELECT name, value FROM metrics_overflow").await;
    assert_eq!(spilled, [[Value::from("b"), Value::Float(7.0)]]);
    assert_eq!(values(&mut *conn, "SELECT a FROM metrics").await, [[Value::Int(1)]]);
}
