//! Many rows without waiting for each: batches of the driver, and rows that the library records.

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use sqltrack_core::{Client, Experiment, MetricSet, Run};

use super::rows::Writes;
use crate::database::{EXPERIMENT, names};
use crate::raw::{BATCH, Raw};

/// By batches of the driver, each of which is committed before the next.
pub(crate) struct RawBatches {
    raw: Raw,
    values: Vec<f64>,
    rows: u32,
    run: i64,
}

impl RawBatches {
    /// `rows` is a multiple of [`BATCH`].
    pub(crate) fn new(raw: Raw, width: usize, rows: u32) -> Self {
        Self { raw, values: vec![0.5; width], rows, run: 0 }
    }
}

#[async_trait]
impl Writes for RawBatches {
    async fn prepare(&mut self) -> Result<()> {
        self.run = self.raw.new_run(EXPERIMENT).await?;
        Ok(())
    }

    async fn write(&mut self) -> Result<u64> {
        for step in (0..self.rows).step_by(BATCH) {
            self.raw.batch(self.run, step.into(), &self.values).await?;
        }
        Ok(self.rows.into())
    }
}

/// How the library is given each row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Given {
    /// Values alone, by `record_values`: the names are those of a [`MetricSet`].
    Values,
    /// Names and values, by `record_metrics`.
    Pairs,
}

/// By recording rows, and waiting at the end until all are committed.
pub(crate) struct LibraryRecords {
    experiment: Experiment,
    given: Given,
    names: Vec<&'static str>,
    set: MetricSet,
    rows: u32,
    run: Option<Run>,
}

impl LibraryRecords {
    pub(crate) async fn new(client: Client, width: usize, rows: u32) -> Result<Self> {
        let experiment = Experiment::open(&client, EXPERIMENT).await?;
        let (names, set) = (names(width), MetricSet::new(names(width))?);
        Ok(Self { experiment, given: Given::Values, names, set, rows, run: None })
    }

    pub(crate) fn given(self, given: Given) -> Self {
        Self { given, ..self }
    }
}

#[async_trait]
impl Writes for LibraryRecords {
    async fn prepare(&mut self) -> Result<()> {
        self.run = Some(self.experiment.new_run().await?);
        Ok(())
    }

    async fn write(&mut self) -> Result<u64> {
        let run = self.run.as_ref().context("there is no run")?;
        for step in 0..self.rows {
            match self.given {
                Given::Values => {
                    let values = (0..self.names.len()).map(|_| 0.5);
                    run.record_values(i64::from(step), &self.set, values)?;
                }
                Given::Pairs => {
                    run.record_metrics(i64::from(step), crate::database::pairs(self.names.clone()))?;
                }
            }
        }
        run.client().flush().await?;
        Ok(self.rows.into())
    }
}
