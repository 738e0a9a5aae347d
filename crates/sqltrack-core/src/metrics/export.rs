//! All metrics of many runs as one table, part by part: what columns hold and what is beyond them.

use std::cmp::Ordering;
use std::collections::VecDeque;

use indexmap::IndexSet;
use sqltrack_engines::sql::Identifier;
use sqltrack_engines::{Column, Dialect, ExperimentId, Row, Rows, RunId, Value, overflow};

use super::read::json;
use crate::listing::ListingError;
use crate::nearest::nearest;
use crate::{Client, Error, RowParts};

/// Which metrics to export, see [`Client::export_metrics`].
#[derive(Debug, Clone, Default)]
pub struct MetricExport {
    /// Only of the runs of this experiment.
    pub experiment: Option<ExperimentId>,
    /// Only of these runs; all if there are none.
    pub runs: Vec<RunId>,
    /// Only these metrics; all that the runs have if there are none.
    pub metrics: Vec<String>,
}

/// The metrics of many runs part by part, see [`Client::export_metrics`].
#[derive(Debug)]
pub struct ExportedMetrics {
    rows: RowParts,
    /// What is beyond the columns, in the same order, if there is any.
    beyond: Option<Beyond>,
    total: u64,
    /// The places of those metrics that have a column, and how many metrics there are.
    in_columns: Vec<usize>,
    names: Vec<String>,
}

#[derive(Debug)]
struct Beyond {
    parts: RowParts,
    read: VecDeque<Row>,
    is_over: bool,
}

const KEYS: [&str; 3] = ["run_id", "step", "progress"];

impl Client {
    /// The metrics of many runs as one table, in the order of runs, steps and progresses: `run_id`, `step`, `progress`, then a column
    /// for each metric that the runs have, NaN and what the table `metrics` has no column for included. However many there
    /// are, only a few thousand rows are in memory.
    ///
    /// # Errors
    ///
    /// [`ListingError::NoSuchMetric`] in [`Error::Listing`] for a metric that does not exist, [`Error::Engine`] if the database fails.
    ///
    /// ```no_run
    /// # async fn example(client: sqltrack_core::Client) -> Result<(), sqltrack_core::Error> {
    /// use sqltrack_core::MetricExport;
    ///
    /// let mut parts = client.export_metrics(&MetricExport { runs: vec![7.into()], ..MetricExport::default() }).await?;
    /// while let Some(rows) = parts.next().await? {
    ///     println!("{} of {} rows", rows.len(), parts.total());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn export_metrics(&self, export: &MetricExport) -> Result<ExportedMetrics, Error> {
        let dialect = self.dialect();
        let (condition, parameters) = export.condition(dialect);
        let columns = self.metric_columns().await?;
        let columns: IndexSet<String> = columns.into_iter().map(|column| column.name).collect();
        let sql = format!("SELECT DISTINCT name FROM metrics_overflow WHERE {condition} ORDER BY name");
        let beyond: Vec<String> = self.first_values(&sql, parameters.clone()).await?;
        for name in &export.metrics {
            if !columns.contains(name.as_str()) && !beyond.contains(name) {
                let known = columns.iter().chain(&beyond).map(String::as_str);
                let nearest = nearest(name, known);
                return Err(ListingError::NoSuchMetric { name: name.clone(), nearest }.into());
            }
        }
        // What is asked for need not be looked for.
        let candidates = if export.metrics.is_empty() { columns.clone() } else { IndexSet::new() };
        let (total, used) = self.used(&candidates, &condition, parameters.clone()).await?;
        let all = || used.iter().chain(beyond.iter().filter(|name| !used.contains(*name)));
        let names: IndexSet<String> = if export.metrics.is_empty() {
            all().cloned().collect()
        } else {
            export.metrics.iter().cloned().collect()
        };

        let held: Vec<&String> = names.iter().filter(|name| columns.contains(*name)).collect();
        let quoted = held.iter().map(|name| Identifier::new(name.as_str()).quoted());
        let quoted = quoted.collect::<Result<Vec<_>, _>>()?;
        let list: Vec<&str> = KEYS.into_iter().chain(quoted.iter().map(String::as_str)).collect();
        let sql = format!(
            "SELECT {} FROM metrics WHERE {condition} ORDER BY run_id, step, progress",
            list.join(", ")
        );
        let rows = self.query_parts(&sql, parameters.clone())?;
        let beyond = if names.iter().any(|name| beyond.contains(name)) {
            let sql = format!(
                "SELECT run_id, step, progress, name, value, other FROM metrics_overflow WHERE {condition}
                ORDER BY run_id, step, progress"
            );
            let parts = self.query_parts(&sql, parameters)?;
            Some(Beyond { parts, read: VecDeque::new(), is_over: false })
        } else {
            None
        };
        let in_columns = held.iter().filter_map(|name| names.get_index_of(*name)).collect();
        Ok(ExportedMetrics { rows, beyond, total, in_columns, names: names.into_iter().collect() })
    }

    /// How many rows there are, and the columns that have any value there.
    async fn used(
        &self,
        columns: &IndexSet<String>,
        condition: &str,
        parameters: Vec<Value>,
    ) -> Result<(u64, Vec<String>), Error> {
        let mut counts = vec!["count(*)".to_owned()];
        for name in columns {
            counts.push(format!("count({})", Identifier::new(name.as_str()).quoted()?));
        }
        let sql = format!("SELECT {} FROM metrics WHERE {condition}", counts.join(", "));
        let row: Option<Row> = self.first_row(&sql, parameters).await?;
        let counts: Vec<Value> = row.map(Row::into_values).unwrap_or_default();
        let has_any = |count: &Value| matches!(count, Value::Int(count) if *count > 0);
        let total = match counts.first() {
            Some(Value::Int(total)) => u64::try_from(*total).unwrap_or(0),
            _ => 0,
        };
        let used = columns.iter().zip(counts.iter().skip(1)).filter(|(_, count)| has_any(count));
        Ok((total, used.map(|(name, _)| name.clone()).collect()))
    }
}

