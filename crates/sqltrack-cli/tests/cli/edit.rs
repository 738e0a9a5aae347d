//! `edit`: everything that the setters do.

use serde_json::json;

use crate::engines::on_both_engines;
use crate::program::Program;

on_both_engines!(
    a_run_is_changed_in_everything,
    what_is_set_takes_the_place_of_what_was,
    an_experiment_is_changed_in_everything,
    a_change_that_fails_leaves_nothing,
    nothing_to_change_is_a_wrong_command_line,
);

const ROWS: &str = "INSERT INTO experiments (name) VALUES ('a'), ('b:c');
    INSERT INTO runs (id, experiment_id) VALUES (7, 1), (8, 1)";

fn with_rows(program: Program) -> Program {
    program.feed(&["execute"], ROWS).succeeded();
    program
}

#[track_caller]
fn edit_run(program: &Program, changes: &[&str]) {
    assert_eq!(program.run(&[&["edit", "run", "7"], changes].concat()).succeeded(), "");
}

fn run(program: &Program) -> serde_json::Value {
    program.rows("SELECT status, comment, tags, args, env, extras FROM runs WHERE id = 7").remove(0)
}

fn a_run_is_changed_in_everything(program: Program) {
    let program = with_rows(program).variable("OTHER", "8");
    #[rustfmt::skip]
    edit_run(&program, &[
        "--status", "failed", "--comment", "second try", "--add-tag", "a", "--add-tag", "b c", "--add-arg", "lr=0.1",
        "--set-arg", "layers=[64, 10]", "--add-arg", "name=x=y", "--add-env", "THREADS=4", "--add-extra", "note=null",
        "--add-link", "resumes:OTHER", "--add-link", "like:it:8", "--created", "2024-05-07T12:30:00Z", "--started", "now",
    ]);
    assert_eq!(
        run(&program),
        json!({
            "status": "FAILED", "comment": "second try", "tags": {"a": true, "b c": true},
            "args": {"lr": 0.1, "layers": [64, 10], "name": "x=y"}, "env": {"THREADS": "4"}, "extras": {"note": null},
        })
    );
    let links = "SELECT from_id, kind, to_id FROM run_links ORDER BY kind";
    let [like, resumes] = ["like:it", "resumes"].map(|kind| json!({"from_id": 7, "kind": kind, "to_id": 8}));
    assert_eq!(program.rows(links), [like, resumes.clone()]);
    let times = program.rows("SELECT time_created, time_updated FROM runs WHERE id = 7").remove(0);
    assert_eq!(times, json!({"time_created": "2024-05-07T12:30:00Z", "time_updated": null}));
    assert_eq!(program.rows("SELECT id FROM runs WHERE time_started > time_created"), [json!({"id": 7})]);
    #[rustfmt::skip]
    edit_run(&program, &[
        "--remove-tag", "a", "--remove-tag", "none", "--remove-arg", "lr", "--remove-arg", "name", "--remove-env",
        "THREADS", "--remove-extra", "note", "--no-comment", "--remove-link", "like:it:8",
    ]);
    assert_eq!(
        run(&program),
        json!({
            "status": "FAILED", "comment": null, "tags": {"b c": true}, "args": {"layers": [64, 10]}, "env": {},
            "extras": {},
        })
    );
    assert_eq!(program.rows(links), [resumes]);
}

