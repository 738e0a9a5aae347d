//! Reading the metrics of a run.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use sqltrack_engines::{Row, Value, overflow};

use crate::{Error, Run};

/// The metrics of one step and progress.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricPoint {
    /// The step.
    pub step: i64,
    /// The progress.
    pub progress: f64,
    /// The metrics that have a value, in the order of their columns, then those that have none.
    pub metrics: IndexMap<String, Value>,
}

/// A step and progress in their order.
#[derive(PartialEq, Clone, Copy)]
struct Key(i64, f64);

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0).then(self.1.total_cmp(&other.1))
    }
}

impl Run {
    /// All metrics of the run by step and progress: just what was added, NaN and what the table has no column for
    /// included. Empty for a run that does not exist.
    ///
    /// # Errors
    ///
    /// [`Error::Engine`] if the database fails.
    pub async fn metrics(&self) -> Result<Vec<MetricPoint>, Error> {
        let run = self.id().0;
        let (rows, spilled) = self
            .client()
            .with_connection(move |conn| {
                Box::pin(async move {
                    let rows = conn.query("SELECT * FROM metrics WHERE run_id = $1", &[Value::Int(run)]).await?;
                    let spilled = conn
                        .query(
                            "SELECT step, progress, name, value, other FROM metrics_overflow WHERE run_id = $1",
                            &[Value::Int(run)],
                        )
                        .await?;
                    Ok((rows, spilled))
                })
            })
            .await?;
        let mut points = BTreeMap::new();
        for row in rows {
            let key = Key(row.get("step")?, row.get("progress")?);
            points.insert(key, columns(row));
        }
        for row in spilled {
            let key = Key(row.get("step")?, row.get("progress")?);
            let metrics: &mut IndexMap<String, Value> = points.entry(key).or_default();
            if let Some(value) = overflow::decode(row.get("value")?, other(&row)?) {
                metrics.insert(row.get("name")?, value);
            }
        }
        let point = |(Key(step, progress), metrics)| MetricPoint { step, progress, metrics };
        Ok(points.into_iter().map(point).collect())
    }
}

/// The column `other`, which is text on SQLite.
fn other(row: &Row) -> Result<Option<serde_json::Value>, Error> {
    match row.get::<Value>("other")? {
        Value::Json(json) => Ok(Some(json)),
        Value::Text(text) => {
            serde_json::from_str(&text).map(Some).map_err(|err| Error::Metrics(format!("`{text}`: {err}")))
        }
        _ => Ok(None),
    }
}

fn columns(row: Row) -> IndexMap<String, Value> {
    let names: Vec<String> = row.columns().iter().map(|column| column.name.clone()).collect();
    let is_metric = |name: &str| !matches!(name, "run_id" | "step" | "progress");
    let values = names.into_iter().zip(row.into_values());
    values.filter(|(name, value)| is_metric(name) && !value.is_null()).collect()
}
