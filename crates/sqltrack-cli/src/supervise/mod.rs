//! Runs a command as if nobody stood between it and the shell, and sees how it ends.
//!
//! The command has our standard input and output, our process group, session and terminal, so that Ctrl-C, Ctrl-Z and
//! `fg` do what they always do. Its standard error is passed on as it comes.

mod kernel;
mod launch;
mod memory;
mod outcome;
mod signals;
mod stderr;

use std::ffi::OsString;
use std::io;
use std::process::{Child, ExitStatus};
use std::sync::Arc;

use rustix::io::retry_on_intr;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use sqltrack_core::Status;
use tokio::sync::oneshot;

pub(crate) use launch::{NOT_EXECUTABLE, enter};
use memory::MemoryKills;
use outcome::Circumstances;
pub(crate) use outcome::Ending;
pub(crate) use signals::Signals;
use signals::{Start, Target};
pub(crate) use stderr::LastLines;
use stderr::Stderr;

/// A command that runs.
#[derive(Debug)]
pub(crate) struct Job {
    ended: oneshot::Receiver<io::Result<ExitStatus>>,
    memory: Option<MemoryKills>,
    stderr: Stderr,
}

/// What came of starting a command.
#[derive(Debug)]
pub(crate) enum Started {
    /// It runs.
    Running(Job),
    /// It was not started, since this signal came before.
    Stopped(u8),
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) ending: Ending,
    circumstances: Circumstances,
    /// The last lines of its standard error, if it failed and as far as they can be known.
    pub(crate) last_lines: Vec<String>,
    stderr: Stderr,
}

/// A change to the environment of a command: a variable and its value, or none to take it away.
pub(crate) type Variable = (OsString, Option<OsString>);

/// Starts a command.
///
/// Has to be called on the main thread: the command is terminated when the thread that started it ends.
pub(crate) fn start(
    words: &[OsString],
    variables: &[Variable],
    last_lines: LastLines,
    signals: &Signals,
) -> io::Result<Started> {
    let mut command = launch::command(words)?;
    for (name, value) in variables {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let memory = MemoryKills::now();
    let (stderr, end) = Stderr::open(last_lines);
    command.stderr(end.stderr);
    let child = match signals.start(&mut command, end.terminal)? {
        Start::Started(child) => child,
        Start::Stopped(signal) => return Ok(Started::Stopped(signal)),
    };
    // It holds the command's end of standard error, which would never be seen to close.
    drop(command);
    Ok(Started::Running(Job { ended: wait(child, signals.target())?, memory, stderr }))
}

impl Job {
    /// Waits for the end of the command.
    pub(crate) async fn end(mut self, signals: &mut Signals) -> io::Result<Report> {
        let status = self.ended.await.map_err(io::Error::other)?;
        let interrupted = signals.forget();
        let out_of_memory = self.memory.is_some_and(|memory| memory.rose());
        let circumstances = Circumstances { interrupted, out_of_memory };
        let ending = Ending::of(status?);
        let last_lines = if ending.is_success() { Vec::new() } else { self.stderr.last_lines().await };
        Ok(Report { ending, circumstances, last_lines, stderr: self.stderr })
    }
}

impl Report {
    /// What the end says about the run.
    pub(crate) fn status(&self) -> Status {
        self.ending.status(self.circumstances)
    }

    /// Waits until all that the command wrote has been read by whoever reads it, or until a signal.
    pub(crate) async fn deliver(mut self, signals: &mut Signals) {
        tokio::select! {
            biased;
            () = self.stderr.finish() => {}
            _ = signals.stop() => {}
        }
    }
}

/// Waits for a child in a thread of its own, and tells how it has ended.
fn wait(mut child: Child, target: Arc<Target>) -> io::Result<oneshot::Receiver<io::Result<ExitStatus>>> {
    let (sender, receiver) = oneshot::channel();
    std::thread::Builder::new().name("wait".to_owned()).spawn(move || {
        // Until it is reaped its id is its own, and signals hit nobody else.
        let until_end = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        let _ = retry_on_intr(|| waitid(WaitId::Pid(Pid::from_child(&child)), until_end));
        target.ended();
        let _ = sender.send(child.wait());
    })?;
    Ok(receiver)
}
