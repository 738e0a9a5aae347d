//! Runs: tracked executions of code.

use std::future::IntoFuture;

use sqltrack_engines::{Connection, EngineError, ExperimentId, Moment, RunChanges, RunId};

use crate::client::BoxFuture;
use crate::experiment::{Comment, checked_tags};
use crate::life;
use crate::{Client, Error, Experiment, ExperimentKey, Fields, Redactor, Stamp, Status, check};

/// A run, or rather a handle on it: its id and the client that reaches it.
///
/// The methods that change it return [`RunEdit`], which collects further changes and makes them all in one
/// transaction when it is awaited. A change to a run that does not exist is an error.
///
/// ```no_run
/// # async fn example(client: sqltrack_core::Client) -> Result<(), sqltrack_core::Error> {
/// let run = client.run(523_473);
/// run.set_comment("second try").add_tags(["resumed"]).add_link("resumes", 523_459).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Run {
    client: Client,
    id: RunId,
    /// The lease under which this handle writes, if it has one of its own.
    lease: Option<i64>,
}

impl Run {
    pub(crate) fn handle(client: Client, id: RunId) -> Self {
        Self { client, id, lease: None }
    }

    /// The existing run of an id.
    ///
    /// # Errors
    ///
    /// [`Error::Engine`] with `NoSuchRun` if it does not exist.
    pub async fn open(client: &Client, id: impl Into<RunId>) -> Result<Self, Error> {
        let run = Self::handle(client.clone(), id.into());
        run.experiment().await?;
        Ok(run)
    }

    /// The existing run whose id an environment variable holds, such as `SLURM_JOB_ID`.
    ///
    /// # Errors
    ///
    /// [`Error::Variable`] if the variable is not set or holds no id, [`Error::Engine`] if there is no such run.
    pub async fn open_from_variable(client: &Client, name: &str) -> Result<Self, Error> {
        Self::open(client, required_id_from_variable(name)?).await?.within_tracker()
    }

    /// The run that the environment defines: of the experiment `SQLTRACK_EXPERIMENT_NAME` or
    /// `SQLTRACK_EXPERIMENT_ID` or both, and with the id `SQLTRACK_RUN_ID`, or a new one if that is not set. With the
    /// run's id alone, the run must exist.
    ///
    /// In a process that a tracker of the run has started, such as `sqltrack-cli run`, and which finds the variables
    /// that [`TrackGuard::variables`](crate::TrackGuard::variables) tells, the run is used and tracked as a part of that
    /// tracker's: that decides on the end of the run, and what this process writes is refused once another process
    /// has taken the run over.
    ///
    /// # Errors
    ///
    /// [`Error::Variable`] if none is set or one holds no id, and the errors of [`Experiment::open`] and
    /// [`Experiment::get_run`].
    pub async fn from_env(client: &Client) -> Result<Self, Error> {
        let run = id_from_variable("SQLTRACK_RUN_ID")?;
        let Some(experiment) = ExperimentKey::from_env()? else {
            let problem =
                "is not set; set it, or SQLTRACK_EXPERIMENT_ID, or SQLTRACK_RUN_ID to an existing run";
            let missing = || Error::Variable {
                name: "SQLTRACK_EXPERIMENT_NAME".to_owned(),
                problem: problem.to_owned(),
            };
            return Self::open(client, run.ok_or_else(missing)?).await?.within_tracker();
        };
        let experiment = Experiment::open(client, experiment).await?;
        match run {
            Some(run) => experiment.get_run(run).await?.within_tracker(),
            None => experiment.new_run().await,
        }
    }

    pub(crate) async fn create(
        client: Client,
        experiment: ExperimentId,
        id: Option<RunId>,
    ) -> Result<Self, Error> {
        let id = client.with_connection(move |conn| Box::pin(find_or_create(conn, experiment, id))).await?;
        Ok(Self::handle(client, id))
    }

    /// The id.
    #[must_use]
    pub fn id(&self) -> RunId {
        self.id
    }

