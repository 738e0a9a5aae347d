//! The run in the database, from its start to its end. A database that is out of order delays a command a little, and
//! never stops it.

use std::future::Future;
use std::time::{Duration, Instant};

use serde_json::{Map, Value as Json};
use sqltrack_core::{
    Client, Dialect, EngineError, Error, Fields, Object, Redactor, RunId, Status, TrackGuard,
};
use tokio::time::{sleep, timeout};

use super::choice::Choice;
use crate::supervise::Variable;

/// How long to try again while the database does not answer, or while others keep it busy.
const UNREACHABLE: Duration = Duration::from_secs(5);
const BUSY: Duration = Duration::from_secs(60);
/// How long to try to keep the last lines.
const LAST_LINES: Duration = Duration::from_secs(30);
/// How long one try may take. SQLite's own limit is longer, and is for locks alone.
const NO_ANSWER: Duration = Duration::from_secs(30);
/// The pauses between tries.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What is recorded of a command at its start.
pub(super) struct Details<'a, P> {
    pub(super) tags: &'a [String],
    pub(super) comment: Option<&'a str>,
    pub(super) has_env: bool,
    /// The arguments of the command.
    pub(super) arguments: Object,
    /// Where the run comes from, as soon as that is known.
    pub(super) provenance: P,
}

/// Why there is no run.
#[derive(Debug)]
pub(super) enum Failure {
    /// Something is wrong that trying again does not change, so that the command had better not start.
    Wrong(Error),
    /// The database is out of order.
    Outage(Error),
}

/// A run that a command becomes, tracked until the end of the command.
#[derive(Debug)]
pub(super) struct Tracked {
    run: TrackGuard,
    /// The id and the name of its experiment.
    experiment: (i64, String),
}

impl Tracked {
    /// Takes or makes the run, and begins to track it.
    pub(super) async fn open(client: &Client, choice: &Choice<'_>) -> Result<Self, Failure> {
        // Once, or each try would leave a run behind.
        let run = patiently(client, None, async || choice.open(client).await).await?;
        let mut tracking = choice.tracking(&run);
        let track = async || {
            let tracked = tracking.clone().guard().await;
            // An answer that was lost may have been that the run is this process's.
            if matches!(&tracked, Err(Error::Engine(err)) if err.is_passing()) {
                tracking = tracking.clone().resume();
            }
            tracked
        };
        let run = patiently(client, None, track).await?;
        let named = async || {
            let experiment = run.experiment().await?;
            let name = match experiment.name().await {
                // Without a database, only its id may be known.
                Err(Error::NotOffline(_)) => String::new(),
                name => name?,
            };
            Ok((experiment.id().0, name))
        };
        let experiment = patiently(client, None, named).await?;
        Ok(Self { run, experiment })
    }

    /// The same without a database, which is out of order: in the spool. None if that cannot be.
    pub(super) async fn open_offline(client: &Client, choice: &Choice<'_>) -> Option<Self> {
        let offline = Client::from_config(client.config().to_offline()?).ok()?;
        Self::open(&offline, choice).await.inspect_err(|err| tracing::warn!("{err:?}")).ok()
    }

    /// The client that it is recorded with.
    pub(super) fn client(&self) -> &Client {
        self.run.client()
    }

    /// Whether it is recorded in the spool alone.
    pub(super) fn is_offline(&self) -> bool {
        self.client().config().is_offline()
    }

    /// Records what is known at the start.
    pub(super) async fn describe(
        &self,
        details: Details<'_, impl Future<Output = Map<String, Json>>>,
    ) -> Result<(), Failure> {
        let Details { tags, comment, has_env, arguments, provenance } = details;
        let provenance = provenance.await;
        let describe = async || {
            let mut edit =
                self.run.set_args(arguments.clone()).add_extras([("provenance", provenance.clone())]);
            if !tags.is_empty() {
                edit = edit.add_tags(tags);
            }
            if let Some(comment) = comment {
                edit = edit.set_comment(comment);
            }
            if has_env {
                edit = edit.set_env(Fields::Auto);
            }
            edit.await
        };
        patiently(self.run.client(), None, describe).await?;
        tracing::info!(run = self.run.id().0, experiment = self.experiment.1, "started");
        Ok(())
    }

    /// Records how the run has ended.
    pub(super) async fn finish(self, status: &Status, last_lines: Vec<String>) -> Result<(), Error> {
        if !last_lines.is_empty() {
            let keep = async || self.run.add_extras([("stderr", last_lines.clone())]).await;
            match patiently(self.run.client(), Some(LAST_LINES), keep).await {
                // Whoever has taken the run over is told of once, by its end.
                Ok(_) | Err(Failure::Wrong(Error::Engine(EngineError::LeaseLost { .. }))) => {}
                Err(Failure::Wrong(err) | Failure::Outage(err)) => {
                    tracing::warn!("stderr is not kept: {err}")
                }
            }
        }
        let client = self.run.client().clone();
        let ended = self.run.end(status.clone()).await;
        if client.config().is_offline() {
            // So that it can be delivered.
            client.close().await;
        }
        ended
    }

    /// What masks the secrets in what is recorded.
    pub(super) fn redactor(&self) -> Redactor {
        self.run.client().redactor()
    }

    /// How long the end may take after a signal.
    pub(super) fn grace(&self) -> Duration {
        self.run.client().config().grace()
    }

    pub(super) fn id(&self) -> RunId {
        self.run.id()
    }

    /// The variables by which the command finds its run.
    pub(super) fn variables(&self) -> impl Iterator<Item = Variable> {
        let (id, name) = &self.experiment;
        let experiment =
            [("SQLTRACK_EXPERIMENT_ID", id.to_string()), ("SQLTRACK_EXPERIMENT_NAME", name.clone())];
        let variables = self.run.variables().into_iter().chain(experiment);
        variables.map(|(name, value)| (name.into(), Some(value.into())))
    }
}

/// Tries something until it works, is wrong, or has been tried long enough: for `limit`, or for as long as fits the
/// failure.
async fn patiently<T>(
    client: &Client,
    limit: Option<Duration>,
    mut attempt: impl AsyncFnMut() -> Result<T, Error>,
) -> Result<T, Failure> {
    let start = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        let err = match bounded(client, attempt()).await {
            Ok(done) => return Ok(done),
            Err(err) => err,
        };
        let Some(patience) = patience(&err) else { return Err(Failure::Wrong(err)) };
        if start.elapsed() + pause > limit.unwrap_or(patience) {
            return Err(Failure::Outage(err));
        }
        tracing::debug!("{err}; trying again");
        sleep(pause).await;
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}

/// One try, within the time that a server may take.
async fn bounded<T>(client: &Client, attempt: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    if client.dialect() == Dialect::Sqlite {
        return attempt.await;
    }
    timeout(NO_ANSWER, attempt).await.unwrap_or_else(|_| {
        Err(Error::Engine(EngineError::Unreachable {
            target: client.target().to_owned(),
            reason: format!("no answer within {} s", NO_ANSWER.as_secs()),
            source: None,
        }))
    })
}

/// How long it makes sense to try again. `None` for what will not change by itself: a wrong configuration, a missing
/// setup or right, something that cannot be stored.
fn patience(err: &Error) -> Option<Duration> {
    match err {
        Error::Engine(EngineError::Busy { .. }) => Some(BUSY),
        Error::Engine(
            EngineError::Unreachable { .. }
            | EngineError::ConnectionLost { .. }
            | EngineError::DiskFull { .. }
            | EngineError::Database { .. },
        )
        | Error::Stopped(_) => Some(UNREACHABLE),
        _ => None,
    }
}
