//! `sync`: what it prints, and its exit status.

use std::sync::Arc;

use sqltrack_core::spool::{Entry, Fsync, Spool, SpooledRun};
use sqltrack_core::{RunId, Value};

use crate::program::Program;
use crate::terminal::shown_by;

const RUN: &str =
    "INSERT INTO experiments (id, name) VALUES (1, 'a'); INSERT INTO runs (id, experiment_id) VALUES (7, 1);";

/// A program with a run 7.
fn program() -> Program {
    Program::sqlite_with(RUN)
}

/// Leaves metrics of a run in a folder, one at each step.
fn leave(program: &Program, folder: &str, run: i64, steps: i64) {
    let client = program.client();
    let spool = Spool::open(program.folder().join(folder), &client.spool_target(), Fsync::Never).unwrap();
    let names: Arc<[Arc<str>]> = [Arc::from("loss")].into();
    for step in 0..steps {
        let (run, names, values) = (SpooledRun::Run(RunId(run)), names.clone(), vec![Value::Float(0.5)]);
        let entry = Entry { run, lease: None, step, progress: 0.0, updated: None, names, values };
        spool.append(&entry).unwrap();
    }
}

fn count(program: &Program) -> serde_json::Value {
    program.rows("SELECT count(*) AS n FROM metrics")[0]["n"].clone()
}

#[test]
fn what_is_left_is_delivered_and_counted() {
    let program = program();
    leave(&program, "spool", 7, 3);
    let dry = program.run(&["sync", "spool", "--dry-run", "--format", "csv"]).succeeded();
    assert_eq!(dry, "delivered,already_there,rejected,damaged_bytes,runs_created\n3,0,0,0,0\n");
    assert_eq!(count(&program), 0);
    let done = program.run(&["sync", "spool", "--verify", "--format", "csv"]).succeeded();
    let columns = "delivered,already_there,rejected,damaged_bytes,runs_created,rows_expected,rows_found";
    assert_eq!(done, format!("{columns}\n3,0,0,0,0,3,3\n"));
    assert_eq!(count(&program), 3);
    let again = program.run(&["sync", "spool"]).succeeded();
    assert!(
        again.ends_with("\n        0              0         0              0             0\n"),
        "{again}"
    );
}

#[test]
fn the_folder_is_the_configured_one_or_else_the_usual_one() {
    for (name, folder) in [("SQLTRACK_DSN_SPOOL", "here"), ("UNUSED", ".local/state/sqltrack/spool")] {
        let program = program().variable(name, "here");
        leave(&program, folder, 7, 2);
        program.run(&["sync"]).succeeded();
        assert_eq!(count(&program), 2);
    }
    let none = program().run(&["sync", "--format", "csv"]).succeeded();
    assert!(none.ends_with("\n0,0,0,0,0\n"), "{none}");
    assert_eq!(
        program().run(&["sync", "nowhere"]).failed(),
        "there is no spool `nowhere`; name its folder, or set `spool`"
    );
    assert_eq!(
        program().variable("SQLTRACK_DSN_SPOOL", "nowhere").run(&["sync"]).failed(),
        "there is no spool `nowhere`; name its folder, or set `spool`"
    );
}

#[test]
fn what_is_refused_is_said_by_the_exit_status() {
    let program = program();
    leave(&program, "spool", 404, 1);
    leave(&program, "spool", 7, 1);
    let outcome = program.run(&["sync", "spool", "--format", "csv"]);
    assert_eq!((outcome.code, count(&program)), (Some(1), 1.into()), "{outcome:?}");
    assert!(outcome.stdout.ends_with("\n1,0,1,0,0\n"), "{outcome:?}");
    assert_eq!(
        outcome.stderr,
        "error: the database refused 1 entry; see `rejected.jsonl` in the folders of the spool\n"
    );
    program.run(&["sync", "spool"]).succeeded();
}

#[test]
fn what_is_for_another_database_is_left_unless_forced() {
    let program = program();
    leave(&program, "spool", 7, 1);
    std::fs::rename(program.folder().join("sqltrack.db"), program.folder().join("moved.db")).unwrap();
    let moved = ["--dbpath", "moved.db", "sync", "spool"];
    let outcome = program.run(&moved);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stderr.contains("sqltrack.db; connect to that, or use --force\n"), "{outcome:?}");
    program.run(&[&moved[..], &["--force"]].concat()).succeeded();
}

#[test]
fn a_terminal_sees_how_far_it_is() {
    let program = program();
    leave(&program, "spool", 7, 600);
    let (shown, outcome) = shown_by(program.command(&["sync", "spool", "--format", "csv"]));
    assert!(outcome.stdout.ends_with("\n600,0,0,0,0\n"), "{outcome:?}");
    let end = "\r\u{1b}[K";
    assert!(shown.contains("500 entries") && shown.contains("█") && shown.ends_with(end), "{shown:?}");
}

#[test]
fn a_process_that_lives_is_left_alone() {
    let program = program();
    let client = program.client();
    let folder = program.folder().join("spool");
    let spool = Spool::open(&folder, &client.spool_target(), Fsync::Never).unwrap();
    let outcome = program.run(&["sync", "spool"]);
    assert_eq!(outcome.code, Some(0));
    assert_eq!(outcome.stderr, "one process that still runs, or is being delivered, was left alone\n");
    assert!(spool.close().unwrap());
}
