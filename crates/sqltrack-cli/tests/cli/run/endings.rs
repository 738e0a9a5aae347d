//! How a command ends: what we exit with, and the status of its run.

use super::{extras, statuses, value};
use crate::program::{Outcome, Program, Server};

#[track_caller]
fn check(program: &Program, command: &[&str], code: i32, status: &str) -> Outcome {
    let before = statuses(program);
    let outcome = program.run(&[&["run"], command].concat());
    assert_eq!(outcome.code, Some(code), "{outcome:?}");
    assert_eq!(statuses(program), format!("{before} {status}").trim());
    outcome
}

#[test]
fn every_ending_has_its_code_and_status() {
    let mut server = Server::new();
    let (_, postgres) = server.create("endings");
    postgres.run(&["setup"]).succeeded();
    for program in [Program::sqlite_with(""), postgres] {
        check(&program, &["true"], 0, "COMPLETED").succeeded();
        check(&program, &["false"], 1, "FAILED");
        check(&program, &["sh", "-c", "exit 3"], 3, "FAILED");
        check(&program, &["sh", "-c", "kill -KILL $$"], 137, "FAILED");
        check(&program, &["sh", "-c", "kill -SEGV $$"], 139, "FAILED");
        check(&program, &["sh", "-c", "kill -TERM $$"], 143, "CANCELLED");
        check(&program, &["sh", "-c", "kill -INT $$"], 130, "CANCELLED");
        check(&program, &["sh", "-c", "exit 143"], 143, "CANCELLED");
    }
}

#[test]
fn a_command_that_cannot_run_is_told_as_shells_do() {
    let program = Program::sqlite_with("");
    let outcome = check(&program, &["no-such-command", "-x"], 127, "FAILED");
    let said = "error: cannot run `no-such-command`: No such file or directory (os error 2); check the command and the PATH";
    assert_eq!(outcome.stderr, format!("{said}\n"));
    assert_eq!(extras(&program)["stderr"], serde_json::json!([said]));
    program.file("no-program", "");
    let outcome = check(&program, &["./no-program"], 126, "FAILED");
    assert!(outcome.stderr.starts_with("error: cannot run `./no-program`: Permission denied"), "{outcome:?}");
    check(&program, &["."], 126, "FAILED");
}

#[test]
fn a_run_ends_with_the_last_lines_of_a_failure() {
    let program = Program::sqlite_with("");
    let script = "for i in $(seq 150); do echo $i; done >&2; printf 'half \\r way' >&2; exit 1";
    let outcome = program.run(&["run", "sh", "-c", script]);
    assert!(outcome.stderr.starts_with("1\n2\n") && outcome.stderr.ends_with("150\nhalf \r way"));
    let lines = (52..=150).map(|number| number.to_string()).chain([" way".to_owned()]);
    assert_eq!(extras(&program)["stderr"], serde_json::json!(lines.collect::<Vec<_>>()));
    program.run(&["run", "sh", "-c", "echo noise >&2"]);
    let kept =
        value(&program, "SELECT count(*) FROM runs WHERE extras LIKE '%noise%' AND status <> 'COMPLETED'");
    assert_eq!(kept, "0");
}

#[test]
fn the_command_begins_with_its_first_word() {
    let program = Program::sqlite_with("");
    let print = |words: &[&str]| program.run(&[&["run"], words].concat()).succeeded();
    assert_eq!(print(&["printf", "%s ", "--tag", "x", "-v", "--", "-h"]), "--tag x -v -- -h ");
    assert_eq!(print(&["--", "printf", "%s ", "--help", ""]), "--help  ");
    assert_eq!(print(&["--tag", "a", "--tag", "b", "--comment", "c d", "true"]), "");
    assert_eq!(
        value(&program, "SELECT tags || comment FROM runs WHERE id = 3"),
        "\"{\"\"a\"\":true,\"\"b\"\":true}c d\""
    );
    let wrong = program.run(&["run", "--no-such-option", "echo"]);
    assert_eq!((wrong.code, wrong.stdout.as_str()), (Some(2), ""));
    assert_eq!(program.run(&["run"]).code, Some(2));
    assert_eq!(statuses(&program), "COMPLETED COMPLETED COMPLETED");
}

/// The word by which the program starts a command is nothing to type.
#[test]
fn the_inner_step_is_no_command() {
    let program = Program::new();
    for words in [&["__exec"][..], &["__exec", "x", "true"], &["__exec", "7"]] {
        let outcome = program.run(words);
        assert_eq!(outcome.code, Some(2), "{outcome:?}");
    }
    // It runs nothing for a parent that is not its own.
    let no_process = i32::MAX.to_string();
    let outcome = program.run(&["__exec", &no_process, "echo", "x"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""));
    for words in [&["--help"][..], &["completions", "bash"], &["completions", "zsh"]] {
        let text = program.run(words).succeeded();
        assert!(!text.split(|c: char| c != '_' && !c.is_alphanumeric()).any(|word| word == "__exec"));
    }
}
