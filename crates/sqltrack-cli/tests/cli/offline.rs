//! `offline`: commands that ask no database.

use serde_json::json;

use crate::engines::on_both_engines;
use crate::program::Program;

on_both_engines!(
    a_job_is_recorded_step_by_step_and_delivered,
    a_command_is_recorded_and_delivered,
    what_asks_the_database_says_why_it_cannot,
);

/// The program as it is in a place without a database.
fn away(program: &Program) -> Program {
    program.clone().variable("SQLTRACK_DSN_OFFLINE", "true").variable("SQLTRACK_DSN_SPOOL", "spool")
}

fn deliver(program: &Program) {
    let done = program.run(&["sync", "spool", "--verify", "--format", "csv"]).succeeded();
    assert!(done.contains(",0,0,1,"), "{done}");
    assert_eq!(std::fs::read_dir(program.folder().join("spool")).unwrap().count(), 0);
}

fn a_job_is_recorded_step_by_step_and_delivered(program: Program) {
    let away = away(&program);
    away.file("help.txt", "usage: train [--lr=R]");
    let plan = ["plan", "--experiment", "Iris", "--tag", "a", "help.txt", "--", "--lr", "0.5"];
    let id = away.run(&plan).succeeded();
    assert!(id.starts_with('-'), "{id}");
    let job = away.clone().variable("SQLTRACK_RUN_ID", id.trim_end());
    job.run(&["start"]).succeeded();
    job.run(&["log", "--step", "1", "loss=0.5"]).succeeded();
    job.run(&["log", "--run", id.trim_end(), "--step", "2", "loss=NaN", "phase=test"]).succeeded();
    job.run(&["edit", "run", id.trim_end(), "--comment", "far away"]).succeeded();
    job.run(&["stop", "--status", "TIMEOUT"]).succeeded();
    deliver(&program);
    let sql = "SELECT e.name, r.status, r.comment, r.args, r.tags FROM runs AS r \
        JOIN experiments AS e ON e.id = r.experiment_id";
    assert_eq!(
        program.rows(sql),
        [json!({
            "name": "Iris", "status": "TIMEOUT", "comment": "far away", "args": {"lr": 0.5}, "tags": {"a": true},
        })]
    );
    let printed = program.run(&["metrics", "1", "--format", "csv"]).succeeded();
    assert_eq!(printed, "step,progress,loss,phase\n1,0.0,0.5,\n2,0.0,NaN,test\n");
}

fn a_command_is_recorded_and_delivered(program: Program) {
    let away = away(&program);
    let log = format!("{} log --step 3 loss=0.25", env!("CARGO_BIN_EXE_sqltrack-cli"));
    away.run(&["run", "--experiment", "Iris", "sh", "-c", &log]).succeeded();
    assert_eq!(program.rows("SELECT id FROM runs"), [] as [serde_json::Value; 0]);
    deliver(&program);
    let sql = "SELECT r.status, m.loss FROM runs AS r JOIN metrics AS m ON m.run_id = r.id WHERE m.step = 3";
    assert_eq!(program.rows(sql), [json!({"status": "COMPLETED", "loss": 0.25})]);
    // A run with an id of its own needs no experiment, here or there.
    away.run(&["run", "--run", "77", "true"]).succeeded();
    deliver(&program);
    let sql =
        "SELECT r.id, e.name FROM runs AS r JOIN experiments AS e ON e.id = r.experiment_id WHERE r.id = 77";
    assert_eq!(program.rows(sql), [json!({"id": 77, "name": "true"})]);
}

fn what_asks_the_database_says_why_it_cannot(program: Program) {
    let away = away(&program);
    away.run(&["plan", "--", "true"]).succeeded();
    for command in
        [&["query", "SELECT 1"][..], &["runs"], &["setup"], &["sync"], &["reap"], &["metrics", "1"]]
    {
        let message = away.run(command).failed();
        let expected = "`offline` is set (SQLTRACK_DSN_OFFLINE); unset it";
        assert!(message.ends_with(expected), "{command:?}: {message}");
    }
}
