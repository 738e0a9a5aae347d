//! `sqltrack-cli args`: arguments out of help texts, as JSON, with the exit codes of the command.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

const HELP: &str = "Train.

usage: train [options] DATASET...

options:
    -e N, --epochs N  How often [default: 90]
    --lr R            How far
    --amp             Mixed precision
";

/// What the command printed, what it said, and its exit code.
fn args(file: &Path, options: &[&str], argv: &[&str]) -> (String, String, Option<i32>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sqltrack-cli"));
    let output = command.arg("args").args(options).arg(file).arg("--").args(argv).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code())
}

#[track_caller]
fn check(name: &str, text: &str, options: &[&str], argv: &[&str], expected: &Value) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    std::fs::write(&file, text).unwrap();
    let (out, err, code) = args(&file, options, argv);
    assert_eq!((err.as_str(), code), ("", Some(0)));
    assert_eq!(&serde_json::from_str::<Value>(&out).unwrap(), expected);
}

#[test]
fn every_kind_of_file_gives_the_same_arguments() {
    let converted = json!({"epochs": 3, "lr": 0.1, "amp": false, "DATASET": ["cifar", 12]});
    let raw = json!({"--epochs": "3", "--lr": "0.1", "--amp": false, "DATASET": ["cifar", "12"]});
    let python = format!("import no_such_module\n\n@docopt_main\ndef main(args):\n    '''{HELP}'''\n");
    let module = format!("\"\"\"{HELP}\"\"\"\nimport no_such_module\n");
    let docs: String = HELP.lines().map(|line| format!("/// {line}\n")).collect();
    let rust = format!("{docs}#[docopt_main]\nfn main(args: ParsedOptions) {{}}\n");
    let argv = ["-e", "3", "--lr=0.1", "cifar", "12"];
    for (name, text) in
        [("train.py", python), ("module.py", module), ("main.rs", rust), ("help.txt", HELP.to_owned())]
    {
        check(name, &text, &[], &argv, &converted);
        check(name, &text, &["--raw"], &argv, &raw);
    }
}

#[test]
fn the_first_positional_argument_can_end_the_options() {
    let help = "usage: launch [--dry] COMMAND...\n\noptions:\n    --dry  Do nothing\n";
    let argv = ["python", "train.py", "--dry"];
    check("help.txt", help, &["--options-first"], &argv, &json!({"dry": false, "COMMAND": argv}));
    check("help.txt", help, &[], &argv, &json!({"dry": true, "COMMAND": ["python", "train.py"]}));
}

#[test]
fn a_wrong_command_line_exits_with_2_and_shows_the_usage() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("help.txt");
    std::fs::write(&file, HELP).unwrap();
    for argv in [&[][..], &["--epoch"], &["--no-such", "cifar"]] {
        let (out, err, code) = args(&file, &[], argv);
        assert_eq!((out.as_str(), code), ("", Some(2)), "{argv:?}");
        assert!(err.ends_with("usage: train [options] DATASET...\n"), "{err}");
    }
}

#[test]
fn a_file_without_a_help_text_exits_with_1_and_one_line() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("nothing.txt", "no help here\n"),
        ("broken.py", "def f(:\n"),
        ("broken.txt", "usage: train [--amp\n"),
    ] {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        let (out, err, code) = args(&file, &[], &[]);
        assert_eq!((out.as_str(), code), ("", Some(1)), "{name}");
        assert!(err.starts_with("error: ") && err.contains(name) && err.lines().count() == 1, "{err}");
    }
    let (_, err, code) = args(&folder.path().join("missing.py"), &[], &[]);
    assert_eq!(code, Some(1));
    assert!(err.contains("missing.py") && err.contains("No such file"), "{err}");
}