    /// The client.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The experiment that the run belongs to.
    ///
    /// # Errors
    ///
    /// [`Error::Engine`] with `NoSuchRun` if the run does not exist.
    pub async fn experiment(&self) -> Result<Experiment, Error> {
        let id = self.id;
        let experiment = self
            .client
            .with_connection(move |conn| {
                Box::pin(
                    async move { Ok(conn.experiment_of_run(id).await?.ok_or(EngineError::NoSuchRun(id))?) },
                )
            })
            .await?;
        Ok(self.client.experiment(experiment))
    }

    /// The run under a lease.
    pub(crate) fn with_lease(self, lease: i64) -> Self {
        Self { lease: Some(lease), ..self }
    }

    /// The run, under the lease of the tracker that has started this process, if there is one of this run.
    pub(crate) fn within_tracker(self) -> Result<Self, Error> {
        Ok(Self { lease: life::lease_from_env(self.id)?, ..self })
    }

    /// The lease that this handle was given.
    pub(crate) fn given_lease(&self) -> Option<i64> {
        self.lease
    }

    /// The lease that the run must have for this process to write to it, if there is to be one: that of the handle, or
    /// else the one under which this process tracks the run.
    pub(crate) fn fence(&self) -> Option<i64> {
        self.lease.or_else(|| self.client.heart().lease_of(self.id))
    }

    /// No changes yet, to add some to: `run.edit().set_comment("nice")` is `run.set_comment("nice")`.
    pub fn edit(&self) -> RunEdit {
        RunEdit { run: self.clone(), changes: Ok(RunChanges::default()) }
    }

    /// Starts the run: its status becomes RUNNING, `time_started` and `time_updated` are set to now. To set other
    /// times, go on with [`set_started`](RunEdit::set_started) and [`set_updated`](RunEdit::set_updated).
    pub fn start(&self) -> RunEdit {
        self.edit().set_status(Status::Running).set_started(Stamp::Auto).set_updated(Stamp::Auto)
    }

    /// Stops the run: its status becomes COMPLETED, `time_updated` is set to now. As with every change of the status,
    /// what was recorded is written before; if that fails, the status is set all the same, and the error returned.
    pub fn stop(&self) -> RunEdit {
        self.stop_with(Status::Completed)
    }

    /// Stops the run with another status.
    pub fn stop_with(&self, status: impl Into<Status>) -> RunEdit {
        self.edit().set_status(status).set_updated(Stamp::Auto)
    }
}

/// The id that an environment variable must hold.
pub(crate) fn required_id_from_variable(name: &str) -> Result<i64, Error> {
    id_from_variable(name)?.ok_or_else(|| Error::Variable {
        name: name.to_owned(),
        problem: "is not set; set it to the id of a run".to_owned(),
    })
}

/// The id that an environment variable holds; `None` if it is not set or empty.
pub(crate) fn id_from_variable(name: &str) -> Result<Option<i64>, Error> {
    let Some(value) = std::env::var_os(name).filter(|value| !value.is_empty()) else { return Ok(None) };
    let id = value.to_str().and_then(|value| value.trim().parse().ok());
    id.map(Some).ok_or_else(|| Error::Variable {
        name: name.to_owned(),
        problem: format!("is {value:?}; expected the number of an id"),
    })
}

async fn find_or_create(
    conn: &mut dyn Connection,
    experiment: ExperimentId,
    id: Option<RunId>,
) -> Result<RunId, Error> {
    loop {
        // None: the run exists, or someone else has just taken the id; the next look tells.
        if let Some(id) = conn.insert_run(experiment, id).await? {
            return Ok(id);
        }
        let Some(run) = id else { continue };
        if let Some(found) = conn.experiment_of_run(run).await? {
            return if found == experiment {
                Ok(run)
            } else {
                Err(Error::RunConflict { run, experiment, found })
            };
        }
    }
}

/// Changes to a run, made when it is awaited: all of them in one transaction.
///
/// Awaiting it gives the run back. A dropped future has made all of the changes or none.
///
/// # Errors
///
/// Awaiting it fails with [`Error::Engine`] if the run, or the target of a link, does not exist, or if the database
/// fails; with [`Error::BadText`] if a text cannot be stored.
#[derive(Debug)]
#[must_use = "nothing is changed until it is awaited"]
pub struct RunEdit {
    run: Run,
    changes: Result<RunChanges, Error>,
}

