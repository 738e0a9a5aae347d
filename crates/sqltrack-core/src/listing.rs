//! What there is: experiments, runs, and the metrics of a run as one table.

use indexmap::IndexSet;
use sqltrack_engines::{Column, ExperimentId, MetricColumn, Row, Rows, RunId, Value};

use crate::nearest::nearest;
use crate::{Client, Error, Lineage, MetricPoint, Run};

/// Something that was asked for by a name or id and is not there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListingError {
    /// No experiment has this name or id.
    #[error("there is no experiment `{name}`{}", suggestion(.nearest))]
    NoSuchExperiment {
        /// What was asked for.
        name: String,
        /// The name that is most like it, if any is.
        nearest: Option<String>,
    },
    /// No metric has this name.
    #[error("there is no metric `{name}`{}", suggestion(.nearest))]
    NoSuchMetric {
        /// What was asked for.
        name: String,
        /// The name that is most like it, if any is.
        nearest: Option<String>,
    },
    /// The values of a metric are no numbers.
    #[error("metric `{name}` has the type {type_name}; only numbers can be compared")]
    NotANumber {
        /// The metric.
        name: String,
        /// The database's name of its type.
        type_name: String,
    },
}

fn suggestion(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|nearest| format!("; did you mean `{nearest}`?")).unwrap_or_default()
}

const EXPERIMENTS: &str = "\
SELECT
    e.id,
    e.name,
    (SELECT count(*) FROM runs AS r WHERE r.experiment_id = e.id) AS runs,
    e.time_created AS created,
    e.comment,
    e.tags
FROM experiments AS e
ORDER BY e.time_created, e.id";

/// What is listed of a run, and after it what it was given.
const RUN_COLUMNS: &str = "id, experiment, status, created, started, updated, comment, tags";
const RUN_DETAILS: &str = "args, env, extras";

const RUNS: &str = "\
    SELECT
        r.id,
        r.experiment_id,
        e.name AS experiment,
        s.status,
        r.time_created AS created,
        r.time_started AS started,
        r.time_updated AS updated,
        r.comment,
        r.tags,
        r.args,
        r.env,
        r.extras
    FROM runs AS r
        JOIN run_status AS s ON s.id = r.id
        JOIN experiments AS e ON e.id = r.experiment_id";

/// Which runs are listed, and what of them, see [`Client::list_runs_as`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunListing {
    /// Only those of this experiment.
    pub experiment: Option<ExperimentId>,
    /// Only those that meet a condition in SQL, about the columns that are listed and `args`, `env` and `extras`.
    pub condition: Option<String>,
    /// Only so many of the newest.
    pub limit: Option<u32>,
    /// Whether `args`, `env` and `extras` are listed, too.
    pub details: bool,
}

