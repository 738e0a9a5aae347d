//! Reading: the best values of many runs, one curve of them, and a step with more metrics than there are columns.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use async_trait::async_trait;
use sqltrack_core::{Client, Experiment, ExperimentId, Metrics, Run, Value};

use super::{LIBRARY, RAW, Setting};
use crate::database::{Database, EXPERIMENT, Engine};
use crate::raw::{BATCH, Raw};
use crate::report::{Figure, Goal, Unit};
use crate::timing::{Duel, Outcome, Side, Turn};

const WIDTH: usize = 5;

/// Ways to write the best values with their steps by hand; which one is the fastest depends on the engine. None of them
/// looks for what is not finite.
fn best_by_hand(engine: Engine) -> Vec<(&'static str, &'static str)> {
    engine.choose(
        vec![
            (
                "run by run by hand",
                "SELECT r.id, b.* FROM runs AS r CROSS JOIN LATERAL (
                    SELECT metric_0, step, progress FROM metrics WHERE run_id = r.id AND metric_0 IS NOT NULL
                    ORDER BY metric_0 DESC, step, progress LIMIT 1
                ) AS b WHERE r.experiment_id = $1 ORDER BY r.id",
            ),
            (
                "sorted by hand",
                "SELECT DISTINCT ON (m.run_id) m.run_id, m.metric_0, m.step, m.progress
                FROM metrics AS m JOIN runs AS r ON r.id = m.run_id
                WHERE r.experiment_id = $1 AND m.metric_0 IS NOT NULL
                ORDER BY m.run_id, m.metric_0 DESC, m.step, m.progress",
            ),
            (
                "grouped by hand, by arrays",
                "SELECT m.run_id, (max(ARRAY[m.metric_0, -m.step, -m.progress]))[1] FROM metrics AS m
                JOIN runs AS r ON r.id = m.run_id WHERE r.experiment_id = $1 GROUP BY m.run_id ORDER BY m.run_id",
            ),
            (
                "grouped and joined by hand",
                "SELECT b.run_id, b.best, min(m.step)
                FROM (
                    SELECT m.run_id, max(m.metric_0) AS best FROM metrics AS m JOIN runs AS r ON r.id = m.run_id
                    WHERE r.experiment_id = $1 GROUP BY m.run_id
                ) AS b JOIN metrics AS m ON m.run_id = b.run_id AND m.metric_0 = b.best
                GROUP BY b.run_id, b.best ORDER BY b.run_id",
            ),
        ],
        vec![
            (
                "grouped by hand",
                "SELECT run_id, max(metric_0), step, progress FROM metrics
                WHERE run_id IN (SELECT id FROM runs WHERE experiment_id = $1) GROUP BY run_id ORDER BY run_id",
            ),
            (
                "run by run by hand",
                "SELECT r.id, (SELECT max(metric_0) FROM metrics WHERE run_id = r.id),
                    (SELECT step FROM metrics WHERE run_id = r.id ORDER BY metric_0 DESC, step LIMIT 1)
                FROM runs AS r WHERE r.experiment_id = $1 ORDER BY r.id",
            ),
        ],
    )
}

const CURVE: &str = "SELECT step, metric_0 FROM metrics WHERE run_id = $1 ORDER BY step, progress";
/// How many metrics a step has that are more than there are columns.
const MANY: usize = 10_000;
const NARROW: &str = "SELECT step, progress, name, value, other FROM metrics_overflow WHERE run_id = $1";
const LISTED: &str = "the library's `list_metrics`";

pub(super) async fn measure(setting: &Setting) -> Result<Vec<Figure>> {
    let database = setting.database(WIDTH).await?;
    let runs = fill(&database, setting.scale.choose(1000, 100)).await?;
    let figures = vec![best_values(setting, &database, runs.len(), 30).await?];
    let curves = curves(setting, &database, runs).await?;
    database.remove().await?;
    Ok(figures.into_iter().chain(curves).chain([many_metrics(setting).await?]).collect())
}

