//! In what runs differ: what they are, their arguments, their environment, and their metrics.

use indexmap::{IndexMap, IndexSet};
use sqltrack_core::{Client, Column, Lineage, MetricPoint, Rows, RunId, Value};
use time::OffsetDateTime;

use crate::format::{Cell, Cut, Format, FormattedTable, TimeSpec};
use crate::{Error, scalar};

/// What several runs are, side by side.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Comparison {
    /// The runs, in the order in which they were asked for.
    pub runs: Vec<RunId>,
    /// What is compared.
    pub rows: Vec<Compared>,
}

/// One thing that is compared.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Compared {
    /// What it is of.
    pub part: Part,
    /// What it is called. What lies in an object has the names of both with a dot between them.
    pub name: String,
    /// The value of each run; NULL for one that has none.
    pub values: Vec<Value>,
}

/// The parts of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Part {
    /// What it is itself.
    Run,
    /// Its arguments.
    Args,
    /// Its environment.
    Env,
    /// Its metrics, over its whole series.
    Metrics,
}

impl Part {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Args => "args",
            Self::Env => "env",
            Self::Metrics => "metrics",
        }
    }
}

impl Compared {
    /// Whether not all runs have the same here.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.values.windows(2).any(|pair| !is_same(&pair[0], &pair[1]))
    }
}

fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Float(one), Value::Float(other)) if one.is_nan() && other.is_nan() => true,
        (one, other) => one == other,
    }
}

/// Compares runs. Their metrics are those of the series that links of `kind` make, if any is given.
///
/// Of each metric that is a number, the smallest and the largest finite value are compared, and how many values are NaN or
/// infinite where there are such; of others the last one.
///
/// # Errors
///
/// [`Error::Core`] with `NoSuchRun` if a run does not exist, or if the database fails.
///
/// ```no_run
/// # async fn example(client: sqltrack_core::Client) -> Result<(), sqltrack_analysis::Error> {
/// let comparison = sqltrack_analysis::compare::compare(&client, &[7.into(), 8.into()], Some("resumes")).await?;
/// for row in comparison.rows.iter().filter(|row| row.differs()) {
///     println!("{}: {:?}", row.name, row.values);
/// }
/// # Ok(())
/// # }
/// ```
pub async fn compare(client: &Client, runs: &[RunId], kind: Option<&str>) -> Result<Comparison, Error> {
    // That a run does not exist is told before anything else.
    let lineages = match kind {
        Some(kind) => client.lineages(runs.iter().copied(), kind).await?,
        None => client.lone(runs.iter().copied()).await?,
    };
    let mut series = Vec::with_capacity(lineages.len());
    for lineage in lineages {
        let points = lineage.metrics(client).await?.into_iter().map(|(_, point)| point).collect();
        series.push((lineage, points));
    }
    let chosen = client.dialect().is_among("r.id", 1);
    let sql = format!(
        "SELECT r.id, e.name AS experiment, s.status, r.time_created AS created, r.time_started AS started,
            r.time_updated AS updated, r.comment, r.tags, r.args, r.env
        FROM runs AS r JOIN run_status AS s ON s.id = r.id JOIN experiments AS e ON e.id = r.experiment_id
        WHERE {chosen}"
    );
    let ids = Value::List(runs.iter().map(|run| Value::Int(run.0)).collect());
    let found = client.query(&sql, vec![ids]).await?;
    let mut table = Table::default();
    for (place, run) in runs.iter().enumerate() {
        let row = found.iter().find(|row| matches!(row.values(), [Value::Int(id), ..] if *id == run.0));
        let Some(row) = row else { continue };
        table.add_run(place, row)?;
        table.add_metrics(place, *run, &series);
    }
    Ok(table.finish(runs))
}

/// What is found, by part and name.
#[derive(Default)]
struct Table(IndexMap<(Part, String), Vec<(usize, Value)>>);

