//! Adding metrics to a run.

use std::future::IntoFuture;

use super::{At, Metrics};
use crate::client::BoxFuture;
use crate::writer::Together;
use crate::{Error, Run, Stamp};

/// Metrics on their way to a run, see [`Run::add_metrics`]. Await it.
#[derive(Debug, Clone)]
#[must_use = "nothing is written until it is awaited"]
pub struct AddMetrics {
    run: Run,
    metrics: Metrics,
    step: i64,
    progress: f64,
    updated: Stamp,
}

impl AddMetrics {
    pub(crate) fn new(run: Run, metrics: Metrics) -> Self {
        Self { run, metrics, step: 0, progress: 0.0, updated: Stamp::Auto }
    }

    /// The step that the metrics were measured at: an absolute number such as iterations. Zero by default.
    pub fn step(mut self, step: i64) -> Self {
        self.step = step;
        self
    }

    /// The progress that the metrics were measured at: by convention the part of the run that is done, from 0 to 1.
    /// Zero by default; any number but NaN.
    pub fn progress(mut self, progress: f64) -> Self {
        self.progress = progress;
        self
    }

    /// What happens to the run's `time_updated`: set to now by default.
    pub fn updated(mut self, updated: impl Into<Stamp>) -> Self {
        self.updated = updated.into();
        self
    }

    /// Hands the metrics over to be written in the background, as [`Run::record_metrics`] does.
    ///
    /// # Errors
    ///
    /// As [`Run::record_metrics`].
    pub fn record(self) -> Result<(), Error> {
        let at = At { step: self.step, progress: self.progress };
        self.run.record_updating(at, self.metrics, self.updated.moment())
    }

    async fn write(self) -> Result<Ack, Error> {
        let client = self.run.client().clone();
        let at = At { step: self.step, progress: self.progress };
        let (names, values) = self.metrics.prepared()?;
        let call = self.run.call(at, names, self.updated.moment())?;
        call.check(&values, &client)?;
        if let Some(offline) = client.offline() {
            offline.write(&call, &values)?;
            return Ok(Ack::Spooled);
        }
        let Some(within) = client.within() else {
            return client.writer()?.write(call, values).await;
        };
        let mut together = Together::default();
        together.push(call, values);
        within.write(&client, together).await?;
        Ok(Ack::Committed)
    }
}

/// What became of metrics that were added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ack {
    /// They are committed; in a transaction, when it is.
    Committed,
    /// They are in the spool, and come to the database when that can be reached again: by themselves as long as this
    /// process lives, and by `sqltrack-cli sync` after it. Without a database (`offline`), by that alone.
    Spooled,
}

impl IntoFuture for AddMetrics {
    type Output = Result<Ack, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.write())
    }
}

impl Run {
    /// Adds metrics at a step: await it, or set [`step`](AddMetrics::step), [`progress`](AddMetrics::progress) and
    /// [`updated`](AddMetrics::updated) first. When it returns, they are committed; or, if the database cannot be
    /// reached and the client has a spool, in that: [`Ack`] tells which.
    ///
    /// Metrics of one step and progress are one row: a second call adds to it and overwrites only what it names. A
    /// value of `None` clears a metric. A metric without a column gets one, of its value's type. Nothing is ever
    /// rounded: an integer goes into a float column if a float equals it, the first float of an integer column makes
    /// it a float column, and any other value of another type is an error.
    ///
    /// A dropped future has written everything or nothing.
    ///
    /// # Errors
    ///
    /// [`Error::MetricName`], [`Error::MetricValue`], [`Error::MetricTwice`], [`Error::MetricCase`] and
    /// [`Error::ProgressNan`] for what cannot be kept; [`Error::Engine`] if the run does not exist or the database fails.
    ///
    /// ```no_run
    /// # async fn example(run: sqltrack_core::Run) -> Result<(), sqltrack_core::Error> {
    /// for epoch in 0..90 {
    ///     run.add_metrics([("loss", 7_f64.powf(1.0 / f64::from(epoch + 1)))]).step(epoch.into()).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn add_metrics(&self, metrics: impl Into<Metrics>) -> AddMetrics {
        AddMetrics::new(self.clone(), metrics.into())
    }
}