impl Client {
    /// Every experiment, oldest first: `id`, `name`, `runs` (how many), `created`, `comment` and `tags` (a list).
    ///
    /// # Errors
    ///
    /// [`Error::Engine`] if the database fails.
    ///
    /// ```no_run
    /// # async fn example(client: sqltrack_core::Client) -> Result<(), sqltrack_core::Error> {
    /// for experiment in client.list_experiments().await? {
    ///     println!("{}: {} runs", experiment.get::<String>("name")?, experiment.get::<i64>("runs")?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn list_experiments(&self) -> Result<Rows, Error> {
        let rows = self.query(EXPERIMENTS, ()).await?;
        let columns = rows.columns().to_vec();
        Ok(Rows::new(columns, rows.into_iter().map(with_tags).collect()))
    }

    /// The runs, oldest first: `id`, `experiment` (its name), `status` (with LOST in it), `created`, `started`, `updated`, `comment` and
    /// `tags` (a list). Only those of an experiment, and only so many of the newest, if asked for.
    ///
    /// # Errors
    ///
    /// [`Error::Engine`] if the database fails.
    pub async fn list_runs(
        &self,
        experiment: Option<ExperimentId>,
        limit: Option<u32>,
    ) -> Result<Rows, Error> {
        self.list_runs_as(&RunListing { experiment, limit, ..RunListing::default() }).await
    }

    /// The runs as [`list_runs`](Self::list_runs) gives them, those and so much of them as asked for.
    ///
    /// # Errors
    ///
    /// [`Error::Engine`] if the database fails, or with what it says of a condition that is no SQL.
    ///
    /// ```no_run
    /// # async fn example(client: sqltrack_core::Client) -> Result<(), sqltrack_core::Error> {
    /// use sqltrack_core::RunListing;
    ///
    /// let condition = Some("status = 'COMPLETED' AND args->>'lr' = '0.1'".to_owned());
    /// let runs = client.list_runs_as(&RunListing { condition, ..RunListing::default() }).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn list_runs_as(&self, listing: &RunListing) -> Result<Rows, Error> {
        let details = if listing.details { format!(", {RUN_DETAILS}") } else { String::new() };
        // A comment at the end of the condition ends with its line.
        let condition = listing.condition.as_deref().map(|condition| format!("AND (\n{condition}\n)"));
        // The newest first, so that a limit leaves those.
        let sql = format!(
            "SELECT {RUN_COLUMNS}{details}\nFROM (\n{RUNS}\n) AS runs\n\
             WHERE (CAST($1 AS BIGINT) IS NULL OR experiment_id = $1) {}\n\
             ORDER BY created DESC, id DESC\nLIMIT $2",
            condition.unwrap_or_default()
        );
        let experiment = Value::from(listing.experiment.map(|id| id.0));
        let limit = listing.limit.map_or(i64::MAX, i64::from);
        let rows = self.query(&sql, vec![experiment, Value::Int(limit)]).await?;
        let columns = rows.columns().to_vec();
        let mut values: Vec<_> = rows.into_iter().map(with_tags).collect();
        values.reverse();
        Ok(Rows::new(columns, values))
    }

    /// The id of the experiment of this name, or else of this id in digits. None is created.
    ///
    /// # Errors
    ///
    /// [`ListingError::NoSuchExperiment`] in [`Error::Listing`] if there is none.
    pub async fn find_experiment(&self, name_or_id: &str) -> Result<ExperimentId, Error> {
        let rows = self.query("SELECT id, name FROM experiments ORDER BY id", ()).await?;
        let known = rows.into_iter().map(Row::decode).collect::<Result<Vec<(i64, String)>, _>>()?;
        let named = known.iter().find(|(_, name)| name == name_or_id);
        let numbered = || {
            let id: i64 = name_or_id.parse().ok()?;
            known.iter().find(|(known, _)| *known == id)
        };
        named.or_else(numbered).map(|(id, _)| ExperimentId(*id)).ok_or_else(|| {
            let name = name_or_id.to_owned();
            let nearest = nearest(&name, known.iter().map(|(_, name)| name.as_str()));
            ListingError::NoSuchExperiment { name, nearest }.into()
        })
    }

    /// The metrics of a run as a table by step and progress, NaN and what has no column of its own included:
    /// `step`, `progress`, then those in `names`, or if there are none, all that the run has.
    ///
    /// # Errors
    ///
    /// [`Error::Engine`] with `NoSuchRun` if the run does not exist, [`ListingError::NoSuchMetric`] in
    /// [`Error::Listing`] if no run can have a metric of such a name yet.
    pub async fn list_metrics(&self, run: impl Into<RunId>, names: &[String]) -> Result<Rows, Error> {
        let run = Run::open(self, run).await?;
        let points = run.metrics().await?;
        let names = self.shown_metrics(points.iter(), names).await?;
        let columns = ["step", "progress"];
        Ok(metrics_table(&columns, points.into_iter().map(|point| (Vec::new(), point)), &names))
    }

    /// The metrics of whole series as one table: `series` (its id), `run` (that each row is of), and then as
    /// [`list_metrics`](Self::list_metrics).
    ///
    /// # Errors
    ///
    /// As [`list_metrics`](Self::list_metrics).
    pub async fn list_series(&self, lineages: &[Lineage], names: &[String]) -> Result<Rows, Error> {
        let mut points = Vec::new();
        for lineage in lineages {
            let id = Value::Int(lineage.id.0);
            let series = lineage.metrics(self).await?;
            points
                .extend(series.into_iter().map(|(run, point)| (vec![id.clone(), Value::Int(run.0)], point)));
        }
        let names = self.shown_metrics(points.iter().map(|(_, point)| point), names).await?;
        Ok(metrics_table(&["series", "run", "step", "progress"], points.into_iter(), &names))
    }

    /// The names that are shown: those that are asked for, or all that the points have.
    async fn shown_metrics<'a>(
        &self,
        points: impl Iterator<Item = &'a MetricPoint>,
        asked: &[String],
    ) -> Result<IndexSet<String>, Error> {
        let columns = self.metric_columns().await?;
        let columns: IndexSet<String> = columns.into_iter().map(|column| column.name).collect();
        let mut found: IndexSet<&str> = IndexSet::new();
        points.flat_map(|point| point.metrics.keys()).for_each(|name| {
            found.insert(name);
        });
        let is_known = |name: &str| columns.contains(name) || found.contains(name);
        if let Some(name) = asked.iter().find(|name| !is_known(name)) {
            let known = columns.iter().map(String::as_str).chain(found.iter().copied());
            return Err(
                ListingError::NoSuchMetric { name: name.clone(), nearest: nearest(name, known) }.into()
            );
        }
        if !asked.is_empty() {
            return Ok(asked.iter().cloned().collect());
        }
        // In the order of their columns, then those that have none.
        let in_columns = columns.iter().map(String::as_str).filter(|name| found.contains(name));
        let beyond = found.iter().copied().filter(|name| !columns.contains(*name));
        Ok(in_columns.chain(beyond).map(str::to_owned).collect())
    }

    /// The columns of the table `metrics`.
    pub(crate) async fn metric_columns(&self) -> Result<Vec<MetricColumn>, Error> {
        self.with_connection(|conn| Box::pin(async move { Ok::<_, Error>(conn.metric_columns().await?) }))
            .await
    }
}

/// The points below the columns of their keys, whose first ones come with each point, and one column for each metric.
fn metrics_table(
    keys: &[&str],
    points: impl Iterator<Item = (Vec<Value>, MetricPoint)>,
    names: &IndexSet<String>,
) -> Rows {
    let column = |name: &str| Column { name: name.to_owned(), type_name: String::new() };
    let columns = keys.iter().copied().chain(names.iter().map(String::as_str)).map(column);
    let row = |(mut values, mut point): (Vec<Value>, MetricPoint)| {
        values.extend([Value::Int(point.step), Value::Float(point.progress)]);
        values.extend(names.iter().map(|name| point.metrics.swap_remove(name).unwrap_or(Value::Null)));
        values
    };
    Rows::new(columns.collect(), points.map(row).collect())
}

/// The values of a row, with tags as the list of their names.
fn with_tags(row: Row) -> Vec<Value> {
    let position = row.columns().iter().position(|column| column.name == "tags");
    let mut values = row.into_values();
    if let Some(tags) = position.and_then(|position| values.get_mut(position))
        && let Value::Json(serde_json::Value::Object(object)) = tags
    {
        *tags = object.keys().map(String::as_str).collect();
    }
    values
}
