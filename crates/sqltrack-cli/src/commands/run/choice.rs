//! Which run a command becomes, out of the options and the environment.

use sqltrack_core::{Client, Error, Run, Tracking};

use crate::named::{ExperimentOption, RunName};

/// Which run to take or make.
#[derive(Debug)]
pub(super) struct Choice<'a> {
    experiment: &'a ExperimentOption,
    run: Option<RunName>,
    /// The run to take over from whoever tracks it.
    resume: Option<&'a RunName>,
    /// The name of the experiment if nothing else tells.
    program: &'a str,
}

impl<'a> Choice<'a> {
    /// What the options say, or else the environment.
    pub(super) fn new(
        experiment: &'a ExperimentOption,
        run: Option<&RunName>,
        resume: Option<&'a RunName>,
        program: &'a str,
    ) -> Self {
        let run = run.cloned().or_else(RunName::of_job);
        Self { experiment, run, resume, program }
    }

    /// Finds or makes the run.
    pub(super) async fn open(&self, client: &Client) -> Result<Run, Error> {
        if let Some(resumed) = self.resume {
            return resumed.open(client).await;
        }
        if let Some(run) = &self.run
            && !self.experiment.is_given()
        {
            // A run that exists has its experiment.
            return run.take(client, self.program).await;
        }
        let experiment = self.experiment.open(client, self.program).await?;
        match &self.run {
            Some(RunName::Id(id)) => experiment.get_run(*id).await,
            Some(RunName::Variable(name)) => experiment.get_run_from_variable(name).await,
            None => experiment.new_run().await,
        }
    }

    /// How the run is tracked. The program handles signals by itself: they are the command's.
    pub(super) fn tracking(&self, run: &Run) -> Tracking {
        let tracking = if self.resume.is_some() { run.resume() } else { run.tracking() };
        tracking.without_signals()
    }
}
