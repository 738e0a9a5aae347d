//! Experiments: what runs belong to.

mod edit;

use sqltrack_engines::{Connection, ExperimentId, RunId};

pub(crate) use edit::checked_tags;
pub use edit::{Comment, ExperimentEdit};

use crate::offline::Beginning;
use crate::run::{id_from_variable, required_id_from_variable};
use crate::{Client, Error, Run, check};

/// An experiment, or rather a handle on it: its id and the client that reaches it.
///
/// The methods that change it return [`ExperimentEdit`], which collects further changes and makes them all
/// in one transaction when it is awaited:
///
/// ```no_run
/// # async fn example(client: sqltrack_core::Client) -> Result<(), sqltrack_core::Error> {
/// use sqltrack_core::Experiment;
///
/// let experiment = Experiment::open(&client, "tuning").await?;
/// experiment.set_comment("nice").add_tags(["a", "b"]).await?;
/// let run = experiment.new_run().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Experiment {
    client: Client,
    id: ExperimentId,
    /// What is known of it without a database.
    key: ExperimentKey,
}

/// The id of an experiment that has none yet, as there is no database.
const UNKNOWN: ExperimentId = ExperimentId(-1);

/// How to name an experiment: by its name, its id, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExperimentKey {
    id: Option<ExperimentId>,
    name: Option<String>,
}

impl From<&str> for ExperimentKey {
    fn from(name: &str) -> Self {
        Self { id: None, name: Some(name.to_owned()) }
    }
}

impl From<String> for ExperimentKey {
    fn from(name: String) -> Self {
        Self { id: None, name: Some(name) }
    }
}

impl From<&String> for ExperimentKey {
    fn from(name: &String) -> Self {
        name.as_str().into()
    }
}

impl From<i64> for ExperimentKey {
    fn from(id: i64) -> Self {
        Self { id: Some(ExperimentId(id)), name: None }
    }
}

impl From<ExperimentId> for ExperimentKey {
    fn from(id: ExperimentId) -> Self {
        Self { id: Some(id), name: None }
    }
}

impl<I: Into<ExperimentId>, N: Into<String>> From<(I, N)> for ExperimentKey {
    fn from((id, name): (I, N)) -> Self {
        Self { id: Some(id.into()), name: Some(name.into()) }
    }
}

impl ExperimentKey {
    /// The id, if it is one of the database's.
    pub(crate) fn known_id(&self) -> Option<ExperimentId> {
        self.id.filter(|id| *id != UNKNOWN)
    }

    pub(crate) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The experiment that the environment names by `SQLTRACK_EXPERIMENT_NAME` or `SQLTRACK_EXPERIMENT_ID` or both;
    /// `None` if neither is set.
    ///
    /// # Errors
    ///
    /// [`Error::Variable`] if one of them holds no name or id.
    ///
    /// ```no_run
    /// # async fn example(client: sqltrack_core::Client) -> Result<(), sqltrack_core::Error> {
    /// use sqltrack_core::{Experiment, ExperimentKey};
    ///
    /// let key = ExperimentKey::from_env()?.unwrap_or_else(|| "tuning".into());
    /// let experiment = Experiment::open(&client, key).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_env() -> Result<Option<Self>, Error> {
        let variable = "SQLTRACK_EXPERIMENT_NAME";
        let name = std::env::var_os(variable).filter(|name| !name.is_empty()).map(|name| name.into_string());
        let name = name.transpose().map_err(|_| Error::Variable {
            name: variable.to_owned(),
            problem: "is not valid UTF-8; set it to the name of an experiment".to_owned(),
        })?;
        let id = id_from_variable("SQLTRACK_EXPERIMENT_ID")?.map(ExperimentId);
        Ok((name.is_some() || id.is_some()).then_some(Self { id, name }))
    }
}

impl Experiment {
    pub(crate) fn handle(client: Client, id: ExperimentId) -> Self {
        Self { client, id, key: id.into() }
    }

    /// The experiment of a client without a database.
    pub(crate) fn offline(client: Client, key: ExperimentKey) -> Self {
        Self { client, id: key.known_id().unwrap_or(UNKNOWN), key }
    }

    /// The experiment of a name (`"tuning"`), an id (`7`), or both (`(7, "tuning")`). One that is named and does not
    /// exist is created, by one of those who try at the same time; the others get the same one.
    ///
    /// # Errors
    ///
    /// [`Error::Engine`] with `NoSuchExperiment` if only an id is given and unknown, [`Error::ExperimentConflict`] or
    /// [`Error::ExperimentNameConflict`] if id and name are those of different experiments, [`Error::BadText`].
    pub async fn open(client: &Client, key: impl Into<ExperimentKey>) -> Result<Self, Error> {
        let key = key.into();
        if let Some(name) = &key.name {
            check::key("the name of an experiment", name)?;
        }
        if client.offline().is_some() {
            return Ok(Self::offline(client.clone(), key));
        }
        let id = client.with_connection(move |conn| Box::pin(find_or_create(conn, key))).await?;
        Ok(Self::handle(client.clone(), id))
    }

