//! `scrub`, and what is masked beyond it.

use crate::program::{Outcome, Program, Server};

const RUNS: &str = "\
INSERT INTO experiments (id, name, extras) VALUES (1, 'a', '{\"api_key\": \"canary\"}');
INSERT INTO runs (id, experiment_id, env, args) VALUES
    (7, 1, '{\"X_TOKEN\": \"canary-in-env\", \"PIN\": \"canary-pin\"}', '{\"url\": \"postgres://a:canary@b\", \"lr\": 0.1}'),
    (8, 1, '{\"HOME\": \"/\"}', '{\"note\": \"canary-in-env\", \"sort_key\": \"canary\"}');";

const LEFT_ON_SQLITE: &str = "the file keeps the old values in its free pages until `echo VACUUM | sqltrack-cli execute`, and backups longer\n";

/// Runs it, with everything logged, and checks that no secret is said.
#[track_caller]
fn scrub(program: &Program, arguments: &[&str]) -> Outcome {
    let logged = program.run(&[&["scrub", "--dry-run", "-vvv"], arguments].concat());
    assert_eq!(logged.code, Some(0), "{logged:?}");
    assert!(logged.stderr.contains("DEBUG") && !logged.stderr.contains("canary"), "{}", logged.stderr);
    let outcome = program.run(&[&["scrub", "--format", "csv"], arguments].concat());
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    outcome
}

fn dump(program: &Program) -> String {
    let table = |sql| program.run(&["query", sql, "--format", "json"]).succeeded();
    table("SELECT * FROM runs ORDER BY id") + &table("SELECT * FROM experiments")
}

#[test]
fn what_is_masked_is_listed_by_its_place() {
    let program = Program::sqlite_with(RUNS);
    let before = dump(&program);
    let dry = program.run(&["scrub", "--dry-run"]);
    assert_eq!(
        dry.stdout,
        "\
place           values
──────────────  ──────
args.sort_key        1
args.url             1
env.X_TOKEN          1
extras.api_key       1
"
    );
    assert_eq!(dry.stderr, "would mask 4 values in 2 runs and 1 experiment\n");
    assert_eq!(dump(&program), before);

    let outcome = scrub(&program, &["--run", "7", "--pattern", "pin"]);
    assert_eq!(outcome.stdout, "place,values\nargs.url,1\nenv.PIN,1\nenv.X_TOKEN,1\n");
    let masked =
        "masked 3 values in 1 run and 0 experiments; replace the secrets if others could read them\n";
    assert_eq!(outcome.stderr, format!("{masked}{LEFT_ON_SQLITE}"));

    let outcome = scrub(&program, &["--pattern", "!sort_key, note"]);
    assert_eq!(outcome.stdout, "place,values\nargs.note,1\nextras.api_key,1\n");
    let dump = dump(&program);
    assert!(dump.contains("postgres://a:****@b") && dump.contains("\"sort_key\":\"canary\""), "{dump}");
    assert_eq!(dump.matches("canary").count(), 1, "{dump}");

    let outcome = scrub(&program, &["--pattern", "!sort_key"]);
    assert_eq!(
        (outcome.stdout.as_str(), outcome.stderr.as_str()),
        ("place,values\n", "found nothing to mask\n")
    );
}

#[test]
fn it_works_on_postgres_too() {
    let mut server = Server::new();
    let (_, program) = server.create("scrub");
    program.run(&["setup"]).succeeded();
    program.feed(&["execute"], RUNS).succeeded();
    let outcome = scrub(&program, &["--pattern", "pin"]);
    assert_eq!(
        outcome.stdout,
        "place,values\nargs.sort_key,1\nargs.url,1\nenv.PIN,1\nenv.X_TOKEN,1\nextras.api_key,1\n"
    );
    assert!(outcome.stderr.contains("until `VACUUM runs, experiments`"), "{}", outcome.stderr);
    program.feed(&["execute"], "VACUUM runs, experiments").succeeded();
    // Another run's secret is none of this one's.
    assert_eq!(dump(&program).matches("canary").count(), 1);
}

#[test]
fn what_cannot_be_is_refused() {
    let program = Program::sqlite_with(RUNS);
    assert_eq!(program.run(&["scrub", "--run", "-3"]).failed(), "there is no run -3");
    assert_eq!(
        program.run(&["scrub", "--pattern", "[x"]).failed(),
        "the pattern `[x` cannot be used: the `[` in `[x` is not closed; write `[[]` for the character itself"
    );
    let misconfigured = Program::sqlite().variable("SQLTRACK_DSN_ENV_MASK", "A_*, !");
    assert_eq!(
        misconfigured.run(&["scrub"]).failed(),
        "`env_mask` from SQLTRACK_DSN_ENV_MASK is `A_*, !`: a `!` in it has no pattern behind it; write `!NAME`"
    );
}
