//! The program on a terminal.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::program::Outcome;

/// Runs a command whose standard error is a terminal, and returns what it writes there, and its outcome.
pub(crate) fn shown_by(mut command: Command) -> (String, Outcome) {
    let own = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
    let terminal = openpt(own).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap().into_string().unwrap();
    let flags = OpenptFlags::NOCTTY.bits().try_into().unwrap();
    let stderr = File::options().read(true).write(true).custom_flags(flags).open(name).unwrap();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr);
    let outcome = command.spawn().unwrap().wait_with_output().unwrap().into();
    // The other end is closed when the command is dropped; what was written is there until it is read.
    drop(command);
    let mut shown = Vec::new();
    let mut terminal = File::from(terminal);
    let mut buffer = [0; 4096];
    // On Linux the end is an error.
    while let Ok(length @ 1..) = terminal.read(&mut buffer) {
        shown.extend_from_slice(&buffer[..length]);
    }
    (String::from_utf8(shown).unwrap(), outcome)
}

/// Runs a command whose standard output is a terminal of this size, and returns what it shows there.
pub(crate) fn shown_on(mut command: Command, columns: u16, rows: u16) -> String {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let size = rustix::termios::Winsize { ws_col: columns, ws_row: rows, ws_xpixel: 0, ws_ypixel: 0 };
    rustix::termios::tcsetwinsize(&terminal, size).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap().into_string().unwrap();
    let flags = OpenptFlags::NOCTTY.bits().try_into().unwrap();
    let stdout = File::options().read(true).write(true).custom_flags(flags).open(name).unwrap();
    command.stdin(Stdio::null()).stdout(stdout).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    drop(command);
    let mut shown = Vec::new();
    let mut terminal = File::from(terminal);
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = terminal.read(&mut buffer) {
        shown.extend_from_slice(&buffer[..length]);
    }
    let outcome: Outcome = child.wait_with_output().unwrap().into();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    String::from_utf8(shown).unwrap().replace("\r\n", "\n")
}

/// Runs a command whose standard input is a terminal on which `text` is typed.
pub(crate) fn type_into(mut command: Command, text: &str) -> Outcome {
    let own = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
    let terminal = openpt(own).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap().into_string().unwrap();
    // It must not become the terminal of the tests.
    let flags = OpenptFlags::NOCTTY.bits().try_into().unwrap();
    let stdin = File::options().read(true).write(true).custom_flags(flags).open(name).unwrap();
    command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    // The program is asked after whatever is there already, as it is when someone types ahead.
    File::from(terminal.try_clone().unwrap()).write_all(text.as_bytes()).unwrap();
    child.wait_with_output().unwrap().into()
}