impl MetricExport {
    /// What rows of `metrics` and `metrics_overflow` have to meet, and its parameters.
    fn condition(&self, dialect: Dialect) -> (String, Vec<Value>) {
        let mut conditions = vec!["TRUE".to_owned()];
        let mut parameters = Vec::new();
        if !self.runs.is_empty() {
            parameters.push(Value::List(self.runs.iter().map(|run| Value::from(*run)).collect()));
            conditions.push(dialect.is_among("run_id", parameters.len()));
        }
        if let Some(experiment) = self.experiment {
            parameters.push(Value::from(experiment));
            let number = parameters.len();
            conditions.push(format!("run_id IN (SELECT id FROM runs WHERE experiment_id = ${number})"));
        }
        (conditions.join(" AND "), parameters)
    }
}

impl ExportedMetrics {
    /// How many rows there are in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The next rows; none after the last ones. There is at least one part, which tells the columns.
    ///
    /// # Errors
    ///
    /// [`Error::Engine`] if the database fails.
    pub async fn next(&mut self) -> Result<Option<Rows>, Error> {
        let Some(rows) = self.rows.next().await? else { return Ok(None) };
        if self.beyond.is_none() && self.in_columns.len() == self.names.len() && self.in_columns.is_sorted() {
            return Ok(Some(rows));
        }
        let columns = self.columns(rows.columns());
        let mut merged = Vec::with_capacity(rows.len());
        for row in rows {
            let mut held = row.into_values().into_iter();
            let mut values: Vec<Value> = held.by_ref().take(KEYS.len()).collect();
            values.resize(KEYS.len() + self.names.len(), Value::Null);
            for (place, value) in self.in_columns.iter().zip(held) {
                values[KEYS.len() + place] = value;
            }
            if let Some(beyond) = &mut self.beyond {
                beyond.add_to(&mut values, &self.names).await?;
            }
            merged.push(values);
        }
        Ok(Some(Rows::new(columns, merged)))
    }

    /// The columns of the parts: those that the table has are known with their types.
    fn columns(&self, known: &[Column]) -> Vec<Column> {
        let unknown = |name: &String| Column { name: name.clone(), type_name: String::new() };
        let mut columns: Vec<Column> =
            known.iter().take(KEYS.len()).cloned().chain(self.names.iter().map(unknown)).collect();
        for (place, column) in self.in_columns.iter().zip(known.iter().skip(KEYS.len())) {
            columns[KEYS.len() + place] = column.clone();
        }
        columns
    }
}

/// Where a row stands in the order.
fn place(values: &[Value]) -> (i64, i64, f64) {
    match values {
        [Value::Int(run), Value::Int(step), Value::Float(progress), ..] => (*run, *step, *progress),
        [Value::Int(run), Value::Int(step), Value::Int(progress), ..] => (*run, *step, *progress as f64),
        _ => (i64::MIN, i64::MIN, f64::NEG_INFINITY),
    }
}

impl Beyond {
    /// Adds what is beyond the columns of a row to its values.
    async fn add_to(&mut self, values: &mut [Value], names: &[String]) -> Result<(), Error> {
        let key = place(values);
        loop {
            if self.read.is_empty() && !self.fill().await? {
                return Ok(());
            }
            let Some(next) = self.read.front() else { return Ok(()) };
            match place(next.values()).partial_cmp(&key) {
                Some(Ordering::Greater) | None => return Ok(()),
                // Its row is not there: it came after the rows were begun to be read.
                Some(Ordering::Less) => {
                    self.read.pop_front();
                }
                Some(Ordering::Equal) => {
                    let Some(row) = self.read.pop_front() else { return Ok(()) };
                    let (name, value, other): (String, Option<f64>, Value) =
                        (row.get("name")?, row.get("value")?, row.get("other")?);
                    if let Some(place) = names.iter().position(|known| *known == name)
                        && let Some(value) = overflow::decode(value, json(other)?)
                    {
                        values[KEYS.len() + place] = value;
                    }
                }
            }
        }
    }

    /// Reads more, and tells whether there was any.
    async fn fill(&mut self) -> Result<bool, Error> {
        while !self.is_over && self.read.is_empty() {
            match self.parts.next().await? {
                Some(rows) => self.read.extend(rows),
                None => self.is_over = true,
            }
        }
        Ok(!self.read.is_empty())
    }
}
