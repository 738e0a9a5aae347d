//! Standard input, output and error: the command sees what it would see without us, and so does who reads them.

use std::fs::{File, OpenOptions};
use std::io::{PipeReader, Read as _, Write as _, pipe};
use std::os::fd::AsFd;
use std::process::Stdio;

use rustix::process::{Signal, kill_process};

use super::job::Job;
use super::{extras, statuses};
use crate::program::Program;

/// Every byte, in an order that no line buffer likes.
fn bytes() -> Vec<u8> {
    (0..1_000_000_u32).map(|number| (number ^ (number / 256)) as u8).collect()
}

fn inode(of: impl AsFd) -> String {
    rustix::fs::fstat(of).unwrap().st_ino.to_string()
}

#[test]
fn standard_input_and_output_are_the_ones_that_we_have() {
    let program = Program::sqlite_with("");
    let mut command = program.command(&["run", "stat", "-Lc", "%i", "/proc/self/fd/0", "/proc/self/fd/1"]);
    let ((input, _writer), (mut reader, output)) = (pipe().unwrap(), pipe().unwrap());
    let expected = format!("{}\n{}\n", inode(&input), inode(&output));
    let mut child = command.stdin(input).stdout(output).spawn().unwrap();
    drop(command);
    let mut printed = String::new();
    reader.read_to_string(&mut printed).unwrap();
    assert_eq!(printed, expected);
    assert!(child.wait().unwrap().success());
}

