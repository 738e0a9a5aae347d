//! The indices of PostgreSQL: updates of a live run leave them alone, and queries use them.

use std::time::{Duration, Instant};

use sqltrack_core::{Client, Experiment, Object, Stamp};
use sqltrack_tests::{Database, on_both_engines};

on_both_engines!(; postgres: updates_of_a_live_run_are_hot, tags_are_found_by_their_index);

const UPDATES: i64 = 300;

async fn updates_of_a_live_run_are_hot(db: &Database) {
    let client = db.set_up().await;
    let run = Experiment::open(&client, "hot").await.unwrap().new_run().await.unwrap();
    let env: Object =
        (0..100).map(|i| (format!("VARIABLE_{i}"), format!("value {i}").repeat(9).into())).collect();
    run.set_env(env).add_tags(["a", "b"]).await.unwrap();
    run.start().await.unwrap();
    for step in 0..UPDATES {
        run.set_updated(Stamp::Auto).await.unwrap();
        run.add_metrics([("loss", 0.5)]).step(step).await.unwrap();
    }
    let (updates, hot) = updates(&client, 2 * UPDATES).await;
    assert!(hot * 100 >= updates * 98, "{hot} of {updates} updates are HOT");
}

/// How many rows of `runs` were updated, and how many of them without an index: the server counts late.
async fn updates(client: &Client, expected: i64) -> (i64, i64) {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        client.query("SELECT pg_stat_force_next_flush()", ()).await.unwrap();
        let counts = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'runs'";
        let counts: (i64, i64) = client.first_row(counts, ()).await.unwrap().unwrap();
        if counts.0 >= expected {
            return counts;
        }
        assert!(Instant::now() < deadline, "only {} of {expected} updates are counted", counts.0);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn tags_are_found_by_their_index(db: &Database) {
    let client = db.set_up().await;
    let tx = client.begin().await.unwrap();
    tx.execute("SET LOCAL enable_seqscan = off", ()).await.unwrap();
    for (table, index) in [("runs", "runs_tags_gin"), ("experiments", "experiments_tags_gin")] {
        let plan: Vec<String> = tx
            .first_values(&format!("EXPLAIN SELECT id FROM {table} WHERE tags ? 'best'"), ())
            .await
            .unwrap();
        assert!(plan.iter().any(|line| line.contains(index)), "{plan:#?}");
    }
}
