//! Development tasks: `cargo xtask test` sets up and runs every check, the others are parts of it.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

mod bench;
mod book;
mod browser;
mod kernel;
mod notebooks;
mod packages;
mod postgres;
mod prepare;
mod process;
mod python;
mod signals;
mod stages;
mod torture;
mod workspace;

use std::ffi::OsString;
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Result, bail};
use clap::Parser;

use postgres::Postgres;
use prepare::Mode;
use stages::Stage;

/// Development tasks of SQLTrack.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Task {
    /// Set up and run every check; stop at the first that fails.
    Test {
        /// Run only these stages, and what they need.
        #[arg(long, value_name = "STAGE", value_delimiter = ',')]
        only: Vec<Stage>,
        /// List the stages and run nothing.
        #[arg(long)]
        list: bool,
        /// Given to `cargo test`: names to filter by, options; without --only, the `tests` stage alone is run.
        #[arg(last = true)]
        filter: Vec<OsString>,
    },
    /// Run a command with a throwaway Postgres server, or without a command, the server until Ctrl-C.
    Postgres {
        /// The command and its arguments.
        #[arg(last = true)]
        command: Vec<OsString>,
    },
    /// Bring the query data (`.sqlx` of each engine) up to date with the SQL in the code and in `migrations/`.
    Prepare {
        /// Change nothing; fail if something is missing, changed or left over.
        #[arg(long)]
        check: bool,
    },
    /// Measure SQLTrack against the drivers alone, in release and on servers of its own.
    Bench(bench::Options),
    /// Get in the way of trainings again and again, and see that nothing is lost that was acknowledged.
    Torture(torture::Torture),
    /// Run the notebooks of `examples/`, and fail where an output is not the one that they are kept with.
    Notebooks {
        /// Keep the outputs in place of the old ones.
        #[arg(long)]
        write: bool,
    },
    /// Check the book's pages and links, and build it with mdBook.
    Docs,
}

fn main() -> ExitCode {
    let task = Task::parse();
    signals::catch().and_then(|()| run(task)).unwrap_or_else(|err| match signals::caught() {
        Some(signal) => {
            eprintln!("interrupted");
            u8::try_from(128 + signal).map_or(ExitCode::FAILURE, ExitCode::from)
        }
        None => {
            eprintln!("error: {err:#}");
            ExitCode::FAILURE
        }
    })
}

fn run(task: Task) -> Result<ExitCode> {
    match task {
        Task::Test { list: true, .. } => stages::list(),
        Task::Test { only, filter, .. } => stages::run(only, filter)?,
        Task::Postgres { command } => return with_postgres(&command),
        Task::Prepare { check } => {
            let postgres = Postgres::start()?;
            prepare::prepare(&postgres, if check { Mode::Check } else { Mode::Write })?;
            postgres.stop()?;
        }
        Task::Bench(options) => bench::run(&options)?,
        Task::Torture(torture) => torture::run(&torture)?,
        Task::Notebooks { write } => {
            let mode = if write { notebooks::Mode::Write } else { notebooks::Mode::Check };
            notebooks::run(&python::find_or_make()?, &kernel::find_or_build()?, mode)?;
        }
        Task::Docs => docs()?,
    }
    Ok(ExitCode::SUCCESS)
}

fn with_postgres(command: &[OsString]) -> Result<ExitCode> {
    let postgres = Postgres::start()?;
    let Some((program, arguments)) = command.split_first() else {
        for (name, value) in postgres.variables() {
            println!("export {name}='{value}'");
        }
        println!("Ctrl-C stops the server.");
        signals::wait();
        postgres.stop()?;
        return Ok(ExitCode::SUCCESS);
    };
    let mut command = Command::new(program);
    let status = process::run_interactive(command.args(arguments).envs(postgres.variables()))?;
    postgres.stop()?;
    Ok(exit_code(status))
}

/// The child's own code, or what a shell makes of a child that a signal has ended.
fn exit_code(status: ExitStatus) -> ExitCode {
    use std::os::unix::process::ExitStatusExt as _;
    let code = status.code().or_else(|| Some(128 + status.signal()?));
    code.and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
}

fn docs() -> Result<()> {
    println!("{}", book::check()?);
    if process::on_path("mdbook").is_none() {
        bail!(
            "mdbook is not installed, so the book is not built; `cargo install --locked mdbook` installs it"
        );
    }
    process::run(Command::new("mdbook").arg("build").arg(workspace::root().join("docs")))
}
