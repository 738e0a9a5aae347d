//! No secret is stored or logged by what is recorded without being given, and one that is stored can be masked.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use serde_json::{Value as Json, json};
use sqltrack_core::{Client, EngineError, Error, Experiment, Object, Run, RunId};
use sqltrack_tests::{Database, on_both_engines};

on_both_engines!(
    what_is_recorded_by_itself_has_no_secrets,
    arguments_that_fit_no_usage_are_not_logged,
    the_configuration_says_what_is_recorded,
    what_is_given_stays_as_it_is,
    stored_secrets_are_masked_wherever_they_stand,
    a_dry_run_counts_and_changes_nothing,
    patterns_add_names_and_exempt_them,
    chosen_runs_alone_are_masked,
    what_cannot_be_is_refused_before_anything_is_masked,
    all_pages_are_masked,
    nothing_that_others_write_meanwhile_is_lost;
    sqlite: nothing_is_left_in_the_file_after_a_vacuum
);

const DIFF: &str = "\
diff --git a/train.py b/train.py
@@ -1,3 +1,5 @@
+API_KEY = \"canary-in-code\"
+password: canary-in-yaml
+DB = 'postgres://alice:canary-in-url@db/x'
+-----BEGIN PRIVATE KEY-----
+canaryMIIEpAIBAAKCAQEA0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJ
+-----END PRIVATE KEY-----
+hub = \"ghp_canary0123456789canary0123456789\"
 epochs = 90  # as canary-in-env says
";

/// Everything in every table, as text.
async fn dump(db: &Database, client: &Client) -> String {
    let tables = db.choose(
        "SELECT table_name::TEXT FROM information_schema.tables WHERE table_schema = 'public'",
        "SELECT name FROM sqlite_master WHERE type = 'table'",
    );
    let tables: Vec<String> = client.first_values(tables, ()).await.unwrap();
    assert!(tables.contains(&"runs".to_owned()), "{tables:?}");
    let mut dump = String::new();
    for table in tables {
        let rows = client.query(&format!("SELECT * FROM \"{table}\""), ()).await.unwrap();
        dump.push_str(&format!("{table}: {rows:?}\n"));
    }
    dump
}

/// Runs the program that records a run, which must go well.
fn record(db: &Database, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    let mut recorder = Command::new(env!("CARGO_BIN_EXE_recorder"));
    recorder
        .args(arguments)
        .env_clear()
        .envs(db.variables())
        .env("LOGNAME", "nobody")
        .current_dir(db.folder());
    recorder.envs(variables.iter().copied());
    recorder.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut recorder = recorder.spawn().unwrap();
    recorder.stdin.take().unwrap().write_all(DIFF.as_bytes()).unwrap();
    let output = recorder.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    output
}

const ARGUMENTS: [&str; 6] =
    ["--password", "canary in argument", "--url", "https://u:canary-in-url@h/?token=canary", "--lr", "0.1"];

