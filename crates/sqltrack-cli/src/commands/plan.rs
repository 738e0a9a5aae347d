//! `plan`: a run is recorded before it is queued.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;

use clap::ValueHint;
use sqltrack_core::{Client, Error, Object, RunId};

use crate::command_line::CommandLine;
use crate::named::ExperimentOption;

/// Record a run with its arguments as PLANNED, run nothing, and print its id
///
/// The arguments are read as the help text of SCRIPT says, see `sqltrack-cli args`. If it has none, they are recorded
/// as the list `argv`. The passwords in URLs are masked.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Exits with 2 and the usage of SCRIPT, and records nothing, if the arguments do not fit it.

Examples:
  sqltrack-cli plan train.py -- --epochs 90 cifar
  sqltrack-cli plan --tag sweep -- python train.py --epochs 90 cifar
  sbatch --export=ALL,SQLTRACK_RUN_ID=$(sqltrack-cli plan train.py -- --epochs 90) job.sh")]
pub(crate) struct Args {
    #[command(flatten)]
    experiment: ExperimentOption,
    /// A tag for the run; may be given several times
    #[arg(long)]
    tag: Vec<String>,
    /// The comment on the run
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
    /// Record the list of arguments, whatever help text there is
    #[arg(long)]
    no_parse: bool,
    /// The script that will be run, a Rust, Python or text file; without it, ARGS begin with the command
    #[arg(value_hint = ValueHint::FilePath, required_unless_present = "args")]
    script: Option<PathBuf>,
    /// The command line, without the name of SCRIPT
    #[arg(last = true)]
    args: Vec<OsString>,
}

pub(super) async fn run(args: &Args, client: &Client, out: &mut impl Write) -> anyhow::Result<()> {
    let command_line = match &args.script {
        Some(script) => CommandLine::of_script(script, &args.args),
        None => CommandLine::of_command(&args.args),
    };
    let redactor = client.redactor();
    let arguments =
        if args.no_parse { command_line.unparsed(&redactor) } else { command_line.arguments(&redactor)? };
    let run = if client.config().is_offline() {
        plan(args, client, &command_line, arguments).await?
    } else {
        let tx = client.begin().await?;
        let run = plan(args, &tx, &command_line, arguments).await?;
        tx.commit().await?;
        run
    };
    writeln!(out, "{run}")?;
    Ok(())
}

/// Records the run, and returns its id.
async fn plan(
    args: &Args,
    client: &Client,
    command_line: &CommandLine,
    arguments: Object,
) -> Result<RunId, Error> {
    let run = args.experiment.open(client, command_line.program()).await?.new_run().await?;
    let mut edit = run.set_args(arguments).add_tags(&args.tag);
    if let Some(comment) = &args.comment {
        edit = edit.set_comment(comment.as_str());
    }
    Ok(edit.await?.id())
}