/// Makes runs of [`BATCH`] steps each.
async fn fill(database: &Database, count: usize) -> Result<Vec<i64>> {
    let mut raw = database.raw(WIDTH).await?;
    let mut runs = Vec::with_capacity(count);
    for _ in 0..count {
        let run = raw.new_run(EXPERIMENT).await?;
        raw.batch(run, 0, &[1.0 / f64::from(i32::try_from(run)?); WIDTH]).await?;
        runs.push(run);
    }
    raw.settle().await?;
    raw.close().await?;
    Ok(runs)
}

/// The best values of all runs by the library, against the fastest way by hand.
pub(super) async fn best_values(
    setting: &Setting,
    database: &Database,
    count: usize,
    rounds: usize,
) -> Result<Figure> {
    let client = database.client().await?;
    let experiment = Experiment::open(&client, EXPERIMENT).await?.id();
    let by_hand = best_by_hand(setting.engine);
    let mut duel = Duel::default();
    for (name, sql) in &by_hand {
        duel = duel.side(name, RawReading::new(database, sql, vec![experiment.0]).await?);
    }
    let outcome =
        duel.side(LIBRARY, BestListing { client, experiment }).fight(setting.scale.rounds(rounds)).await?;
    let by_hand = fastest(&outcome, by_hand.iter().map(|(name, _)| *name))?;
    Ok(setting
        .figure(format!("best values of {count} runs × {BATCH} steps"))
        .raw(outcome.seconds(by_hand)?, Unit::Seconds)
        .library(outcome.seconds(LIBRARY)?, Unit::Seconds)
        .ratio(outcome.cost(LIBRARY, by_hand)?)
        .goal(Goal::RatioAtMost(1.5))
        .note(by_hand))
}

fn fastest<'a>(outcome: &Outcome, sides: impl Iterator<Item = &'a str>) -> Result<&'a str> {
    let timed = sides.map(|side| Ok((outcome.seconds(side)?, side))).collect::<Result<Vec<_>>>()?;
    let fastest = timed.into_iter().min_by(|(one, _), (other, _)| one.total_cmp(other));
    Ok(fastest.context("there is no way by hand")?.1)
}

/// The best values by the function that is there for them.
struct BestListing {
    client: Client,
    experiment: ExperimentId,
}

#[async_trait]
impl Side for BestListing {
    async fn turn(&mut self) -> Result<Turn> {
        let start = Instant::now();
        let found =
            self.client.best("metric_0", sqltrack_core::Goal::Max).experiment(self.experiment).await?;
        found.first().context("there are no runs")?.best.as_ref().context("there is no best value")?;
        Ok(Turn { elapsed: start.elapsed(), work: 1 })
    }
}

async fn curves(setting: &Setting, database: &Database, runs: Vec<i64>) -> Result<Vec<Figure>> {
    let client = database.client().await?;
    let parameters: Vec<i64> = runs.into_iter().step_by(20).take(20).collect();
    let querying = Querying { client: client.clone(), sql: CURVE, parameters: parameters.clone() };
    let outcome = Duel::default()
        .side(RAW, RawReading::new(database, CURVE, parameters.clone()).await?)
        .side(LIBRARY, querying)
        .side(LISTED, Listing { client, runs: parameters })
        .fight(setting.scale.rounds(60))
        .await?;
    let figure = |what: &str, side| {
        Ok::<_, anyhow::Error>(
            setting
                .figure(format!("one curve of {BATCH} steps by {what}"))
                .raw(outcome.seconds(RAW)?, Unit::Seconds)
                .library(outcome.seconds(side)?, Unit::Seconds)
                .ratio(outcome.cost(side, RAW)?),
        )
    };
    Ok(vec![figure("`Client::query`", LIBRARY)?, figure("`Client::list_metrics`", LISTED)?])
}

