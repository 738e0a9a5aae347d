//! Runs: tracked executions of code.

mod edit;

use sqltrack_engines::{Connection, EngineError, ExperimentId, RunId};

pub use edit::RunEdit;

use crate::life;
use crate::offline::Beginning;
use crate::{Client, Error, Experiment, ExperimentKey, Stamp, Status};

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

    /// The existing run of an id. Without a database (`offline`), whether it exists shows when the spool is delivered.
    ///
    /// # Errors
    ///
    /// [`Error::Engine`] with `NoSuchRun` if it does not exist.
    pub async fn open(client: &Client, id: impl Into<RunId>) -> Result<Self, Error> {
        let run = Self::handle(client.clone(), id.into());
        if client.offline().is_none() {
            run.experiment().await?;
        }
        Ok(run)
    }

    /// The run of an id, whatever experiment it belongs to. One that does not exist is created, in the experiment `key`.
    ///
    /// # Errors
    ///
    /// Those of [`Experiment::open`] and [`Experiment::get_run`].
    ///
    /// ```no_run
    /// # async fn example(client: sqltrack_core::Client) -> Result<(), sqltrack_core::Error> {
    /// let run = sqltrack_core::Run::take(&client, 523_473, "tuning").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn take(
        client: &Client,
        id: impl Into<RunId>,
        key: impl Into<ExperimentKey>,
    ) -> Result<Self, Error> {
        let (id, key) = (id.into(), key.into());
        if let Some(offline) = client.offline() {
            return Ok(Self::handle(client.clone(), offline.begin(&key, Beginning::Whatever(id))?));
        }
        match Self::open(client, id).await {
            Err(Error::Engine(EngineError::NoSuchRun(_))) => {
                Experiment::open(client, key).await?.get_run(id).await
            }
            found => found,
        }
    }

    /// The same for the id that an environment variable holds, such as `SLURM_JOB_ID`.
    ///
    /// # Errors
    ///
    /// [`Error::Variable`] if the variable is not set or holds no id, and the errors of [`take`](Self::take).
    pub async fn take_from_variable(
        client: &Client,
        name: &str,
        key: impl Into<ExperimentKey>,
    ) -> Result<Self, Error> {
        Self::take(client, required_id_from_variable(name)?, key).await?.within_tracker()
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
    /// [`Error::Engine`] with `NoSuchRun` if the run does not exist; without a database, [`Error::NotOffline`] if it was
    /// not begun by this client.
    pub async fn experiment(&self) -> Result<Experiment, Error> {
        let id = self.id;
        if let Some(offline) = self.client.offline() {
            let key = offline.experiment_of(id).ok_or(Error::NotOffline("the experiment of another run"))?;
            return Ok(Experiment::offline(self.client.clone(), key));
        }
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
        if self.client.offline().is_some() {
            return None;
        }
        self.lease.or_else(|| self.client.heart().lease_of(self.id))
    }

    /// No changes yet, to add some to: `run.edit().set_comment("nice")` is `run.set_comment("nice")`.
    pub fn edit(&self) -> RunEdit {
        RunEdit::new(self.clone())
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
