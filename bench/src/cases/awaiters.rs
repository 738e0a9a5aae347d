//! Many tasks of one process that each await their own rows.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use sqltrack_core::{Client, Experiment, Run};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use super::rows::Writes;
use super::{LIBRARY, RAW, Setting};
use crate::database::{Database, EXPERIMENT, names, pairs};
use crate::raw::Raw;
use crate::report::{Figure, Goal, Unit};
use crate::timing::Duel;

const WIDTH: usize = 5;
const TASKS: u32 = 64;
/// As many as the library has.
const CONNECTIONS: usize = 8;

const ONE: &str = "one awaiter of the library";
const OF_ONE_RUN: &str = "the library, with one run for all";

pub(super) async fn measure(setting: &Setting) -> Result<Vec<Figure>> {
    let database = setting.database(WIDTH).await?;
    let rows = setting.scale.choose(16, 4);
    let library = async |tasks, rows, runs| Awaiters::new(database.client().await?, tasks, rows, runs).await;
    let outcome = Duel::default()
        .side(RAW, RawAwaiters::new(&database, rows).await?)
        .side(ONE, library(1, setting.scale.choose(200, 50), Runs::Each).await?)
        .side(LIBRARY, library(TASKS, rows, Runs::Each).await?)
        .side(OF_ONE_RUN, library(TASKS, rows, Runs::One).await?)
        .fight(setting.scale.rounds(30))
        .await?;
    let figure = |what: &str, side, other| {
        Ok::<_, anyhow::Error>(
            setting
                .figure(what)
                .raw(1.0 / outcome.seconds(other)?, Unit::RowsPerSecond)
                .library(1.0 / outcome.seconds(side)?, Unit::RowsPerSecond)
                .ratio(outcome.speed(side, other)?),
        )
    };
    let goal = setting.engine.choose(Some(Goal::RatioAtLeast(10.0)), None);
    let to_one = "compared with one awaiter of the library, not with the driver";
    let figures = vec![
        figure("64 awaiters, a run each", LIBRARY, RAW)?.note("the driver with 8 connections"),
        figure("64 awaiters, a run each", LIBRARY, ONE)?.note(to_one).goal(goal),
        figure("64 awaiters of one run", OF_ONE_RUN, ONE)?.note(to_one).goal(goal),
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
    rows: u32,
    of: Runs,
    runs: Vec<Run>,
}

impl Awaiters {
    async fn new(client: Client, tasks: u32, rows: u32, of: Runs) -> Result<Self> {
        let experiment = Experiment::open(&client, EXPERIMENT).await?;
        Ok(Self { experiment, tasks, rows, of, runs: Vec::new() })
    }
}

#[async_trait]
impl Writes for Awaiters {
    async fn prepare(&mut self) -> Result<()> {
        self.runs.clear();
        for task in 0..self.tasks {
            let is_shared = task > 0 && self.of == Runs::One;
            self.runs.push(if is_shared { self.runs[0].clone() } else { self.experiment.new_run().await? });
        }
        Ok(())
    }

    async fn write(&mut self) -> Result<u64> {
        let rows = self.rows;
        let mut tasks = JoinSet::new();
        for (task, run) in (0..).zip(self.runs.drain(..)) {
            tasks.spawn(async move {
                for step in 0..rows {
                    let step = i64::from(task * rows + step);
                    run.add_metrics(pairs(names(WIDTH))).step(step).await?;
                }
                Ok::<_, sqltrack_core::Error>(())
            });
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        Ok(u64::from(self.tasks * rows))
    }
}

/// The same tasks, which share some connections of the driver.
struct RawAwaiters {
    connections: Vec<Arc<Mutex<Raw>>>,
    rows: u32,
    runs: Vec<i64>,
}

impl RawAwaiters {
    async fn new(database: &Database, rows: u32) -> Result<Self> {
        let mut connections = Vec::new();
        for _ in 0..CONNECTIONS {
            connections.push(Arc::new(Mutex::new(database.raw(WIDTH).await?)));
        }
        Ok(Self { connections, rows, runs: Vec::new() })
    }
}

#[async_trait]
impl Writes for RawAwaiters {
    async fn prepare(&mut self) -> Result<()> {
        self.runs.clear();
        let mut first = self.connections.first().context("there is no connection")?.lock().await;
        for _ in 0..TASKS {
            self.runs.push(first.new_run(EXPERIMENT).await?);
        }
        Ok(())
    }

    async fn write(&mut self) -> Result<u64> {
        let rows = self.rows;
        let mut tasks = JoinSet::new();
        for (run, connection) in self.runs.drain(..).zip(self.connections.iter().cycle()) {
            let connection = connection.clone();
            tasks.spawn(async move {
                for step in 0..rows {
                    connection.lock().await.upsert(run, step.into(), &[0.5; WIDTH]).await?;
                }
                Ok::<_, anyhow::Error>(())
            });
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        Ok(u64::from(TASKS * rows))
    }
}
