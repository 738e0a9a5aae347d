//! On a terminal: the command has it, and what is typed does what it does without us.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};

use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{LocalModes, OptionalActions, Winsize, tcgetattr, tcsetattr, tcsetwinsize};

use super::job::Job;
use super::{REPORTER, extras, shell, statuses};
use crate::program::Program;

const INTERRUPT: &[u8] = b"\x03";
const SUSPEND: &[u8] = b"\x1a";
const QUIT: &[u8] = b"\x1c";

/// A terminal, of which this is the screen and the keyboard. It does not show what is typed.
struct Terminal {
    screen: File,
    line: OwnedFd,
}

impl Terminal {
    fn open() -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let screen = openpt(flags).unwrap();
        unlockpt(&screen).unwrap();
        let line = ioctl_tiocgptpeer(&screen, flags).unwrap();
        let mut modes = tcgetattr(&line).unwrap();
        modes.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&line, OptionalActions::Now, &modes).unwrap();
        let terminal = Self { screen: screen.into(), line };
        terminal.resize(24, 80);
        terminal
    }

    fn resize(&self, rows: u16, columns: u16) {
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&self.screen, size).unwrap();
    }

    /// Starts a command as the leader of a session on this terminal.
    fn spawn(&self, command: &Command) -> Child {
        let mut session = Command::new("setsid");
        session.arg("--ctty").arg(command.get_program()).args(command.get_args());
        session.current_dir(command.get_current_dir().unwrap()).env_clear();
        session.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let end = || Stdio::from(self.line.try_clone().unwrap());
        session.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap()
    }

    /// Starts a command likewise, and watches the screen.
    fn start(&self, command: &Command) -> Job {
        Job::watch(self.spawn(command), self.screen.try_clone().unwrap())
    }

    fn press(&self, keys: &[u8]) {
        (&self.screen).write_all(keys).unwrap();
    }
}

/// Runs `script` on a terminal, and returns what it shows in the end, and the exit code.
fn shown(program: &Program, script: &str) -> (String, Option<i32>) {
    let terminal = Terminal::open();
    let mut job = terminal.start(&program.command(&["run", "sh", "-c", &format!("{script}; echo END >&2")]));
    let shown = job.expect("END\r\n");
    (shown.strip_suffix("END\r\n").unwrap().to_owned(), job.wait().code())
}

#[test]
fn every_stream_is_a_terminal() {
    let program = Program::sqlite_with("");
    let (shown, code) = shown(&program, "test -t 0 && test -t 1 && test -t 2 && stty size <&2 >&2");
    assert_eq!((shown.as_str(), code), ("24 80\r\n", Some(0)));
}

#[test]
fn the_screen_shows_what_it_shows_without_us() {
    let program = Program::sqlite_with("");
    let (shown, _) = shown(&program, "printf 'a\\n\\tb\\r\\n\\001\\033[1mc\\r 50%%\\r100%%\\n' >&2");
    assert_eq!(shown, "a\r\n\tb\r\r\n\u{1}\u{1b}[1mc\r 50%\r100%\r\n");
}

#[test]
fn the_last_lines_are_kept() {
    let program = Program::sqlite_with("");
    let terminal = Terminal::open();
    let script = "for i in $(seq 2000); do echo \"line $i\"; done >&2; exit 4";
    let mut job = terminal.start(&program.command(&["run", "sh", "-c", script]));
    job.expect("line 1\r\nline 2\r\n");
    job.expect("line 1999\r\nline 2000\r\n");
    assert_eq!(job.wait().code(), Some(4));
    let lines = (1901..=2000).map(|number| format!("line {number}")).collect::<Vec<_>>();
    assert_eq!(extras(&program)["stderr"], serde_json::json!(lines));
}

