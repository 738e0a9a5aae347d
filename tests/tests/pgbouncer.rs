//! Through PgBouncer in transaction mode, where every transaction may have another connection of the server.

use std::sync::Arc;

use sqltrack_core::spool::{Entry, Fsync, Spool};
use sqltrack_core::{Ack, Client, EngineError, Error, Experiment, RunId, Value, metrics};
use sqltrack_tests::{Bouncer, Database, on_both_engines};

on_both_engines!(;
    postgres: what_a_client_does_works_through_a_pooler,
        many_clients_share_few_connections,
        statements_alone_are_never_mixed_up,
        no_statement_is_left_with_the_server,
        what_a_spool_holds_is_delivered_through_a_pooler,
        without_the_parameter_it_fails,
);

const CLIENTS: i64 = 16;
const STEPS: i64 = 20;

async fn through(db: &Database, bouncer: &Bouncer) -> Client {
    db.builder_through(bouncer).set("pooler", "transaction").connect().await.unwrap()
}

async fn what_a_client_does_works_through_a_pooler(db: &Database) {
    let bouncer = Bouncer::start(3, "");
    let client = through(db, &bouncer).await;
    client.setup().await.unwrap();
    client.setup().await.unwrap();
    let experiment = Experiment::open(&client, "x").await.unwrap();
    let tracked = experiment.new_run().await.unwrap();
    tracked.add_tags(["a"]).await.unwrap();
    let guard = tracked.guard().await.unwrap();
    guard.add_metrics(metrics! { "loss" => 0.1, "phase" => "train", "count" => 7 }).await.unwrap();
    guard.record_metrics(1, [("loss", f64::MIN_POSITIVE)]).unwrap();
    guard.complete().await.unwrap();
    let sql =
        "SELECT loss, loss::TEXT::DOUBLE PRECISION AS shown FROM metrics WHERE run_id = $1 ORDER BY step";
    let losses: Vec<(f64, f64)> = client
        .query(sql, (tracked.id(),))
        .await
        .unwrap()
        .iter()
        .map(|row| (row.get("loss").unwrap(), row.get("shown").unwrap()))
        .collect();
    assert_eq!(losses, [(0.1, 0.1), (f64::MIN_POSITIVE, f64::MIN_POSITIVE)]);

    let tx = client.begin().await.unwrap();
    let run = Experiment::open(&tx, "y").await.unwrap().new_run().await.unwrap();
    run.add_metrics([("inside", 1.5)]).await.unwrap();
    let nested = tx.begin().await.unwrap();
    nested.execute("UPDATE runs SET comment = 'lost'", ()).await.unwrap();
    nested.rollback().await.unwrap();
    tx.commit().await.unwrap();
    let comments = "SELECT count(*) FROM runs WHERE comment IS NOT NULL";
    assert_eq!(client.first_value(comments, ()).await.unwrap(), Some(0_i64));
    let empty = client.query("SELECT * FROM metrics WHERE run_id = $1", (-1,)).await.unwrap();
    assert!(empty.columns().iter().any(|column| column.name == "inside"));
    // An error undoes the transaction of its statement, and only that.
    let err = client.execute("INSERT INTO experiments (name) VALUES ($1)", ("x",)).await.unwrap_err();
    assert!(matches!(err, Error::Engine(EngineError::Database { .. })), "{err:?}");
    client.execute("INSERT INTO experiments (name) VALUES ($1)", ("z",)).await.unwrap();
    client.execute("VACUUM experiments", ()).await.unwrap();
    let names: Vec<String> =
        db.connect().await.first_values("SELECT name FROM experiments ORDER BY name", ()).await.unwrap();
    assert_eq!(names, ["x", "y", "z"]);
    tracked.delete().await.unwrap();
}

async fn many_clients_share_few_connections(db: &Database) {
    db.set_up().await;
    let bouncer = Bouncer::start(3, "");
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..CLIENTS {
        let client = through(db, &bouncer).await;
        tasks.spawn(async move {
            let experiment = Experiment::open(&client, "shared").await.unwrap();
            let run = experiment.new_run().await.unwrap();
            let guard = run.guard().await.unwrap();
            for step in 0..STEPS {
                // A column that comes with this call, and one that all clients want at the same time.
                let own = format!("own_{number}_{}", step / 5);
                let shared = format!("shared_{}", step / 5);
                let value = (number * STEPS + step) as f64 / 3.0;
                let metrics = [(own, value), (shared, value), ("loss".to_owned(), value)];
                if step % 2 == 0 {
                    assert_eq!(guard.add_metrics(metrics).step(step).await.unwrap(), Ack::Committed);
                } else {
                    guard.record_metrics(step, metrics).unwrap();
                }
            }
            guard.complete().await.unwrap();
            client.close().await;
            (number, run.id())
        });
    }
    let direct = db.connect().await;
    for (number, run) in tasks.join_all().await {
        let sql = "SELECT step, loss FROM metrics WHERE run_id = $1 ORDER BY step";
        let rows = direct.query(sql, (run,)).await.unwrap();
        let found: Vec<(i64, f64)> =
            rows.iter().map(|row| (row.get("step").unwrap(), row.get("loss").unwrap())).collect();
        let expected: Vec<_> = (0..STEPS).map(|step| (step, (number * STEPS + step) as f64 / 3.0)).collect();
        assert_eq!(found, expected, "client {number}");
        let point = direct.run(run).metrics().await.unwrap().pop().unwrap();
        assert_eq!(point.metrics.into_iter().count(), 3, "client {number}");
    }
    let ended = "SELECT count(*) FROM runs WHERE status = 'COMPLETED'";
    assert_eq!(direct.first_value(ended, ()).await.unwrap(), Some(CLIENTS));
}

