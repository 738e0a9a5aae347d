//! Running programs: with their output passed through, captured or read along, and ended by interrupts.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::signals::{self, Interrupt};

/// Runs `command` to its end with its output on ours; anything but success is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = wait(command.stdin(Stdio::null()).process_group(0), Interrupt::Group, |_| {})?;
    check(command, status)
}

/// Like [`run`], with standard input and the terminal left to the child; returns how it ended.
pub(crate) fn run_interactive(command: &mut Command) -> Result<ExitStatus> {
    wait(command, Interrupt::Shared, |_| {})
}

/// Like [`run`], and hands each line of standard output to `read` besides passing it on.
pub(crate) fn run_reading(command: &mut Command, read: impl FnMut(&str) + Send + 'static) -> Result<()> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0);
    let (done, ended) = mpsc::channel();
    let status = wait(command, Interrupt::Group, |stdout| {
        std::thread::spawn(move || {
            pass_on(stdout, read);
            let _ = done.send(());
        });
    })?;
    // A process that a test left behind may hold the pipe open; its output is not worth waiting for.
    let _ = ended.recv_timeout(Duration::from_secs(5));
    check(command, status)
}

/// Runs `command` and returns its standard output; its standard error becomes part of the error.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    capture(command.stderr(Stdio::piped()))
}

/// Like [`output`], with standard error on ours.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0);
    let child = signals::spawn(command, Interrupt::Group)?;
    let output = child.wait_with_output();
    signals::ended();
    let output = output?;
    match (check(command, output.status), output.stderr.as_slice()) {
        (Ok(()), _) => Ok(String::from_utf8(output.stdout)?),
        (Err(err), []) => Err(err),
        (Err(err), said) => bail!("{err}: {}", String::from_utf8_lossy(said).trim()),
    }
}

/// The program that the variable `name` is set to, if it is.
///
/// # Errors
///
/// If there is no such program.
pub(crate) fn in_variable(name: &str) -> Result<Option<PathBuf>> {
    let program = std::env::var_os(name).map(PathBuf::from);
    if let Some(file) = program.as_deref().filter(|file| !is_program(file)) {
        bail!("{name} is set, and {} is no program", file.display());
    }
    Ok(program)
}

/// The first file called `name` on the `PATH`.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|directory| directory.join(name)).find(|file| is_program(file))
}

/// Whether `file` is something that can be executed.
pub(crate) fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

fn wait(
    command: &mut Command,
    interrupt: Interrupt,
    read: impl FnOnce(std::process::ChildStdout),
) -> Result<ExitStatus> {
    let mut child = signals::spawn(command, interrupt)?;
    if let Some(stdout) = child.stdout.take() {
        read(stdout);
    }
    let status = child.wait();
    signals::ended();
    Ok(status?)
}

fn pass_on(from: impl Read, mut read: impl FnMut(&str)) {
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
        // Nobody may be reading any more; the child has to be able to finish all the same.
        let _ = std::io::stdout().write_all(&line);
        read(&String::from_utf8_lossy(&line));
        line.clear();
    }
}

fn check(command: &Command, status: ExitStatus) -> Result<()> {
    if signals::caught().is_some() {
        bail!("interrupted");
    }
    if !status.success() {
        bail!("`{}` ended with {status}", shown(command));
    }
    Ok(())
}

/// The command as one would type it, the program without its folder.
fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}
