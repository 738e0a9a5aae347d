//! Writing single rows, each of which is committed before the next: by the driver, and by the library.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use sqltrack_core::{Client, Experiment, Run};

use crate::database::{EXPERIMENT, names, pairs};
use crate::raw::Raw;
use crate::timing::{Side, Turn};

/// Something that writes rows to a new run.
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

/// One step after the other until a time is over; at least one.
pub(crate) struct Steps {
    next: i64,
    end: Instant,
}

impl Steps {
    pub(crate) fn over(span: Duration) -> Self {
        Self { next: 0, end: Instant::now() + span }
    }

    /// How many there were.
    pub(crate) fn taken(&self) -> u64 {
        self.next.unsigned_abs()
    }
}

impl Iterator for Steps {
    type Item = i64;

    fn next(&mut self) -> Option<i64> {
        if self.next > 0 && Instant::now() >= self.end {
            return None;
        }
        self.next += 1;
        Some(self.next - 1)
    }
}

/// By a prepared statement on one connection.
pub(crate) struct RawRows {
    raw: Raw,
    values: Vec<f64>,
    span: Duration,
    run: i64,
}

impl RawRows {
    /// Writes rows of `width` metrics for as long as `span`.
    pub(crate) fn new(raw: Raw, width: usize, span: Duration) -> Self {
        Self { raw, values: vec![0.5; width], span, run: 0 }
    }
}

#[async_trait]
impl Writes for RawRows {
    async fn prepare(&mut self) -> Result<()> {
        self.run = self.raw.new_run(EXPERIMENT).await?;
        Ok(())
    }

    async fn write(&mut self) -> Result<u64> {
        let mut steps = Steps::over(self.span);
        for step in steps.by_ref() {
            self.raw.upsert(self.run, step, &self.values).await?;
        }
        Ok(steps.taken())
    }
}

/// By `add_metrics`, awaited.
pub(crate) struct LibraryRows {
    experiment: Experiment,
    names: Vec<&'static str>,
    span: Duration,
    run: Option<Run>,
}

impl LibraryRows {
    pub(crate) async fn new(client: Client, width: usize, span: Duration) -> Result<Self> {
        let experiment = Experiment::open(&client, EXPERIMENT).await?;
        Ok(Self { experiment, names: names(width), span, run: None })
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
        let mut steps = Steps::over(self.span);
        for step in steps.by_ref() {
            run.add_metrics(pairs(self.names.clone())).step(step).await?;
        }
        Ok(steps.taken())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_step_even_in_no_time_and_no_end_before_the_time_is_over() {
        let mut steps = Steps::over(Duration::ZERO);
        assert_eq!(steps.by_ref().collect::<Vec<_>>(), [0]);
        assert_eq!(steps.taken(), 1);
        let mut steps = Steps::over(Duration::from_secs(3600));
        assert_eq!(steps.by_ref().take(3).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(steps.taken(), 3);
    }
}
