//! `setup`, `execute` and `completions`.

use crate::program::Program;

#[test]
fn setup_tells_what_became_of_each_script() {
    let program = Program::sqlite();
    program.file("v001.sql", "BEGIN; ALTER TABLE metrics ADD COLUMN val_loss FLOAT; END;");
    assert_eq!(
        program.run(&["setup", "--dry-run", "v001.sql"]).succeeded(),
        "(NEW) base.sql\n(NEW) v001.sql\n"
    );
    assert!(!program.folder().join("sqltrack.db").exists());
    assert_eq!(program.run(&["setup", "v001.sql"]).succeeded(), "(NEW) base.sql\n(NEW) v001.sql\n");
    assert_eq!(program.run(&["setup", "v001.sql"]).succeeded(), "(OK) base.sql\n(OK) v001.sql\n");
    program.file("v001.sql", "SELECT 1;");
    let outcome = program.run(&["setup", "v001.sql"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), "(OK) base.sql\n(CHANGED) v001.sql\n"));
    assert_eq!(
        outcome.stderr,
        "v001.sql is not what it was when it was applied, and was not run again; put the change into a new script\n"
    );
}

#[test]
fn check_fails_for_what_is_pending_or_changed() {
    let program = Program::sqlite();
    assert_eq!(program.run(&["setup", "--check"]).failed(), "pending: base.sql; run `sqltrack-cli setup`");
    program.file("v001.sql", "SELECT 1;");
    program.run(&["setup", "v001.sql"]).succeeded();
    assert_eq!(program.run(&["setup", "--check", "v001.sql"]).succeeded(), "(OK) base.sql\n(OK) v001.sql\n");
    program.file("v002.sql", "SELECT 2;");
    let outcome = program.run(&["setup", "--check", "v001.sql", "v002.sql"]);
    assert_eq!(outcome.stdout, "(OK) base.sql\n(OK) v001.sql\n(NEW) v002.sql\n");
    assert_eq!(outcome.failed(), "pending: v002.sql; run `sqltrack-cli setup`");
    program.file("v001.sql", "SELECT 3;");
    let outcome = program.run(&["setup", "--check", "v001.sql"]);
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.ends_with("error: changed: v001.sql; restore it, and add a new script\n"));
}

#[test]
fn a_script_that_fails_is_told_after_those_that_did_not() {
    let program = Program::sqlite();
    program.file("v001.sql", "SELECT 1;");
    program.file("v002.sql", "SELECT 1;\nSELEKT 2;");
    let outcome = program.run(&["setup", "v001.sql", "v002.sql"]);
    assert_eq!(outcome.stdout, "(NEW) base.sql\n(NEW) v001.sql\n");
    assert!(outcome.failed().starts_with("v002.sql:2: "));
    let missing = program.run(&["setup", "v003.sql"]).failed();
    assert!(missing.starts_with("cannot read the script v003.sql: "), "{missing}");
}

#[test]
fn execute_runs_all_of_a_script_or_nothing() {
    let program = Program::sqlite_with("");
    let count =
        || program.run(&["query", "SELECT count(*) AS n FROM experiments", "--format", "csv"]).succeeded();
    program.file(
        "two.sql",
        "INSERT INTO experiments (name) VALUES ('a');\nINSERT INTO experiments (name) VALUES ('b');\n",
    );
    assert_eq!(program.run(&["execute", "two.sql"]).succeeded(), "");
    assert_eq!(count(), "n\n2\n");
    program
        .file("bad.sql", "INSERT INTO experiments (name) VALUES ('c');\n\nINSERT INTO nowhere VALUES (1);\n");
    let message = program.run(&["execute", "bad.sql"]).failed();
    assert!(message.starts_with("bad.sql:3: ") && message.contains("nowhere"), "{message}");
    let message = program.feed(&["execute"], "COMMIT; SELECT 1").failed();
    assert!(message.starts_with("standard input, line 1: "), "{message}");
    assert_eq!(count(), "n\n2\n");
    let missing = program.run(&["execute", "none.sql"]).failed();
    assert!(missing.starts_with("cannot read `none.sql`: "), "{missing}");
}

#[test]
fn scripts_that_are_no_text_are_refused_by_line() {
    let program = Program::sqlite_with("");
    std::fs::write(program.folder().join("latin1.sql"), b"SELECT 1;\nSELECT '\xe4';").unwrap();
    let message = program.run(&["execute", "latin1.sql"]).failed();
    assert_eq!(message, "latin1.sql:2: this is not UTF-8; convert the text");
}

#[test]
fn one_statement_is_no_script() {
    let program = Program::sqlite_with("");
    for (sql, expected) in [
        ("SELECT 1; SELECT 2", "expected one statement, found 2; run scripts with `sqltrack-cli execute`"),
        ("-- nothing", "there is no SQL statement to run"),
        (
            "BEGIN",
            "`BEGIN` controls transactions, and a query is one by itself; run scripts with `sqltrack-cli execute`",
        ),
    ] {
        assert_eq!(program.run(&["query", sql]).failed(), expected);
    }
    let missing = program.run(&["query", "SELECT :run", "-P", "runs=1"]).failed();
    assert!(missing.starts_with("no value is given for "), "{missing}");
}

#[test]
fn completions_name_the_commands() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = Program::new().run(&["completions", shell]).succeeded();
        assert!(script.contains("experiments") && script.contains("dbname"), "{shell}");
    }
}