/// More metrics at one step than there are columns, against as many narrow rows.
async fn many_metrics(setting: &Setting) -> Result<Figure> {
    let (wide, narrow) = (setting.database(1).await?, setting.database(1).await?);
    let client = wide.client().await?;
    let all_beyond = crate::database::client(narrow.url(), &[("columns", "0".to_owned())]).await?;
    let mut runs = Vec::new();
    for client in [&client, &all_beyond] {
        let run = Experiment::open(client, EXPERIMENT).await?.new_run().await?;
        let metrics: Metrics = (0..MANY).map(|number| (format!("layer {number}"), 0.5)).collect();
        run.add_metrics(metrics).await?;
        runs.push(run);
    }
    let parameters = vec![runs[1].id().0];
    let outcome = Duel::default()
        .side(RAW, RawReading::new(&narrow, NARROW, parameters).await?)
        .side(LIBRARY, Points(runs.swap_remove(0)))
        .fight(setting.scale.rounds(60))
        .await?;
    drop((client, all_beyond, runs));
    wide.remove().await?;
    narrow.remove().await?;
    Ok(setting
        .figure(format!("{MANY} metrics of one step by `Run::metrics`"))
        .raw(outcome.seconds(RAW)?, Unit::Seconds)
        .library(outcome.seconds(LIBRARY)?, Unit::Seconds)
        .ratio(outcome.cost(LIBRARY, RAW)?)
        .note("the driver reads as many narrow rows, and decodes none"))
}

/// All metrics of a run.
struct Points(Run);

#[async_trait]
impl Side for Points {
    async fn turn(&mut self) -> Result<Turn> {
        let start = Instant::now();
        let points = self.0.metrics().await?;
        ensure!(points.len() == 1 && points[0].metrics.len() == MANY, "metrics are missing");
        Ok(Turn { elapsed: start.elapsed(), work: 1 })
    }
}

/// The driver's rows of a statement, for one parameter after the other.
struct RawReading {
    raw: Raw,
    sql: Arc<str>,
    parameters: Vec<i64>,
}

impl RawReading {
    async fn new(database: &Database, sql: &str, parameters: Vec<i64>) -> Result<Self> {
        Ok(Self { raw: database.raw(WIDTH).await?, sql: sql.into(), parameters })
    }
}

#[async_trait]
impl Side for RawReading {
    async fn turn(&mut self) -> Result<Turn> {
        let start = Instant::now();
        for parameter in &self.parameters {
            let rows = self.raw.fetch(&self.sql, *parameter).await?;
            rows.first().context("there are no rows")?;
        }
        Ok(Turn { elapsed: start.elapsed(), work: self.parameters.len() as u64 })
    }
}

/// The same by [`Client::query`].
struct Querying {
    client: Client,
    sql: &'static str,
    parameters: Vec<i64>,
}

#[async_trait]
impl Side for Querying {
    async fn turn(&mut self) -> Result<Turn> {
        let start = Instant::now();
        for parameter in &self.parameters {
            let rows = self.client.query(self.sql, vec![Value::Int(*parameter)]).await?;
            let rows = rows.into_iter().map(sqltrack_core::Row::decode);
            let rows: Vec<(i64, f64)> = rows.collect::<Result<_, _>>()?;
            rows.first().context("there are no rows")?;
        }
        Ok(Turn { elapsed: start.elapsed(), work: self.parameters.len() as u64 })
    }
}

/// Curves by the function that is there for them, which also finds NaN and what has no column.
struct Listing {
    client: Client,
    runs: Vec<i64>,
}

#[async_trait]
impl Side for Listing {
    async fn turn(&mut self) -> Result<Turn> {
        let start = Instant::now();
        for run in &self.runs {
            let rows = self.client.list_metrics(*run, &["metric_0".to_owned()]).await?;
            rows.into_iter().next().context("there are no rows")?;
        }
        Ok(Turn { elapsed: start.elapsed(), work: self.runs.len() as u64 })
    }
}
