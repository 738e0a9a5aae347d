//! `run`: any command as a run, whatever language it is written in.

mod choice;
mod leftovers;
mod tracked;
mod variables;

use std::ffi::OsString;
use std::future::Future;
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{anyhow, bail};
use clap::ValueHint;
use serde_json::{Map, Value as Json};
use sqltrack_core::{Client, Object, Redactor, Status};
use tokio::sync::oneshot;
use tokio::time::timeout;

use self::choice::Choice;
use self::tracked::{Details, Failure, Tracked};
use crate::command_line::CommandLine;
use crate::diagnostics::{self, note};
use crate::named::{ExperimentOption, RunName};
use crate::options::GlobalOptions;
use crate::provenance;
use crate::supervise::{self, Ending, LastLines, NOT_EXECUTABLE, Signals, Started};

/// How long a signal to stop leaves for what is going on with the database.
const GRACE: Duration = Duration::from_secs(2);
/// How long to try to record the end, which is all there is to lose by then.
const FINISH: Duration = Duration::from_secs(60);
/// How long the origin of the run is looked for. The parts of it have shorter limits of their own.
const PROVENANCE: Duration = Duration::from_secs(8);

/// Run a command, in any language, and record it as a run
///
/// The command keeps the terminal, its input and output, and gets the signals that are sent to this program, which
/// exits as the command does. The end of the command decides the status of the run: COMPLETED, FAILED, CANCELLED after
/// an interrupt, or OUT_OF_MEMORY. What is recorded: the command, the host, the git commit with the changes since, the
/// environment with secrets masked, and the last lines of standard error if it fails.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
The command finds SQLTRACK_RUN_ID, SQLTRACK_EXPERIMENT_ID, SQLTRACK_EXPERIMENT_NAME and the
connection in its environment, so that it can add metrics to its run.

If the database cannot be reached, the command runs all the same, and what is recorded of it waits
in the spool for `sqltrack-cli sync`. With `spool = off` it is not recorded.

Examples:
  sqltrack-cli run python train.py --epochs 90
  sqltrack-cli run --experiment Iris --tag baseline -- ./train.sh
  sqltrack-cli run --run SLURM_JOB_ID srun python train.py")]
pub(crate) struct Args {
    #[command(flatten)]
    experiment: ExperimentOption,
    /// The run to take or make: its id, or a variable that holds it; otherwise SQLTRACK_RUN_ID, or a new one
    #[arg(long, value_name = "ID|VARIABLE")]
    run: Option<RunName>,
    /// A run to go on with, also if somebody else still tracks it, who is shut out then
    #[arg(long, value_name = "ID|VARIABLE", conflicts_with_all = ["run", "experiment"])]
    resume: Option<RunName>,
    /// A tag for the run; may be given several times
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// A comment on the run
    #[arg(long)]
    comment: Option<String>,
    /// Do not record the environment
    #[arg(long)]
    no_env: bool,
    /// Leave standard error to the command alone, and do not record the last lines of it
    #[arg(long)]
    no_stderr: bool,
    /// The command and its arguments; everything from its first word on belongs to it
    #[arg(required = true, trailing_var_arg = true, value_hint = ValueHint::CommandWithArguments)]
    command: Vec<OsString>,
}

pub(super) async fn run(args: &Args, options: &GlobalOptions) -> anyhow::Result<ExitCode> {
    let client = options.client()?;
    let mut signals = Signals::catch()?;
    let result = supervised(args, &client, &mut signals).await;
    // A server that does not answer is not waited for.
    let _ = timeout(GRACE, client.close()).await;
    result.map(ExitCode::from)
}

async fn supervised(args: &Args, client: &Client, signals: &mut Signals) -> anyhow::Result<u8> {
    let tracked = begin(args, client, signals).await?;
    let mut variables = variables::of_connection(tracked.as_ref().map_or(client, Tracked::client).config());
    variables.extend(tracked.iter().flat_map(Tracked::variables));
    let last_lines = if args.no_stderr { LastLines::Unknown } else { LastLines::Kept };
    let job = match supervise::start(&args.command, &variables, last_lines, signals) {
        Ok(Started::Running(job)) => job,
        Ok(Started::Stopped(signal)) => {
            finish(tracked, Status::Cancelled, &[], signals).await;
            return Ok(Ending::Killed(signal).exit_code());
        }
        Err(err) => {
            let err =
                anyhow!("cannot start a process: {err}; check the limits of the system and your account");
            diagnostics::error(&err, 0);
            finish(tracked, Status::Failed, &[err.to_string()], signals).await;
            return Ok(NOT_EXECUTABLE);
        }
    };
    let report = match job.end(signals).await {
        Ok(report) => report,
        Err(err) => {
            finish(tracked, Status::Failed, &[], signals).await;
            bail!("cannot tell how the command ended: {err}");
        }
    };
    if tracked.as_ref().is_some_and(Tracked::is_offline) {
        // Its own part is complete only then.
        finish(tracked, report.status(), &report.last_lines, signals).await;
        let _ = hurried(signals, leftovers::deliver(client)).await;
    } else {
        let _ = hurried(signals, leftovers::deliver(client)).await;
        finish(tracked, report.status(), &report.last_lines, signals).await;
    }
    let code = report.ending.exit_code();
    report.deliver(signals).await;
    Ok(code)
}

