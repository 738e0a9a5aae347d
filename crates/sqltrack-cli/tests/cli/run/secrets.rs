//! No secret gets into the database or the log, wherever it comes from.

use std::process::Command;

use crate::program::{Program, Server};

const CANARY: &str = "c4n4ry";
const TABLES: [&str; 8] = [
    "experiments",
    "experiment_links",
    "runs",
    "run_links",
    "metrics",
    "metrics_overflow",
    "run_status",
    "sqltrack_migrations",
];

/// A repository whose changes hold secrets.
fn repository(program: &Program) {
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=A", "-c", "user.email=a@example.org"]).args(arguments);
        git.current_dir(program.folder()).env("HOME", program.folder()).env("GIT_CONFIG_NOSYSTEM", "1");
        assert!(git.output().unwrap().status.success());
    };
    program.file("settings.py", "lr = 0.1\n");
    git(&["init"]);
    git(&["add", "settings.py"]);
    git(&["commit", "-m", "first"]);
    let settings = format!(
        "lr = 0.2\nDB = 'postgres://alice:{CANARY}1@db/x'\npassword = \"{CANARY}2\"\n\
         headers = {{'Authorization': 'Bearer {CANARY}345678901234567890'}}\n"
    );
    program.file("settings.py", &settings);
}

#[test]
fn no_canary_is_in_a_dump_or_a_log() {
    let mut server = Server::new();
    let (_, postgres) = server.create("canaries");
    for program in [Program::sqlite(), postgres] {
        let program = program
            .variable("GITHUB_TOKEN", &format!("{CANARY}-token"))
            .variable("DATABASE_URL", &format!("postgres://alice:{CANARY}4@db/x"))
            .variable("SQLTRACK_DSN_ENV_MASK", "MY_*")
            .variable("MY_OWN", &format!("{CANARY}5"));
        program.run(&["setup"]).succeeded();
        repository(&program);
        let url = format!("--db=postgres://alice:{CANARY}6@db/x");
        let secret = format!("{CANARY}7");
        let command = ["true", &url, "--password", &secret, "https://u:p@h/?api_key=c4n4ry8"];
        let logged = program.run(&[&["-vvv", "run", "--"][..], &command].concat());
        assert_eq!(logged.code, Some(0));
        assert!(!logged.stderr.contains(CANARY), "{}", logged.stderr);
        program.run(&[&["plan", "--experiment", "planned", "--"][..], &command].concat()).succeeded();
        let failing = format!("echo login {CANARY}-token postgres://a:{CANARY}9@db >&2; exit 1");
        program.script("fail.sh", &failing);
        assert_eq!(program.run(&["run", "./fail.sh"]).code, Some(1));

        let diff = program.rows("SELECT extras FROM runs WHERE id = 1");
        assert!(diff[0]["extras"]["provenance"]["git"]["diff"].as_str().unwrap().contains("+lr = 0.2"));
        for table in TABLES {
            let rows =
                program.run(&["query", &format!("SELECT * FROM {table}"), "--format", "json"]).succeeded();
            assert!(!rows.contains(CANARY), "{table}: {rows}");
        }
    }
}