/// The driver parses a statement in one exchange and runs it in the next: between them, another client must not
/// parse its own in the same place.
async fn statements_alone_are_never_mixed_up(db: &Database) {
    let bouncer = Bouncer::start(1, "");
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..CLIENTS {
        let client = through(db, &bouncer).await;
        tasks.spawn(async move {
            for step in 0..100 {
                let sql = format!("SELECT $1::BIGINT + {number}");
                let found: Option<i64> = client.first_value(&sql, (step * 1000,)).await.unwrap();
                assert_eq!(found, Some(step * 1000 + number));
            }
        });
    }
    tasks.join_all().await;
}

async fn no_statement_is_left_with_the_server(db: &Database) {
    let bouncer = Bouncer::start(1, "");
    let client = through(db, &bouncer).await;
    client.setup().await.unwrap();
    let run = Experiment::open(&client, "x").await.unwrap().new_run().await.unwrap();
    for step in 0..3 {
        run.add_metrics([("loss", 0.5)]).step(step).await.unwrap();
    }
    client.query("SELECT * FROM metrics WHERE run_id = $1", (-1,)).await.unwrap();
    client.query("SELECT * FROM nowhere WHERE run_id = $1", (-1,)).await.unwrap_err();
    let count = "SELECT count(*) FROM pg_prepared_statements WHERE name <> ''";
    assert_eq!(client.first_value(count, ()).await.unwrap(), Some(0_i64));
}

async fn what_a_spool_holds_is_delivered_through_a_pooler(db: &Database) {
    let bouncer = Bouncer::start(3, "");
    let client = through(db, &bouncer).await;
    client.setup().await.unwrap();
    let run: RunId = Experiment::open(&client, "spool").await.unwrap().new_run().await.unwrap().id();
    let root = db.folder().join("spool");
    let spool = Spool::open(&root, &client.spool_target(), Fsync::Never).unwrap();
    let names: Arc<[Arc<str>]> = [Arc::from("loss")].into();
    for step in 0..500 {
        let values = vec![Value::Int(step)];
        let names = names.clone();
        let entry = Entry { run: run.into(), lease: None, step, progress: 0.0, updated: None, names, values };
        spool.append(&entry).unwrap();
    }
    drop(spool);
    assert_eq!(client.sync(&root).await.unwrap().delivered, 500);
    let steps: Vec<i64> = client
        .first_values("SELECT step FROM metrics WHERE run_id = $1 ORDER BY step", (run,))
        .await
        .unwrap();
    assert_eq!(steps, (0..500).collect::<Vec<_>>());
}

async fn without_the_parameter_it_fails(db: &Database) {
    db.set_up().await;
    let bouncer = Bouncer::start(1, "");
    let err = db.builder_through(&bouncer).connect().await.unwrap().query("SELECT 1", ()).await.unwrap_err();
    assert!(err.to_string().contains("extra_float_digits"), "{err}");

    let lenient = Bouncer::start(1, "ignore_startup_parameters = extra_float_digits");
    let (one, other) = (db.builder_through(&lenient), db.builder_through(&lenient));
    let (one, other) = (one.connect().await.unwrap(), other.connect().await.unwrap());
    let run = Experiment::open(&one, "x").await.unwrap().new_run().await.unwrap();
    one.run(run.id()).add_metrics([("loss", 0.5)]).await.unwrap();
    let err = other.run(run.id()).add_metrics([("loss", 0.5)]).step(1).await.unwrap_err();
    assert!(err.to_string().contains("prepared statement"), "{err}");
}

/// Every case of the engines' contract.
mod contract {
    use sqltrack_engines::contract;
    use sqltrack_tests::{Bouncer, Database, on_both_engines};

    macro_rules! cases {
        ($($case:ident)*) => {
            $(async fn $case(db: &Database) {
                let bouncer = Bouncer::start(3, "");
                let client = super::through(db, &bouncer).await;
                client.setup().await.unwrap();
                let engine = sqltrack_core::create_engine(client.config()).unwrap();
                contract::$case(&*engine).await;
            })*
            on_both_engines!(; postgres: $($case),*);
        };
    }

    sqltrack_engines::engine_contract!(cases);
}