fn what_is_set_takes_the_place_of_what_was(program: Program) {
    let program = with_rows(program).variable("SQLTRACK_RUN_ID", "7").variable("API_KEY", "canary");
    edit_run(
        &program,
        &["--add-tag", "old", "--add-arg", "old=1", "--add-extra", "old=1", "--add-env", "old=1"],
    );
    #[rustfmt::skip]
    let set = [
        "edit", "run", "--set-tags", "a,b c", "--set-args", "{\"lr\": 0.1}", "--set-extras", "null", "--set-env", "auto",
        "--add-arg", "seed=1", "--add-tag", "b,c",
    ];
    program.run(&set).succeeded();
    let changed = run(&program);
    assert_eq!(changed["tags"], json!({"a": true, "b c": true, "b,c": true}));
    assert_eq!(changed["args"], json!({"lr": 0.1, "seed": 1}));
    assert_eq!(changed["extras"], json!(null));
    assert_eq!(changed["env"]["API_KEY"], "****");
    assert_eq!(changed["env"].get("old"), None);
    edit_run(&program, &["--set-tags", "", "--set-env", "{}", "--set-args", "null"]);
    let changed = run(&program);
    assert_eq!([&changed["tags"], &changed["env"], &changed["args"]], [&json!({}), &json!({}), &json!(null)]);
    let message = program.run(&["edit", "run", "--set-args", "lr=0.1"]).wrong();
    assert!(message.contains("expected a JSON object"), "{message}");
}

fn an_experiment_is_changed_in_everything(program: Program) {
    let program = with_rows(program);
    let row = || program.rows("SELECT name, comment, tags, extras FROM experiments WHERE id = 1").remove(0);
    #[rustfmt::skip]
    let changes = [
        "edit", "experiment", "a", "--name", "digits", "--comment", "ten classes", "--add-tag", "vision", "--set-extras",
        "{\"url\": \"x\"}", "--add-extra", "n=1", "--add-link", "precedes:2",
    ];
    assert_eq!(program.run(&changes).succeeded(), "");
    assert_eq!(
        row(),
        json!({
            "name": "digits", "comment": "ten classes", "tags": {"vision": true}, "extras": {"url": "x", "n": 1},
        })
    );
    let links = || program.rows("SELECT from_id, kind, to_id FROM experiment_links");
    assert_eq!(links(), [json!({"from_id": 1, "kind": "precedes", "to_id": 2})]);
    #[rustfmt::skip]
    let changes = [
        "edit", "experiment", "1", "--no-comment", "--set-tags", "a", "--remove-extra", "url", "--remove-link",
        "precedes:2", "--add-link", "is:digits",
    ];
    program.run(&changes).succeeded();
    assert_eq!(row(), json!({"name": "digits", "comment": null, "tags": {"a": true}, "extras": {"n": 1}}));
    assert_eq!(links(), [json!({"from_id": 1, "kind": "is", "to_id": 1})]);
    let message = program.run(&["edit", "experiment", "digit", "--comment", "x"]).failed();
    assert_eq!(message, "there is no experiment `digit`; did you mean `digits`?");
    let message = program.run(&["edit", "experiment", "2", "--name", "digits"]).failed();
    assert_eq!(message, "there is another experiment named `digits`; names are unique");
}

fn a_change_that_fails_leaves_nothing(program: Program) {
    let program = with_rows(program);
    let before = run(&program);
    for (changes, expected) in [
        (["--comment", "x", "--add-link", "resumes:404"], "there is no run 404"),
        (["--comment", "x", "--add-tag", ""], "a tag is empty; give it at least one character"),
    ] {
        let message = program.run(&[&["edit", "run", "7"], &changes[..]].concat()).failed();
        assert_eq!(message, expected);
    }
    assert_eq!(run(&program), before);
    assert_eq!(program.run(&["edit", "run", "404", "--comment", "x"]).failed(), "there is no run 404");
}

fn nothing_to_change_is_a_wrong_command_line(program: Program) {
    let program = with_rows(program);
    let message = program.run(&["edit", "run", "7"]).wrong();
    assert_eq!(message, "there is nothing to change; see `sqltrack-cli edit run --help`");
    let message = program.run(&["edit", "experiment", "a"]).wrong();
    assert_eq!(message, "there is nothing to change; see `sqltrack-cli edit experiment --help`");
    program.run(&["edit", "run", "7", "--comment", "x", "--no-comment"]).wrong();
    for wrong in ["--add-arg", "--add-link", "--started", "--set-extras"] {
        program.run(&["edit", "run", "7", wrong, "x"]).wrong();
    }
}
