//! What goes wrong around the program: one line each, which says what to do.

use std::process::Command;

use crate::program::{Outcome, Program, Server};

#[test]
fn no_setup_yet() {
    for program in [Program::sqlite(), Server::program("sqltrack_test", "postgres")] {
        for arguments in
            [&["runs"][..], &["experiments"], &["metrics", "1"], &["query", "SELECT * FROM runs"]]
        {
            let message = program.run(arguments).failed();
            assert!(message.ends_with(" has no SQLTrack tables; run `sqltrack-cli setup`"), "{message}");
        }
    }
}

#[test]
fn server_down() {
    let program = Program::new().option("--host", "127.0.0.1").option("--port", "1");
    let message = program.run(&["runs"]).failed();
    assert!(message.starts_with("cannot reach database `nobody` on 127.0.0.1:1 as `nobody`: "), "{message}");
    assert!(message.ends_with("; check that it runs and that host and port are right"), "{message}");
    let outcome = program.run(&["runs", "-v"]);
    assert!(outcome.stderr.lines().skip(1).all(|line| line.starts_with("  caused by: ")), "{outcome:?}");
    assert!(outcome.stderr.lines().count() > 1, "{outcome:?}");
}

#[test]
fn wrong_password() {
    let program = Server::program_over_tcp("sqltrack_test", "postgres");
    let message = program.variable("PGPASSWORD", "wrong").run(&["runs"]).failed();
    assert!(message.contains("refused the login: password authentication failed"), "{message}");
    assert!(message.ends_with("; check `user`, `password` and the pgpass file"), "{message}");
}

#[test]
fn unknown_database() {
    let message = Server::program("sqltrack_test", "nowhere").run(&["runs"]).failed();
    assert!(
        message.contains("database \"nowhere\" does not exist; create it, for example with"),
        "{message}"
    );
}

#[test]
fn sqlite_paths_that_cannot_be() {
    let program = Program::sqlite();
    program.file("notes.txt", "This is no database.");
    std::fs::create_dir(program.folder().join("folder")).unwrap();
    for (path, expected) in [
        ("none/x.db", "cannot open none/x.db: there is no folder `none`; create it, or set `dbpath`"),
        ("folder", "cannot open folder: it is a folder; set `dbpath` to a file"),
        (
            "notes.txt",
            "cannot open notes.txt: file is not a database; it is no SQLite database, or a damaged one",
        ),
    ] {
        let message = program.run(&["setup", "--dbpath", path]).failed();
        assert!(message.starts_with(expected), "{message}");
    }
}

/// A database that someone else owns, in a folder that cannot be written to.
#[test]
fn read_only_sqlite_file() {
    let program = Program::sqlite_with("");
    let folder = program.folder();
    let binary = folder.join("sqltrack-cli");
    std::fs::copy(env!("CARGO_BIN_EXE_sqltrack-cli"), &binary).unwrap();
    for (path, mode) in [(folder.join("sqltrack.db"), 0o444), (folder.to_owned(), 0o555)] {
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    }
    let run = |arguments: &[&str]| -> Outcome {
        let command = program.command_of(&binary, arguments);
        unprivileged(command).output().unwrap().into()
    };
    let insert = ["query", "INSERT INTO experiments (name) VALUES ('a')"];
    let message = run(&insert).failed();
    let expected = "sqltrack.db is read-only: attempt to write a readonly database; make it writable, or use another database";
    assert_eq!(message, expected);
    let message = run(&["setup", "--dbpath", "new.db"]).failed();
    assert!(message.starts_with("cannot open new.db: ") && message.contains("its folder"), "{message}");
    std::fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
}

/// Root may write everywhere, so that as root the command runs as somebody else.
fn unprivileged(command: Command) -> Command {
    let is_root = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").unwrap()) == 0;
    if !is_root {
        return command;
    }
    let mut wrapped = Command::new("setpriv");
    wrapped.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(command.get_program());
    wrapped.args(command.get_args()).current_dir(command.get_current_dir().unwrap());
    wrapped.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    wrapped
}

/// A database that may not grow: SQLite reports the same as for a full disk.
#[test]
fn full_disk() {
    let program = Program::sqlite_with("");
    let script =
        "PRAGMA max_page_count = 30;\nCREATE TABLE big (x);\nINSERT INTO big VALUES (randomblob(200000));";
    let message = program.feed(&["execute"], script).failed();
    assert_eq!(message, "standard input:3: sqltrack.db: database or disk is full; free some disk space");
    program.run(&["query", "SELECT count(*) FROM runs"]).succeeded();
}

/// A limit on the size of files, as a quota sets it.
#[test]
fn file_too_large() {
    let program = Program::sqlite_with("");
    let command =
        program.command(&["query", "INSERT INTO experiments (name) SELECT hex(randomblob(200000))"]);
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; ulimit -f 100; exec \"$@\"", "sh"]).arg(command.get_program());
    shell.args(command.get_args()).current_dir(program.folder()).env_clear();
    let outcome: Outcome = shell.output().unwrap().into();
    let message = outcome.failed();
    assert_eq!(message, "sqltrack.db: disk I/O error; check the disk, its free space and your quota");
    assert_eq!(program.run(&["experiments", "--format", "jsonl"]).stdout, "");
}

#[test]
fn unreadable_columns_and_hostile_text_stay_one_line() {
    let program = Program::sqlite_with("");
    let message = program.run(&["query", "SELECT \"a\nb\u{1b}[31m\" FROM runs, x'"]).failed();
    assert!(!message.contains('\u{1b}'), "{message}");
}
