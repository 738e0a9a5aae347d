//! Signals: what is sent to us reaches the command, once, and nothing is left behind.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process};

use super::job::Job;
use super::{REPORTER, shell, statuses};
use crate::program::Program;

fn reporter(program: &Program) -> Job {
    Job::start(program.command(&["run", "sh", "-c", REPORTER]).stderr(Stdio::null()))
}

fn is_gone(process: Pid) -> bool {
    let folder = PathBuf::from(format!("/proc/{process}"));
    test_kill_process(process).is_err() && !Path::exists(&folder)
}

#[test]
fn a_signal_that_is_sent_to_us_reaches_the_command_once() {
    let program = Program::sqlite_with("");
    let mut job = reporter(&program);
    let command = job.ready();
    for (signal, name) in [
        (Signal::HUP, "HUP"),
        (Signal::INT, "INT"),
        (Signal::QUIT, "QUIT"),
        (Signal::USR1, "USR1"),
        (Signal::USR2, "USR2"),
        (Signal::XCPU, "XCPU"),
        (Signal::INT, "INT"),
    ] {
        job.kill(signal);
        assert_eq!(job.expect("\n"), format!("{name}\n"));
    }
    job.kill(Signal::TERM);
    assert_eq!(job.end(), ("TERM\n".to_owned(), Some(7)));
    assert!(is_gone(command));
    assert_eq!(statuses(&program), "CANCELLED");
}

#[test]
fn a_signal_that_the_command_sends_to_its_group_is_not_sent_back() {
    let program = Program::sqlite_with("");
    let script =
        REPORTER.replace("echo ready $$", "for i in $(seq 50); do kill -USR1 0; done; echo ready $$");
    let mut command = program.command(&["run", "sh", "-c", &script]);
    let mut job = Job::start(command.process_group(0));
    // Two of a kind may become one on their way, so it takes more than one to see that there were not two.
    for _ in 0..50 {
        assert_eq!(job.expect("\n"), "USR1\n");
    }
    job.ready();
    // What was sent back before would be seen before this.
    job.kill(Signal::USR2);
    assert_eq!(job.expect("\n"), "USR2\n");
    job.kill(Signal::TERM);
    assert_eq!(job.end(), ("TERM\n".to_owned(), Some(7)));
}

/// A scheduler ends the whole group, and the command is faster than we are.
#[test]
fn a_signal_to_the_whole_group_cancels() {
    let program = Program::sqlite_with("");
    let script = "trap 'kill $sleeper; exit 1' INT; sleep 600 >/dev/null & sleeper=$!; echo ready $$; wait";
    let mut command = program.command(&["run", "sh", "-c", script]);
    let mut job = Job::start(command.process_group(0));
    job.ready();
    kill_process_group(job.id(), Signal::INT).unwrap();
    assert_eq!(job.end(), (String::new(), Some(1)));
    assert_eq!(statuses(&program), "CANCELLED");
}

#[test]
fn a_command_that_ends_well_after_a_signal_is_completed() {
    let program = Program::sqlite_with("");
    let script = REPORTER.replace("exit 7", "exit 0");
    let mut job = Job::start(&mut program.command(&["run", "sh", "-c", &script]));
    job.ready();
    job.kill(Signal::TERM);
    assert_eq!(job.end(), ("TERM\n".to_owned(), Some(0)));
    assert_eq!(statuses(&program), "COMPLETED");
}

#[test]
fn a_command_that_does_not_catch_a_signal_dies_of_it() {
    for (signal, code, status) in [(Signal::TERM, 143, "CANCELLED"), (Signal::USR1, 138, "FAILED")] {
        let program = Program::sqlite_with("");
        let mut job = Job::start(&mut program.command(&["run", "sh", "-c", "echo ready $$; exec sleep 600"]));
        let command = job.ready();
        job.kill(signal);
        assert_eq!(job.end(), (String::new(), Some(code)));
        assert!(is_gone(command));
        assert_eq!(statuses(&program), status);
    }
}

#[test]
fn a_command_does_not_outlive_us() {
    let program = Program::sqlite_with("");
    let mut job = reporter(&program);
    job.ready();
    job.kill(Signal::KILL);
    // Only the command holds standard output by now, so that its end is the command's. The kernel tells it of the end
    // of the thread that started it, and again if another thread of ours took it over for a moment.
    let told = job.rest();
    assert!(!told.is_empty() && told.lines().all(|line| line == "TERM"), "{told}");
    assert_eq!(job.wait().code(), None);
}

#[test]
fn what_was_ignored_stays_ignored() {
    let program = Program::sqlite_with("");
    let script = "trap '' HUP INT QUIT; exec \"$PROGRAM\" run sh -c '
        grep -h SigIgn /proc/self/status /proc/$PPID/status; kill -HUP $PPID; kill -INT $PPID; exit 3'";
    let outcome: crate::program::Outcome = shell(&program, "sh", &["-c", script]).output().unwrap().into();
    assert_eq!(outcome.code, Some(3), "{outcome:?}");
    let masks: Vec<_> = outcome.stdout.lines().map(|line| line.rsplit('\t').next().unwrap()).collect();
    let [command, own] = masks.as_slice() else { panic!("{outcome:?}") };
    let ignored = |mask: &str| u64::from_str_radix(mask, 16).unwrap() & 0b111;
    assert_eq!((ignored(command), ignored(own)), (0b111, 0b111));
}

#[test]
fn an_ending_is_known_also_if_endings_were_ignored() {
    let program = Program::sqlite_with("");
    let script = "exec env --ignore-signal=CHLD \"$PROGRAM\" run sh -c 'exit 3'";
    let outcome = shell(&program, "sh", &["-c", script]).output().unwrap();
    assert_eq!(outcome.status.code(), Some(3));
    assert_eq!(statuses(&program), "FAILED");
}

/// Before there is a command, a signal is for us.
#[test]
fn a_signal_that_comes_first_keeps_the_command_from_starting() {
    let program = Program::sqlite_with("");
    let pipe = program.pipe("asked");
    // It takes its time to say whether this is a repository.
    program.script("git", "echo asked >asked; exec sleep 5");
    let path = format!("{}:/usr/bin:/bin", program.folder().display());
    let mut command = program.command(&["run", "touch", "started"]);
    let mut job = Job::start(command.env("PATH", path));
    assert_eq!(std::fs::read_to_string(pipe).unwrap(), "asked\n");
    job.kill(Signal::TERM);
    assert_eq!(job.end(), (String::new(), Some(143)));
    assert!(!program.folder().join("started").exists());
    assert_eq!(statuses(&program), "CANCELLED");
}
