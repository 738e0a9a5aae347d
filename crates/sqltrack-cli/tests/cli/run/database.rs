//! The run in the database: which one it is, how the command finds it, and what becomes of it in an outage.

use std::process::{ChildStderr, ChildStdin, Stdio};

use super::job::Job;
use super::{statuses, value};
use crate::program::{Program, Server};

/// On both engines, each set up.
fn programs(server: &mut Server, kind: &str) -> [Program; 2] {
    let (_, postgres) = server.create(kind);
    postgres.run(&["setup"]).succeeded();
    [Program::sqlite_with(""), postgres]
}

/// The program itself, as a command looks for it.
const PROGRAM: &str = env!("CARGO_BIN_EXE_sqltrack-cli");

#[test]
fn the_command_finds_its_run_from_every_folder() {
    let mut server = Server::new();
    for program in programs(&mut server, "variables") {
        let sql = "SELECT r.status, e.name FROM runs AS r JOIN experiments AS e ON e.id = r.experiment_id \
                   WHERE r.id = :run AND e.id = :experiment AND e.name = :name";
        let script = format!(
            "cd / && {PROGRAM} query '{sql}' -P run=$SQLTRACK_RUN_ID -P experiment=$SQLTRACK_EXPERIMENT_ID \
             -P name=$SQLTRACK_EXPERIMENT_NAME --format csv"
        );
        let printed = program.run(&["run", "--experiment", "Iris", "sh", "-c", &script]).succeeded();
        assert_eq!(printed, "status,name\nRUNNING,Iris\n");
    }
}

#[test]
fn the_command_finds_what_a_config_file_says_from_every_folder() {
    let program = Program::new();
    program.file("sqltrack.conf", "engine = sqlite\ndbpath = runs.db\n");
    program.run(&["setup"]).succeeded();
    let script =
        format!("cd / && {PROGRAM} query 'SELECT status FROM runs' --format csv; env | grep SQLTRACK_DSN");
    let folder = std::fs::canonicalize(program.folder()).unwrap();
    let (path, spool) = (folder.join("runs.db"), program.folder().join(".local/state/sqltrack/spool"));
    let expected = format!(
        "status\nRUNNING\nSQLTRACK_DSN_DBPATH={}\nSQLTRACK_DSN_SPOOL={}\n",
        path.display(),
        spool.display()
    );
    assert_eq!(program.run(&["run", "sh", "-c", &script]).succeeded(), expected);
    let expected = expected.replace("RUNNING", "COMPLETED\nRUNNING");
    assert_eq!(program.run(&["-c", "sqltrack.conf", "run", "sh", "-c", &script]).succeeded(), expected);
}

#[test]
fn the_experiment_is_asked_for_or_called_like_the_program() {
    let program = Program::sqlite_with("");
    program.script("train.sh", "exit 0");
    let run = |program: &Program, words: &[&str]| program.run(&[&["run"], words].concat()).succeeded();
    run(&program, &["./train.sh"]);
    run(&program, &["sh", "train.sh"]);
    run(&program, &["/bin/true"]);
    run(&program, &["--experiment", "Iris", "true"]);
    let program = program.variable("SQLTRACK_EXPERIMENT_NAME", "by name");
    run(&program, &["true"]);
    run(&program, &["--experiment", "Iris", "true"]);
    let program = program.variable("SQLTRACK_EXPERIMENT_NAME", "").variable("SQLTRACK_EXPERIMENT_ID", "1");
    run(&program, &["true"]);
    let names = "SELECT e.name FROM runs AS r JOIN experiments AS e ON e.id = r.experiment_id ORDER BY r.id";
    assert_eq!(value(&program, names), "train train true Iris by name Iris train");
}

