//! Runs that continue others, as one series: what the views `run_lineage` and `metrics_lineage` show, for chosen runs.

mod links;

use std::collections::HashMap;

use sqltrack_engines::{RunId, Value};

use crate::{Client, Error, MetricPoint, Run};
use links::Links;

/// The kind of link that a run has to the one that it goes on from.
pub const RESUMES: &str = "resumes";

/// A series of runs, see [`Client::lineages`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lineage {
    /// The run that it begins with, whose id is that of the series.
    pub id: RunId,
    /// The runs in the order in which they were created.
    pub runs: Vec<LineageRun>,
    /// Those that continue each other in a circle, in the order of their ids; empty if all is well.
    pub cycle: Vec<RunId>,
}

/// A run of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LineageRun {
    /// The run.
    pub run: RunId,
    /// The first step that a later run has, from which on that one counts.
    pub before_step: Option<i64>,
}

impl Client {
    /// The series that runs belong to, in the order of the runs, each once: a run together with all that continue it by
    /// links of `kind`, mostly [`RESUMES`], and those that it continues. A later run wins from its first step on. A run
    /// without links is a series by itself, and so is one that goes round in a circle, which [`Lineage::cycle`] tells.
    ///
    /// # Errors
    ///
    /// [`Error::Engine`] with `NoSuchRun` if a run does not exist, or if the database fails.
    ///
    /// ```no_run
    /// # async fn example(client: sqltrack_core::Client) -> Result<(), sqltrack_core::Error> {
    /// for lineage in client.lineages([523_459], sqltrack_core::RESUMES).await? {
    ///     for (run, point) in lineage.metrics(&client).await? {
    ///         println!("{run}: step {} has {:?}", point.step, point.metrics.get("loss"));
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn lineages<R: Into<RunId>>(
        &self,
        runs: impl IntoIterator<Item = R>,
        kind: &str,
    ) -> Result<Vec<Lineage>, Error> {
        let runs: Vec<RunId> = runs.into_iter().map(Into::into).collect();
        let links = self.query("SELECT from_id, to_id FROM run_links WHERE kind = $1", (kind,)).await?;
        let links: Vec<(i64, i64)> = links.into_iter().map(|row| row.decode()).collect::<Result<_, _>>()?;
        self.stitch(runs, &Links::new(links.into_iter().map(|(from, to)| (RunId(from), RunId(to))))).await
    }

    /// Each run as a series by itself, whatever it continues, for what takes series.
    ///
    /// # Errors
    ///
    /// As [`lineages`](Self::lineages).
    pub async fn lone<R: Into<RunId>>(
        &self,
        runs: impl IntoIterator<Item = R>,
    ) -> Result<Vec<Lineage>, Error> {
        self.stitch(runs.into_iter().map(Into::into).collect(), &Links::new(std::iter::empty())).await
    }

    async fn stitch(&self, runs: Vec<RunId>, links: &Links) -> Result<Vec<Lineage>, Error> {
        let mut lineages: Vec<Lineage> = Vec::new();
        for lineage in runs.iter().flat_map(|run| links.lineages(*run)) {
            if lineages.iter().all(|known| known.id != lineage.id) {
                lineages.push(lineage);
            }
        }
        let facts = self.facts(&runs, &lineages).await?;
        lineages.iter_mut().for_each(|lineage| lineage.order(&facts));
        Ok(lineages)
    }

    /// When each run was created, as a place in that order, and its first step.
    async fn facts(&self, asked: &[RunId], lineages: &[Lineage]) -> Result<HashMap<RunId, Facts>, Error> {
        let members = lineages.iter().flat_map(|lineage| &lineage.runs).map(|run| run.run);
        let ids: Vec<Value> = members.map(|run| Value::Int(run.0)).collect();
        let chosen = self.dialect().is_among("id", 1);
        let sql = format!(
            "SELECT id, (SELECT min(step) FROM metrics WHERE run_id = runs.id) FROM runs WHERE {chosen}
            ORDER BY time_created, id"
        );
        let rows = self.query(&sql, vec![Value::List(ids)]).await?;
        let mut facts = HashMap::with_capacity(rows.len());
        for (place, row) in rows.into_iter().enumerate() {
            let (run, first_step) = row.decode()?;
            facts.insert(RunId(run), Facts { place, first_step });
        }
        match asked.iter().find(|run| !facts.contains_key(run)) {
            Some(run) => Err(sqltrack_engines::EngineError::NoSuchRun(*run).into()),
            None => Ok(facts),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Facts {
    place: usize,
    first_step: Option<i64>,
}

impl Lineage {
    /// Brings the runs in order, and sets where each one ends.
    fn order(&mut self, facts: &HashMap<RunId, Facts>) {
        // A run that is deleted just now is not there.
        self.runs.retain(|run| facts.contains_key(&run.run));
        self.runs.sort_by_key(|run| facts.get(&run.run).map(|facts| facts.place));
        let mut before_step = None;
        for run in self.runs.iter_mut().rev() {
            run.before_step = before_step;
            let first = facts.get(&run.run).and_then(|facts| facts.first_step);
            before_step = [before_step, first].into_iter().flatten().min();
        }
    }

    /// All metrics of the series by step and progress, each with the run that it is of. See [`Run::metrics`].
    ///
    /// # Errors
    ///
    /// [`Error::Engine`] if the database fails.
    pub async fn metrics(&self, client: &Client) -> Result<Vec<(RunId, MetricPoint)>, Error> {
        let mut series = Vec::new();
        for LineageRun { run, before_step } in &self.runs {
            let points = client.run(*run).metrics().await?;
            let counts = |point: &MetricPoint| before_step.is_none_or(|before| point.step < before);
            series.extend(points.into_iter().filter(counts).map(|point| (*run, point)));
        }
        Ok(series)
    }
}

impl Run {
    /// The series that this run belongs to: mostly one, more if it continues several runs. See [`Client::lineages`].
    ///
    /// # Errors
    ///
    /// As [`Client::lineages`].
    pub async fn lineages(&self, kind: &str) -> Result<Vec<Lineage>, Error> {
        self.client().lineages([self.id()], kind).await
    }
}