    /// The id; without a database (`offline`) that is -1 where only the name is known.
    #[must_use]
    pub fn id(&self) -> ExperimentId {
        self.id
    }

    /// The client.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The name.
    ///
    /// # Errors
    ///
    /// [`Error::Engine`] if the experiment does not exist or the database fails.
    pub async fn name(&self) -> Result<String, Error> {
        let id = self.id;
        if self.client.offline().is_some() {
            let name = self.key.name().ok_or(Error::NotOffline("the name of an experiment"))?;
            return Ok(name.to_owned());
        }
        self.client
            .with_connection(move |conn| {
                Box::pin(async move {
                    let found = conn.experiment(id).await?;
                    Ok(found.ok_or(sqltrack_engines::EngineError::NoSuchExperiment(id))?.name)
                })
            })
            .await
    }

    /// A new run of this experiment, under an id that was never in use. Without a database (`offline`) the id is a random
    /// negative number, and the run gets one of the database's when the spool is delivered.
    ///
    /// # Errors
    ///
    /// [`Error::Engine`] if the experiment does not exist or the database fails.
    pub async fn new_run(&self) -> Result<Run, Error> {
        if let Some(offline) = self.client.offline() {
            return Ok(self.client.run(offline.begin(&self.key, Beginning::New)?));
        }
        Run::create(self.client.clone(), self.id, None).await
    }

    /// The run of this experiment with an id of your own, such as that of a batch job. One that does not exist is
    /// created.
    ///
    /// # Errors
    ///
    /// [`Error::RunConflict`] if the run belongs to another experiment, [`Error::Engine`] if the experiment does not
    /// exist or the database fails.
    pub async fn get_run(&self, id: impl Into<RunId>) -> Result<Run, Error> {
        let id = id.into();
        if let Some(offline) = self.client.offline() {
            return Ok(self.client.run(offline.begin(&self.key, Beginning::Of(id))?));
        }
        Run::create(self.client.clone(), self.id, Some(id)).await
    }

    /// The run of this experiment whose id an environment variable holds, such as `SLURM_JOB_ID`. One that does not
    /// exist is created.
    ///
    /// # Errors
    ///
    /// [`Error::Variable`] if the variable is not set or holds no id, and the errors of [`get_run`](Self::get_run).
    pub async fn get_run_from_variable(&self, name: &str) -> Result<Run, Error> {
        self.get_run(required_id_from_variable(name)?).await?.within_tracker()
    }

    /// The runs that somebody tracks, or did so until a heartbeat was missing.
    ///
    /// # Errors
    ///
    /// [`Error::Engine`] if the database fails.
    pub async fn tracked_runs(&self) -> Result<Vec<RunId>, Error> {
        let sql = "SELECT id FROM runs WHERE experiment_id = $1 AND trackers > 0 ORDER BY id";
        let ids: Vec<i64> = self.client.first_values(sql, (self.id,)).await?;
        Ok(ids.into_iter().map(RunId).collect())
    }

    /// No changes yet, to add some to: `experiment.edit().set_comment("nice")` is `experiment.set_comment("nice")`.
    pub fn edit(&self) -> ExperimentEdit {
        ExperimentEdit::new(self.clone())
    }
}

/// Finds or creates an experiment. Every step is atomic by itself, and none is undone by what others do.
async fn find_or_create(conn: &mut dyn Connection, key: ExperimentKey) -> Result<ExperimentId, Error> {
    let Some(name) = key.name else {
        let id = key.id.unwrap_or(ExperimentId(0));
        let found = conn.experiment(id).await?;
        return Ok(found.ok_or(sqltrack_engines::EngineError::NoSuchExperiment(id))?.id);
    };
    loop {
        if let Some(found) = conn.experiment_named(&name).await? {
            return match key.id {
                Some(id) if id != found.id => {
                    Err(Error::ExperimentNameConflict { id, name, found: found.id })
                }
                _ => Ok(found.id),
            };
        }
        if let Some(id) = key.id
            && let Some(found) = conn.experiment(id).await?
            && found.name != name
        {
            return Err(Error::ExperimentConflict { id, name, found: found.name });
        }
        // None: someone else was faster, or took the name back; the next look tells.
        if let Some(id) = conn.insert_experiment(key.id, &name).await? {
            return Ok(id);
        }
    }
}
