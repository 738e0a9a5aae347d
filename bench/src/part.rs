//! What this program does as another process of a case.

mod first;
mod queue;
mod writer;

use std::process::Command;

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};

/// A part that a process of its own plays. The parent reads its standard output.
#[derive(Subcommand)]
#[command(hide = true)]
pub(crate) enum Part {
    /// Write rows to a run of its own whenever told to.
    Writer(writer::Writer),
    /// Commit one row, and end.
    First(first::First),
    /// Fill the queue while nothing can be written, and tell how much memory that takes.
    Queue(queue::Queue),
}

/// By what a part writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum By {
    /// The driver alone.
    Raw,
    /// The library.
    Library,
}

impl By {
    /// The option that says so.
    pub(crate) fn option(self) -> &'static str {
        match self {
            Self::Raw => "--by=raw",
            Self::Library => "--by=library",
        }
    }
}

/// The database to write to, and how.
#[derive(Args)]
struct Target {
    #[arg(long)]
    by: By,
    #[arg(long)]
    url: String,
}

impl Part {
    pub(crate) async fn play(self) -> Result<()> {
        match self {
            Self::Writer(writer) => writer.play().await,
            Self::First(first) => first.play().await,
            Self::Queue(queue) => queue.play().await,
        }
    }
}

/// A command that runs this program as one part, on the database of this URL.
pub(crate) fn command(part: &str, url: &str) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args([part, "--url", url]);
    Ok(command)
}
