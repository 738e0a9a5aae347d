//! Setup: the base schema first, then each script once, whole or not at all.

use sqltrack_core::{Client, Dialect, EngineError, Error, ScriptSource, SetupError};
use sqltrack_tests::{Database, on_both_engines};

on_both_engines!(
    scripts_with_a_transaction_of_their_own_are_applied_once,
    a_changed_script_is_reported_and_not_run,
    a_dry_run_changes_nothing,
    names_must_be_free,
    transaction_control_inside_is_refused_before_anything_runs,
    a_broken_script_leaves_those_before_it_and_nothing_of_itself,
    a_script_without_a_transaction_keeps_what_it_did,
    setup_cannot_be_part_of_a_transaction;
    postgres: schemas_are_created, a_role_without_rights_may_set_up_again,
);

async fn set_up<S: Into<ScriptSource>>(
    client: &Client,
    scripts: impl IntoIterator<Item = S>,
) -> Result<Vec<String>, Error> {
    let reports = client.setup().scripts(scripts).await?;
    Ok(reports.iter().map(ToString::to_string).collect())
}

/// The error of a setup that fails.
async fn failure(client: &Client, scripts: &[(&str, &str)]) -> Error {
    client.setup().scripts(scripts.iter().copied()).await.unwrap_err()
}

/// The tables that are no base tables.
async fn tables(client: &Client, db: &Database) -> Vec<String> {
    let sql = db.choose(
        "SELECT table_name::text FROM information_schema.tables WHERE table_schema = current_schema() AND table_name LIKE 't\\_%' ORDER BY 1",
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 't\\_%' ESCAPE '\\' ORDER BY 1",
    );
    client.first_values(sql, ()).await.unwrap()
}

const ONE_BY_ONE: &str = "BEGIN;

ALTER TABLE metrics ADD COLUMN fit_begin TIMESTAMP WITH TIME ZONE;
ALTER TABLE metrics      ADD COLUMN fit_loss FLOAT;

END;
";

const ALL_IN_ONE: &str = "-- What evaluation measures.
BEGIN;

ALTER TABLE metrics
    ADD COLUMN eval_begin TIMESTAMP WITH TIME ZONE,
    ADD COLUMN eval_loss FLOAT,
    ADD COLUMN eval_top1 FLOAT;

END;
";

async fn scripts_with_a_transaction_of_their_own_are_applied_once(db: &Database) {
    let client = db.connect().await;
    let scripts = [("v001.sql", ONE_BY_ONE), ("v002.sql", ALL_IN_ONE)];
    assert_eq!(
        set_up(&client, scripts).await.unwrap(),
        ["(NEW) base.sql", "(NEW) v001.sql", "(NEW) v002.sql"]
    );
    let paths = scripts.map(|(name, sql)| {
        let path = db.folder().join(name);
        std::fs::write(&path, sql).unwrap();
        path
    });
    assert_eq!(set_up(&client, paths).await.unwrap(), ["(OK) base.sql", "(OK) v001.sql", "(OK) v002.sql"]);
    let rows = client.query("SELECT * FROM metrics", ()).await.unwrap();
    let columns: Vec<_> = rows.columns().iter().map(|column| column.name.as_str()).collect();
    let new = ["fit_begin", "fit_loss", "eval_begin", "eval_loss", "eval_top1"];
    assert_eq!(columns[3..], new);
    // The columns are metrics like any other.
    let run = sqltrack_core::Experiment::open(&client, "x").await.unwrap().new_run().await.unwrap();
    run.add_metrics([("eval_loss", 0.5)]).await.unwrap();
    let value: Option<f64> =
        client.first_value("SELECT value FROM metrics_long WHERE name = 'eval_loss'", ()).await.unwrap();
    assert_eq!(value, Some(0.5));
}

async fn a_changed_script_is_reported_and_not_run(db: &Database) {
    let client = db.connect().await;
    set_up(&client, [("v001.sql", "CREATE TABLE t_a (n INTEGER);")]).await.unwrap();
    let changed =
        [("v001.sql", "CREATE TABLE t_b (n INTEGER);"), ("v002.sql", "CREATE TABLE t_c (n INTEGER);")];
    assert_eq!(
        set_up(&client, changed).await.unwrap(),
        ["(OK) base.sql", "(CHANGED) v001.sql", "(NEW) v002.sql"]
    );
    assert_eq!(tables(&client, db).await, ["t_a", "t_c"]);
}

