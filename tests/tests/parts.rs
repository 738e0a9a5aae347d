//! Results that are taken part by part: the same rows as all at once, of one moment, with little in memory.

use sqltrack_core::{Client, Dialect, Error, Experiment, Rows, Value, metrics};
use sqltrack_tests::{Database, on_both_engines};

on_both_engines!(
    parts_are_what_all_at_once_is,
    all_parts_are_of_one_moment,
    a_result_without_rows_has_its_columns,
    what_changes_something_is_one_part,
    half_a_result_can_be_left,
    a_failure_comes_with_its_part;
    postgres: types_of_ones_own_are_read, a_pooler_is_no_hindrance,
);

/// Ten thousand numbers.
const MANY: &str =
    "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < $1) SELECT n FROM n";

async fn all(client: &Client, sql: &str, many: i64) -> Result<Vec<Rows>, Error> {
    let mut parts = client.query_parts(sql, (many,))?;
    let mut all = Vec::new();
    while let Some(rows) = parts.next().await? {
        all.push(rows);
    }
    assert!(parts.next().await?.is_none());
    Ok(all)
}

fn numbers(parts: &[Rows]) -> Vec<i64> {
    parts.iter().flatten().map(|row| row.get(0).unwrap()).collect()
}

async fn parts_are_what_all_at_once_is(db: &Database) {
    let client = db.set_up().await;
    for many in [1, 4_095, 4_096, 4_097, 10_000] {
        let parts = all(&client, MANY, many).await.unwrap();
        assert_eq!(numbers(&parts), (1..=many).collect::<Vec<_>>());
        assert!(parts.iter().all(|part| part.len() <= 4_096 && !part.is_empty()));
    }
    let run = Experiment::open(&client, "parts").await.unwrap().new_run().await.unwrap();
    run.add_metrics(metrics! { "loss" => f64::NAN, "note" => "é", "at" => time::OffsetDateTime::UNIX_EPOCH })
        .await
        .unwrap();
    run.add_tags(["a"]).await.unwrap();
    for sql in ["SELECT * FROM metrics", "SELECT id, tags, time_created FROM runs WHERE id < $1;"] {
        let mut parts = match sql.contains("$1") {
            true => client.query_parts(sql, (10,)).unwrap(),
            false => client.query_parts(sql, ()).unwrap(),
        };
        let whole = match sql.contains("$1") {
            true => client.query(sql, (10,)).await.unwrap(),
            false => client.query(sql, ()).await.unwrap(),
        };
        let part = parts.next().await.unwrap().unwrap();
        assert_eq!(format!("{part:?}"), format!("{whole:?}"));
    }
}

async fn all_parts_are_of_one_moment(db: &Database) {
    let client = db.set_up().await;
    let run = Experiment::open(&client, "moment").await.unwrap().new_run().await.unwrap();
    for step in 0..10_000 {
        run.record_metrics(step, [("loss", 0.5)]).unwrap();
    }
    client.flush().await.unwrap();
    let mut parts = client.query_parts("SELECT step, loss FROM metrics ORDER BY step", ()).unwrap();
    let first = parts.next().await.unwrap().unwrap();
    run.add_metrics([("loss", 9.5)]).step(9_999).await.unwrap();
    run.add_metrics([("loss", 9.5)]).step(10_000).await.unwrap();
    let mut seen = first.len();
    while let Some(rows) = parts.next().await.unwrap() {
        seen += rows.len();
        assert!(rows.iter().all(|row| row.get::<f64>(1).unwrap() == 0.5));
    }
    assert_eq!(seen, 10_000);
}

async fn a_result_without_rows_has_its_columns(db: &Database) {
    let client = db.set_up().await;
    let mut parts = client.query_parts("SELECT id, name FROM experiments", ()).unwrap();
    let rows = parts.next().await.unwrap().unwrap();
    let names: Vec<&str> = rows.columns().iter().map(|column| column.name.as_str()).collect();
    assert_eq!((rows.len(), names), (0, vec!["id", "name"]));
    assert!(parts.next().await.unwrap().is_none());
}

