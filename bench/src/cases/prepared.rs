//! Awaited rows whose metrics are named once, ahead of all of them.

use std::time::Duration;

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use sqltrack_core::{Client, Experiment, MetricSet, Run};

use super::rows::{Steps, Writes};
use crate::database::{EXPERIMENT, names};

/// By `add_metrics` with values of a [`MetricSet`], awaited.
pub(super) struct PreparedRows {
    experiment: Experiment,
    set: MetricSet,
    values: Vec<f64>,
    span: Duration,
    run: Option<Run>,
}

impl PreparedRows {
    pub(super) async fn new(client: Client, width: usize, span: Duration) -> Result<Self> {
        let experiment = Experiment::open(&client, EXPERIMENT).await?;
        let set = MetricSet::new(names(width))?;
        Ok(Self { experiment, set, values: vec![0.5; width], span, run: None })
    }
}

#[async_trait]
impl Writes for PreparedRows {
    async fn prepare(&mut self) -> Result<()> {
        self.run = Some(self.experiment.new_run().await?);
        Ok(())
    }

    async fn write(&mut self) -> Result<u64> {
        let run = self.run.as_ref().context("there is no run")?;
        let mut steps = Steps::over(self.span);
        for step in steps.by_ref() {
            run.add_metrics(self.set.metrics(self.values.iter().copied())?).step(step).await?;
        }
        Ok(steps.taken())
    }
}
