//! The metrics of series of runs, as a chart.

use std::str::FromStr;

use sqltrack_core::{Client, Lineage, Rows, RunId, Value};
use time::OffsetDateTime;

use crate::chart::{Chart, Curve, Point, Unit, smooth};
use crate::{Error, as_number};

/// What the horizontal axis is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Over {
    /// The step.
    #[default]
    Step,
    /// The progress.
    Progress,
    /// The time since the first point of each series, by the first metric that is a time.
    Time,
    /// Another metric, of numbers or times.
    Metric(String),
}

impl FromStr for Over {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "step" => Self::Step,
            "progress" => Self::Progress,
            "time" => Self::Time,
            metric => Self::Metric(metric.to_owned()),
        })
    }
}

/// How metrics become curves, see [`curves`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CurveOptions {
    /// What the horizontal axis is.
    pub over: Over,
    /// Whether the vertical axis is logarithmic.
    pub log_y: bool,
    /// How much the curves are smoothed, see [`smooth`].
    pub smooth: f64,
}

/// A chart of some metrics of series, one curve for each of both. NaN and infinities are gaps.
///
/// # Errors
///
/// [`Error::Core`] with what the library says of a metric that does not exist, [`Error::NotANumber`] for one that cannot be
/// drawn, [`Error::NoTimes`] if there is no time to draw over.
///
/// ```no_run
/// # async fn example(client: sqltrack_core::Client) -> Result<(), sqltrack_analysis::Error> {
/// use sqltrack_analysis::curves::{CurveOptions, curves};
/// use sqltrack_core::RESUMES;
///
/// let series = client.lineages([7, 8], RESUMES).await?;
/// let chart = curves(&client, &series, &["val_loss".to_owned()], &CurveOptions::default()).await?;
/// std::fs::write("loss.html", chart.page()).expect("the folder can be written to");
/// # Ok(())
/// # }
/// ```
pub async fn curves(
    client: &Client,
    lineages: &[Lineage],
    metrics: &[String],
    options: &CurveOptions,
) -> Result<Chart, Error> {
    let rows = match &options.over {
        // All of them, to find the one that is a time.
        Over::Time => {
            client.list_series(&[], metrics).await?;
            client.list_series(lineages, &[]).await?
        }
        Over::Metric(over) => {
            let names: Vec<String> = metrics.iter().chain([over]).cloned().collect();
            client.list_series(lineages, &names).await?
        }
        Over::Step | Over::Progress => client.list_series(lineages, metrics).await?,
    };
    chart_of(&rows, lineages, metrics, options)
}

/// The chart of what [`Client::list_series`] gave.
pub(crate) fn chart_of(
    rows: &Rows,
    lineages: &[Lineage],
    metrics: &[String],
    options: &CurveOptions,
) -> Result<Chart, Error> {
    let (label, place) = match &options.over {
        Over::Step => ("step", Some(STEP)),
        Over::Progress => ("progress", Some(PROGRESS)),
        Over::Metric(name) => (name.as_str(), metric_column(rows, name)),
        Over::Time => ("time since the first step", Some(first_time(rows).ok_or(Error::NoTimes)?)),
    };
    let mut chart = Chart::new(label, if let [metric] = metrics { metric } else { "value" });
    chart.log_y = options.log_y;
    let is_time = rows.iter().any(|row| place.is_some_and(|place| is_time(&row.values()[place])));
    if is_time {
        chart.x_unit = Unit::Seconds;
    }
    for lineage in lineages {
        for metric in metrics {
            let points = points(rows, lineage.id, metric, place)?;
            let name = if metrics.len() == 1 {
                format!("run {}", lineage.id)
            } else {
                format!("run {} {metric}", lineage.id)
            };
            let points = if options.smooth > 0.0 { smooth(&points, options.smooth) } else { points };
            chart.curves.push(Curve::new(name, points));
        }
    }
    Ok(chart)
}

/// The columns of [`Client::list_series`] before those of metrics, among which may be a `series` and a `run`, too.
pub(crate) const KEYS: usize = 4;
const STEP: usize = 2;
const PROGRESS: usize = 3;

fn metric_column(rows: &Rows, name: &str) -> Option<usize> {
    (KEYS..rows.columns().len()).find(|place| rows.columns()[*place].name == name)
}

fn is_time(value: &Value) -> bool {
    matches!(value, Value::Timestamp(_))
}

/// The first metric that is a time.
fn first_time(rows: &Rows) -> Option<usize> {
    (KEYS..rows.columns().len()).find(|place| rows.iter().any(|row| is_time(&row.values()[*place])))
}

/// The points of a series that have a value, sorted.
fn points(rows: &Rows, series: RunId, metric: &str, over: Option<usize>) -> Result<Vec<Point>, Error> {
    let (Some(over), Some(place)) = (over, metric_column(rows, metric)) else { return Ok(Vec::new()) };
    let mut points = Vec::new();
    let mut start = None;
    for row in rows {
        let [Value::Int(id), ..] = row.values() else { continue };
        let value = &row.values()[place];
        if *id != series.0 || value.is_null() {
            continue;
        }
        let y = number(value).ok_or_else(|| Error::NotANumber(metric.to_owned()))?;
        let x = match &row.values()[over] {
            Value::Null => continue,
            Value::Timestamp(time) => seconds_since(*start.get_or_insert(*time), *time),
            other => number(other).ok_or_else(|| Error::NotANumber(rows.columns()[over].name.clone()))?,
        };
        if x.is_finite() {
            points.push((x, y));
        }
    }
    points.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    Ok(points)
}

fn seconds_since(start: OffsetDateTime, time: OffsetDateTime) -> f64 {
    (time - start).as_seconds_f64()
}

/// What a value is on an axis.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(truth) => Some(f64::from(u8::from(*truth))),
        Value::Duration(span) => Some(span.as_seconds_f64()),
        other => as_number(other),
    }
}
