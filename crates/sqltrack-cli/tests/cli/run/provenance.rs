//! Where a run comes from: what is recorded of the command, the machine and the code, and that no secret is.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use super::{extras, statuses};
use crate::program::Program;

const CANARY: &str = "canary-4711";

/// Runs git in the folder of the program, with nobody's configuration.
#[track_caller]
fn git(program: &Program, arguments: &[&str]) -> String {
    let mut git = Command::new("git");
    git.args(["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]);
    git.args(arguments)
        .current_dir(program.folder())
        .env("HOME", program.folder())
        .env("GIT_CONFIG_NOSYSTEM", "1");
    let output = git.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A program in a repository with one commit of `train.sh`.
fn repository() -> Program {
    let program = Program::sqlite();
    program.file(".gitignore", "sqltrack.db*\n");
    program.script("train.sh", "exit 0");
    git(&program, &["init"]);
    git(&program, &["add", "."]);
    git(&program, &["commit", "-m", "first"]);
    program.run(&["setup"]).succeeded();
    program
}

fn provenance(program: &Program) -> Json {
    extras(program)["provenance"].clone()
}

#[test]
fn the_command_and_the_machine_are_recorded() {
    let program =
        Program::sqlite_with("").variable("SLURM_JOB_ID", "523473").variable("SLURM_ARRAY_TASK_ID", "3");
    program.run(&["run", "echo", "--lr", "0.1", "größer"]).succeeded();
    let mut found = provenance(&program);
    let host = rustix::system::uname().nodename().to_str().unwrap().to_owned();
    let expected = json!({
        "command": ["echo", "--lr", "0.1", "größer"],
        "directory": std::fs::canonicalize(program.folder()).unwrap(),
        "host": host,
        "user": "nobody",
        "slurm": {"job_id": 523_473, "array_task_id": 3},
        "sqltrack_version": env!("CARGO_PKG_VERSION"),
    });
    // The folder of the tests may be part of a repository.
    found.as_object_mut().unwrap().shift_remove("git");
    assert_eq!(found, expected);
}

#[test]
fn a_clean_repository_is_a_commit() {
    let program = repository();
    git(&program, &["remote", "add", "origin", "https://alice:hunter2@example.org/lab/train.git"]);
    program.run(&["run", "./train.sh"]).succeeded();
    let expected = json!({
        "remote": "https://example.org/lab/train.git",
        "branch": "main",
        "commit": git(&program, &["rev-parse", "HEAD"]),
        "dirty": false,
    });
    assert_eq!(provenance(&program)["git"], expected);
}

#[test]
fn changes_are_a_diff_and_new_files_are_named() {
    let program = repository();
    git(&program, &["checkout", "--detach"]);
    program.script("train.sh", "exit 0 # changed");
    program.file("new file.txt", "not recorded");
    // Settings and programs of the user that must change nothing.
    program.script("marker", "touch called");
    let marker = program.folder().join("marker");
    git(&program, &["config", "diff.external", marker.to_str().unwrap()]);
    git(&program, &["config", "diff.noprefix", "true"]);
    git(&program, &["config", "color.ui", "always"]);
    git(&program, &["config", "diff.up.textconv", marker.to_str().unwrap()]);
    program.file(".git/info/attributes", "*.sh diff=up\n");
    std::fs::create_dir(program.folder().join("sub")).unwrap();
    let mut command = program.command(&["--dbpath", "../sqltrack.db", "run", "true"]);
    command.current_dir(program.folder().join("sub")).output().unwrap();
    let found = provenance(&program)["git"].clone();
    let diff = found["diff"].as_str().unwrap();
    assert!(diff.starts_with("diff --git a/train.sh b/train.sh\nindex "), "{diff}");
    assert!(diff.contains("\n-exit 0\n+exit 0 # changed\n"), "{diff}");
    assert_eq!((&found["dirty"], &found["untracked"]), (&json!(true), &json!(["marker", "new file.txt"])));
    assert_eq!((found.get("branch"), found.get("diff_truncated")), (None, None));
    assert!(!program.folder().join("called").exists() && !program.folder().join("sub/called").exists());
}

#[test]
fn a_long_diff_is_cut() {
    let program = repository();
    program.file("train.sh", &"a line\n".repeat(100_000));
    program.run(&["run", "true"]).succeeded();
    let found = provenance(&program)["git"].clone();
    let diff = found["diff"].as_str().unwrap();
    assert!(diff.len() <= 256 * 1024 && diff.len() > 255 * 1024 && diff.ends_with("+a line\n"));
    assert_eq!(found["diff_truncated"], json!(true));
}

#[test]
fn a_repository_without_a_commit_is_none_of_our_business() {
    let program = Program::sqlite_with("");
    git(&program, &["init"]);
    program.run(&["run", "true"]).succeeded();
    let found = provenance(&program)["git"].clone();
    assert_eq!(
        (&found["branch"], &found["dirty"], found.get("commit")),
        (&json!("main"), &json!(false), None)
    );
}

#[test]
fn no_secret_is_recorded() {
    let program = repository().variable("DEPLOY_TOKEN", CANARY);
    let script = format!("echo {CANARY} postgres://alice:{CANARY}2@db/x >&2; exit 1");
    program.script("train.sh", &script);
    program.file(&format!("{CANARY}.txt"), "");
    git(&program, &["remote", "add", "origin", &format!("ssh://git:{CANARY}@example.org/a.git")]);
    let outcome =
        program.run(&["run", "./train.sh", "--password", "canary-4712", &format!("--token={CANARY}")]);
    assert_eq!(outcome.code, Some(1));
    let found = extras(&program);
    assert_eq!(found["stderr"], json!(["**** postgres://alice:****@db/x"]));
    assert_eq!(found["provenance"]["git"]["untracked"], json!(["****.txt"]));
    let command = json!(["./train.sh", "--password", "****", "--token=****"]);
    assert_eq!(found["provenance"]["command"], command);
    for file in ["sqltrack.db", "sqltrack.db-wal"] {
        let bytes = std::fs::read(program.folder().join(file)).unwrap_or_default();
        let found = bytes.windows(6).any(|window| window == b"canary");
        assert!(!found, "a secret is in {file}");
    }
}

/// A repository on a disk that does not answer delays the command, and no more.
#[test]
fn a_git_that_hangs_is_not_waited_for() {
    let program = Program::sqlite_with("");
    program.script("git", "exec sleep 600");
    let path = format!("{}:/usr/bin:/bin", program.folder().display());
    let start = Instant::now();
    let outcome = program.command(&["run", "true"]).env("PATH", path).output().unwrap();
    assert!(outcome.status.success() && start.elapsed() < Duration::from_secs(60));
    assert_eq!(statuses(&program), "COMPLETED");
    assert_eq!(provenance(&program).get("git"), None);
}