#[test]
fn every_byte_passes() {
    let program = Program::sqlite_with("");
    std::fs::write(program.folder().join("bytes"), bytes()).unwrap();
    let mut command = program.command(&["run", "sh", "-c", "cat bytes >&2 & cat; wait"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::thread::spawn(move || stdin.write_all(&bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert!(output.stdout == bytes(), "standard output differs");
    assert!(output.stderr == bytes(), "standard error differs");
}

#[test]
fn standard_error_can_be_left_alone() {
    let program = Program::sqlite_with("");
    let script = "stat -Lc %i /proc/self/fd/2; echo x >&2; exit 1";
    let mut command = program.command(&["run", "--no-stderr", "sh", "-c", script]);
    let (mut reader, output) = pipe().unwrap();
    let expected = format!("{}\n", inode(&output));
    let child = command.stderr(output).spawn().unwrap();
    drop(command);
    let mut said = String::new();
    reader.read_to_string(&mut said).unwrap();
    assert_eq!(said, "x\n");
    assert_eq!(child.wait_with_output().unwrap().stdout, expected.as_bytes());
    assert_eq!(extras(&program).get("stderr"), None);
}

/// A prompt has no line end, and somebody waits for it.
#[test]
fn standard_error_is_passed_on_at_once() {
    let program = Program::sqlite_with("");
    let mut command =
        program.command(&["run", "sh", "-c", "printf 'name? ' >&2; read name; printf '%s!' $name >&2"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut asked = [0; 6];
    let mut stderr = child.stderr.take().unwrap();
    stderr.read_exact(&mut asked).unwrap();
    assert_eq!(&asked, b"name? ");
    child.stdin.take().unwrap().write_all(b"me\n").unwrap();
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    assert_eq!((rest.as_str(), child.wait().unwrap().code()), ("me!", Some(0)));
}

/// Runs `script` with a file as its standard error, and returns the content of it.
#[track_caller]
fn run_into(program: &Program, file: File, script: &str) -> Vec<u8> {
    let mut command = program.command(&["run", "sh", "-c", script]);
    let outcome: crate::program::Outcome = command.stderr(file).output().unwrap().into();
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert_eq!(
        outcome.stdout,
        std::fs::canonicalize(program.folder()).unwrap().join("log\n").to_str().unwrap()
    );
    std::fs::read(program.folder().join("log")).unwrap()
}

#[test]
fn a_file_is_written_to_directly_and_read_back() {
    let script = "readlink /proc/self/fd/2; cat bytes >&2; printf 'last\nlines\n' >&2; exit 1";
    for appends in [false, true] {
        let program = Program::sqlite_with("");
        std::fs::write(program.folder().join("bytes"), [&bytes()[..], b"\n"].concat()).unwrap();
        program.file("log", "before\n");
        let mut options = OpenOptions::new();
        let mut file = options.write(true).append(appends).open(program.folder().join("log")).unwrap();
        if !appends {
            file.write_all(b"before\n").unwrap();
        }
        let written = run_into(&program, file, script);
        assert!(written == [b"before\n", &bytes()[..], b"\nlast\nlines\n"].concat());
        let lines = extras(&program)["stderr"].as_array().unwrap().clone();
        assert_eq!((lines.len(), &lines[98], &lines[99]), (100, &"last".into(), &"lines".into()));
    }
}

#[test]
fn only_what_the_command_wrote_is_read_back() {
    let program = Program::sqlite_with("");
    program.file("log", "before\n");
    let file = OpenOptions::new().append(true).open(program.folder().join("log")).unwrap();
    run_into(&program, file, "readlink /proc/self/fd/2; echo after >&2; exit 1");
    assert_eq!(extras(&program)["stderr"], serde_json::json!(["after"]));
}

#[test]
fn a_command_whose_errors_nobody_reads_gets_to_know() {
    let program = Program::sqlite_with("");
    let script = "while :; do echo x; done >&2";
    let mut child = program.command(&["run", "sh", "-c", script]).spawn().unwrap();
    let mut first = [0];
    let mut stderr = child.stderr.take().unwrap();
    stderr.read_exact(&mut first).unwrap();
    drop(stderr);
    assert_eq!(child.wait().unwrap().code(), Some(128 + Signal::PIPE.as_raw()));
    assert_eq!(statuses(&program), "FAILED");
}

/// What the command left behind has its standard error, and is not waited for.
#[test]
fn a_process_that_is_left_behind_does_not_hold_us() {
    let program = Program::sqlite_with("");
    let script = "sleep 600 >/dev/null & echo ready $!; echo last >&2; exit 5";
    let mut job = Job::start(&mut program.command(&["run", "sh", "-c", script]));
    let left = job.ready();
    assert_eq!(job.end(), (String::new(), Some(5)));
    kill_process(left, Signal::KILL).unwrap();
    assert_eq!(extras(&program)["stderr"], serde_json::json!(["last"]));
}

#[test]
fn a_process_that_is_left_behind_and_never_silent_does_not_hold_us() {
    let program = Program::sqlite_with("");
    let script = "echo first >&2; yes >&2 & exit 5";
    let outcome = program.command(&["run", "sh", "-c", script]).output().unwrap();
    assert_eq!(outcome.status.code(), Some(5));
    assert!(outcome.stderr.starts_with(b"first\n"));
}

/// Somebody who reads slowly, as a pager does, loses nothing of it, and the end is recorded before he has read all.
#[test]
fn a_slow_reader_gets_all() {
    let program = Program::sqlite_with("");
    std::fs::write(program.folder().join("bytes"), &bytes()[..100_000]).unwrap();
    let (reader, writer) = pipe().unwrap();
    let mut command = program.command(&["run", "sh", "-c", "cat bytes >&2; echo done; exit 1"]);
    command.stderr(writer);
    let mut job = Job::start(&mut command);
    drop(command);
    job.expect("done\n");
    while statuses(&program) == "RUNNING" {
        std::thread::yield_now();
    }
    assert_eq!(statuses(&program), "FAILED");
    assert!(read_all(reader) == bytes()[..100_000]);
    assert_eq!(job.wait().code(), Some(1));
}

fn read_all(mut reader: PipeReader) -> Vec<u8> {
    let mut all = Vec::new();
    reader.read_to_end(&mut all).unwrap();
    all
}
