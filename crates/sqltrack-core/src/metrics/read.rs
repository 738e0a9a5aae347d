//! Reading the metrics of a run.

use indexmap::IndexMap;
use sqltrack_engines::{Rows, Value, overflow};

use super::At;
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

impl Run {
    /// All metrics of the run by step and progress: just what was added, NaN and what the table has no column for
    /// included. Empty for a run that does not exist.
    ///
    /// # Errors
    ///
    /// [`Error::Engine`] if the database fails.
    pub async fn metrics(&self) -> Result<Vec<MetricPoint>, Error> {
        self.points(ROWS, BEYOND, Vec::new()).await
    }

    /// The metrics of the last `limit` points, or of as many as there are from the point `from` on, as
    /// [`metrics`](Self::metrics) gives them all: to follow a run.
    ///
    /// # Errors
    ///
    /// [`Error::Engine`] if the database fails.
    pub async fn latest_metrics(&self, from: Option<At>, limit: u32) -> Result<Vec<MetricPoint>, Error> {
        // Before every other one.
        let from = from.unwrap_or(At { step: i64::MIN, progress: f64::NEG_INFINITY });
        let rows = "SELECT * FROM (
            SELECT * FROM metrics WHERE run_id = $1 AND (step, progress) >= ($2, $3)
            ORDER BY step DESC, progress DESC LIMIT $4
        ) AS latest ORDER BY step, progress";
        let beyond = "SELECT o.step, o.progress, name, value, other FROM metrics_overflow AS o
            JOIN (
                SELECT step, progress FROM metrics WHERE run_id = $1 AND (step, progress) >= ($2, $3)
                ORDER BY step DESC, progress DESC LIMIT $4
            ) AS latest ON o.step = latest.step AND o.progress = latest.progress
            WHERE o.run_id = $1 ORDER BY o.step, o.progress";
        let more = vec![Value::Int(from.step), Value::Float(from.progress), Value::from(limit)];
        self.points(rows, beyond, more).await
    }

    /// The points of two statements, one for the columns and one for what is beyond them.
    async fn points(
        &self,
        rows: &'static str,
        beyond: &'static str,
        more: Vec<Value>,
    ) -> Result<Vec<MetricPoint>, Error> {
        let mut parameters = vec![Value::Int(self.id().0)];
        parameters.extend(more);
        let read = self.client().at_one_moment(move |conn| {
            Box::pin(async move {
                let rows = conn.query(rows, &parameters).await?;
                Ok((rows, conn.query(beyond, &parameters).await?))
            })
        });
        let (rows, beyond) = read.await?;
        merge(points(rows)?, beyond)
    }
}

const ROWS: &str = "SELECT * FROM metrics WHERE run_id = $1 ORDER BY step, progress";
const BEYOND: &str = "SELECT step, progress, name, value, other FROM metrics_overflow WHERE run_id = $1 \
    ORDER BY step, progress";

/// The points that stand in columns, in order.
fn points(rows: Rows) -> Result<Vec<MetricPoint>, Error> {
    let names: Vec<String> = rows.columns().iter().map(|column| column.name.clone()).collect();
    let is_metric: Vec<bool> =
        names.iter().map(|name| !matches!(name.as_str(), "run_id" | "step" | "progress")).collect();
    let mut points = Vec::with_capacity(rows.len());
    for row in rows {
        let (step, progress) = (row.get("step")?, row.get("progress")?);
        let values = names.iter().zip(&is_metric).zip(row.into_values());
        let has_value = |((_, is_metric), value): &((&String, &bool), Value)| **is_metric && !value.is_null();
        let metrics = values.filter(has_value).map(|((name, _), value)| (name.clone(), value)).collect();
        points.push(MetricPoint { step, progress, metrics });
    }
    Ok(points)
}

/// The points with what stands beyond the columns, also in order.
fn merge(points: Vec<MetricPoint>, beyond: Rows) -> Result<Vec<MetricPoint>, Error> {
    if beyond.is_empty() {
        return Ok(points);
    }
    let mut merged: Vec<MetricPoint> = Vec::with_capacity(points.len());
    let mut rest = points.into_iter().peekable();
    for row in beyond {
        let (step, progress, name, value, other): (i64, f64, String, Option<f64>, Value) = row.decode()?;
        while let Some(point) = rest.next_if(|point| (point.step, point.progress) <= (step, progress)) {
            merged.push(point);
        }
        if merged.last().is_none_or(|point| (point.step, point.progress) != (step, progress)) {
            merged.push(MetricPoint { step, progress, metrics: IndexMap::new() });
        }
        if let Some(value) = overflow::decode(value, json(other)?)
            && let Some(point) = merged.last_mut()
        {
            point.metrics.insert(name, value);
        }
    }
    merged.extend(rest);
    Ok(merged)
}

/// The column `other`, which is text on SQLite.
pub(super) fn json(other: Value) -> Result<Option<serde_json::Value>, Error> {
    match other {
        Value::Json(json) => Ok(Some(json)),
        Value::Text(text) => {
            serde_json::from_str(&text).map(Some).map_err(|err| Error::Metrics(format!("`{text}`: {err}")))
        }
        _ => Ok(None),
    }
}
