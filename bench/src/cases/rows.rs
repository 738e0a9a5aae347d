//! Writing single rows, each of which is committed before the next: by the driver, and by the library.

use std::time::Instant;

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use sqltrack_core::{Client, Experiment, Run};

use crate::database::{EXPERIMENT, names, pairs};
use crate::raw::Raw;
use crate::timing::{Side, Turn};

/// Something that writes a number of rows to a new run.
#[async_trait]
pub(crate) trait Writes: Send {
    /// Makes the run.
    async fn prepare(&mut self) -> Result<()>;
    /// Writes the rows, all of which are committed when it returns, and tells how many they are.
    async fn write(&mut self) -> Result<u64>;
}

/// What writes rows is a side: only the writing is timed.
#[async_trait]
impl<W: Writes> Side for W {
    async fn turn(&mut self) -> Result<Turn> {
        self.prepare().await?;
        let start = Instant::now();
        let work = self.write().await?;
        Ok(Turn { elapsed: start.elapsed(), work })
    }
}

/// By a prepared statement on one connection.
pub(crate) struct RawRows {
    raw: Raw,
    values: Vec<f64>,
    rows: u32,
    touches: bool,
    run: i64,
}

impl RawRows {
    pub(crate) fn new(raw: Raw, width: usize, rows: u32) -> Self {
        Self { raw, values: vec![0.5; width], rows, touches: false, run: 0 }
    }

    /// The same, and the time of the run's last update with each row.
    pub(crate) fn touching(self) -> Self {
        Self { touches: true, ..self }
    }
}

#[async_trait]
impl Writes for RawRows {
    async fn prepare(&mut self) -> Result<()> {
        self.run = self.raw.new_run(EXPERIMENT).await?;
        Ok(())
    }

    async fn write(&mut self) -> Result<u64> {
        for step in 0..self.rows {
            if self.touches {
                self.raw.upsert_and_touch(self.run, step.into(), &self.values).await?;
            } else {
                self.raw.upsert(self.run, step.into(), &self.values).await?;
            }
        }
        Ok(self.rows.into())
    }
}

/// By `add_metrics`, awaited.
pub(crate) struct LibraryRows {
    experiment: Experiment,
    names: Vec<&'static str>,
    rows: u32,
    run: Option<Run>,
}

impl LibraryRows {
    pub(crate) async fn new(client: Client, width: usize, rows: u32) -> Result<Self> {
        let experiment = Experiment::open(&client, EXPERIMENT).await?;
        Ok(Self { experiment, names: names(width), rows, run: None })
    }
}

#[async_trait]
impl Writes for LibraryRows {
    async fn prepare(&mut self) -> Result<()> {
        self.run = Some(self.experiment.new_run().await?);
        Ok(())
    }

    async fn write(&mut self) -> Result<u64> {
        let run = self.run.as_ref().context("there is no run")?;
        for step in 0..self.rows {
            run.add_metrics(pairs(self.names.clone())).step(step.into()).await?;
        }
        Ok(self.rows.into())
    }
}
