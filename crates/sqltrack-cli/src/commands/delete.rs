//! `delete`: runs and experiments go, with all that belongs to them.

use std::io::Write;

use anyhow::bail;
use sqltrack_core::{Belongings, Client, ExperimentId, RunId};

use crate::diagnostics::{note, one_line};
use crate::input;
use crate::named::{self, RunName};

/// Delete runs or experiments with all that belongs to them, after asking
#[derive(Debug, clap::Args)]
#[command(after_help = "\
All are deleted, or none. What goes is told before.

Examples:
  sqltrack-cli delete run 7 8
  sqltrack-cli delete experiment Iris --yes")]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
    /// Do not ask; where there is no terminal to ask on, nothing is deleted without it
    #[arg(long, global = true)]
    yes: bool,
    /// Delete also runs that somebody tracks at this moment
    #[arg(long, global = true)]
    force: bool,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Delete runs with their metrics and the links from and to them
    Run {
        /// The id of a run, or the environment variable that holds it
        #[arg(value_name = "ID|VARIABLE", required = true, allow_negative_numbers = true)]
        runs: Vec<RunName>,
    },
    /// Delete experiments with their runs
    Experiment {
        /// The name of an experiment, or its id if none has such a name
        #[arg(value_name = "NAME|ID", required = true)]
        experiments: Vec<String>,
    },
}

#[derive(Debug, PartialEq, Eq)]
enum Target {
    Run(RunId),
    Experiment(ExperimentId),
}

pub(super) async fn run(args: &Args, client: &Client, out: &mut impl Write) -> anyhow::Result<()> {
    let found = match &args.what {
        What::Run { runs } => find_runs(runs, client).await?,
        What::Experiment { experiments } => find_experiments(experiments, client).await?,
    };
    if !args.yes {
        ask(&found)?;
    }
    if !args.force {
        refuse_tracked(&found, client).await?;
    }
    let tx = client.begin().await?;
    for (target, _) in &found {
        match target {
            Target::Run(id) => tx.run(*id).delete().await?,
            Target::Experiment(id) => tx.experiment(*id).delete().await?,
        }
    }
    tx.commit().await?;
    for (_, told) in &found {
        writeln!(out, "deleted {}", one_line(told))?;
    }
    Ok(())
}

/// What is to be deleted, each once, with what is told about it.
type Found = Vec<(Target, String)>;

async fn find_runs(names: &[RunName], client: &Client) -> anyhow::Result<Found> {
    let mut found = Found::new();
    for name in names {
        let run = name.handle(client)?;
        let target = Target::Run(run.id());
        if found.iter().any(|(known, _)| *known == target) {
            continue;
        }
        let belongings = contents(run.belongings().await?);
        let experiment = run.experiment().await?.name().await?;
        found.push((target, format!("run {} of `{experiment}`: {belongings}", run.id())));
    }
    Ok(found)
}

/// A program that adds metrics to a run would fail with each of them from here on.
async fn refuse_tracked(found: &Found, client: &Client) -> anyhow::Result<()> {
    for (target, _) in found {
        let runs = match target {
            Target::Run(id) => vec![*id],
            Target::Experiment(id) => client.experiment(*id).tracked_runs().await?,
        };
        for run in runs {
            if let Some(holder) = client.run(run).tracker().await? {
                bail!("run {run} is being tracked by {holder}; wait for its end, or give `--force`");
            }
        }
    }
    Ok(())
}

async fn find_experiments(names: &[String], client: &Client) -> anyhow::Result<Found> {
    let mut found = Found::new();
    for name in names {
        let experiment = named::experiment(client, name).await?;
        let target = Target::Experiment(experiment.id());
        if found.iter().any(|(known, _)| *known == target) {
            continue;
        }
        let belongings = experiment.belongings().await?;
        let runs = count(belongings.runs, "run");
        let name = experiment.name().await?;
        let told = format!("experiment {} `{name}`: {runs}, {}", experiment.id(), contents(belongings));
        found.push((target, told));
    }
    Ok(found)
}

fn contents(belongings: Belongings) -> String {
    format!("{}, {}", count(belongings.metric_rows, "metric row"), count(belongings.links, "link"))
}

fn count(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn ask(found: &Found) -> anyhow::Result<()> {
    note("this would be deleted:");
    found.iter().for_each(|(_, told)| note(&format!("  {told}")));
    match input::confirm("Delete it for good?")? {
        Some(true) => Ok(()),
        Some(false) => bail!("nothing was deleted"),
        None => bail!("nothing was deleted, since there is no terminal to ask on; give `--yes`"),
    }
}
