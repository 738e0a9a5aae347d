//! `config`, and parameters from the command line.

use crate::program::Program;

#[test]
fn every_parameter_has_a_source() {
    let program = Program::new().variable("SQLTRACK_DSN_HOST", "db").variable("PGPASSWORD", "hunter2");
    program.file("sqltrack.conf", "schema = lab\nport = 5433\ndbpath = x.db\n");
    let outcome = program.run(&["-u", "alice", "config", "--port", "5434", "--format", "csv"]);
    assert_eq!(
        outcome.succeeded(),
        "\
parameter,value,source,note
config_path,sqltrack.conf,default location,
engine,postgres,default,
host,db,SQLTRACK_DSN_HOST,
port,5434,--port,
dbname,nobody,default (login name),
user,alice,--user,
password,****,PGPASSWORD,
schema,lab,sqltrack.conf:1,
dbpath,x.db,sqltrack.conf:3,not used by postgres
"
    );
}

#[test]
fn the_password_file_is_looked_at() {
    let program = Program::new();
    program.file(".pgpass", "db:5432:nobody:nobody:hunter2\n");
    let path = program.folder().join(".pgpass");
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&path, private).unwrap();
    let outcome = program.run(&["config", "-a", "db", "--format", "jsonl"]);
    let shown = format!(
        "{{\"parameter\":\"password\",\"value\":\"****\",\"source\":\"{}:1\",\"note\":null}}",
        path.display()
    );
    assert!(outcome.stdout.contains(&shown), "{outcome:?}");
    assert!(!outcome.stdout.contains("hunter2"));
    assert_eq!(
        outcome.stderr,
        "no config file was found; `sqltrack.conf` in this folder is the first place it is looked for\n"
    );
}

#[test]
fn a_config_file_may_be_named() {
    let program = Program::new();
    program.file("team.conf", "engine = sqlite\n");
    let shown = program.run(&["-c", "team.conf", "config", "--format", "csv"]).succeeded();
    assert!(shown.contains("config_path,team.conf,--config-path,\nengine,sqlite,team.conf:1,\n"), "{shown}");
    let program = program.variable("SQLTRACK_CONFIG_PATH", "team.conf");
    let shown = program.run(&["config", "--format", "csv"]).succeeded();
    assert!(shown.contains("config_path,team.conf,SQLTRACK_CONFIG_PATH,\n"), "{shown}");
    let missing = program.run(&["config", "--config-path", "no.conf"]).failed();
    assert!(missing.contains("`no.conf` (from --config-path) does not exist"), "{missing}");
}

#[test]
fn errors_name_the_option() {
    let program = Program::new();
    for (arguments, expected) in [
        (["--port", "x", "config"], "`port` from --port is `x`: expected a number from 1 to 65535"),
        (["config", "-e", "mysql"], "`engine` from --engine is `mysql`: expected `postgres` or `sqlite`"),
    ] {
        assert_eq!(program.run(&arguments).failed(), expected);
    }
}

#[test]
fn a_log_is_written_when_asked_for() {
    let program = Program::sqlite();
    let outcome = program.run(&["-v", "setup"]);
    assert_eq!(outcome.stdout, "(NEW) base.sql\n");
    assert!(outcome.stderr.contains("INFO setup script=\"base.sql\""), "{outcome:?}");
}
