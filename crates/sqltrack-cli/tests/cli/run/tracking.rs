//! The run as it is tracked: its heartbeat, who may take it over, and many of them at once.

use std::process::Child;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::job::Job;
use super::{REPORTER, statuses, value};
use crate::program::{Program, Server};

/// What takes longer will not happen any more.
const LIMIT: Duration = Duration::from_secs(60);
const PROGRAM: &str = env!("CARGO_BIN_EXE_sqltrack-cli");

/// On both engines, each set up, with so many seconds between heartbeats: few where one waits for LOST.
fn programs(server: &mut Server, kind: &str, heartbeat: &str) -> [Program; 2] {
    let (_, postgres) = server.create(kind);
    postgres.run(&["setup"]).succeeded();
    [Program::sqlite_with(""), postgres].map(|program| program.variable("SQLTRACK_DSN_HEARTBEAT", heartbeat))
}

/// Waits until the runs have these statuses, LOST among them.
#[track_caller]
fn until(program: &Program, expected: &str) {
    let start = Instant::now();
    while value(program, "SELECT status FROM run_status ORDER BY id") != expected {
        assert!(start.elapsed() < LIMIT, "{}", value(program, "SELECT status FROM run_status ORDER BY id"));
    }
}

#[test]
fn a_run_whose_program_is_killed_is_lost() {
    let mut server = Server::new();
    for program in programs(&mut server, "killed", "0.1") {
        let mut job = Job::start(&mut program.command(&["run", "sh", "-c", REPORTER]));
        job.ready();
        job.kill(Signal::KILL);
        // Sometimes twice, see `a_command_does_not_outlive_us`.
        let told = job.rest();
        assert!(!told.is_empty() && told.lines().all(|line| line == "TERM"), "{told}");
        job.wait();
        until(&program, "LOST");
        let reaped = program.run(&["reap", "--stale", "1ms", "--format", "csv"]).succeeded();
        assert!(reaped.lines().count() == 2, "{reaped}");
        assert_eq!(statuses(&program), "NODE_FAIL");
    }
}

#[test]
fn a_run_whose_program_is_stopped_is_lost_until_it_goes_on() {
    let mut server = Server::new();
    for program in programs(&mut server, "stopped", "0.1") {
        let mut job = Job::start(&mut program.command(&["run", "sh", "-c", REPORTER]));
        job.ready();
        job.kill(Signal::STOP);
        until(&program, "LOST");
        job.kill(Signal::CONT);
        until(&program, "RUNNING");
        job.kill(Signal::TERM);
        assert_eq!(job.end(), ("TERM\n".to_owned(), Some(7)));
        assert_eq!(statuses(&program), "CANCELLED");
    }
}

#[test]
fn a_run_that_is_tracked_has_to_be_resumed() {
    let mut server = Server::new();
    for program in programs(&mut server, "resumed", "5") {
        // It adds a metric for each line that it reads, as a part of its tracker.
        let script = format!(
            "echo ready $$; while read step; do {PROGRAM} log --step $step loss=0.5 && echo logged; done"
        );
        let mut command = program.command(&["run", "sh", "-c", &script]);
        let mut child: Child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
        let (mut stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let stderr = child.stderr.take().unwrap();
        let mut old = Job::watch(child, stdout);
        old.ready();
        let mut step =
            |number: u8| std::io::Write::write_all(&mut stdin, format!("{number}\n").as_bytes()).unwrap();
        step(1);
        assert_eq!(old.expect("\n"), "logged\n");

        let refused = program.run(&["run", "--run", "1", "touch", "started"]).failed();
        assert!(refused.starts_with("run 1 is being tracked by "), "{refused}");
        assert!(!program.folder().join("started").exists());
        let log = format!("{PROGRAM} log --step 2 loss=0.25");
        program.run(&["run", "--resume", "1", "sh", "-c", &log]).succeeded();
        assert_eq!(statuses(&program), "COMPLETED");

        step(3);
        drop(stdin);
        assert_eq!(old.end(), (String::new(), Some(1)));
        let said = std::io::read_to_string(stderr).unwrap();
        assert_eq!(
            said.matches("was taken over by").count(),
            2,
            "by the metric and by the end of the run: {said}"
        );
        assert_eq!(statuses(&program), "COMPLETED");
        assert_eq!(value(&program, "SELECT step FROM metrics ORDER BY step"), "1 2");
    }
}

#[test]
fn what_runs_within_a_run_is_a_part_of_it() {
    let program = Program::sqlite_with("");
    let inner = format!("{PROGRAM} run true && {PROGRAM} run sh -c 'exit 3'");
    assert_eq!(program.run(&["run", "sh", "-c", &inner]).code, Some(3));
    assert_eq!(statuses(&program), "FAILED");
    program.run(&["run", "sh", "-c", &format!("{PROGRAM} run true")]).succeeded();
    assert_eq!(statuses(&program), "FAILED COMPLETED");
}

/// A database that is locked keeps nobody from ending a command.
#[test]
fn a_locked_database_does_not_keep_a_command_from_ending() {
    let program = Program::sqlite_with("");
    let mut job = Job::start(&mut program.command(&["run", "sh", "-c", REPORTER]));
    job.ready();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = program.client();
    let lock = runtime.block_on(client.begin()).unwrap();
    let start = Instant::now();
    job.kill(Signal::TERM);
    assert_eq!(job.end(), ("TERM\n".to_owned(), Some(7)));
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    runtime.block_on(lock.rollback()).unwrap();
}

#[test]
fn two_hundred_runs_at_once_are_two_hundred_runs() {
    const COUNT: usize = 200;
    let mut server = Server::new();
    let (_, postgres) = server.create("many");
    postgres.run(&["setup"]).succeeded();
    for program in [Program::sqlite_with(""), postgres] {
        let start = |_| program.command(&["run", "--experiment", "many", "true"]).spawn().unwrap();
        let children: Vec<Child> = (0..COUNT).map(start).collect();
        for child in children {
            let output = child.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!((output.status.code(), said.as_ref()), (Some(0), ""));
        }
        let count = "SELECT count(*) || ' ' || count(DISTINCT id) FROM runs WHERE status = 'COMPLETED'";
        assert_eq!(value(&program, count), format!("{COUNT} {COUNT}"));
    }
}