impl Table {
    fn set(&mut self, place: usize, part: Part, name: impl Into<String>, value: Value) {
        self.0.entry((part, name.into())).or_default().push((place, value));
    }

    fn add_run(&mut self, place: usize, row: &sqltrack_core::Row) -> Result<(), Error> {
        for name in ["experiment", "status", "created", "started", "updated"] {
            self.set(place, Part::Run, name, row.get(name)?);
        }
        let times: (Option<OffsetDateTime>, Option<OffsetDateTime>) =
            (row.get("started")?, row.get("updated")?);
        let runtime = match times {
            (Some(started), Some(updated)) => Value::Duration(updated - started),
            _ => Value::Null,
        };
        self.set(place, Part::Run, "runtime", runtime);
        self.set(place, Part::Run, "comment", row.get("comment")?);
        let tags: Value = row.get("tags")?;
        let tags = match tags {
            Value::Json(serde_json::Value::Object(tags)) => tags.keys().map(String::as_str).collect(),
            other => other,
        };
        self.set(place, Part::Run, "tags", tags);
        for (part, column) in [(Part::Args, "args"), (Part::Env, "env")] {
            if let Value::Json(json) = row.get(column)? {
                flatten(String::new(), json, &mut |name, value| self.set(place, part, name, value));
            }
        }
        Ok(())
    }

    /// Sets the metrics of all series that a run is part of.
    fn add_metrics(&mut self, place: usize, run: RunId, series: &[(Lineage, Vec<MetricPoint>)]) {
        let is_part = |lineage: &Lineage| lineage.runs.iter().any(|member| member.run == run);
        let points: Vec<&MetricPoint> =
            series.iter().filter(|(lineage, _)| is_part(lineage)).flat_map(|(_, points)| points).collect();
        self.set(place, Part::Metrics, "steps", Value::Int(i64::try_from(points.len()).unwrap_or(i64::MAX)));
        if let Some(last) = points.iter().map(|point| point.step).max() {
            self.set(place, Part::Metrics, "last step", Value::Int(last));
        }
        let mut metrics: IndexMap<String, Summary> = IndexMap::new();
        for (name, value) in points.into_iter().flat_map(|point| &point.metrics) {
            metrics.entry(name.clone()).or_default().add(value.clone());
        }
        for (name, summary) in metrics {
            summary.told(&name, |name, value| self.set(place, Part::Metrics, name, value));
        }
    }

    fn finish(mut self, runs: &[RunId]) -> Comparison {
        // What a run is itself stays in its order.
        let name = |part: Part, name: &str| (part != Part::Run).then(|| name.to_owned());
        self.0.sort_by_cached_key(|(part, key), _| (*part, name(*part, key)));
        let row = |((part, name), found): ((Part, String), Vec<(usize, Value)>)| {
            let mut values = vec![Value::Null; runs.len()];
            for (place, value) in found {
                values[place] = value;
            }
            Compared { part, name, values }
        };
        Comparison { runs: runs.to_vec(), rows: self.0.into_iter().map(row).collect() }
    }
}

/// What a metric of one run comes to.
#[derive(Default)]
struct Summary {
    smallest: Option<Value>,
    largest: Option<Value>,
    non_finite: i64,
    last: Option<Value>,
}

impl Summary {
    fn add(&mut self, value: Value) {
        let is_less = |one: &Value, other: &Option<Value>| match (one, other) {
            (_, None) => Some(true),
            (Value::Int(one), Some(Value::Int(other))) => Some(one < other),
            (Value::Float(one), Some(Value::Float(other))) => Some(one < other),
            (Value::Int(one), Some(Value::Float(other))) => Some((*one as f64) < *other),
            (Value::Float(one), Some(Value::Int(other))) => Some(*one < *other as f64),
            _ => None,
        };
        match &value {
            Value::Float(number) if !number.is_finite() => self.non_finite += 1,
            Value::Int(_) | Value::Float(_) => {
                if is_less(&value, &self.smallest) == Some(true) {
                    self.smallest = Some(value.clone());
                }
                if self.largest.is_none() || is_less(&value, &self.largest) == Some(false) {
                    self.largest = Some(value.clone());
                }
            }
            _ => {}
        }
        self.last = Some(value);
    }

