//! Many rows of metrics that are written together: checked, and grouped by the columns that they name.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::{MetricType, Moment, RunId, Value};

/// Columns of `metrics` that rows are written to, in an order of their own.
///
/// Each has an id, unique in this process, by which an engine keeps the statements that it made for it.
#[derive(Debug)]
pub struct ColumnSet {
    id: u64,
    columns: Vec<(String, MetricType)>,
}

impl ColumnSet {
    /// The set of these columns: their names, and the type of the values that they are given.
    #[must_use]
    pub fn new(columns: Vec<(String, MetricType)>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self { id: NEXT.fetch_add(1, Ordering::Relaxed), columns }
    }

    /// What tells this set from all others of the process.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The columns in order.
    #[must_use]
    pub fn columns(&self) -> &[(String, MetricType)] {
        &self.columns
    }

    /// Whether there is no column.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// How many columns there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.columns.len()
    }
}

/// The key of a row of `metrics`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MetricsKey {
    /// The run.
    pub run: RunId,
    /// The step.
    pub step: i64,
    /// The progress: any float but NaN; zero is positive.
    pub progress: f64,
}

/// Rows that name the same columns.
#[derive(Debug, Clone)]
pub struct MetricsGroup {
    /// The columns.
    pub columns: std::sync::Arc<ColumnSet>,
    /// The keys of the rows, none of them twice.
    pub keys: Vec<MetricsKey>,
    /// The values of all rows, one row after the other, in the columns' types. NULL clears a value.
    pub values: Vec<Value>,
}

impl MetricsGroup {
    /// The rows: their keys and values.
    pub fn rows(&self) -> impl Iterator<Item = (&MetricsKey, &[Value])> {
        let width = self.columns.len();
        self.keys.iter().enumerate().map(move |(row, key)| (key, &self.values[row * width..][..width]))
    }

    /// The values of the column at this place of the set.
    pub fn column(&self, place: usize) -> impl Iterator<Item = &Value> {
        self.values.iter().skip(place).step_by(self.columns.len().max(1))
    }
}

/// A value for `metrics_overflow`.
#[derive(Debug, Clone, PartialEq)]
pub struct OverflowValue {
    /// The row of `metrics` that it belongs to.
    pub key: MetricsKey,
    /// The metric.
    pub name: String,
    /// The value; NULL removes the one that is there.
    pub value: Value,
}

/// What a batch does to a run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunWrite {
    /// The run.
    pub run: RunId,
    /// The lease that it must have for anything of the batch to be written; `None` writes whoever tracks it.
    pub lease: Option<i64>,
    /// What to write to its `time_updated`, if anything.
    pub updated: Option<Moment>,
}

/// Rows of metrics that are written together or not at all.
///
/// A column that a row gives a value takes the place of what `metrics_overflow` holds for it, unless the batch has
/// another value for there.
#[derive(Debug, Clone, Default)]
pub struct MetricsBatch {
    /// The runs of all rows, each of them once, in the order of their ids.
    pub runs: Vec<RunWrite>,
    /// The rows. One key may be in several groups if these have no column in common.
    pub groups: Vec<MetricsGroup>,
    /// Values that no column can hold; none for the same key and metric twice.
    pub overflow: Vec<OverflowValue>,
}
