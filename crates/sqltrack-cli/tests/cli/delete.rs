//! `delete`: what goes is told, and asked for.

use serde_json::json;

use crate::engines::on_both_engines;
use crate::program::{Outcome, Program};
use crate::terminal::type_into;

on_both_engines!(
    runs_go_with_all_that_belongs_to_them,
    experiments_go_with_their_runs,
    without_a_terminal_nothing_goes_unless_told_so,
    on_a_terminal_the_answer_counts,
    what_does_not_exist_keeps_the_rest,
);

const ROWS: &str = "INSERT INTO experiments (name) VALUES ('a'), ('b');
    INSERT INTO runs (id, experiment_id) VALUES (6, 1), (7, 1), (8, 2);
    INSERT INTO run_links (from_id, kind, to_id) VALUES (6, 'x', 7), (7, 'x', 8);
    INSERT INTO experiment_links (from_id, kind, to_id) VALUES (1, 'x', 2);
    INSERT INTO metrics (run_id, step) VALUES (7, 1), (7, 2), (8, 1);
    INSERT INTO metrics_overflow (run_id, step, name) VALUES (7, 1, 'late')";

fn with_rows(program: Program) -> Program {
    program.feed(&["execute"], ROWS).succeeded();
    program
}

/// How many rows each table has.
#[track_caller]
fn check_left(program: &Program, expected: [i64; 6]) {
    let sql = "SELECT (SELECT count(*) FROM experiments) AS a, (SELECT count(*) FROM experiment_links) AS b, \
               (SELECT count(*) FROM runs) AS c, (SELECT count(*) FROM run_links) AS d, \
               (SELECT count(*) FROM metrics) AS e, (SELECT count(*) FROM metrics_overflow) AS f";
    let [a, b, c, d, e, f] = expected;
    assert_eq!(program.rows(sql), [json!({"a": a, "b": b, "c": c, "d": d, "e": e, "f": f})]);
}

fn runs_go_with_all_that_belongs_to_them(program: Program) {
    let program = with_rows(program).variable("SLURM_JOB_ID", "7");
    check_left(&program, [2, 1, 3, 2, 3, 1]);
    let told = program.run(&["delete", "run", "7", "6", "SLURM_JOB_ID", "--yes"]).succeeded();
    assert_eq!(
        told,
        "deleted run 7 of `a`: 2 metric rows, 2 links\ndeleted run 6 of `a`: 0 metric rows, 1 link\n"
    );
    check_left(&program, [2, 1, 1, 0, 1, 0]);
}

fn experiments_go_with_their_runs(program: Program) {
    let program = with_rows(program);
    let told = program.run(&["delete", "--yes", "experiment", "a", "1"]).succeeded();
    assert_eq!(told, "deleted experiment 1 `a`: 2 runs, 2 metric rows, 3 links\n");
    check_left(&program, [1, 0, 1, 0, 1, 0]);
}

fn without_a_terminal_nothing_goes_unless_told_so(program: Program) {
    let program = with_rows(program);
    let outcome = program.feed(&["delete", "run", "7", "8"], "y\n");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""));
    assert_eq!(
        outcome.stderr,
        "this would be deleted:\n  run 7 of `a`: 2 metric rows, 2 links\n  run 8 of `b`: 1 metric row, 1 link\n\
         error: nothing was deleted, since there is no terminal to ask on; give `--yes`\n"
    );
    check_left(&program, [2, 1, 3, 2, 3, 1]);
}

fn on_a_terminal_the_answer_counts(program: Program) {
    let program = with_rows(program);
    let answer = |text: &str| type_into(program.command(&["delete", "experiment", "b"]), text);
    let asked = "this would be deleted:\n  experiment 2 `b`: 1 run, 1 metric row, 2 links\nDelete it for good? [y/N] ";
    for no in ["\n", "n\n", "yes!\n", "\u{4}"] {
        let Outcome { code, stdout, stderr } = answer(no);
        let expected = format!("{asked}error: nothing was deleted\n");
        assert_eq!((code, stdout.as_str(), stderr), (Some(1), "", expected), "{no:?}");
    }
    check_left(&program, [2, 1, 3, 2, 3, 1]);
    let Outcome { code, stdout, stderr } = answer("Yes\n");
    let told = "deleted experiment 2 `b`: 1 run, 1 metric row, 2 links\n";
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (Some(0), told, asked));
    check_left(&program, [1, 0, 2, 1, 2, 1]);
}

fn what_does_not_exist_keeps_the_rest(program: Program) {
    let program = with_rows(program);
    assert_eq!(program.run(&["delete", "run", "7", "404", "--yes"]).failed(), "there is no run 404");
    let message = program.run(&["delete", "experiment", "a", "aa", "--yes"]).failed();
    assert_eq!(message, "there is no experiment `aa`; did you mean `a`?");
    for wrong in [&["delete", "--yes"][..], &["delete", "run"], &["delete", "run", "7x", "--yes"]] {
        program.run(wrong).wrong();
    }
    check_left(&program, [2, 1, 3, 2, 3, 1]);
}
