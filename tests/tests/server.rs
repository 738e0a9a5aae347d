//! What only a server has: connections that it ends, passwords, and updates that touch no index.

use serde_json::json;
use sqltrack_core::{Client, EngineError, Error, Experiment, Stamp};
use sqltrack_tests::{Database, on_both_engines};

on_both_engines!(;
    postgres: a_connection_that_the_server_ends_is_replaced,
        a_transaction_whose_connection_ends_fails_clearly,
        no_text_shows_the_password,
        updates_of_a_live_run_touch_no_index,
        a_search_for_a_tag_uses_the_index,
);

/// Ends all connections of the test but the one that asks.
async fn end_connections(db: &Database) {
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()";
    let client = db.connect().await;
    client.query(sql, (db.name(),)).await.unwrap();
    let left = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()";
    while client.first_value(left, (db.name(),)).await.unwrap() != Some(0_i64) {
        tokio::task::yield_now().await;
    }
}

async fn a_connection_that_the_server_ends_is_replaced(db: &Database) {
    let client = db.set_up().await;
    for _ in 0..3 {
        end_connections(db).await;
        let mut lost = 0;
        // Every connection of the pool may be lost once.
        let run = loop {
            match Experiment::open(&client, "x").await {
                Ok(experiment) => break experiment.new_run().await.unwrap(),
                Err(Error::Engine(EngineError::ConnectionLost { .. })) => lost += 1,
                Err(err) => panic!("{err:?}"),
            }
            assert!(lost <= 8);
        };
        run.add_metrics([("loss", 0.5)]).await.unwrap();
    }
}

async fn a_transaction_whose_connection_ends_fails_clearly(db: &Database) {
    let client = db.set_up().await;
    let tx = client.begin().await.unwrap();
    Experiment::open(&tx, "lost").await.unwrap();
    end_connections(db).await;
    let err = Experiment::open(&tx, "too late").await.unwrap_err();
    assert!(matches!(err, Error::Engine(EngineError::ConnectionLost { .. })), "{err:?}");
    tx.commit().await.unwrap_err();
    let names: Vec<String> =
        db.connect().await.first_values("SELECT name FROM experiments", ()).await.unwrap();
    assert_eq!(names, [] as [&str; 0]);
}

async fn no_text_shows_the_password(db: &Database) {
    const CANARY: &str = "c4n4ry-p4ssw0rd";
    let wrong = |client: Client| async move {
        let err = client.query("SELECT 1", ()).await.unwrap_err();
        let causes: Vec<String> =
            std::iter::successors(Some(&err as &dyn std::error::Error), |err| err.source())
                .map(ToString::to_string)
                .collect();
        (format!("{client:?} {:?} {} {err:?}", client.config(), client.target()), causes, err)
    };
    let good = db.builder_with_password().connect().await.unwrap();
    assert_eq!(good.first_value::<i64>("SELECT 1::bigint", ()).await.unwrap(), Some(1));
    let address = good.config().get("port").unwrap().to_owned();
    let bad = [[("host", "127.0.0.1"), ("port", address.as_str())], [("host", "127.0.0.1"), ("port", "1")]];
    for parameters in bad {
        let builder =
            parameters.iter().fold(Client::builder(), |builder, (name, value)| builder.set(*name, *value));
        let client =
            builder.environment(sqltrack_core::config::Environment::from_iter([("LOGNAME", "nobody")]));
        let client = client
            .set("user", "sqltrack_test")
            .set("dbname", db.name())
            .set("password", CANARY)
            .connect()
            .await
            .unwrap();
        let (debug, causes, err) = wrong(client).await;
        assert!(
            matches!(err, Error::Engine(EngineError::LoginRefused { .. } | EngineError::Unreachable { .. })),
            "{err:?}"
        );
        assert!(!debug.contains(CANARY), "{debug}");
        assert!(causes.iter().all(|cause| !cause.contains(CANARY) && !cause.contains('\n')), "{causes:?}");
    }
}

async fn updates_of_a_live_run_touch_no_index(db: &Database) {
    let client = db.set_up().await;
    let run = Experiment::open(&client, "x").await.unwrap().new_run().await.unwrap();
    let env: serde_json::Map<_, _> =
        (0..100).map(|n| (format!("VARIABLE_{n}"), json!("x".repeat(100)))).collect();
    run.set_env(env).add_tags(["live"]).await.unwrap();
    for _ in 0..1000 {
        run.set_updated(Stamp::Auto).await.unwrap();
    }
    let sql = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'runs'";
    let counts = loop {
        client.query("SELECT pg_stat_force_next_flush()", ()).await.unwrap();
        let counts: (i64, i64) = client.first_row(sql, ()).await.unwrap().unwrap();
        if counts.0 > 1000 {
            break counts;
        }
        tokio::task::yield_now().await;
    };
    assert!(counts.1 * 100 >= counts.0 * 95, "{counts:?}");
}

async fn a_search_for_a_tag_uses_the_index(db: &Database) {
    let client = db.set_up().await;
    let tx = client.begin().await.unwrap();
    tx.execute("SET LOCAL enable_seqscan = off", ()).await.unwrap();
    for (sql, index) in [
        ("EXPLAIN SELECT id FROM runs WHERE tags ? 'x'", "runs_tags_gin"),
        ("EXPLAIN SELECT id FROM experiments WHERE tags ? 'x'", "experiments_tags_gin"),
        ("EXPLAIN SELECT id FROM runs WHERE args @> '{\"lr\": 0.1}'", "runs_args_gin"),
    ] {
        let plan: Vec<String> = tx.first_values(sql, ()).await.unwrap();
        assert!(plan.iter().any(|line| line.contains(index)), "{plan:?}");
    }
    tx.commit().await.unwrap();
}
