//! `log`: metrics by the shell.

use std::io::{Read as _, Write as _};
use std::process::Stdio;

use crate::engines::on_both_engines;
use crate::program::Program;

on_both_engines!(
    values_have_their_types,
    metrics_of_one_step_add_up,
    lines_of_json_are_steps,
    a_line_that_cannot_be_used_is_told_by_its_number,
    a_line_is_there_as_soon_as_it_was_read,
    what_cannot_be_kept_is_told,
);

const RUNS: &str =
    "INSERT INTO experiments (name) VALUES ('a'); INSERT INTO runs (id, experiment_id) VALUES (7, 1), (8, 1)";

fn with_runs(program: Program) -> Program {
    program.feed(&["execute"], RUNS).succeeded();
    program.variable("SQLTRACK_RUN_ID", "7")
}

fn metrics(program: &Program, run: &str) -> String {
    program.run(&["metrics", run, "--format", "csv"]).succeeded()
}

fn values_have_their_types(program: Program) {
    let program = with_runs(program);
    let values = [
        "log",
        "loss=NaN",
        "best=-Infinity",
        "rate=.5",
        "n=9223372036854775807",
        "is_last=true",
        "phase=train",
        "digits=\"007\"",
        "shape=[1, 2]",
        "val/acc@5=1e-3",
    ];
    assert_eq!(program.run(&values).succeeded(), "");
    assert_eq!(
        metrics(&program, "7"),
        "step,progress,loss,best,rate,n,is_last,phase,digits,shape,val/acc@5\n\
         0,0.0,NaN,-Infinity,0.5,9223372036854775807,true,train,007,\"[1,2]\",0.001\n"
    );
    assert_eq!(program.rows("SELECT count(*) AS n FROM runs WHERE time_updated IS NOT NULL")[0]["n"], 1);
}

fn metrics_of_one_step_add_up(program: Program) {
    let program = with_runs(program);
    program.run(&["log", "--step", "3", "--progress", "0.5", "loss=7", "note=x"]).succeeded();
    program.run(&["log", "--step", "3", "--progress", ".5", "loss=0.25", "note=null"]).succeeded();
    program.run(&["log", "--run", "8", "--step", "-1", "loss=1"]).succeeded();
    program.run(&["log", "--run", "SQLTRACK_RUN_ID", "--updated", "keep", "loss=1"]).succeeded();
    assert_eq!(metrics(&program, "7"), "step,progress,loss\n0,0.0,1.0\n3,0.5,0.25\n");
    assert_eq!(metrics(&program, "8"), "step,progress,loss\n-1,0.0,1.0\n");
    program.run(&["log", "--updated", "2024-05-07T12:30:00Z", "loss=2"]).succeeded();
    let updated = program.rows("SELECT time_updated FROM runs WHERE id = 7");
    assert_eq!(updated[0]["time_updated"], "2024-05-07T12:30:00Z");
}

fn lines_of_json_are_steps(program: Program) {
    let program = with_runs(program);
    let lines = "{\"step\": 1, \"loss\": 0.5, \"progress\": 0.25}\n\n{\"step\": 2, \"loss\": NaN}\r\n{\"loss\": Infinity, \"note\": \"ü=1\"}";
    assert_eq!(program.feed(&["log", "-", "--step", "9"], lines).succeeded(), "");
    assert_eq!(
        metrics(&program, "7"),
        "step,progress,loss,note\n1,0.25,0.5,\n2,0.0,NaN,\n9,0.0,Infinity,ü=1\n"
    );
    assert_eq!(program.feed(&["log", "-"], "").succeeded(), "");
    let again = program.run(&["metrics", "7", "--metric", "note", "--format", "jsonl"]).succeeded();
    program.feed(&["log", "--run", "8", "-"], &again).succeeded();
    assert_eq!(metrics(&program, "8"), "step,progress,note\n1,0.25,\n2,0.0,\n9,0.0,ü=1\n");
}

fn a_line_that_cannot_be_used_is_told_by_its_number(program: Program) {
    let program = with_runs(program);
    for (line, expected) in [
        ("loss=0.5", "expected a JSON object such as {\"step\": 1, \"loss\": 0.5}"),
        ("{\"step\": \"x\"}", "`step` is no whole number of 64 bits"),
        ("{\"progress\": NaN}", "`progress` is NaN; give a number"),
        ("{\"run_id\": 8}", "metric name `run_id` is reserved; choose another"),
    ] {
        let message =
            program.feed(&["log", "-"], &format!("{{\"loss\": 1}}\n{line}\n{{\"loss\": 2}}\n")).failed();
        assert_eq!(message, format!("standard input:2: {expected}"));
    }
    let message = program.feed(&["log", "--run", "404", "-"], "{\"loss\": 1}").failed();
    assert_eq!(message, "standard input:1: there is no run 404");
    // What came before stays.
    assert_eq!(metrics(&program, "7"), "step,progress,loss\n0,0.0,1\n");
}

fn a_line_is_there_as_soon_as_it_was_read(program: Program) {
    let program = with_runs(program);
    let mut child = program.command(&["log", "-"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"{\"loss\": 0.5}\n").unwrap();
    while program.rows("SELECT run_id FROM metrics").is_empty() {
        assert!(child.try_wait().unwrap().is_none(), "it has ended");
    }
    input.write_all(b"{\"step\": 1, \"loss\": 0.25}").unwrap();
    drop(input);
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(0), ""));
    assert_eq!(metrics(&program, "7"), "step,progress,loss\n0,0.0,0.5\n1,0.0,0.25\n");
}

fn what_cannot_be_kept_is_told(program: Program) {
    let program = with_runs(program);
    program.run(&["log", "loss=0.5"]).succeeded();
    assert_eq!(program.run(&["log", "--run", "404", "loss=1"]).failed(), "there is no run 404");
    let message = program.run(&["log", "loss=train"]).failed();
    assert!(message.starts_with("metric `loss`: the text value does not fit the column"), "{message}");
    let message = program.run(&["log", "big=9223372036854775808"]).failed();
    assert!(message.starts_with("metric `big`: the integer 9223372036854775808 does not fit"), "{message}");
    assert_eq!(program.run(&["log", "a=1", "a=2"]).failed(), "metric `a` is given twice; give it one value");
    assert_eq!(
        program.run(&["log", "--progress", "NaN", "a=1"]).failed(),
        "`progress` is NaN; give a number"
    );
    assert_eq!(program.run(&["log", "a=1", "-"]).wrong(), "`-` stands for all metrics; give it alone");
    let message = program.run(&["log", "loss"]).wrong();
    assert!(message.ends_with("expected NAME=VALUE"), "{message}");
    program.run(&["log"]).wrong();
    assert_eq!(metrics(&program, "7"), "step,progress,loss\n0,0.0,0.5\n");
}