#[test]
fn the_run_is_taken_or_made() {
    let mut server = Server::new();
    for program in programs(&mut server, "taken") {
        program.feed(&["execute"], "INSERT INTO experiments (name) VALUES ('Iris'); INSERT INTO runs (id, experiment_id) VALUES (7, 1);").succeeded();
        let runs = "SELECT id || '/' || experiment_id || '/' || status FROM runs ORDER BY id";
        program.run(&["run", "--run", "7", "true"]).succeeded();
        assert_eq!(value(&program, runs), "7/1/COMPLETED");
        let program = program.variable("SLURM_JOB_ID", "523473").variable("SQLTRACK_RUN_ID", "9");
        program.run(&["run", "--run", "SLURM_JOB_ID", "true"]).succeeded();
        program.run(&["run", "--experiment", "Iris", "true"]).succeeded();
        assert_eq!(value(&program, runs), "7/1/COMPLETED 9/1/COMPLETED 523473/2/COMPLETED");
        let conflict = program.run(&["run", "--experiment", "Iris", "--run", "523473", "true"]).failed();
        assert_eq!(conflict, "run 523473 belongs to experiment 2, not to 1; choose another id");
        let unset = program.run(&["run", "--run", "NO_SUCH_VARIABLE", "true"]).failed();
        assert_eq!(
            unset,
            "the environment variable `NO_SUCH_VARIABLE` is not set; set it to the id of a run"
        );
        let program = program.variable("SQLTRACK_RUN_ID", "x");
        let wrong = program.run(&["run", "true"]).failed();
        assert_eq!(
            wrong,
            "the environment variable `SQLTRACK_RUN_ID` is \"x\"; expected the number of an id"
        );
    }
}

#[test]
fn the_environment_is_recorded_unless_one_says_no() {
    let program = Program::sqlite_with("").variable("LEARNING_RATE", "0.1").variable("API_TOKEN", "canary");
    program.run(&["run", "true"]).succeeded();
    program.run(&["run", "--no-env", "true"]).succeeded();
    let env = "SELECT (env ->> 'LEARNING_RATE') || (env ->> 'API_TOKEN') FROM runs WHERE env IS NOT NULL";
    assert_eq!(value(&program, env), "0.1****");
}

#[test]
fn a_wrong_configuration_fails_before_the_command_starts() {
    let mut server = Server::new();
    let not_set_up = Program::sqlite();
    let wrong_engine = Program::new().option("--engine", "mysql");
    let (_, not_set_up_either) = server.create("empty");
    for (program, expected) in [
        (not_set_up, "has no SQLTrack tables; run `sqltrack-cli setup`"),
        (not_set_up_either, "has no SQLTrack tables; run `sqltrack-cli setup`"),
        (wrong_engine, "expected `postgres` or `sqlite`"),
        (Server::program("sqltrack_test", "nowhere"), "or set `dbname`"),
        (
            Server::program_over_tcp("sqltrack_test", "postgres"),
            "check `user`, `password` and the pgpass file",
        ),
    ] {
        let message = program.run(&["run", "touch", "started"]).failed();
        assert!(message.ends_with(expected), "{message}");
        assert!(!program.folder().join("started").exists());
    }
    let program = Program::sqlite_with("");
    let message = program.run(&["run", "--tag", "", "touch", "started"]).failed();
    assert_eq!(message, "a tag is empty; give it at least one character");
    assert!(!program.folder().join("started").exists());
    assert_eq!(statuses(&program), "FAILED");
}

#[test]
fn a_server_that_is_down_does_not_stop_a_command() {
    let program = Program::new().option("--host", "127.0.0.1").option("--port", "1");
    let program = program.variable("SQLTRACK_DSN_SPOOL", "off");
    let outcome = program.run(&["run", "sh", "-c", "echo out; echo err >&2; exit 3"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(3), "out\n"));
    let (warning, rest) = outcome.stderr.split_once('\n').unwrap();
    assert!(warning.starts_with("warning: cannot reach database `nobody` on 127.0.0.1:1"), "{warning}");
    assert!(warning.ends_with("; the command runs without being recorded"), "{warning}");
    assert_eq!(rest, "err\n");
}

#[test]
fn what_a_command_records_while_the_server_is_down_waits_in_the_spool() {
    let away = Program::new().option("--host", "127.0.0.1").option("--port", "1");
    let home = away.folder().to_str().unwrap().to_owned();
    let away = away.variable("XDG_STATE_HOME", &home);
    let script =
        format!("{PROGRAM} log --step 1 loss=0.5 && {PROGRAM} edit run --comment hi; echo err >&2; exit 3");
    let run = ["run", "--experiment", "Iris", "--tag", "night", "sh", "-c", &script];
    let outcome = away.run(&run);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(3), ""), "{}", outcome.stderr);
    let lines: Vec<&str> = outcome.stderr.lines().collect();
    let [first, "err", last] = lines[..] else { panic!("{lines:?}") };
    assert!(first.starts_with("warning: cannot reach database `nobody` on 127.0.0.1:1"), "{first}");
    assert!(first.ends_with("; the run waits in the spool, for `sqltrack-cli sync`"), "{first}");
    assert!(
        last.ends_with(&format!("see `{home}/sqltrack/spool`, and try `sqltrack-cli sync` later")),
        "{last}"
    );
    for program in programs(&mut Server::new(), "arrival") {
        // Another database than was meant gets it only by force. A copy, since there are two.
        let spool = program.folder().join("spool");
        let copied = std::process::Command::new("cp")
            .arg("-r")
            .arg(format!("{home}/sqltrack/spool"))
            .arg(&spool)
            .status();
        assert!(copied.unwrap().success());
        program.run(&["sync", "spool"]).failed();
        let done = program.run(&["sync", "spool", "--force", "--format", "csv"]).succeeded();
        assert!(done.ends_with(",0,0,0,1\n"), "{done}");
        let sql = "SELECT e.name || r.status || r.comment || (r.extras -> 'stderr' ->> 0) FROM runs AS r
            JOIN experiments AS e ON e.id = r.experiment_id";
        assert_eq!(value(&program, sql), "IrisFAILEDhierr");
        assert_eq!(value(&program, "SELECT loss FROM metrics WHERE step = 1"), "0.5");
    }
}

