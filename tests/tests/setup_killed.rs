//! A setup that is killed in the middle of a script: nothing of the script stays, and the next setup succeeds.

use std::time::Duration;

use sqltrack_core::{Client, Dialect, Error, SetupError};
use sqltrack_tests::{Database, Worker, on_both_engines};

const WORKER: &str = env!("CARGO_BIN_EXE_worker");

on_both_engines!(a_killed_script_leaves_nothing, a_killed_script_without_a_transaction_is_told);

/// A statement that takes longer than the test. On a server it goes on when its client is gone, for a second.
fn slow(db: &Database) -> &'static str {
    db.choose(
        "SELECT pg_sleep(1.5);",
        "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 100000000000) SELECT count(*) FROM c;",
    )
}

/// Runs a setup with a script in another process, and kills it in the middle of the script.
async fn kill_within(db: &Database, client: &Client, script: &str) {
    std::fs::write(db.folder().join("v001.sql"), script).unwrap();
    let mut worker = Worker::start(WORKER, db, ["setup", "v001.sql"]);
    worker.go();
    while !is_within(db, client).await {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    worker.kill();
}

/// Whether the slow statement runs: on PostgreSQL the server tells. On SQLite the large value that the script
/// writes just before has reached the log, as it does not fit into memory.
async fn is_within(db: &Database, client: &Client) -> bool {
    if db.dialect() == Dialect::Sqlite {
        let log = std::fs::metadata(db.folder().join("test.db-wal"));
        return log.is_ok_and(|log| log.len() > 10_000_000);
    }
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND state = 'active' AND query LIKE 'SELECT pg_sleep%'";
    client.first_value(sql, (db.name(),)).await.unwrap() == Some(1_i64)
}

async fn tables(client: &Client, db: &Database) -> Vec<String> {
    let sql = db.choose(
        "SELECT relname::text FROM pg_class WHERE relname LIKE 't\\_%' ORDER BY 1",
        "SELECT name FROM sqlite_master WHERE name LIKE 't\\_%' ESCAPE '\\' ORDER BY 1",
    );
    client.first_values(sql, ()).await.unwrap()
}

/// What the script writes before it is slow: on SQLite, enough to be seen from outside.
fn begins(db: &Database) -> &'static str {
    db.choose(
        "CREATE TABLE t_a (n INTEGER);\nINSERT INTO t_a VALUES (1);\n",
        "CREATE TABLE t_a (n);\nINSERT INTO t_a VALUES (zeroblob(20000000));\n",
    )
}

async fn a_killed_script_leaves_nothing(db: &Database) {
    let client = db.set_up().await;
    let script = format!("BEGIN;\n{}{}\nCREATE TABLE t_b (n INTEGER);\nEND;\n", begins(db), slow(db));
    kill_within(db, &client, &script).await;
    assert_eq!(tables(&client, db).await, [] as [String; 0]);
    let next = script.replace(slow(db), "");
    let reports = client.setup().scripts([("v001.sql", next)]).await.unwrap();
    let reports: Vec<_> = reports.iter().map(ToString::to_string).collect();
    assert_eq!(reports, ["(OK) base.sql", "(NEW) v001.sql"]);
    assert_eq!(tables(&client, db).await, ["t_a", "t_b"]);
}

async fn a_killed_script_without_a_transaction_is_told(db: &Database) {
    let client = db.set_up().await;
    let script = format!("-- no-transaction\n{}{}\nCREATE TABLE t_b (n INTEGER);\n", begins(db), slow(db));
    kill_within(db, &client, &script).await;
    assert_eq!(tables(&client, db).await, ["t_a"]);
    let next = [("v001.sql", "-- no-transaction\nCREATE TABLE t_b (n INTEGER);\n")];
    let err = client.setup().scripts(next).await.unwrap_err();
    assert!(matches!(&err, Error::Setup(SetupError::Unfinished { name }) if name == "v001.sql"), "{err:?}");
    // The message says how to go on.
    let (_, advice) =
        err.to_string().split_once("then run ").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let (statement, _) = advice.split_once(" and set up again").unwrap();
    assert_eq!(client.execute(statement, ()).await.unwrap(), 1);
    let reports = client.setup().scripts(next).await.unwrap();
    assert_eq!(reports[1].to_string(), "(NEW) v001.sql");
    assert_eq!(tables(&client, db).await, ["t_a", "t_b"]);
}
