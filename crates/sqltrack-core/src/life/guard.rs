//! A run that is being tracked, and what ends it: by a call, or when it is dropped.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use sqltrack_engines::RunId;
use tokio::sync::oneshot;

use super::LEASE_VARIABLE;
use super::session::Session;
use crate::{Error, Run, Status};

/// How long the end of a run is tried to be recorded.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a drop waits for it.
const DROP_PATIENCE: Duration = Duration::from_secs(2);

/// A run that is tracked until this is ended or dropped.
#[derive(Debug)]
pub(crate) struct Active {
    run: Run,
    session: Arc<Session>,
    dropped: Status,
}

impl Active {
    pub(crate) fn new(run: Run, session: Arc<Session>, dropped: Status) -> Self {
        Self { run, session, dropped }
    }

    pub(crate) fn run(&self) -> &Run {
        &self.run
    }

    pub(crate) fn set_dropped(&mut self, status: Status) {
        self.dropped = status;
    }

    /// Ends the run. Once this was polled, the end is recorded also if it is dropped.
    pub(crate) async fn end(mut self, status: Status) -> Result<(), Error> {
        self.dropped = status.clone();
        // The end is recorded also if some metrics cannot be written.
        let flushed = self.run.client().flush().await;
        let (answer, answered) = oneshot::channel();
        self.order(status, move |result| drop(answer.send(result)));
        // Without an answer, a signal has ended it already, and the process with it.
        if let Ok(result) = answered.await {
            result?;
        }
        flushed.map(drop)
    }

    fn order(&self, status: Status, done: impl FnOnce(Result<(), Error>) + Send + 'static) {
        if self.session.claim_end() {
            self.run.client().heart().end(&self.session, status, PATIENCE, Box::new(done));
        }
    }
}

/// Tells the log that an end is not recorded, where nobody else can be told.
pub(super) fn log_failure<E: std::fmt::Display>(run: RunId, result: Result<(), E>) {
    if let Err(err) = result {
        tracing::error!("the end of run {run} is not recorded: {err}");
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        let run = self.run.id();
        self.run.client().settle(DROP_PATIENCE / 2);
        self.order(self.dropped.clone(), move |result| log_failure(run, result));
        // The process may be about to exit. The database has its own thread, so that this waits in no circle.
        if !self.session.wait_for_end(DROP_PATIENCE) {
            tracing::warn!("the end of run {} is not recorded yet", self.run.id());
        }
    }
}

/// A run that is tracked until its guard ends it: [`complete`](Self::complete), or [`end`](Self::end) with another
/// status. It can be used as the [`Run`] itself.
///
/// A guard that is dropped leaves the run FAILED: its code was left by `?`, or by a panic. Where the guard belongs to a
/// future that others may drop, [`dropped`](Self::dropped) sets another status. The drop waits for that to be recorded,
/// for 2 s at most.
///
/// Everything else is as for [`Tracking::track`](crate::Tracking::track).
///
/// ```no_run
/// # async fn example(run: sqltrack_core::Run) -> Result<(), sqltrack_core::Error> {
/// let run = run.guard().await?;
/// for epoch in 0..90 {
///     run.add_metrics([("loss", 1.0 / f64::from(epoch + 1))]).step(epoch.into()).await?;
/// }
/// run.complete().await
/// # }
/// ```
#[derive(Debug)]
#[must_use = "the run ends when the guard is dropped"]
pub struct TrackGuard {
    active: Active,
    normal: Status,
    error: Status,
}

impl TrackGuard {
    pub(crate) fn new(active: Active, normal: Status, error: Status) -> Self {
        Self { active, normal, error }
    }

    /// Sets the status that the run is left with when the guard is dropped.
    pub fn dropped(mut self, status: impl Into<Status>) -> Self {
        self.active.set_dropped(status.into());
        self
    }

    /// The environment variables that make a process, and what it starts, a part of this tracker: see
    /// [`Run::from_env`].
    ///
    /// ```no_run
    /// # async fn example(guard: sqltrack_core::TrackGuard) -> Result<(), Box<dyn std::error::Error>> {
    /// let status = std::process::Command::new("python").arg("train.py").envs(guard.variables()).status()?;
    /// guard.end(if status.success() { "COMPLETED" } else { "FAILED" }).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn variables(&self) -> [(&'static str, String); 2] {
        let run = self.active.run.id();
        let lease = format!("{run}:{}", self.active.session.lease);
        [("SQLTRACK_RUN_ID", run.to_string()), (LEASE_VARIABLE, lease)]
    }

    /// Ends the run well: COMPLETED, or what [`Tracking::normal`](crate::Tracking::normal) says.
    ///
    /// A dropped future has ended the run all the same, if it was polled.
    ///
    /// # Errors
    ///
    /// [`Error::Engine`] if the end cannot be recorded within a minute, or the run was taken over.
    pub async fn complete(self) -> Result<(), Error> {
        let status = self.normal.clone();
        self.end(status).await
    }

    /// Ends the run by what came of its code: well, or FAILED, or what [`Tracking::error`](crate::Tracking::error) says.
    ///
    /// # Errors
    ///
    /// As [`complete`](Self::complete).
    pub async fn end_by<T, E>(self, result: &Result<T, E>) -> Result<(), Error> {
        let status = if result.is_ok() { self.normal.clone() } else { self.error.clone() };
        self.end(status).await
    }

    /// Ends the run with a status.
    ///
    /// # Errors
    ///
    /// As [`complete`](Self::complete).
    pub async fn end(self, status: impl Into<Status>) -> Result<(), Error> {
        self.active.end(status.into()).await
    }
}

impl Deref for TrackGuard {
    type Target = Run;

    fn deref(&self) -> &Run {
        self.active.run()
    }
}