async fn what_changes_something_is_one_part(db: &Database) {
    let client = db.set_up().await;
    let sql =
        format!("INSERT INTO experiments (id, name) SELECT n, 'e' || n FROM ({MANY}) AS n RETURNING id");
    let parts = all(&client, &sql, 5_000).await.unwrap();
    assert_eq!((parts.len(), parts[0].len()), (1, 5_000));
    let tx = client.begin().await.unwrap();
    let parts = all(&tx, "SELECT id FROM experiments WHERE id <= $1", 5_000).await.unwrap();
    assert_eq!((parts.len(), parts[0].len()), (1, 5_000));
    tx.rollback().await.unwrap();
    let explained = match client.dialect() {
        Dialect::Postgres => "EXPLAIN SELECT 1",
        Dialect::Sqlite => "PRAGMA user_version",
    };
    assert!(client.query_parts(explained, ()).unwrap().next().await.unwrap().is_some());
}

async fn half_a_result_can_be_left(db: &Database) {
    let client = db.set_up().await;
    for _ in 0..20 {
        let mut parts = client.query_parts(MANY, (1_000_000,)).unwrap();
        assert_eq!(parts.next().await.unwrap().unwrap().len(), 4_096);
    }
    // The connections are free again, and in no transaction.
    client.execute("CREATE TABLE mine (id INTEGER)", ()).await.unwrap();
    let count: Option<i64> = client.first_value("SELECT count(*) FROM mine", ()).await.unwrap();
    assert_eq!(count, Some(0));
}

async fn a_failure_comes_with_its_part(db: &Database) {
    let client = db.set_up().await;
    assert!(matches!(client.query_parts("SELECT 1; SELECT 2", ()), Err(Error::NotOneStatement(2))));
    assert!(client.query_parts("SELECT * FROM nothing", ()).unwrap().next().await.is_err());
    let late = match client.dialect() {
        Dialect::Postgres => "1 / (9000 - n)",
        // The largest integer has no absolute value beyond it.
        Dialect::Sqlite => "abs(CASE WHEN n = 9000 THEN -9223372036854775808 ELSE n END)",
    };
    let sql = MANY
        .replace("SELECT n FROM n", &format!("SELECT {late} FROM n"))
        .replace(&format!("SELECT {late} FROM n WHERE"), "SELECT n FROM n WHERE");
    let mut parts = client.query_parts(&sql, (10_000,)).unwrap();
    assert_eq!(parts.next().await.unwrap().unwrap().len(), 4_096);
    assert_eq!(parts.next().await.unwrap().unwrap().len(), 4_096);
    let err = parts.next().await.unwrap_err();
    assert!(matches!(err, Error::Engine(_)), "{err:?}");
    assert_eq!(client.query("SELECT 1", ()).await.unwrap().first().unwrap().values(), [Value::Int(1)]);
}

async fn types_of_ones_own_are_read(db: &Database) {
    let client = db.set_up().await;
    client
        .executescript("CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE DOMAIN share AS DOUBLE PRECISION")
        .await
        .unwrap();
    let sql = "SELECT 'bad'::mood AS mood, 0.5::share AS share, n FROM generate_series(1, $1::BIGINT) AS n";
    let parts = all(&client, sql, 5_000).await.unwrap();
    assert_eq!(parts.iter().map(Rows::len).collect::<Vec<_>>(), [4_096, 904]);
    let row = parts[1].iter().last().unwrap();
    assert_eq!(row.values(), [Value::from("bad"), Value::Float(0.5), Value::Int(5_000)]);
    assert_eq!(row.columns()[0].type_name, "mood");
}

/// There the rows come by a cursor, in a transaction.
async fn a_pooler_is_no_hindrance(db: &Database) {
    db.set_up().await;
    let client = db.builder().set("pooler", "transaction").connect().await.unwrap();
    let sql = "SELECT 'x'::TEXT AS name, n FROM generate_series(1, $1::BIGINT) AS n";
    let parts = all(&client, sql, 10_000).await.unwrap();
    assert_eq!(parts.iter().map(Rows::len).collect::<Vec<_>>(), [4_096, 4_096, 1_808]);
    let mut left = client.query_parts(sql, (1_000_000,)).unwrap();
    assert_eq!(left.next().await.unwrap().unwrap().len(), 4_096);
    drop(left);
    assert!(client.query_parts("SELECT 1 / ($1::INTEGER - 1)", (1,)).unwrap().next().await.is_err());
    assert_eq!(all(&client, sql, 3).await.unwrap()[0].len(), 3);
}
