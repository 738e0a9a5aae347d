//! Which run a command becomes, out of the options and the environment.

use std::env;
use std::ffi::OsString;

use sqltrack_core::{Client, EngineError, Error, Experiment, ExperimentKey, Run, RunId};

use super::program;

/// Which run to take or make.
#[derive(Debug)]
pub(super) struct Choice {
    experiment: Option<ExperimentKey>,
    run: Option<RunId>,
    /// The name of the experiment if nothing else tells.
    program: String,
}

impl Choice {
    /// What the options say, or else the environment. `run` is an id, or the variable that holds it.
    pub(super) fn new(
        experiment: Option<&str>,
        run: Option<&str>,
        command: &[OsString],
    ) -> Result<Self, Error> {
        let experiment = match experiment {
            Some(name) => Some(ExperimentKey::from(name)),
            None => experiment_of_environment()?,
        };
        let run = match run {
            Some(id) if id.parse::<i64>().is_ok() => id.parse().ok(),
            Some(variable) => Some(id_in(variable)?.ok_or_else(|| missing(variable))?),
            None => id_in("SQLTRACK_RUN_ID")?,
        };
        Ok(Self { experiment, run: run.map(RunId), program: program::name(command) })
    }

    /// Finds or makes the run.
    pub(super) async fn open(&self, client: &Client) -> Result<Run, Error> {
        if let (None, Some(run)) = (&self.experiment, self.run) {
            // A run that exists has its experiment.
            match Run::open(client, run).await {
                Err(Error::Engine(EngineError::NoSuchRun(_))) => {}
                found => return found,
            }
        }
        let experiment = match &self.experiment {
            Some(key) => Experiment::open(client, key.clone()).await?,
            None => Experiment::open(client, &self.program).await?,
        };
        match self.run {
            Some(run) => experiment.get_run(run).await,
            None => experiment.new_run().await,
        }
    }
}

fn experiment_of_environment() -> Result<Option<ExperimentKey>, Error> {
    let name = env::var("SQLTRACK_EXPERIMENT_NAME").ok().filter(|name| !name.is_empty());
    Ok(match (id_in("SQLTRACK_EXPERIMENT_ID")?, name) {
        (Some(id), Some(name)) => Some((id, name).into()),
        (Some(id), None) => Some(id.into()),
        (None, name) => name.map(Into::into),
    })
}

/// The id that a variable holds, if it is set.
fn id_in(variable: &str) -> Result<Option<i64>, Error> {
    let Some(value) = env::var_os(variable).filter(|value| !value.is_empty()) else { return Ok(None) };
    let id = value.to_str().and_then(|value| value.trim().parse().ok());
    let problem = || format!("is {value:?}; expected the number of an id");
    id.map(Some).ok_or_else(|| Error::Variable { name: variable.to_owned(), problem: problem() })
}

fn missing(variable: &str) -> Error {
    Error::Variable { name: variable.to_owned(), problem: "is not set; set it to the id of a run".to_owned() }
}
