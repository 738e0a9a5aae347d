//! Tracking a piece of code as a run: how it is asked for, its beginning, and the form that wraps the code.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use sqltrack_engines::{Connection, EngineError, Moment, RunChanges, RunId, RunLifeChange};
use tracing::Instrument as _;

use super::decide::{self, Beginning, Candidate, Mode, Role};
use super::guard::{Active, TrackGuard, log_failure};
use super::session::{Session, Terms};
use super::signals::Watch;
use crate::client::join;
use crate::offline::Offline;
use crate::{Error, Run, Stamp, Status, check};

/// How a run is tracked: [`Run::tracking`], [`Run::resume`] and [`Run::join`] begin it, [`track`](Self::track) and
/// [`guard`](Self::guard) do it.
///
/// ```no_run
/// # async fn example(run: sqltrack_core::Run) -> Result<sqltrack_core::Ack, sqltrack_core::Error> {
/// use std::time::Duration;
///
/// let tracking = run.tracking().terminated("PREEMPTED").heartbeat(Duration::from_secs(10));
/// tracking.track(async |run| run.add_metrics([("loss", 0.5)]).step(1).await).await
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "nothing is tracked until `track` or `guard` is called"]
pub struct Tracking {
    run: Run,
    mode: Mode,
    normal: Status,
    error: Status,
    interrupted: Status,
    terminated: Status,
    started: Option<Stamp>,
    updated: Stamp,
    heartbeat: Option<Duration>,
    grace: Option<Duration>,
    catches_signals: bool,
}

impl Tracking {
    pub(crate) fn new(run: Run, mode: Mode) -> Self {
        Self {
            run,
            mode,
            normal: Status::Completed,
            error: Status::Failed,
            interrupted: Status::Cancelled,
            terminated: Status::Cancelled,
            started: None,
            updated: Stamp::Auto,
            heartbeat: None,
            grace: None,
            catches_signals: true,
        }
    }

    /// Takes the run over from whoever tracks it, see [`Run::resume`].
    pub fn resume(mut self) -> Self {
        self.mode = Mode::Resume;
        self
    }

    /// Tracks the run together with others, see [`Run::join`].
    pub fn join(mut self) -> Self {
        self.mode = Mode::Join;
        self
    }

    /// The status when the code ends well: COMPLETED by default.
    pub fn normal(mut self, status: impl Into<Status>) -> Self {
        self.normal = status.into();
        self
    }

    /// The status when the code returns an error or panics: FAILED by default.
    pub fn error(mut self, status: impl Into<Status>) -> Self {
        self.error = status.into();
        self
    }

    /// The status on SIGINT, and when the future is dropped before its end: CANCELLED by default.
    pub fn interrupted(mut self, status: impl Into<Status>) -> Self {
        self.interrupted = status.into();
        self
    }

    /// The status on SIGTERM: CANCELLED by default.
    pub fn terminated(mut self, status: impl Into<Status>) -> Self {
        self.terminated = status.into();
        self
    }

    /// What happens to `time_started` at the beginning: it is set to now, but stays if the run is resumed or joined.
    pub fn started(mut self, started: impl Into<Stamp>) -> Self {
        self.started = Some(started.into());
        self
    }

    /// What happens to `time_updated` at the beginning and the end: set to now by default, and with each heartbeat.
    pub fn updated(mut self, updated: impl Into<Stamp>) -> Self {
        self.updated = updated.into();
        self
    }

    /// The time between heartbeats, at least 10 ms. The parameter `heartbeat` of the configuration by default, which is
    /// 30 s. A run of which three are missing counts as LOST.
    pub fn heartbeat(mut self, interval: Duration) -> Self {
        self.heartbeat = Some(interval);
        self
    }