    fn told(self, name: &str, mut tell: impl FnMut(String, Value)) {
        let is_number = self.smallest.is_some() || self.non_finite > 0;
        if !is_number {
            if let Some(last) = self.last {
                tell(format!("{name} last"), last);
            }
            return;
        }
        tell(format!("{name} max"), self.largest.unwrap_or(Value::Null));
        tell(format!("{name} min"), self.smallest.unwrap_or(Value::Null));
        if self.non_finite > 0 {
            tell(format!("{name} not finite"), Value::Int(self.non_finite));
        }
    }
}

/// The values of a document one by one, each with the names that lead to it.
fn flatten(name: String, json: serde_json::Value, tell: &mut impl FnMut(String, Value)) {
    match json {
        serde_json::Value::Object(fields) if !fields.is_empty() => {
            for (field, value) in fields {
                let name = if name.is_empty() { field } else { format!("{name}.{field}") };
                flatten(name, value, tell);
            }
        }
        // A run without arguments has none.
        serde_json::Value::Object(_) if name.is_empty() => {}
        other => tell(name, scalar(other)),
    }
}

impl Comparison {
    /// The rows that differ, or all of them, as a table: `part`, `name`, and a column for each run, named by its id.
    #[must_use]
    pub fn to_rows(&self, all: bool) -> Rows {
        let column = |name: String| Column { name, type_name: String::new() };
        let names = ["part", "name"].map(str::to_owned).into_iter().chain(self.names());
        let shown = self.rows.iter().filter(|row| all || row.differs());
        let values = |row: &Compared| {
            let keys = [Value::from(row.part.name()), Value::from(row.name.as_str())];
            keys.into_iter().chain(row.values.iter().cloned()).collect()
        };
        Rows::new(names.map(column).collect(), shown.map(values).collect())
    }

    /// The same for people: with what differs marked, if all is shown.
    #[must_use]
    pub fn table(&self, all: bool) -> FormattedTable {
        let now = OffsetDateTime::now_utc();
        let columns = ["part", "name"].map(str::to_owned).into_iter().chain(self.names()).collect();
        let row = |row: &Compared| -> Vec<Cell> {
            let marked = all && row.differs();
            let cell = |value: &Value| {
                let cell = format_of(row, value).cell(value, now);
                if marked { mark(cell) } else { cell }
            };
            let keys = [row.part.name(), &row.name].map(Cell::text);
            keys.into_iter().chain(row.values.iter().map(cell)).collect()
        };
        let shown = self.rows.iter().filter(|row| all || row.differs());
        FormattedTable { columns, rows: shown.map(row).collect() }
    }

    fn names(&self) -> impl Iterator<Item = String> {
        self.runs.iter().map(ToString::to_string)
    }

    /// The parts that have something to compare.
    #[must_use]
    pub fn parts(&self) -> IndexSet<&'static str> {
        self.rows.iter().map(|row| row.part.name()).collect()
    }
}

fn format_of(row: &Compared, value: &Value) -> Format {
    match (row.part, row.name.as_str(), value) {
        (Part::Run, "status", _) => Format::Status,
        (Part::Run, "tags", _) => Format::Tags,
        (_, _, Value::Timestamp(_)) => Format::DateTime(' ', TimeSpec::Seconds),
        (_, _, Value::Duration(_)) => Format::Timedelta,
        (_, _, Value::Text(_)) => Format::Text(Cut::Left),
        _ => Format::Plain,
    }
}

/// Orange, as in the manual's comparison (section 3.4.1).
fn mark(cell: Cell) -> Cell {
    let html = format!("<span class=\"sqltrack-differs\">{}</span>", cell.html);
    cell.with_html(html).with_color(202)
}