async fn a_dry_run_changes_nothing(db: &Database) {
    let client = db.connect().await;
    let scripts = || [("v001.sql", "CREATE TABLE t_a (n INTEGER);")];
    let dry = async |client: &Client| -> Vec<String> {
        let reports = client.setup().scripts(scripts()).dry_run().await.unwrap();
        reports.iter().map(ToString::to_string).collect()
    };
    assert_eq!(dry(&client).await, ["(NEW) base.sql", "(NEW) v001.sql"]);
    assert!(!db.folder().join("test.db").exists());
    assert!(client.query("SELECT * FROM runs", ()).await.unwrap_err().is_not_set_up());
    client.setup().await.unwrap();
    assert_eq!(dry(&client).await, ["(OK) base.sql", "(NEW) v001.sql"]);
    assert_eq!(tables(&client, db).await, [] as [String; 0]);
}

async fn names_must_be_free(db: &Database) {
    let client = db.connect().await;
    for (scripts, is_reserved) in [
        ([("base.sql", "SELECT 1"), ("b.sql", "SELECT 1")], true),
        ([("a.sql", "SELECT 1"), ("some/where/base.sql", "SELECT 1")], true),
        ([("a.sql", "SELECT 1"), ("a.sql", "SELECT 1")], false),
        ([("one/a.sql", "SELECT 1"), ("other/a.sql", "SELECT 2")], false),
    ] {
        let err = failure(&client, &scripts).await;
        let expected = match &err {
            Error::Setup(SetupError::Reserved { name, .. }) => is_reserved && name == "base.sql",
            Error::Setup(SetupError::NameTwice { name, first, second }) => {
                !is_reserved && name == "a.sql" && [first.as_str(), second] == [scripts[0].0, scripts[1].0]
            }
            _ => false,
        };
        assert!(expected, "{err:?}");
    }
    assert!(client.query("SELECT * FROM runs", ()).await.unwrap_err().is_not_set_up(), "nothing has run");
}

async fn transaction_control_inside_is_refused_before_anything_runs(db: &Database) {
    let client = db.connect().await;
    for (line, script) in [
        (2, "CREATE TABLE t_a (n INTEGER);\nCOMMIT;\nCREATE TABLE t_b (n INTEGER);"),
        (3, "BEGIN;\nCREATE TABLE t_a (n INTEGER);\nROLLBACK;\nEND;"),
        (2, "BEGIN;\nBEGIN;\nEND;\nEND;"),
        (1, "BEGIN;\nCREATE TABLE t_a (n INTEGER);"),
    ] {
        let first = ("v001.sql", "CREATE TABLE t_first (n INTEGER);");
        let err = failure(&client, &[first, ("v002.sql", script)]).await;
        let Error::Script(script_error) = &err else { panic!("{err:?}") };
        assert_eq!(script_error.line(), line, "{err}");
        assert!(err.to_string().starts_with(&format!("`v002.sql`, line {line}: ")), "{err}");
        assert!(client.query("SELECT * FROM runs", ()).await.unwrap_err().is_not_set_up());
    }
}

async fn a_broken_script_leaves_those_before_it_and_nothing_of_itself(db: &Database) {
    let client = db.connect().await;
    let scripts = [
        ("v001.sql", "CREATE TABLE t_a (n INTEGER);"),
        ("v002.sql", "BEGIN;\nCREATE TABLE t_b (n INTEGER);\nEND;"),
        (
            "v003.sql",
            "BEGIN;\nCREATE TABLE t_c (n INTEGER);\nINSERT INTO t_c\n  SELECT 1 FROM\n  nowhere;\nEND;",
        ),
        ("v004.sql", "CREATE TABLE t_d (n INTEGER);"),
    ];
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let reports = seen.clone();
    let setup = client
        .setup()
        .scripts(scripts)
        .on_report(move |report| reports.lock().unwrap().push(report.to_string()));
    let err = setup.await.unwrap_err();
    assert_eq!(*seen.lock().unwrap(), ["(NEW) base.sql", "(NEW) v001.sql", "(NEW) v002.sql"]);
    let message = db.choose("relation \"nowhere\" does not exist", "no such table: nowhere");
    // PostgreSQL tells where in the statement the error is.
    let line = db.choose(5, 3);
    assert_eq!(err.to_string(), format!("v003.sql:{line}: {message}"));
    assert_eq!(tables(&client, db).await, ["t_a", "t_b"]);
    let fixed = [scripts[0], scripts[1], ("v003.sql", "CREATE TABLE t_c (n INTEGER);"), scripts[3]];
    assert_eq!(set_up(&client, fixed).await.unwrap()[3..], ["(NEW) v003.sql", "(NEW) v004.sql"]);
    assert_eq!(tables(&client, db).await, ["t_a", "t_b", "t_c", "t_d"]);
}