    /// How long the process may take to end on SIGINT or SIGTERM. The parameter `grace` of the configuration by default,
    /// which is 10 s: as long as most schedulers wait before they kill.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = Some(grace);
        self
    }

    /// Leaves SIGINT and SIGTERM alone, for an application that handles them itself. It ends the code then, or drops
    /// its future, and the run gets its status from that.
    pub fn without_signals(mut self) -> Self {
        self.catches_signals = false;
        self
    }

    /// Runs `work` as the run: RUNNING while it goes on, and then COMPLETED, or FAILED if it returns an error or
    /// panics. What it returns is returned unchanged, and a panic goes on.
    ///
    /// While it goes on, a heartbeat tells that it does, and the run is this tracker's: who takes it over by
    /// [`resume`](Run::resume) shuts this process out, whose later writes to the run fail with
    /// [`EngineError::LeaseLost`].
    ///
    /// On SIGINT and SIGTERM, metrics on their way are written, the run becomes CANCELLED, the functions of
    /// [`sigterm`](crate::sigterm) are called, and the process exits with 130 or 143, all within
    /// [`grace`](Self::grace). A future that is dropped leaves the run CANCELLED; its drop waits for that to be
    /// recorded, for 2 s at most.
    ///
    /// Without a database (`offline`) there is no heartbeat, and no other tracker is met or shut out. If the process dies
    /// without a word, the run gets the status NODE_FAIL when its spool is delivered.
    ///
    /// Once `work` has begun, no failure of the database stops it. If its end cannot be recorded within a minute, that
    /// is logged, and the run counts as LOST.
    ///
    /// # Errors
    ///
    /// Those of `work`. Before it begins: [`Error::NotOffline`] to resume or join a run without a database,
    /// [`Error::RunIsTracked`] if somebody tracks the run, and [`Error::Engine`] if
    /// the run does not exist or the database cannot be reached.
    ///
    /// ```no_run
    /// # async fn example(run: sqltrack_core::Run) -> Result<(), sqltrack_core::Error> {
    /// let best = run
    ///     .track(async |run| {
    ///         let mut best = f64::INFINITY;
    ///         for epoch in 0..90 {
    ///             let loss = 7_f64.powf(1.0 / f64::from(epoch + 1));
    ///             run.add_metrics([("loss", loss)]).step(epoch.into()).await?;
    ///             best = best.min(loss);
    ///         }
    ///         Ok::<_, sqltrack_core::Error>(best)
    ///     })
    ///     .await?;
    /// # drop(best);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn track<T, E, F>(self, work: F) -> Result<T, E>
    where
        F: AsyncFnOnce(Run) -> Result<T, E>,
        E: From<Error>,
    {
        let (normal, error, interrupted) =
            (self.normal.clone(), self.error.clone(), self.interrupted.clone());
        let active = self.begin(interrupted).await?;
        let run = active.run().clone();
        let mut work = pin!(async { work(run).await });
        let outcome = poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
            Ok(poll) => poll.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        })
        .await;
        let status = if matches!(outcome, Ok(Ok(_))) { normal } else { error };
        let id = active.run().id();
        // What the code did is not undone by a failure to say so.
        log_failure(id, active.end(status).await);
        outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// Tracks the run until the guard ends it, for code that cannot be wrapped: see [`TrackGuard`].
    ///
    /// # Errors
    ///
    /// [`Error::RunIsTracked`] if somebody tracks the run, and [`Error::Engine`] if the run does not exist or the
    /// database cannot be reached.
    pub async fn guard(self) -> Result<TrackGuard, Error> {
        let (normal, error) = (self.normal.clone(), self.error.clone());
        let active = self.begin(error.clone()).await?;
        Ok(TrackGuard::new(active, normal, error))
    }

    /// Begins to track the run, which is left with the status `dropped` if nobody ends it: in a task of its own, so that
    /// also a future that is dropped meanwhile leaves no run behind that nobody tracks.
    async fn begin(self, dropped: Status) -> Result<Active, Error> {
        join(tokio::spawn(self.begin_whole(dropped).in_current_span())).await
    }

    async fn begin_whole(self, dropped: Status) -> Result<Active, Error> {
        let client = self.run.client().clone();
        if client.is_transaction() {
            return Err(Error::NotInTransaction("tracking a run"));
        }
        for status in [&self.normal, &self.error, &self.interrupted, &self.terminated] {
            check::key("the status", status.as_str())?;
        }
        // Before the run is RUNNING, so that no signal can come in between.
        let watch = self.catches_signals.then(Watch::begin);
        let config = client.config();
        let interval = self.heartbeat.unwrap_or_else(|| config.heartbeat()).max(Duration::from_millis(10));
        let candidate = Candidate { lease: new_lease()?, holder: holder(), interval };
        let (run, mode, given) = (self.run.id(), self.mode, self.run.given_lease());
        let (started, updated) = (self.started, self.updated);
        let beginning = match client.offline() {
            Some(offline) => take_offline(offline, run, mode, given, candidate, started, updated)?,
            None => {
                client
                    .atomically(move |conn| {
                        Box::pin(take(conn, run, mode, given, candidate, started, updated))
                    })
                    .await?
            }
        };
        let session = Arc::new(Session::new(Terms {
            run,
            lease: beginning.lease,
            role: beginning.role,
            interval,
            updated,
            interrupted: self.interrupted,
            terminated: self.terminated,
            grace: self.grace.unwrap_or_else(|| config.grace()),
            offline: client.offline().cloned(),
            watch,
        }));
        client.heart().add(session.clone())?;
        tracing::debug!(%run, ?beginning.role, "tracking");
        Ok(Active::new(self.run.with_lease(beginning.lease), session, dropped))
    }
}

