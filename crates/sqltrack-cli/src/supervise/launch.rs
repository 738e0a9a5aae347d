//! How the command is started: this program runs once more, makes sure not to outlive the one that waits, and becomes
//! the command. The command so has the process id that was spawned, and nothing stands between.
//!
//! What a process does between `fork` and `exec` would be `unsafe` code.

use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::anyhow;

use crate::diagnostics;

/// The word that asks for it, in the place of a command's name. It is no command: nobody types it.
const WORD: &str = "__exec";

/// The exit codes of shells for a command that is not there, and for one that cannot be run.
pub(crate) const NOT_FOUND: u8 = 127;
pub(crate) const NOT_EXECUTABLE: u8 = 126;

/// What to spawn for the command to run. It dies if the thread that spawned it ends, so that has to be the main one.
pub(super) fn command(words: &[OsString]) -> io::Result<Command> {
    let mut command = Command::new(own_program()?);
    command.arg0("sqltrack-cli").arg(WORD).arg(std::process::id().to_string()).args(words);
    Ok(command)
}

/// The link leads to this program also after its file was replaced by a newer one.
fn own_program() -> io::Result<PathBuf> {
    if cfg!(target_os = "linux") { Ok("/proc/self/exe".into()) } else { std::env::current_exe() }
}

/// Becomes the command, if that is what this process was started for. An exit code tells that it cannot.
pub(crate) fn enter() -> Option<ExitCode> {
    let mut words = std::env::args_os().skip(1);
    words.next().filter(|word| word == WORD)?;
    let parent = words.next()?.to_str()?.parse().ok()?;
    let program = words.next()?;
    if !die_with(parent) {
        return Some(ExitCode::FAILURE);
    }
    let err = Command::new(&program).args(words).exec();
    let code = if err.kind() == ErrorKind::NotFound { NOT_FOUND } else { NOT_EXECUTABLE };
    let program = program.to_string_lossy();
    diagnostics::error(&anyhow!("cannot run `{program}`: {err}; check the command and the PATH"), 0);
    Some(code.into())
}

/// Asks to be terminated when the parent dies, be it by SIGKILL; the result is whether it lives. A system that
/// has no such thing leaves the command alone.
fn die_with(parent: i32) -> bool {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Signal, getppid, set_parent_process_death_signal};
        // Where it is forbidden, the command is still worth running.
        let _ = set_parent_process_death_signal(Some(Signal::TERM));
        // It may have died before it was asked.
        getppid().is_some_and(|found| found.as_raw_nonzero().get() == parent)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = parent;
        true
    }
}
