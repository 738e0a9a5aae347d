//! The commands, one file each.

mod args;
mod compare;
mod completions;
mod config;
mod create;
mod delete;
mod edit;
mod execute;
mod experiments;
mod export;
mod grant;
mod log;
mod metrics;
mod plan;
mod plot;
mod query;
mod reap;
mod report;
mod revoke;
#[cfg(unix)]
mod run;
mod runs;
mod scrub;
mod setup;
mod start;
mod stop;
mod sync;
mod tail;

use std::io::Write;
use std::process::ExitCode;

use sqltrack_core::{Client, EngineError, Error, RunId};

use crate::options::GlobalOptions;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    Create(create::Args),
    Grant(grant::Args),
    Revoke(revoke::Args),
    Execute(execute::Args),
    Setup(setup::Args),
    Config(config::Args),
    #[cfg(unix)]
    Run(run::Args),
    Query(query::Args),
    Reap(reap::Args),
    Experiments(experiments::Args),
    Runs(runs::Args),
    Metrics(metrics::Args),
    Compare(compare::Args),
    Plot(plot::Args),
    Export(export::Args),
    Report(report::Args),
    Tail(tail::Args),
    Plan(plan::Args),
    Start(start::Args),
    Log(log::Args),
    Stop(stop::Args),
    Edit(edit::Args),
    Delete(delete::Args),
    Scrub(scrub::Args),
    Sync(sync::Args),
    Args(args::Args),
    Completions(completions::Args),
}

impl Command {
    pub(crate) async fn run(
        &self,
        options: &GlobalOptions,
        out: &mut impl Write,
    ) -> anyhow::Result<ExitCode> {
        let done = match self {
            #[cfg(unix)]
            Self::Run(args) => return run::run(args, options).await,
            Self::Create(args) => create::run(args, &options.config()?, out),
            Self::Grant(args) => grant::run(args, &options.config()?, out),
            Self::Revoke(args) => revoke::run(args, &options.config()?, out),
            Self::Execute(args) => connected(options, async |client| execute::run(args, client).await).await,
            Self::Setup(args) => connected(options, async |client| setup::run(args, client, out).await).await,
            Self::Config(args) => config::run(args, options, out),
            Self::Query(args) => connected(options, async |client| query::run(args, client, out).await).await,
            Self::Reap(args) => connected(options, async |client| reap::run(args, client, out).await).await,
            Self::Experiments(args) => {
                connected(options, async |client| experiments::run(args, client, out).await).await
            }
            Self::Runs(args) => connected(options, async |client| runs::run(args, client, out).await).await,
            Self::Metrics(args) => {
                connected(options, async |client| metrics::run(args, client, out).await).await
            }
            Self::Compare(args) => {
                connected(options, async |client| compare::run(args, client, out).await).await
            }
            Self::Plot(args) => connected(options, async |client| plot::run(args, client, out).await).await,
            Self::Export(args) => {
                connected(options, async |client| export::run(args, client, out).await).await
            }
            Self::Report(args) => connected(options, async |client| report::run(args, client).await).await,
            Self::Tail(args) => connected(options, async |client| tail::run(args, client, out).await).await,
            Self::Plan(args) => connected(options, async |client| plan::run(args, client, out).await).await,
            Self::Start(args) => connected(options, async |client| start::run(args, client).await).await,
            Self::Log(args) => connected(options, async |client| log::run(args, client).await).await,
            Self::Stop(args) => connected(options, async |client| stop::run(args, client).await).await,
            Self::Edit(args) => connected(options, async |client| edit::run(args, client).await).await,
            Self::Delete(args) => {
                connected(options, async |client| delete::run(args, client, out).await).await
            }
            Self::Scrub(args) => connected(options, async |client| scrub::run(args, client, out).await).await,
            Self::Sync(args) => connected(options, async |client| sync::run(args, client, out).await).await,
            Self::Args(args) => args::run(args, out),
            Self::Completions(args) => completions::run(args, out),
        };
        done.map(|()| ExitCode::SUCCESS)
    }
}

/// Runs a command with a client, and closes its connections whatever comes of it.
async fn connected(
    options: &GlobalOptions,
    command: impl AsyncFnOnce(&Client) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let client = options.client()?;
    let mut result = command(&client).await;
    // That another run was meant only adds to what failed: if it cannot be found out, that is all there is to tell.
    if let Err(err) = &result
        && let Some(run) = missing_run(err)
        && let Ok(Some(nearest)) = client.nearest_run(run).await
    {
        let meant = format!("{err}; did you mean {nearest}?");
        result = result.map_err(|err| err.context(meant));
    }
    client.close().await;
    result
}

/// The run that a command has not found.
fn missing_run(err: &anyhow::Error) -> Option<RunId> {
    let err = match err.downcast_ref() {
        Some(sqltrack_analysis::Error::Core(err)) => err,
        _ => err.downcast_ref()?,
    };
    match err {
        Error::Engine(EngineError::NoSuchRun(run)) => Some(*run),
        _ => None,
    }
}