/// Starts a command that waits for the end of standard input, and exits then with 3.
fn waiting(program: &Program) -> (Job, ChildStdin, ChildStderr) {
    let mut command = program.command(&["run", "sh", "-c", "echo ready $$; read line; exit 3"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let (stdin, stderr) = (child.stdin.take().unwrap(), child.stderr.take().unwrap());
    let stdout = child.stdout.take().unwrap();
    let mut job = Job::watch(child, stdout);
    job.ready();
    (job, stdin, stderr)
}

#[test]
fn a_lost_connection_is_made_again_at_the_end() {
    let mut server = Server::new();
    let (name, program) = server.create("lost");
    program.run(&["setup"]).succeeded();
    let (mut job, stdin, stderr) = waiting(&program);
    let sessions = format!("FROM pg_stat_activity WHERE datname = '{name}'");
    assert_eq!(Server::psql(&format!("SELECT pg_terminate_backend(pid) {sessions}")), "t\n");
    drop(stdin);
    assert_eq!(job.end(), (String::new(), Some(3)));
    assert_eq!(std::io::read_to_string(stderr).unwrap(), "");
    assert_eq!(statuses(&program), "FAILED");
}

#[test]
fn a_database_that_is_gone_at_the_end_changes_nothing_for_the_command() {
    let mut server = Server::new();
    let (name, program) = server.create("gone");
    program.run(&["setup"]).succeeded();
    let (mut job, stdin, stderr) = waiting(&program);
    Server::psql(&format!("DROP DATABASE \"{name}\" WITH (FORCE)"));
    drop(stdin);
    assert_eq!(job.end(), (String::new(), Some(3)));
    let said = std::io::read_to_string(stderr).unwrap();
    assert!(said.starts_with("warning: ") && said.ends_with("; run 1 is not recorded as FAILED\n"), "{said}");
    assert_eq!(said.lines().count(), 1);
}

/// What the command could not deliver itself is delivered when it has ended, and nothing stays behind.
#[test]
fn what_the_command_leaves_in_its_spool_is_delivered() {
    let mut server = Server::new();
    for program in programs(&mut server, "leftovers") {
        let home = program.folder().to_str().unwrap().to_owned();
        let program = program.variable("XDG_STATE_HOME", &home);
        let script = format!("{PROGRAM} log --step 1 loss=0.5; echo $SQLTRACK_DSN_SPOOL");
        let printed = program.run(&["run", "sh", "-c", &script]).succeeded();
        assert_eq!(printed, format!("{home}/sqltrack/spool\n"));
        let left = std::fs::read_dir(format!("{home}/sqltrack/spool")).unwrap().count();
        assert_eq!(left, 0);
        // It is killed with its folder still there.
        let script = format!(
            "mkfifo pipe; {PROGRAM} log - <pipe & exec 3>pipe; echo '{{\"step\": 2, \"loss\": 0.25}}' >&3; \
             for try in $(seq 300); do \
                 {PROGRAM} query 'SELECT count(*) FROM metrics' --format csv | grep -q 2 && break; sleep 0.1; \
             done; kill -9 $!; wait"
        );
        program.run(&["run", "--run", "1", "sh", "-c", &script]);
        let left = std::fs::read_dir(format!("{home}/sqltrack/spool")).unwrap().count();
        assert_eq!(left, 0, "{:?}", value(&program, "SELECT status FROM runs"));
        assert_eq!(value(&program, "SELECT step FROM metrics ORDER BY step"), "1 2");
    }
}