/// Begins to track a run in the open transaction.
async fn take(
    conn: &mut dyn Connection,
    run: RunId,
    mode: Mode,
    given: Option<i64>,
    candidate: Candidate,
    started: Option<Stamp>,
    updated: Stamp,
) -> Result<Beginning, Error> {
    let life = conn.run_life(run).await?.ok_or(EngineError::NoSuchRun(run))?;
    let beginning = decide::begin(run, &life, mode, given, candidate)?;
    let first = if beginning.continues { None } else { Some(Moment::Now) };
    let change = RunLifeChange {
        status: Some(Status::Running.as_str().to_owned()),
        started: started.map_or(first, Stamp::moment),
        updated: updated.moment(),
        lease: beginning.lease,
        holder: beginning.holder.clone(),
        trackers: beginning.trackers,
        interval: beginning.interval,
        beats: true,
    };
    conn.set_run_life(run, &change).await?;
    Ok(beginning)
}

/// Begins to track a run without a database, where nobody can be shut out or met.
fn take_offline(
    offline: &Offline,
    run: RunId,
    mode: Mode,
    given: Option<i64>,
    candidate: Candidate,
    started: Option<Stamp>,
    updated: Stamp,
) -> Result<Beginning, Error> {
    match mode {
        Mode::Alone => {}
        Mode::Resume => return Err(Error::NotOffline("to take a run over from another tracker")),
        Mode::Join => return Err(Error::NotOffline("to track a run together with others")),
    }
    let role = if given.is_some() { Role::Part } else { Role::Tracker };
    if role == Role::Tracker {
        let changes = RunChanges {
            status: Some(Status::Running.as_str().to_owned()),
            started: started.map_or(Some(Moment::Now), Stamp::moment),
            updated: updated.moment(),
            ..RunChanges::default()
        };
        offline.change(run, changes, Some(true))?;
    }
    let Candidate { lease, holder, interval } = candidate;
    let lease = given.unwrap_or(lease);
    Ok(Beginning { role, lease, holder: Some(holder), trackers: 1, interval, continues: false })
}

/// A number that no other tracker has: a run that is deleted and made anew may not have the lease of the old one.
fn new_lease() -> Result<i64, Error> {
    let random = getrandom::u64().map_err(|err| Error::Stopped(format!("no random number: {err}")))?;
    Ok(i64::try_from(random >> 1).unwrap_or(i64::MAX))
}

/// This process, for people.
fn holder() -> String {
    let host = whoami::hostname().unwrap_or_else(|_| "localhost".to_owned());
    format!("{host}:{}", std::process::id())
}

impl Run {
    /// How to track the run, to set what is not as usual. Somebody else must not track it.
    pub fn tracking(&self) -> Tracking {
        Tracking::new(self.clone(), Mode::Alone)
    }

    /// Tracks `work` as this run: short for [`tracking`](Self::tracking) and [`track`](Tracking::track).
    ///
    /// # Errors
    ///
    /// As [`Tracking::track`].
    pub async fn track<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: AsyncFnOnce(Self) -> Result<T, E>,
        E: From<Error>,
    {
        self.tracking().track(work).await
    }

    /// Tracks the run until the guard ends it: short for [`tracking`](Self::tracking) and [`guard`](Tracking::guard).
    ///
    /// # Errors
    ///
    /// As [`Tracking::guard`].
    pub async fn guard(&self) -> Result<TrackGuard, Error> {
        self.tracking().guard().await
    }

    /// Who tracks the run now, as host and process; `None` if nobody does, or nothing was heard of it for three
    /// heartbeats.
    ///
    /// # Errors
    ///
    /// [`Error::Engine`] if the run does not exist or the database fails.
    pub async fn tracker(&self) -> Result<Option<String>, Error> {
        let run = self.id();
        let life = self.client().with_connection(move |conn| {
            Box::pin(async move { Ok(conn.run_life(run).await?.ok_or(EngineError::NoSuchRun(run))?) })
        });
        let life = life.await?;
        Ok(if life.is_live() { Some(life.holder.unwrap_or_default()) } else { None })
    }

    /// How to track the run that another process began, and may still believe to have: it is taken over. Whatever the old
    /// holder writes to the run later is refused, with [`EngineError::LeaseLost`]. The run's `time_started` stays.
    ///
    /// ```no_run
    /// # async fn example(run: sqltrack_core::Run) -> Result<sqltrack_core::Ack, sqltrack_core::Error> {
    /// run.resume().track(async |run| run.add_metrics([("loss", 0.4)]).step(2).await).await
    /// # }
    /// ```
    pub fn resume(&self) -> Tracking {
        Tracking::new(self.clone(), Mode::Resume)
    }

    /// How to track the run together with others, such as the ranks of one distributed job: whoever is first begins it,
    /// and it is complete when all have ended. One that fails makes it FAILED.
    pub fn join(&self) -> Tracking {
        Tracking::new(self.clone(), Mode::Join)
    }
}