async fn a_script_without_a_transaction_keeps_what_it_did(db: &Database) {
    let client = db.set_up().await;
    let outside = db.choose("CREATE INDEX CONCURRENTLY t_index ON t_a (n);\nVACUUM t_a;", "VACUUM;");
    let broken =
        format!("-- no-transaction\nCREATE TABLE t_a (n INTEGER);\n{outside}\nSELECT * FROM nowhere;\n");
    let err = failure(&client, &[("v001.sql", broken.as_str())]).await;
    let last = broken.lines().count();
    assert!(err.to_string().starts_with(&format!("v001.sql:{last}: ")), "{err}");
    assert_eq!(tables(&client, db).await, ["t_a"]);
    let fixed = "-- no-transaction\nDROP TABLE t_a;\nCREATE TABLE t_b (n INTEGER);\n".to_owned()
        + &outside.replace("t_a", "t_b");
    assert_eq!(set_up(&client, [("v001.sql", fixed.as_str())]).await.unwrap()[1..], ["(NEW) v001.sql"]);
    assert_eq!(set_up(&client, [("v001.sql", fixed.as_str())]).await.unwrap()[1..], ["(OK) v001.sql"]);
    assert_eq!(tables(&client, db).await, ["t_b"]);
    // Without the first line, the script is refused before anything runs.
    let err = failure(&client, &[("v002.sql", "CREATE TABLE t_c (n INTEGER);\nVACUUM;")]).await;
    assert!(matches!(&err, Error::Setup(SetupError::NeedsNoTransaction { line: 2, .. })), "{err:?}");
    assert_eq!(tables(&client, db).await, ["t_b"]);
}

async fn setup_cannot_be_part_of_a_transaction(db: &Database) {
    let client = db.set_up().await;
    let tx = client.begin().await.unwrap();
    let err = tx.setup().await.unwrap_err();
    assert!(matches!(err, Error::NotInTransaction(_)), "{err:?}");
    tx.commit().await.unwrap();
}

async fn schemas_are_created(db: &Database) {
    for (schema, first) in [("track", "track"), ("\"it's, a \"\"name\"\"\", track", "it's, a \"name\"")] {
        let client = db.builder().set("schema", schema).connect().await.unwrap();
        let script = [("v001.sql", "CREATE TABLE t_a (n INTEGER);")];
        assert_eq!(set_up(&client, script).await.unwrap(), ["(NEW) base.sql", "(NEW) v001.sql"]);
        assert_eq!(set_up(&client, script).await.unwrap(), ["(OK) base.sql", "(OK) v001.sql"]);
        let current: Option<String> = client.first_value("SELECT current_schema()::text", ()).await.unwrap();
        assert_eq!(current.as_deref(), Some(first));
        assert_eq!(tables(&client, db).await, ["t_a"]);
        let run = sqltrack_core::Experiment::open(&client, "x").await.unwrap().new_run().await.unwrap();
        assert_eq!(run.id().0, 1, "each schema has tables of its own");
        run.add_metrics([("loss", 0.5)]).await.unwrap();
    }
    let client = db.connect().await;
    assert!(client.query("SELECT * FROM runs", ()).await.unwrap_err().is_not_set_up());
}

async fn a_role_without_rights_may_set_up_again(db: &Database) {
    assert_eq!(db.dialect(), Dialect::Postgres);
    let client = db.connect().await;
    let script = [("v001.sql", "CREATE TABLE t_a (n INTEGER);")];
    set_up(&client, script).await.unwrap();
    let role = format!("{}_reader", db.name());
    let grants = format!("CREATE ROLE {role} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role};");
    client.executescript(&grants).await.unwrap();
    let reader = db.builder_as(&role).connect().await.unwrap();
    assert_eq!(set_up(&reader, script).await.unwrap(), ["(OK) base.sql", "(OK) v001.sql"]);
    let err = reader.setup().scripts([("v002.sql", "CREATE TABLE t_b (n INTEGER);")]).await.unwrap_err();
    let is_denied = match &err {
        Error::Engine(err) | Error::Setup(SetupError::Failed { source: err, .. }) => {
            matches!(err, EngineError::PermissionDenied { .. })
        }
        _ => false,
    };
    assert!(is_denied, "{err:?}");
    reader.close().await;
    client.executescript(&format!("DROP OWNED BY {role}; DROP ROLE {role};")).await.unwrap();
}
