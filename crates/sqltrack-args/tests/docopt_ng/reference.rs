//! docopt-ng itself, in a Python environment that lives as long as the test.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

const PACKAGE: &str = "docopt-ng==0.9.0";
const DRIVER: &str = include_str!("driver.py");

/// Sends everything through one Python process.
pub(crate) fn ask(work: &Value) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let environment = folder.path().join("python");
    must_run(
        Command::new("python3").arg("-m").arg("venv").arg(&environment),
        "make a Python environment; install python3 and python3-venv",
    );
    let python = environment.join("bin/python");
    must_run(
        Command::new(&python).args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            PACKAGE,
        ]),
        "install docopt-ng; a package index has to be reachable",
    );
    run_driver(&python, work)
}

fn must_run(command: &mut Command, purpose: &str) {
    let output = command.output().unwrap_or_else(|err| panic!("cannot {purpose} ({err})"));
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cannot {purpose}\n{said}");
}

fn run_driver(python: &Path, work: &Value) -> Value {
    let mut child = Command::new(python)
        .args(["-c", DRIVER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(work.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "docopt-ng's driver failed");
    serde_json::from_slice(&output.stdout).unwrap()
}