async fn what_is_recorded_by_itself_has_no_secrets(db: &Database) {
    let client = db.set_up().await;
    let variables = [
        ("GITHUB_TOKEN", "canary-in-env"),
        ("PGPASSWORD", "canary for pg"),
        ("DATABASE_URL", "postgres://alice:canary%2Fin-env@db/x"),
        ("JSON", r#"{"api_key": "canary"}"#),
        ("COPY", "the token is canary-in-env"),
        ("PLAIN", "value"),
    ];
    let output = record(db, &variables, &ARGUMENTS);
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(log.contains("TRACE") || log.contains("DEBUG"), "{log}");
    assert!(!log.contains("canary"), "{log}");
    let dump = dump(db, &client).await;
    assert!(!dump.contains("canary"), "{dump}");

    let (env, args, extras): (Json, Json, Json) =
        client.first_row("SELECT env, args, extras FROM runs", ()).await.unwrap().unwrap();
    let recorded = |name: &str| env[name].as_str().unwrap_or_default().to_owned();
    assert_eq!(recorded("GITHUB_TOKEN"), "****");
    assert_eq!(recorded("DATABASE_URL"), "postgres://alice:****@db/x");
    assert_eq!(recorded("JSON"), r#"{"api_key": "****"}"#);
    assert_eq!(recorded("COPY"), "the token is ****");
    assert_eq!(recorded("PLAIN"), "value");
    assert_eq!(
        args,
        json!({"password": "****", "url": "https://u:****@h/?token=****", "lr": 0.1, "broken": false})
    );
    let diff = "\
diff --git a/train.py b/train.py
@@ -1,3 +1,5 @@
+API_KEY = \"****\"
+password: ****
+DB = 'postgres://alice:****@db/x'
+****
+hub = \"****\"
 epochs = 90  # as **** says
";
    assert_eq!(extras["diff"], diff);
    assert_eq!(extras["command"].as_array().unwrap()[1..3], ["--password", "****"]);
}

async fn arguments_that_fit_no_usage_are_not_logged(db: &Database) {
    let client = db.set_up().await;
    let output = record(db, &[], &["--unknown=postgres://a:canary@b", "--password=canary"]);
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(log.contains("cannot detect the arguments"), "{log}");
    assert!(!log.contains("canary"), "{log}");
    let extras: Option<Json> = client.first_value("SELECT extras FROM runs", ()).await.unwrap();
    let command = extras.unwrap()["command"].clone();
    assert_eq!(command.as_array().unwrap()[1..], ["--unknown=postgres://a:****@b", "--password=****"]);
}

async fn the_configuration_says_what_is_recorded(db: &Database) {
    let client = db.set_up().await;
    let variables = [
        ("SQLTRACK_DSN_ENV_MASK", "LAB_* !GITHUB_TOKEN"),
        ("SQLTRACK_DSN_ENV_INCLUDE", "lab_*, GITHUB_TOKEN, *_SECRET"),
        ("LAB_PIN", "4711-canary"),
        ("GITHUB_TOKEN", "4711-canary"),
        ("MY_SECRET", "7"),
        ("HOME", "/home/a"),
    ];
    record(db, &variables, &ARGUMENTS);
    let env: Option<Json> = client.first_value("SELECT env FROM runs", ()).await.unwrap();
    assert_eq!(env, Some(json!({"GITHUB_TOKEN": "****", "LAB_PIN": "****", "MY_SECRET": "****"})));
}

async fn run(client: &Client) -> Run {
    Experiment::open(client, "secrets").await.unwrap().new_run().await.unwrap()
}

fn object(json: Json) -> Object {
    json.as_object().cloned().unwrap()
}

/// A run with secrets of all kinds, as a program without masks has stored it.
async fn leaky_run(client: &Client) -> Run {
    let run = run(client).await;
    run.set_env(object(
        json!({"X_TOKEN": "canary-in-env", "PIN": "canary 4711", "HOME": "/home/a", "N": 1.5, "DB_PASS": 7}),
    ))
    .set_args(object(json!({
        "password": "canary",
        "max_tokens": 4096,
        "db": {"url": "postgres://a:canary@b"},
        "argv": ["--token", "canary", "canary-in-env", 1],
        "big": 9_007_199_254_740_993_i64,
    })))
    .set_extras(object(json!({"diff": DIFF, "note": "fine", "4711": null})))
    .add_tags(["canary-tag"])
    .await
    .unwrap()
}

/// What [`leaky_run`] is after a scrub.
fn masked() -> (Json, Json) {
    let env =
        json!({"X_TOKEN": "****", "PIN": "canary 4711", "HOME": "/home/a", "N": 1.5, "DB_PASS": "****"});
    let args = json!({
        "password": "****",
        "max_tokens": 4096,
        "db": {"url": "postgres://a:****@b"},
        "argv": ["--token", "****", "****", 1],
        "big": 9_007_199_254_740_993_i64,
    });
    (env, args)
}

async fn stored(client: &Client, run: &Run) -> (Json, Json, Json) {
    let sql = "SELECT env, args, extras FROM runs WHERE id = $1";
    client.first_row(sql, (run.id(),)).await.unwrap().unwrap()
}

async fn what_is_given_stays_as_it_is(db: &Database) {
    let client = db.set_up().await;
    let run = leaky_run(&client).await;
    let (env, args, extras) = stored(&client, &run).await;
    assert_eq!((env["X_TOKEN"].clone(), args["password"].clone()), (json!("canary-in-env"), json!("canary")));
    assert_eq!(extras["diff"], DIFF);
}

async fn stored_secrets_are_masked_wherever_they_stand(db: &Database) {
    let client = db.set_up().await;
    let run = leaky_run(&client).await;
    let harmless = self::run(&client).await;
    harmless.set_args([("lr", 0.1)]).set_env([("HOME", "/")]).set_extras(None::<Object>).await.unwrap();
    run.experiment().await.unwrap().set_extras([("api_key", "canary"), ("note", "fine")]).await.unwrap();
    let report = client.scrub().await.unwrap();
    assert_eq!((report.runs, report.experiments, report.values()), (1, 1, 8));
    let places: Vec<_> = report.places.iter().map(|(place, count)| (place.as_str(), *count)).collect();
    let expected = [
        ("args.argv", 2),
        ("args.db.url", 1),
        ("args.password", 1),
        ("env.DB_PASS", 1),
        ("env.X_TOKEN", 1),
        ("extras.api_key", 1),
        ("extras.diff", 1),
    ];
    assert_eq!(places, expected);
    let (env, args, extras) = stored(&client, &run).await;
    assert_eq!((env, args), masked());
    assert!(!extras.to_string().contains("canary") && extras["note"] == "fine", "{extras}");
    let args: Option<Json> =
        client.first_value("SELECT args FROM runs WHERE id = $1", (harmless.id(),)).await.unwrap();
    assert_eq!(args, Some(json!({"lr": 0.1})));
    let extras: Option<Json> = client.first_value("SELECT extras FROM experiments", ()).await.unwrap();
    assert_eq!(extras, Some(json!({"api_key": "****", "note": "fine"})));
    let again = client.scrub().await.unwrap();
    assert_eq!((again.runs, again.experiments, again.values()), (0, 0, 0));
    // Names of variables that are none of secrets, and what is no object, stay.
    assert_eq!(dump(db, &client).await.matches("canary").count(), 2);
}

async fn a_dry_run_counts_and_changes_nothing(db: &Database) {
    let client = db.set_up().await;
    leaky_run(&client).await;
    let before = dump(db, &client).await;
    let dry = client.scrub().dry_run().await.unwrap();
    assert_eq!(dump(db, &client).await, before);
    assert_eq!(client.scrub().await.unwrap(), dry);
    assert_eq!(dry.values(), 7);
}

async fn patterns_add_names_and_exempt_them(db: &Database) {
    let client = db.set_up().await;
    let run = leaky_run(&client).await;
    let report = client.scrub().patterns(["pin", "!*token, !password", "!db_pass"]).await.unwrap();
    let (env, args, _) = stored(&client, &run).await;
    assert_eq!(env["PIN"], "****");
    assert_eq!((&env["X_TOKEN"], &env["DB_PASS"]), (&json!("canary-in-env"), &json!(7)));
    assert_eq!((&args["password"], &args["argv"][1]), (&json!("canary"), &json!("canary")));
    assert_eq!(report.places.keys().collect::<Vec<_>>(), ["args.db.url", "env.PIN", "extras.diff"]);
    // What an exempt name holds is still a secret where it has the form of one.
    let report = client.scrub().patterns(["!*"]).await.unwrap();
    assert_eq!(report.values(), 0);
}

async fn chosen_runs_alone_are_masked(db: &Database) {
    let client = db.set_up().await;
    let runs = [leaky_run(&client).await, leaky_run(&client).await, leaky_run(&client).await];
    runs[0].experiment().await.unwrap().set_extras([("api_key", "canary")]).await.unwrap();
    let chosen = [runs[2].id(), runs[0].id(), runs[2].id()];
    let report = client.scrub().runs(chosen).await.unwrap();
    assert_eq!((report.runs, report.experiments), (2, 0));
    let masked =
        [stored(&client, &runs[0]).await, stored(&client, &runs[1]).await, stored(&client, &runs[2]).await];
    assert_eq!(masked.map(|(env, ..)| env["X_TOKEN"] == "****"), [true, false, true]);
}

async fn what_cannot_be_is_refused_before_anything_is_masked(db: &Database) {
    let client = db.set_up().await;
    let run = leaky_run(&client).await;
    let before = dump(db, &client).await;
    let unknown = client.scrub().runs([run.id(), RunId(404)]).await.unwrap_err();
    assert!(matches!(unknown, Error::Engine(EngineError::NoSuchRun(RunId(404)))), "{unknown:?}");
    let bad = client.scrub().patterns(["x", "[y"]).await.unwrap_err();
    let message = "the pattern `[y` cannot be used: the `[` in `[y` is not closed; write `[[]` for the character itself";
    assert_eq!(bad.to_string(), message);
    assert_eq!(dump(db, &client).await, before);
}

async fn all_pages_are_masked(db: &Database) {
    let client = db.set_up().await;
    let experiment = Experiment::open(&client, "secrets").await.unwrap();
    let ids = (-20..20).chain([i64::MIN, i64::MAX]);
    for id in ids {
        experiment.get_run(id).await.unwrap().set_env([("X_TOKEN", format!("canary {id}"))]).await.unwrap();
    }
    let report = client.scrub().await.unwrap();
    assert_eq!((report.runs, report.values()), (42, 42));
    assert!(!dump(db, &client).await.contains("canary"));
    // In a transaction, it is undone with all else.
    experiment.new_run().await.unwrap().set_env([("X_TOKEN", "canary")]).await.unwrap();
    let tx = client.begin().await.unwrap();
    assert_eq!(tx.scrub().await.unwrap().values(), 1);
    tx.rollback().await.unwrap();
    assert!(dump(db, &client).await.contains("canary"));
}

async fn nothing_that_others_write_meanwhile_is_lost(db: &Database) {
    let client = db.set_up().await;
    let run = run(&client).await;
    run.set_args([("lr", 0.1)]).await.unwrap();
    let writer = db.connect().await;
    let id = run.id();
    let written = tokio::spawn(async move {
        let run = writer.run(id);
        for index in 0..100_i64 {
            let nested = json!({"token": "canary", "n": index});
            run.add_env([(format!("TOKEN_{index}"), "canary")])
                .add_extras([("nested", nested)])
                .await
                .unwrap();
            let (_, _, extras) = stored(&writer, &run).await;
            assert_eq!(extras["nested"]["n"], index, "an older value has come back");
        }
    });
    while !written.is_finished() {
        client.scrub().runs([id]).await.unwrap();
    }
    written.await.unwrap();
    client.scrub().await.unwrap();
    let (env, _, extras) = stored(&client, &run).await;
    assert_eq!(extras, json!({"nested": {"token": "****", "n": 99}}));
    let env = env.as_object().unwrap();
    assert_eq!((env.len(), env.values().all(|value| value == "****")), (100, true), "{env:?}");
}

async fn nothing_is_left_in_the_file_after_a_vacuum(db: &Database) {
    let client = db.set_up().await;
    let run = leaky_run(&client).await;
    run.set_tags(["plain"]).remove_env(["PIN"]).await.unwrap();
    client.scrub().await.unwrap();
    client.executescript("VACUUM").await.unwrap();
    client.close().await;
    for entry in std::fs::read_dir(db.folder()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(6).any(|window| window == b"canary"), "{}", path.display());
    }
}
