//! `SELECT *` gives complete answers while another process adds columns.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sqltrack_core::{Client, Experiment, Run, Value};
use sqltrack_tests::{Database, Worker, on_both_engines};

const WORKER: &str = env!("CARGO_BIN_EXE_worker");
const COLUMNS: usize = 200;
const KEY: usize = 3;

on_both_engines!(
    a_pooled_connection_sees_whole_rows,
    fresh_connections_see_whole_rows,
    transactions_see_whole_rows,
    returning_everything_gives_whole_rows,
);

/// Calls `look` again and again until another process has added its columns, one by one.
async fn while_columns_are_added(db: &Database, look: impl AsyncFn(&Client, &Run)) {
    let client = db.set_up().await;
    let run = Experiment::open(&client, "wide").await.unwrap().new_run().await.unwrap();
    run.add_metrics([("first", 0.5)]).step(-1).await.unwrap();
    let mut worker = Worker::start(WORKER, db, ["columns", "m", &run.id().to_string(), &COLUMNS.to_string()]);
    let is_done = Arc::new(AtomicBool::new(false));
    let done = is_done.clone();
    let waiter = std::thread::spawn(move || {
        worker.go();
        worker.finish();
        done.store(true, Ordering::Release);
    });
    let mut looks = 0;
    while !is_done.load(Ordering::Acquire) {
        look(&client, &run).await;
        looks += 1;
    }
    waiter.join().unwrap();
    assert!(looks > 3, "the columns were added too fast to see anything");
    let rows = client.query("SELECT * FROM metrics", ()).await.unwrap();
    assert_eq!((rows.columns().len(), rows.len()), (KEY + 1 + COLUMNS, 1 + COLUMNS));
}

/// The row of each step has its key, and the metric of its step, and nothing else.
fn check(rows: sqltrack_core::Rows, run: &Run) {
    let columns: Vec<String> = rows.columns().iter().map(|column| column.name.clone()).collect();
    assert!(!rows.is_empty(), "no row came, of {} columns", columns.len());
    assert_eq!(columns[..=KEY], ["run_id", "step", "progress", "first"]);
    for (index, row) in rows.into_iter().enumerate() {
        let step = i64::try_from(index).unwrap() - 1;
        let values = row.into_values();
        assert_eq!(values.len(), columns.len());
        assert_eq!(values[..KEY], [Value::Int(run.id().0), Value::Int(step), Value::Float(0.0)]);
        let expected = if step < 0 {
            ("first".to_owned(), Value::Float(0.5))
        } else {
            (format!("m{step}"), Value::Int(step))
        };
        let found: Vec<_> =
            columns.iter().cloned().zip(values).skip(KEY).filter(|(_, value)| !value.is_null()).collect();
        assert_eq!(found, [expected]);
    }
}

const ALL: &str = "SELECT * FROM metrics ORDER BY step";

async fn a_pooled_connection_sees_whole_rows(db: &Database) {
    while_columns_are_added(db, async |client, run| {
        check(client.query(ALL, ()).await.unwrap(), run);
        assert!(!run.metrics().await.unwrap().is_empty());
    })
    .await;
}

async fn fresh_connections_see_whole_rows(db: &Database) {
    while_columns_are_added(db, async |_, run| {
        let client = db.connect().await;
        check(client.query(ALL, ()).await.unwrap(), run);
        client.close().await;
    })
    .await;
}

async fn transactions_see_whole_rows(db: &Database) {
    while_columns_are_added(db, async |client, run| {
        let tx = client.begin().await.unwrap();
        check(tx.query(ALL, ()).await.unwrap(), run);
        check(tx.query(ALL, ()).await.unwrap(), run);
        tx.commit().await.unwrap();
        // A transaction of SQLite holds the write lock. Who begins the next one at once leaves others no time.
        for _ in 0..10 {
            client.query(ALL, ()).await.unwrap();
        }
    })
    .await;
}

async fn returning_everything_gives_whole_rows(db: &Database) {
    while_columns_are_added(db, async |client, run| {
        let sql = "UPDATE metrics SET first = 0.5 WHERE step = -1 RETURNING *";
        let rows = client.query(sql, ()).await.unwrap();
        assert!(rows.columns().len() > KEY);
        check(rows, run);
    })
    .await;
}
