//! Runs and experiments as they are named on the command line.

use std::str::FromStr;

use sqltrack_core::{Client, Error, Experiment, ExperimentKey, Run, RunId};

use crate::options::wrong_usage;

/// A run: its id, or the environment variable that holds it, such as `SLURM_JOB_ID`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RunName {
    Id(RunId),
    Variable(String),
}

impl RunName {
    /// What it is if it is left out: the run of the job that the command is part of.
    pub(crate) const OF_JOB: &str = "SQLTRACK_RUN_ID";

    /// The run of the job that this process is a part of, if it is part of one.
    pub(crate) fn of_job() -> Option<Self> {
        let is_set = std::env::var_os(Self::OF_JOB).is_some_and(|id| !id.is_empty());
        is_set.then(|| Self::Variable(Self::OF_JOB.to_owned()))
    }

    /// The run, which must exist.
    pub(crate) async fn open(&self, client: &Client) -> Result<Run, Error> {
        match self {
            Self::Id(id) => Run::open(client, *id).await,
            Self::Variable(name) => Run::open_from_variable(client, name).await,
        }
    }

    /// The run, whatever experiment it belongs to. One that does not exist is created, in the experiment of this name.
    pub(crate) async fn take(&self, client: &Client, experiment: &str) -> Result<Run, Error> {
        match self {
            Self::Id(id) => Run::take(client, *id, experiment).await,
            Self::Variable(name) => Run::take_from_variable(client, name, experiment).await,
        }
    }

    /// The run. That it does not exist shows when it is used.
    pub(crate) fn handle(&self, client: &Client) -> anyhow::Result<Run> {
        match self {
            Self::Id(id) => Ok(client.run(*id)),
            Self::Variable(name) if name == Self::OF_JOB && Self::of_job().is_none() => {
                Err(wrong_usage("no run is given, and SQLTRACK_RUN_ID is not set; give the id of a run"))
            }
            Self::Variable(name) => Ok(client.run_from_variable(name)?),
        }
    }
}

impl FromStr for RunName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_word = |c: char| c == '_' || c.is_ascii_alphanumeric();
        match text.parse() {
            Ok(id) => Ok(Self::Id(id)),
            Err(_)
                if !text.is_empty() && text.chars().all(is_word) && !text.starts_with(char::is_numeric) =>
            {
                Ok(Self::Variable(text.to_owned()))
            }
            Err(_) => Err("expected the id of a run, or the name of an environment variable that holds it"),
        }
    }
}

/// A link to a run or an experiment, as `KIND:TO`. The kind may hold colons.
pub(crate) fn link<T: FromStr<Err: ToString>>(text: &str) -> Result<(String, T), String> {
    match text.rsplit_once(':') {
        Some((kind, to)) if !kind.is_empty() && !to.is_empty() => {
            Ok((kind.to_owned(), to.parse().map_err(|err: T::Err| err.to_string())?))
        }
        _ => Err("expected KIND:ID, such as `resumes:7`".to_owned()),
    }
}

/// An existing experiment: its name, or its id if none has such a name.
pub(crate) async fn experiment(client: &Client, name_or_id: &str) -> Result<Experiment, Error> {
    Ok(client.experiment(client.find_experiment(name_or_id).await?))
}

/// The option of every command that makes runs.
#[derive(Debug, clap::Args)]
pub(crate) struct ExperimentOption {
    /// The experiment, by its name or id; one of a new name is created. By default the one that SQLTRACK_EXPERIMENT_NAME
    /// or SQLTRACK_EXPERIMENT_ID names, or else one that is named as the program
    #[arg(long, value_name = "NAME|ID")]
    experiment: Option<String>,
}

impl ExperimentOption {
    /// Whether the option or the environment names an experiment, well or not.
    pub(crate) fn is_given(&self) -> bool {
        self.experiment.is_some() || !matches!(ExperimentKey::from_env(), Ok(None))
    }

    /// The experiment for a run of `program`: that of the option, of the environment, or of the program's name.
    pub(crate) async fn open(&self, client: &Client, program: &str) -> Result<Experiment, Error> {
        match &self.experiment {
            // A number that is mistyped would make an experiment that nobody wants.
            Some(name) => match name.parse::<i64>() {
                // Whether there is one of this name, nobody knows.
                Ok(id) if client.config().is_offline() => Experiment::open(client, id).await,
                Ok(_) => experiment(client, name).await,
                Err(_) => Experiment::open(client, name).await,
            },
            None => {
                let key = ExperimentKey::from_env()?.unwrap_or_else(|| program.into());
                Experiment::open(client, key).await
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_a_number_or_a_variable() {
        assert_eq!("-7".parse(), Ok(RunName::Id(RunId(-7))));
        assert_eq!("SLURM_JOB_ID".parse(), Ok(RunName::Variable("SLURM_JOB_ID".to_owned())));
        for text in ["", "7x", "a b", "a=b", "9223372036854775808", "$SLURM_JOB_ID"] {
            assert!(text.parse::<RunName>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_link_is_a_kind_and_a_target() {
        assert_eq!(link("resumes:7"), Ok(("resumes".to_owned(), RunName::Id(RunId(7)))));
        assert_eq!(link("a:b:digits"), Ok(("a:b".to_owned(), "digits".to_owned())));
        for text in ["", "resumes", ":7", "resumes:", "resumes:7x"] {
            assert!(link::<RunName>(text).is_err(), "{text}");
        }
    }
}