/// The same methods on the handle, where they begin a list of changes, and on the list.
macro_rules! run_changes {
    ($($(#[$doc:meta])* $name:ident$([$($generic:tt)*])?($($arg:ident: $ty:ty),*)
        |$changes:ident$(, $client:ident)?| $body:expr;)*) => {
        impl Run {
            $($(#[$doc])* pub fn $name$(<$($generic)*>)?(&self, $($arg: $ty),*) -> RunEdit {
                self.edit().$name($($arg),*)
            })*
        }

        impl RunEdit {
            $($(#[$doc])* pub fn $name$(<$($generic)*>)?(mut self, $($arg: $ty),*) -> Self {
                self.changes = self.changes.and_then(|mut $changes| {
                    $(let $client = &self.run.client;)?
                    $body;
                    Ok($changes)
                });
                self
            })*
        }
    };
}

/// The time to write for `stamp`, or the one that was to be written before.
fn stamped(stamp: impl Into<Stamp>) -> Option<Moment> {
    stamp.into().moment()
}

run_changes! {
    /// Sets the status.
    set_status(status: impl Into<Status>) |changes| {
        let status = status.into();
        check::key("the status", status.as_str())?;
        changes.status = Some(status.as_str().to_owned());
    };

    /// Sets the comment; `None` is NULL.
    set_comment[C: Into<Comment>](comment: C) |changes| {
        changes.comment = Some(comment.into().checked()?);
    };

    /// Sets `time_created`: [`Stamp::Auto`] to now, a time, or `None` to leave it as it is.
    set_created(time: impl Into<Stamp>) |changes| changes.created = stamped(time);

    /// Sets `time_started`: [`Stamp::Auto`] to now, a time, or `None` to leave it as it is.
    set_started(time: impl Into<Stamp>) |changes| changes.started = stamped(time);

    /// Sets `time_updated`: [`Stamp::Auto`] to now, a time, or `None` to leave it as it is.
    set_updated(time: impl Into<Stamp>) |changes| changes.updated = stamped(time);

    /// Sets the tags, in the place of those there are.
    set_tags[T: Into<String>](names: impl IntoIterator<Item = T>) |changes| {
        changes.tags.set(Some(checked_tags(names)?));
    };

    /// Adds tags.
    add_tags[T: Into<String>](names: impl IntoIterator<Item = T>) |changes| {
        changes.tags.add(checked_tags(names)?);
    };

    /// Removes tags, those that exist.
    remove_tags[T: Into<String>](names: impl IntoIterator<Item = T>) |changes| {
        changes.tags.remove(names.into_iter().map(Into::into));
    };

    /// Sets the arguments; `None` is NULL. [`Fields::Auto`] takes those of this process' command line, as the help
    /// text says that a `#[docopt_main]` or `#[docopt_arguments]` of this program embedded, with
    /// [secrets masked](Redactor); without such a text the arguments stay as they are.
    set_args(args: impl Into<Fields>) |changes, client| {
        if let Some(args) = args.into().resolve("an argument", || detect_args(&client.redactor()))? {
            changes.args.set(args);
        }
    };

    /// Adds arguments, over those of the same names; [`Fields::Auto`] as for [`set_args`](Run::set_args).
    add_args(args: impl Into<Fields>) |changes, client| {
        let args = args.into().resolve("an argument", || detect_args(&client.redactor()))?;
        changes.args.add(args.flatten().unwrap_or_default());
    };

    /// Removes arguments by their names, those that exist.
    remove_args[T: Into<String>](names: impl IntoIterator<Item = T>) |changes| {
        changes.args.remove(names.into_iter().map(Into::into));
    };

    /// Sets the environment; `None` is NULL. [`Fields::Auto`] takes the environment of this process, with
    /// [secrets masked](Redactor); which variables it takes is what the parameter `env_include` says.
    set_env(env: impl Into<Fields>) |changes, client| {
        if let Some(env) = env.into().resolve("a variable", || Ok(Some(client.redactor().environment())))? {
            changes.env.set(env);
        }
    };

    /// Adds variables to the environment, over those of the same names; [`Fields::Auto`] as for
    /// [`set_env`](Run::set_env).
    add_env(env: impl Into<Fields>) |changes, client| {
        let env = env.into().resolve("a variable", || Ok(Some(client.redactor().environment())))?;
        changes.env.add(env.flatten().unwrap_or_default());
    };

    /// Removes variables from the environment by their names, those that exist.
    remove_env[T: Into<String>](names: impl IntoIterator<Item = T>) |changes| {
        changes.env.remove(names.into_iter().map(Into::into));
    };

    /// Sets the extras; `None` is NULL.
    set_extras(extras: impl Into<Fields>) |changes| {
        changes.extras.set(extras.into().given("an extra")?);
    };

    /// Adds extras, over those of the same names.
    add_extras(extras: impl Into<Fields>) |changes| {
        changes.extras.add(extras.into().given("an extra")?.unwrap_or_default());
    };

    /// Removes extras by their names, those that exist.
    remove_extras[T: Into<String>](names: impl IntoIterator<Item = T>) |changes| {
        changes.extras.remove(names.into_iter().map(Into::into));
    };

    /// Adds a link to another run. One that exists stays.
    add_link(kind: impl Into<String>, to: impl Into<RunId>) |changes| {
        let kind = kind.into();
        check::key("the kind of a link", &kind)?;
        changes.links.insert((kind, to.into().0), true);
    };

    /// Removes a link to another run, if it exists.
    remove_link(kind: impl Into<String>, to: impl Into<RunId>) |changes| {
        changes.links.insert((kind.into(), to.into().0), false);
    };
}

async fn update(conn: &mut dyn Connection, run: RunId, changes: RunChanges) -> Result<(), Error> {
    Ok(conn.update_run(run, &changes).await?)
}

/// Checks in the open transaction, until its end, that nobody has taken the run over.
async fn check_lease(conn: &mut dyn Connection, run: RunId, lease: i64) -> Result<(), EngineError> {
    let life = conn.run_life(run).await?.ok_or(EngineError::NoSuchRun(run))?;
    if life.lease == Some(lease) { Ok(()) } else { Err(EngineError::LeaseLost { run, holder: life.holder }) }
}

/// The arguments of this process, if the program says which there are. A command line that does not fit what it says
/// is no reason to stop a training.
fn detect_args(redactor: &Redactor) -> Result<Option<sqltrack_engines::Object>, Error> {
    let detected = sqltrack_args::detect_args(None).unwrap_or_else(|err| {
        tracing::warn!("cannot detect the arguments: {}", redactor.text(&err.to_string()));
        None
    });
    Ok(match detected.map(|options| options.to_json()) {
        Some(serde_json::Value::Object(object)) => Some(redactor.object(&object)),
        _ => None,
    })
}

impl IntoFuture for RunEdit {
    type Output = Result<Run, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let (run, changes) = (self.run, self.changes?);
            if changes.status.is_none() || run.client.is_transaction() {
                return run.changed(changes).await;
            }
            // Whoever reads that a run has ended expects its metrics to be there. The end is recorded also if some of
            // them cannot be written.
            let flushed = run.client.flush().await;
            let run = run.changed(changes).await?;
            flushed.map(|_| run)
        })
    }
}

impl Run {
    /// Makes changes, all of them in one transaction.
    async fn changed(self, changes: RunChanges) -> Result<Self, Error> {
        let id = self.id;
        let Some(lease) = self.fence() else {
            self.client.with_connection(move |conn| Box::pin(update(conn, id, changes))).await?;
            return Ok(self);
        };
        let pending = self.client.heart().pending_write();
        self.client
            .atomically(move |conn| {
                Box::pin(async move {
                    let _pending = pending;
                    check_lease(conn, id, lease).await?;
                    update(conn, id, changes).await
                })
            })
            .await?;
        Ok(self)
    }
}
