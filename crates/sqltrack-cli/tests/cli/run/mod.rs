//! `run`, with real processes: how they end, what they are sent, what they read and write, what is recorded.

mod database;
mod endings;
mod job;
mod provenance;
mod secrets;
mod signals;
mod streams;
mod terminal;
mod tracking;

use std::process::{Command, Stdio};

use crate::program::Program;

/// Tells every signal that it gets, in lines of standard output, until SIGTERM, and exits then with 7.
const REPORTER: &str = "
    trap '' HUP INT QUIT USR1 USR2 XCPU
    sleep 600 >/dev/null 2>&1 & sleeper=$!
    for signal in HUP INT QUIT USR1 USR2 XCPU; do trap \"echo $signal\" $signal; done
    trap 'echo TERM; kill $sleeper; exit 7' TERM
    echo ready $$
    while kill -0 $sleeper; do wait $sleeper; done";

/// A shell in the folder and environment of a program on SQLite, which is `$PROGRAM`.
fn shell(program: &Program, name: &str, arguments: &[&str]) -> Command {
    let inner = program.command(&[]);
    let mut shell = Command::new(name);
    shell.args(arguments).current_dir(program.folder()).env_clear();
    shell.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.env("PROGRAM", inner.get_program()).env("SQLTRACK_DSN_ENGINE", "sqlite");
    shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    shell
}

/// The statuses of all runs in their order, separated by spaces.
fn statuses(program: &Program) -> String {
    value(program, "SELECT status FROM runs ORDER BY id")
}

/// The values of a column, separated by spaces.
fn value(program: &Program, sql: &str) -> String {
    let lines = program.run(&["query", sql, "--format", "csv"]).succeeded();
    lines.lines().skip(1).collect::<Vec<_>>().join(" ")
}

/// The extras of the only run.
fn extras(program: &Program) -> serde_json::Value {
    let line = program.run(&["query", "SELECT extras FROM runs", "--format", "jsonl"]).succeeded();
    let row: serde_json::Value = serde_json::from_str(&line).unwrap();
    row["extras"].clone()
}