/// Takes or makes the run, and starts it. None if the database is out of order, which is told, or if a signal came
/// before.
async fn begin(args: &Args, client: &Client, signals: &mut Signals) -> anyhow::Result<Option<Tracked>> {
    let command_line = CommandLine::of_command(&args.command);
    let choice =
        Choice::new(&args.experiment, args.run.as_ref(), args.resume.as_ref(), command_line.program());
    let redactor = client.redactor();
    let provenance = provenance(&args.command, &redactor);
    let Some(opened) = hurried(signals, Tracked::open(client, &choice)).await else { return Ok(None) };
    let opened = match opened {
        Err(Failure::Outage(err)) => match Tracked::open_offline(client, &choice).await {
            Some(tracked) => {
                note(&format!("warning: {err}; the run waits in the spool, for `sqltrack-cli sync`"));
                Ok(tracked)
            }
            None => Err(Failure::Outage(err)),
        },
        opened => opened,
    };
    let Some(tracked) = unless_outage(opened)? else { return Ok(None) };
    let details = Details {
        tags: &args.tags,
        comment: args.comment.as_deref(),
        has_env: !args.no_env,
        arguments: arguments(&command_line, &redactor),
        provenance,
    };
    match hurried(signals, tracked.describe(details)).await.map(unless_outage) {
        Some(Ok(Some(()))) => Ok(Some(tracked)),
        Some(Ok(None)) => Ok(None),
        Some(Err(err)) => {
            finish(Some(tracked), Status::Failed, &[], signals).await;
            Err(err)
        }
        // There is a run whose end is to be recorded.
        None => Ok(Some(tracked)),
    }
}

/// Tells an outage of the database, which is no reason not to run. What is wrong for good is.
fn unless_outage<T>(result: Result<T, Failure>) -> anyhow::Result<Option<T>> {
    match result {
        Ok(done) => Ok(Some(done)),
        Err(Failure::Wrong(err)) => Err(err.into()),
        Err(Failure::Outage(err)) => {
            note(&format!("warning: {err}; the command runs without being recorded"));
            Ok(None)
        }
    }
}

/// Records the end. A database that fails here changes nothing about how the command has ended.
async fn finish(tracked: Option<Tracked>, status: Status, last_lines: &[String], signals: &mut Signals) {
    let Some(tracked) = tracked else { return };
    // As a whole, since a secret may have several lines.
    let last_lines = tracked.redactor().text(&last_lines.join("\n"));
    let (id, last_lines) = (tracked.id(), last_lines.lines().map(str::to_owned).collect());
    // Whoever has told the command to end does not wait for long before ending us, too.
    let limit = if status == Status::Cancelled { tracked.grace() } else { FINISH };
    let failed = match timeout(limit, hurried(signals, tracked.finish(&status, last_lines))).await {
        Ok(Some(Ok(()))) => return,
        Ok(Some(Err(err))) => err.to_string(),
        Ok(None) | Err(_) => "the database took too long".to_owned(),
    };
    note(&format!("warning: {failed}; run {id} is not recorded as {status}"));
}

/// The arguments by the help text of the command's script, or the words as they are. The command itself tells of words
/// that do not fit.
fn arguments(command_line: &CommandLine, redactor: &Redactor) -> Object {
    command_line.arguments(redactor).unwrap_or_else(|err| {
        tracing::info!("the arguments are recorded as they are: {err}");
        command_line.unparsed(redactor)
    })
}

/// Looks for the origin of the run while the database is connected to.
fn provenance(command: &[OsString], redactor: &Redactor) -> impl Future<Output = Map<String, Json>> + use<> {
    let (sender, receiver) = oneshot::channel();
    let (command, redactor) = (command.to_owned(), redactor.clone());
    // Not a task of the runtime, whose end would wait for it.
    let thread = std::thread::Builder::new().name("provenance".to_owned()).spawn(move || {
        let _ = sender.send(provenance::gather(&command, &redactor));
    });
    async move {
        match (thread, timeout(PROVENANCE, receiver).await) {
            (Ok(_), Ok(Ok(found))) => found,
            _ => {
                tracing::warn!("the origin of the run is not recorded, since it took too long to find out");
                Map::new()
            }
        }
    }
}

/// Awaits something, and after a signal to stop not much longer.
async fn hurried<T>(signals: &mut Signals, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    tokio::select! {
        biased;
        done = &mut work => Some(done),
        _ = signals.stop() => timeout(GRACE, work).await.ok(),
    }
}