#[test]
fn keys_reach_the_command_once() {
    let program = Program::sqlite_with("");
    let terminal = Terminal::open();
    let mut job = terminal.start(&program.command(&["run", "sh", "-c", REPORTER]));
    job.ready();
    // Two of a kind may become one on their way, so it takes more than one to see that there were not two.
    for (key, name) in [(INTERRUPT, "INT"), (QUIT, "QUIT")].repeat(20) {
        terminal.press(key);
        assert_eq!(job.expect("\r\n"), format!("{name}\r\n"));
    }
    job.kill(rustix::process::Signal::TERM);
    assert_eq!(job.expect("\r\n"), "TERM\r\n");
    assert_eq!(job.wait().code(), Some(7));
    assert_eq!(statuses(&program), "CANCELLED");
}

#[test]
fn the_interrupt_key_cancels() {
    let program = Program::sqlite_with("");
    let terminal = Terminal::open();
    let mut job = terminal.start(&program.command(&["run", "sh", "-c", "echo ready $$; exec sleep 600"]));
    job.ready();
    terminal.press(INTERRUPT);
    assert_eq!(job.wait().code(), Some(130));
    assert_eq!(statuses(&program), "CANCELLED");
}

#[test]
fn the_size_follows_that_of_the_terminal() {
    let program = Program::sqlite_with("");
    let terminal = Terminal::open();
    let script = format!("trap 'stty size <&2' WINCH\n{REPORTER}");
    let mut job = terminal.start(&program.command(&["run", "sh", "-c", &script]));
    job.ready();
    terminal.resize(50, 132);
    job.expect("50 132\r\n");
    job.kill(rustix::process::Signal::TERM);
    job.expect("TERM\r\n");
    job.wait();
}

/// The shell with job control is the leader; we and the command are one job of it.
#[test]
fn a_job_is_stopped_and_goes_on() {
    let program = Program::sqlite_with("");
    let terminal = Terminal::open();
    program.file("reporter", &format!("trap 'echo CONT' CONT\n{REPORTER}"));
    let mut shell = shell(&program, "bash", &["--norc", "--noprofile", "--noediting", "-i"]);
    let mut job = terminal.start(shell.env("PS1", "$ "));
    job.expect("$ ");
    terminal.press(b"\"$PROGRAM\" run sh reporter\n");
    let command = job.ready();
    terminal.press(SUSPEND);
    job.expect("Stopped");
    job.expect("$ ");
    // The shell is told of us alone, who may be the first to stop.
    while !std::fs::read_to_string(format!("/proc/{command}/stat")).unwrap().contains(") T ") {
        std::thread::yield_now();
    }
    terminal.press(b"fg\n");
    job.expect("CONT\r\n");
    terminal.press(INTERRUPT);
    assert_eq!(job.expect("\r\n"), "INT\r\n");
    terminal.press(SUSPEND);
    job.expect("$ ");
    terminal.press(b"kill %1; fg\n");
    job.expect("TERM\r\n");
    job.expect("$ ");
    terminal.press(b"echo code $?; exit\n");
    job.expect("code 7\r\n");
    job.wait();
    assert_eq!(statuses(&program), "CANCELLED");
}

/// The leader of the session is told that its terminal is gone, and nobody else.
#[test]
fn a_command_is_told_that_its_terminal_is_gone() {
    let program = Program::sqlite_with("");
    let pipe = program.pipe("told");
    let script = "
        trap 'echo HUP >told; kill $sleeper; exit 3' HUP
        sleep 600 >/dev/null 2>&1 & sleeper=$!
        echo ready
        while kill -0 $sleeper; do wait $sleeper; done";
    let terminal = Terminal::open();
    let mut child = terminal.spawn(&program.command(&["run", "sh", "-c", script]));
    let mut shown = [0; 7];
    (&terminal.screen).read_exact(&mut shown).unwrap();
    assert_eq!(&shown, b"ready\r\n");
    drop(terminal);
    assert_eq!(std::fs::read_to_string(pipe).unwrap(), "HUP\n");
    assert_eq!(child.wait().unwrap().code(), Some(3));
    assert_eq!(statuses(&program), "FAILED");
}
