//! The program on a terminal.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::program::Outcome;

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
