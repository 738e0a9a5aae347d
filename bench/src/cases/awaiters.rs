//! Many tasks of one process that each await their own rows.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use sqltrack_core::{Client, Experiment, Run};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use super::rows::{Steps, Writes};
use super::{LIBRARY, RAW, Setting};
use crate::database::{Database, EXPERIMENT, names, pairs};
use crate::raw::Raw;
use crate::report::{Figure, Goal, Quantity, Unit};
use crate::timing::Duel;

const WIDTH: usize = 5;
const TASKS: u32 = 64;
/// Long enough for each task to have several turns at a connection.
const LONG_SPAN: Duration = Duration::from_millis(50);

const ONE: &str = "one awaiter of the library";
const OF_ONE_RUN: &str = "the library, with one run for all";

pub(super) async fn measure(setting: &Setting) -> Result<Vec<Figure>> {
    let database = setting.database(WIDTH).await?;
    // As many connections as the library has. On SQLite, where one of them writes at a time, the others only get
    // in its way.
    let connections = setting.engine.choose(8, 1);
    let library = async |tasks, runs| Awaiters::new(database.client().await?, tasks, runs).await;
    let outcome = Duel::default()
        .side(RAW, RawAwaiters::new(&database, connections).await?)
        .side(ONE, library(1, Runs::Each).await?)
        .side(LIBRARY, library(TASKS, Runs::Each).await?)
        .side(OF_ONE_RUN, library(TASKS, Runs::One).await?)
        .fight(setting.scale.rounds(100))
        .await?;
    let figure = |what: &str, side, other| {
        let rate = 1.0 / outcome.seconds(side)?;
        Ok::<_, anyhow::Error>(
            setting.figure(what).library(rate, Unit::RowsPerSecond).ratio(outcome.speed(side, other)?),
        )
    };
    let goal = setting.engine.choose(Some(Goal::RatioAtLeast(10.0)), None);
    let one = Quantity { value: 1.0 / outcome.seconds(ONE)?, unit: Unit::RowsPerSecond };
    let to_one = format!("ratio to one awaiter of the library: {one}");
    let figures = vec![
        figure("64 awaiters, a run each", LIBRARY, RAW)?
            .raw(1.0 / outcome.seconds(RAW)?, Unit::RowsPerSecond)
            .note(setting.engine.choose("the driver with 8 connections", "the driver with one connection")),
        figure("64 awaiters, a run each", LIBRARY, ONE)?.note(&to_one).goal(goal),
        figure("64 awaiters of one run", OF_ONE_RUN, ONE)?.note(&to_one).goal(goal),
    ];
    database.remove().await?;
    Ok(figures)
}

/// Whose rows the tasks write.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Runs {
    /// Each those of a run of its own.
    Each,
    /// All those of one run.
    One,
}

struct Awaiters {
    experiment: Experiment,
    tasks: u32,
    of: Runs,
    runs: Vec<Run>,
    /// The first step that no task has written.
    next: i64,
}

impl Awaiters {
    async fn new(client: Client, tasks: u32, of: Runs) -> Result<Self> {
        let experiment = Experiment::open(&client, EXPERIMENT).await?;
        Ok(Self { experiment, tasks, of, runs: Vec::new(), next: 0 })
    }
}

#[async_trait]
impl Writes for Awaiters {
    async fn prepare(&mut self) -> Result<()> {
        if !self.runs.is_empty() {
            return Ok(());
        }
        for task in 0..self.tasks {
            let is_shared = task > 0 && self.of == Runs::One;
            self.runs.push(if is_shared { self.runs[0].clone() } else { self.experiment.new_run().await? });
        }
        Ok(())
    }

    async fn write(&mut self) -> Result<u64> {
        let next = self.next;
        let mut tasks = JoinSet::new();
        for (task, run) in (0..).zip(self.runs.iter().cloned()) {
            tasks.spawn(async move {
                let mut steps = Steps::over(LONG_SPAN);
                for step in steps.by_ref() {
                    // Each task has its own rows, also of a run that all share.
                    let step = i64::from(TASKS) * (next + step) + task;
                    run.add_metrics(pairs(names(WIDTH))).step(step).await?;
                }
                Ok(steps.taken())
            });
        }
        let rows = total(tasks).await?;
        self.next += i64::try_from(rows)?;
        Ok(rows)
    }
}

/// The same tasks, which share some connections of the driver.
struct RawAwaiters {
    connections: Vec<Arc<Mutex<Raw>>>,
    runs: Vec<i64>,
    /// The first step that no task has written.
    next: i64,
}

impl RawAwaiters {
    async fn new(database: &Database, count: usize) -> Result<Self> {
        let mut connections = Vec::new();
        for _ in 0..count {
            connections.push(Arc::new(Mutex::new(database.raw(WIDTH).await?)));
        }
        Ok(Self { connections, runs: Vec::new(), next: 0 })
    }
}

#[async_trait]
impl Writes for RawAwaiters {
    async fn prepare(&mut self) -> Result<()> {
        if !self.runs.is_empty() {
            return Ok(());
        }
        let mut first = self.connections.first().context("there is no connection")?.lock().await;
        for _ in 0..TASKS {
            self.runs.push(first.new_run(EXPERIMENT).await?);
        }
        Ok(())
    }

    async fn write(&mut self) -> Result<u64> {
        let next = self.next;
        let mut tasks = JoinSet::new();
        for (run, connection) in self.runs.iter().copied().zip(self.connections.iter().cycle()) {
            let connection = connection.clone();
            tasks.spawn(async move {
                let mut steps = Steps::over(LONG_SPAN);
                for step in steps.by_ref() {
                    connection.lock().await.upsert(run, next + step, &[0.5; WIDTH]).await?;
                }
                Ok(steps.taken())
            });
        }
        let rows = total(tasks).await?;
        self.next += i64::try_from(rows)?;
        Ok(rows)
    }
}

/// How many rows the tasks have written.
async fn total(mut tasks: JoinSet<Result<u64>>) -> Result<u64> {
    let mut rows = 0;
    while let Some(done) = tasks.join_next().await {
        rows += done??;
    }
    Ok(rows)
}
