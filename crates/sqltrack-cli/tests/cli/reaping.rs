//! `reap`, and LOST in the list of runs.

use crate::program::Program;

const LONG_AGO: &str = "2024-05-07 12:30:00.000000+00:00";

/// A run that died long ago, one that lives, one that was started without tracking, and one that ended.
fn program() -> Program {
    Program::sqlite_with(&format!(
        "INSERT INTO experiments (id, name) VALUES (1, 'x');
         INSERT INTO runs (id, experiment_id, status, time_created, time_started, time_updated, lease, holder, trackers,
                 time_heartbeat, heartbeat_interval) VALUES
             (1, 1, 'RUNNING', '{LONG_AGO}', '{LONG_AGO}', '{LONG_AGO}', 11, 'node1:17', 1, '{LONG_AGO}', 30),
             (2, 1, 'RUNNING', '{LONG_AGO}', '{LONG_AGO}', '{LONG_AGO}', 12, 'node2:18', 1,
                 strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now'), 30),
             (3, 1, 'RUNNING', '{LONG_AGO}', '{LONG_AGO}', '{LONG_AGO}', NULL, NULL, NULL, NULL, NULL),
             (4, 1, 'COMPLETED', '{LONG_AGO}', '{LONG_AGO}', '{LONG_AGO}', 14, 'node4:19', 0, NULL, 30);"
    ))
}

fn statuses(program: &Program) -> String {
    let listed = program.run(&["runs", "--format", "csv"]).succeeded();
    let cells = listed.lines().skip(1).filter_map(|line| line.split(',').nth(2));
    cells.collect::<Vec<_>>().join(" ")
}

#[test]
fn what_died_without_a_word_is_shown_and_written_down() {
    let program = program();
    assert_eq!(statuses(&program), "LOST RUNNING RUNNING COMPLETED");
    let expected = "run,experiment,holder,last_heard\n1,1,node1:17,2024-05-07T12:30:00Z\n";
    assert_eq!(program.run(&["reap", "--dry-run", "--format", "csv"]).succeeded(), expected);
    assert_eq!(statuses(&program), "LOST RUNNING RUNNING COMPLETED");
    assert_eq!(program.run(&["reap", "--format", "csv"]).succeeded(), expected);
    assert_eq!(statuses(&program), "NODE_FAIL RUNNING RUNNING COMPLETED");
    let outcome = program.run(&["reap", "--format", "jsonl"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), ""));
    assert_eq!(outcome.stderr, "there is no run of which nothing was heard for so long\n");
}

#[test]
fn patience_and_status_can_be_chosen() {
    let program = program();
    assert_eq!(program.run(&["reap", "--stale", "200years", "--format", "jsonl"]).stdout, "");
    let reaped = program.run(&["reap", "--stale", "1h 30m", "--status", "TIMEOUT", "--untracked"]);
    assert_eq!(
        reaped.succeeded(),
        "\
run  experiment  holder    last_heard
───  ──────────  ────────  ─────────────────────────
  1           1  node1:17  2024-05-07 12:30:00+00:00
  3           1  --        2024-05-07 12:30:00+00:00
"
    );
    assert_eq!(statuses(&program), "TIMEOUT RUNNING TIMEOUT COMPLETED");
    let outcome = program.run(&["reap", "--stale", "soon"]);
    assert_eq!(outcome.code, Some(2));
    assert!(outcome.stderr.contains("write it like `90s`, `10m` or `1h 30m`"), "{}", outcome.stderr);
}

#[test]
fn what_somebody_tracks_is_deleted_by_force_only() {
    let program = program();
    for what in [["run", "2"], ["experiment", "x"]] {
        let outcome = program.run(&[&["delete", "--yes"][..], &what].concat());
        assert_eq!(
            (outcome.code, outcome.stderr.as_str()),
            (Some(1), "error: run 2 is being tracked by node2:18; wait for its end, or give `--force`\n")
        );
    }
    program.run(&["delete", "run", "1", "--yes"]).succeeded();
    program.run(&["delete", "experiment", "x", "--yes", "--force"]).succeeded();
    assert_eq!(program.run(&["experiments", "--format", "jsonl"]).stdout, "");
}
