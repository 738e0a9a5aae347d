//! `plan`: runs that are recorded before they are queued.

use serde_json::{Value, json};

use crate::engines::on_both_engines;
use crate::program::Program;

on_both_engines!(
    arguments_are_those_of_the_help_text,
    without_a_help_text_the_words_are_kept,
    a_command_is_planned_as_it_is_run,
    a_wrong_command_line_plans_nothing,
    the_experiment_is_that_of_the_option_the_environment_or_the_script,
    passwords_are_masked,
    a_plan_that_fails_leaves_nothing,
);

const SCRIPT: &str = "import no_such_module

@docopt_main
def main(args):
    '''usage: train [--lr R] [--data URL] DATASET...

    options:
        --lr R      Learning rate [default: 0.1]
        --data URL  Where from
    '''
";

/// Plans a run, and gives what is recorded of it.
#[track_caller]
fn plan(program: &Program, arguments: &[&str]) -> Value {
    let printed = program.run(&[&["plan"], arguments].concat()).succeeded();
    let id: i64 = printed.strip_suffix('\n').unwrap().parse().unwrap();
    let sql = format!(
        "SELECT e.name AS experiment, r.status, r.args, r.tags, r.comment FROM runs AS r
        JOIN experiments AS e ON e.id = r.experiment_id WHERE r.id = {id}"
    );
    program.rows(&sql).remove(0)
}

#[track_caller]
fn check_arguments(program: &Program, arguments: &[&str], expected: &Value) {
    assert_eq!(&plan(program, arguments)["args"], expected, "{arguments:?}");
}

fn count(program: &Program) -> Value {
    program
        .rows("SELECT (SELECT count(*) FROM experiments) AS experiments, (SELECT count(*) FROM runs) AS runs")
        .remove(0)
}

fn arguments_are_those_of_the_help_text(program: Program) {
    program.file("train.py", SCRIPT);
    assert_eq!(
        plan(
            &program,
            &["--tag", "a", "--tag", "b c", "--comment", "x", "train.py", "--", "--lr=1e-3", "cifar", "12"]
        ),
        json!({
            "experiment": "train", "status": "PLANNED", "tags": {"a": true, "b c": true}, "comment": "x",
            "args": {"lr": 0.001, "data": null, "DATASET": ["cifar", 12]},
        })
    );
    program.file("help.txt", "usage: fly [--help] TO");
    assert_eq!(
        plan(&program, &["help.txt", "--", "moon", "--help"]),
        json!({
            "experiment": "help", "status": "PLANNED", "tags": null, "comment": null,
            "args": {"help": true, "TO": "moon"},
        })
    );
    check_arguments(&program, &["train.py", "--no-parse", "--", "x"], &json!({"argv": ["x"]}));
}

fn without_a_help_text_the_words_are_kept(program: Program) {
    program.file("job.sh", "#!/bin/sh\n# usage: job.sh ONE\nexit 1\n");
    program.file("broken.py", "def f(:\n");
    program.file("silent.py", "import no_such_module\n");
    program.file("notes.txt", "usage: notes [\n");
    for name in ["broken.py", "silent.py", "notes.txt", "job.sh"] {
        check_arguments(&program, &[name, "--", "--lr", "0.1"], &json!({"argv": ["--lr", "0.1"]}));
    }
    check_arguments(&program, &["silent.py"], &json!({"argv": []}));
    check_arguments(&program, &["job.sh", "--", "1"], &json!({"ONE": 1}));
    std::fs::write(program.folder().join("binary"), b"\x7fELF\x00\xff").unwrap();
    check_arguments(&program, &["./binary", "--", "x"], &json!({"argv": ["x"]}));
}

fn a_command_is_planned_as_it_is_run(program: Program) {
    program.file("train.py", SCRIPT);
    let expected = json!({"lr": 0.1, "data": null, "DATASET": ["cifar"]});
    check_arguments(&program, &["--", "./train.py", "cifar"], &expected);
    check_arguments(&program, &["--", "python3", "-u", "train.py", "cifar"], &expected);
    let planned = plan(&program, &["--", "python", "-m", "pkg.train", "--lr", "1"]);
    assert_eq!(planned["experiment"], "pkg.train");
    assert_eq!(planned["args"], json!({"argv": ["python", "-m", "pkg.train", "--lr", "1"]}));
    let planned = plan(&program, &["--", "cargo", "run"]);
    assert_eq!(
        (&planned["experiment"], &planned["args"]),
        (&json!("cargo"), &json!({"argv": ["cargo", "run"]}))
    );
}

fn a_wrong_command_line_plans_nothing(program: Program) {
    program.file("train.py", SCRIPT);
    let outcome = program.run(&["plan", "train.py", "--", "--lr"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""));
    assert!(outcome.stderr.starts_with("`--lr` requires an argument\nusage: train "), "{outcome:?}");
    let message = program.run(&["plan", "tarin.py"]).failed();
    assert!(message.starts_with("cannot read `tarin.py`: "), "{message}");
    program.run(&["plan"]).wrong();
    program.run(&["plan", "train.py", "cifar"]).wrong();
    assert_eq!(count(&program), json!({"experiments": 0, "runs": 0}));
}

fn the_experiment_is_that_of_the_option_the_environment_or_the_script(program: Program) {
    program.file("train.py", SCRIPT);
    program
        .feed(&["execute"], "INSERT INTO experiments (id, name) VALUES (7, 'digits'), (8, '7')")
        .succeeded();
    let experiment = |program: &Program, options: &[&str]| {
        plan(program, &[options, &["train.py", "--", "x"]].concat())["experiment"].clone()
    };
    assert_eq!(experiment(&program, &[]), "train");
    assert_eq!(experiment(&program, &["--experiment", "new"]), "new");
    // A name goes before an id.
    assert_eq!(experiment(&program, &["--experiment", "7"]), "7");
    assert_eq!(experiment(&program, &["--experiment", "8"]), "7");
    let message = program.run(&["plan", "--experiment", "99", "train.py", "--", "x"]).failed();
    assert_eq!(message, "there is no experiment `99`");
    let program = program.variable("SQLTRACK_EXPERIMENT_ID", "7");
    assert_eq!(experiment(&program, &[]), "digits");
    assert_eq!(experiment(&program, &["--experiment", "new"]), "new");
    let program = program.variable("SQLTRACK_EXPERIMENT_NAME", "new");
    let message = program.run(&["plan", "train.py", "--", "x"]).failed();
    assert!(message.starts_with("the experiment `new` has the id "), "{message}");
    let program = program.variable("SQLTRACK_EXPERIMENT_ID", "");
    assert_eq!(experiment(&program, &[]), "new");
}

fn passwords_are_masked(program: Program) {
    program.file("train.py", SCRIPT);
    let url = "postgres://alice:canary@db/digits";
    let masked = "postgres://alice:****@db/digits";
    let expected = json!({"lr": 0.1, "data": masked, "DATASET": [masked]});
    check_arguments(&program, &["train.py", "--", "--data", url, url], &expected);
    let option = format!("--data={url}");
    let expected = json!({"argv": [format!("--data={masked}")]});
    check_arguments(&program, &["train.py", "--no-parse", "--", &option], &expected);
}

fn a_plan_that_fails_leaves_nothing(program: Program) {
    program.file("train.py", SCRIPT);
    let message = program.run(&["plan", "--tag", "", "train.py", "--", "x"]).failed();
    assert_eq!(message, "a tag is empty; give it at least one character");
    assert_eq!(count(&program), json!({"experiments": 0, "runs": 0}));
}
