//! `start` and `stop`.

use serde_json::json;

use crate::engines::on_both_engines;
use crate::program::Program;

on_both_engines!(
    a_run_is_started_and_stopped,
    times_are_given_or_kept,
    a_run_is_named_by_its_id_or_by_a_variable,
    what_is_no_run_is_told,
);

const RUNS: &str =
    "INSERT INTO experiments (name) VALUES ('a'); INSERT INTO runs (id, experiment_id) VALUES (7, 1), (8, 1)";

const STATES: &str = "SELECT id, status, time_started IS NOT NULL AND time_started <= time_updated AS started, \
                      time_updated IS NOT NULL AS updated FROM runs ORDER BY id";

fn state(id: i64, status: &str, started: bool, updated: bool) -> serde_json::Value {
    json!({"id": id, "status": status, "started": started, "updated": updated})
}

/// SQLite has no type for a truth value.
fn states(program: &Program) -> Vec<serde_json::Value> {
    let mut rows = program.rows(STATES);
    for name in ["started", "updated"] {
        rows.iter_mut().for_each(|row| row[name] = json!(row[name] == json!(1) || row[name] == json!(true)));
    }
    rows
}

fn a_run_is_started_and_stopped(program: Program) {
    program.feed(&["execute"], RUNS).succeeded();
    assert_eq!(program.run(&["start", "7"]).succeeded(), "");
    assert_eq!(states(&program), [state(7, "RUNNING", true, true), state(8, "PLANNED", false, false)]);
    program.run(&["stop", "7"]).succeeded();
    program.run(&["stop", "8", "--status", "out_of_memory"]).succeeded();
    assert_eq!(states(&program), [state(7, "COMPLETED", true, true), state(8, "OUT_OF_MEMORY", false, true)]);
    program.run(&["stop", "--status", "half done", "7"]).succeeded();
    assert_eq!(states(&program)[0], state(7, "half done", true, true));
}

fn times_are_given_or_kept(program: Program) {
    program.feed(&["execute"], RUNS).succeeded();
    let times = || program.rows("SELECT time_started, time_updated FROM runs WHERE id = 7").remove(0);
    program.run(&["start", "7", "--started", "2024-05-07T14:30:00+02:00", "--updated", "keep"]).succeeded();
    assert_eq!(times(), json!({"time_started": "2024-05-07T12:30:00Z", "time_updated": null}));
    program.run(&["stop", "7", "--updated", "2024-05-07 12:31:00.000001Z"]).succeeded();
    program.run(&["start", "7", "--started", "keep", "--updated", "keep"]).succeeded();
    let expected =
        json!({"time_started": "2024-05-07T12:30:00Z", "time_updated": "2024-05-07T12:31:00.000001Z"});
    assert_eq!(times(), expected);
    program.run(&["start", "7"]).succeeded();
    assert_ne!(times()["time_started"], expected["time_started"]);
    let message = program.run(&["start", "7", "--started", "2024-05-07T12:30:00"]).wrong();
    assert!(message.contains("expected `now`, or a time with its offset"), "{message}");
}

fn a_run_is_named_by_its_id_or_by_a_variable(program: Program) {
    program.feed(&["execute"], RUNS).succeeded();
    let message = program.run(&["start"]).wrong();
    assert_eq!(message, "no run is given, and SQLTRACK_RUN_ID is not set; give the id of a run");
    let program = program.variable("SQLTRACK_RUN_ID", "7").variable("SLURM_JOB_ID", "8");
    program.run(&["start"]).succeeded();
    assert_eq!(states(&program), [state(7, "RUNNING", true, true), state(8, "PLANNED", false, false)]);
    program.run(&["start", "SLURM_JOB_ID"]).succeeded();
    program.run(&["stop"]).succeeded();
    assert_eq!(states(&program), [state(7, "COMPLETED", true, true), state(8, "RUNNING", true, true)]);
    let outcome = program.run(&["metrics", "--format", "csv"]);
    assert_eq!(outcome.stderr, "run 7 has no metrics yet\n");
}

fn what_is_no_run_is_told(program: Program) {
    let program = program.variable("WORD", "seven");
    for command in ["start", "stop", "metrics"] {
        assert_eq!(program.run(&[command, "404"]).failed(), "there is no run 404");
        let message = program.run(&[command, "NO_JOB"]).failed();
        assert_eq!(message, "the environment variable `NO_JOB` is not set; set it to the id of a run");
        let message = program.run(&[command, "WORD"]).failed();
        assert_eq!(message, "the environment variable `WORD` is \"seven\"; expected the number of an id");
        let message = program.run(&[command, "7x"]).wrong();
        assert!(
            message.contains("expected the id of a run, or the name of an environment variable"),
            "{message}"
        );
    }
}
