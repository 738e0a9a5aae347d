//! Transactions: what is kept, what is undone, and what fails clearly.

use sqltrack_core::{Client, Dialect, EngineError, Error, Experiment, Run, Transaction, metrics};
use sqltrack_tests::{Database, on_both_engines};

on_both_engines!(
    a_commit_keeps_everything,
    a_rollback_and_a_drop_undo_everything,
    nested_transactions_join_the_outer_one,
    a_nested_transaction_that_is_dropped_undoes_only_itself,
    an_error_makes_the_whole_transaction_fail,
    an_error_in_a_nested_transaction_spares_the_outer_one,
    nested_transactions_that_end_out_of_order_lose_nothing_in_silence,
    a_check_before_anything_is_sent_spares_the_transaction,
    handles_of_an_ended_transaction_fail,
    statements_that_control_transactions_are_refused,
    many_tasks_may_share_a_transaction,
    new_columns_may_come_inside_of_a_transaction,
    transactions_that_add_columns_do_not_deadlock,
    a_column_that_is_rolled_back_is_added_again,
    a_column_that_a_nested_transaction_takes_back_is_added_again,
);

async fn names(client: &Client) -> Vec<String> {
    client.first_values("SELECT name FROM experiments ORDER BY name", ()).await.unwrap()
}

async fn open(client: &Client, name: &str) {
    Experiment::open(client, name).await.unwrap();
}

async fn begin(client: &Client) -> Transaction {
    client.begin().await.unwrap()
}

async fn run(client: &Client) -> Run {
    Experiment::open(client, "x").await.unwrap().new_run().await.unwrap()
}

/// A statement that the database refuses.
async fn fail(client: &Client) {
    let err = client.execute("INSERT INTO experiments (name) VALUES (NULL)", ()).await.unwrap_err();
    assert!(matches!(err, Error::Engine(EngineError::Database { .. })), "{err:?}");
}

async fn a_commit_keeps_everything(db: &Database) {
    let client = db.set_up().await;
    let tx = begin(&client).await;
    let run = run(&tx).await;
    run.add_tags(["a"]).await.unwrap();
    run.add_metrics([("loss", 0.5)]).await.unwrap();
    assert_eq!(run.metrics().await.unwrap().len(), 1, "a transaction sees what it wrote");
    assert_eq!(names(&client).await, [] as [&str; 0], "and nobody else does");
    tx.commit().await.unwrap();
    assert_eq!(names(&client).await, ["x"]);
    assert_eq!(client.run(run.id()).metrics().await.unwrap().len(), 1);
}

async fn a_rollback_and_a_drop_undo_everything(db: &Database) {
    let client = db.set_up().await;
    let tx = begin(&client).await;
    run(&tx).await;
    tx.rollback().await.unwrap();
    assert_eq!(names(&client).await, [] as [&str; 0]);
    let tx = begin(&client).await;
    run(&tx).await;
    drop(tx);
    open(&client, "after").await;
    assert_eq!(names(&client).await, ["after"]);
}

async fn nested_transactions_join_the_outer_one(db: &Database) {
    let client = db.set_up().await;
    let tx = begin(&client).await;
    let nested = begin(&tx).await;
    open(&nested, "nested").await;
    let deeper = begin(&nested).await;
    open(&deeper, "deeper").await;
    deeper.commit().await.unwrap();
    nested.commit().await.unwrap();
    assert_eq!(names(&tx).await, ["deeper", "nested"]);
    tx.rollback().await.unwrap();
    assert_eq!(names(&client).await, [] as [&str; 0]);
}

async fn a_nested_transaction_that_is_dropped_undoes_only_itself(db: &Database) {
    let client = db.set_up().await;
    let tx = begin(&client).await;
    open(&tx, "outer").await;
    let nested = begin(&tx).await;
    open(&nested, "dropped").await;
    drop(nested);
    let nested = begin(&tx).await;
    open(&nested, "rolled back").await;
    nested.rollback().await.unwrap();
    open(&tx, "outer, later").await;
    tx.commit().await.unwrap();
    assert_eq!(names(&client).await, ["outer", "outer, later"]);
}

async fn an_error_makes_the_whole_transaction_fail(db: &Database) {
    let client = db.set_up().await;
    let tx = begin(&client).await;
    open(&tx, "before").await;
    fail(&tx).await;
    for result in [Experiment::open(&tx, "after").await.map(drop), tx.begin().await.map(drop)] {
        assert!(matches!(&result, Err(Error::TransactionFailed { .. })), "{result:?}");
    }
    let err = tx.commit().await.unwrap_err();
    assert!(matches!(&err, Error::TransactionFailed { reason } if !reason.is_empty()), "{err:?}");
    open(&client, "next").await;
    assert_eq!(names(&client).await, ["next"]);
}

async fn an_error_in_a_nested_transaction_spares_the_outer_one(db: &Database) {
    let client = db.set_up().await;
    let tx = begin(&client).await;
    open(&tx, "outer").await;
    let nested = begin(&tx).await;
    open(&nested, "nested").await;
    fail(&nested).await;
    let err = nested.commit().await.unwrap_err();
    assert!(matches!(err, Error::TransactionFailed { .. }), "{err:?}");
    open(&tx, "outer, later").await;
    tx.commit().await.unwrap();
    assert_eq!(names(&client).await, ["outer", "outer, later"]);
}

/// Savepoints are a stack. Whoever takes them out of order gets an error, and no commit says that it kept what is
/// gone.
async fn nested_transactions_that_end_out_of_order_lose_nothing_in_silence(db: &Database) {
    let client = db.set_up().await;
    for first_is_kept in [true, false] {
        let tx = begin(&client).await;
        open(&tx, "outer").await;
        let first = begin(&tx).await;
        open(&first, "first").await;
        let second = begin(&tx).await;
        open(&second, "second").await;
        let ends = if first_is_kept { first.commit().await } else { first.rollback().await };
        ends.unwrap();
        let second = second.commit().await;
        let committed = tx.commit().await;
        let kept = names(&client).await;
        assert!(second.is_err());
        assert!(committed.is_err(), "kept {kept:?}");
        assert_eq!(kept, [] as [&str; 0]);
    }
}

async fn a_check_before_anything_is_sent_spares_the_transaction(db: &Database) {
    let client = db.set_up().await;
    let tx = begin(&client).await;
    let run = run(&tx).await;
    run.add_metrics([("step", 1)]).await.unwrap_err();
    run.add_metrics([("loss", 1)]).progress(f64::NAN).await.unwrap_err();
    run.set_status("").await.unwrap_err();
    tx.execute("COMMIT", ()).await.unwrap_err();
    tx.query("SELECT :a", sqltrack_core::Parameters::named([("b", 1)])).await.unwrap_err();
    tx.commit().await.unwrap();
    assert_eq!(names(&client).await, ["x"]);
}

async fn handles_of_an_ended_transaction_fail(db: &Database) {
    let client = db.set_up().await;
    for is_kept in [true, false] {
        let tx = begin(&client).await;
        let run = run(&tx).await;
        let inner: Client = (*tx).clone();
        if is_kept {
            tx.commit().await.unwrap()
        } else {
            drop(tx)
        }
        let results = [
            run.add_tags(["late"]).await.map(drop),
            run.add_metrics([("late", 1)]).await.map(drop),
            inner.query("SELECT 1", ()).await.map(drop),
            inner.begin().await.map(drop),
        ];
        for result in results {
            assert!(matches!(&result, Err(Error::TransactionEnded)), "{result:?}");
        }
    }
}

async fn statements_that_control_transactions_are_refused(db: &Database) {
    let client = db.set_up().await;
    for statement in
        ["BEGIN", "commit", "/* x */ ROLLBACK", "END", "SAVEPOINT a", "RELEASE a", "ROLLBACK TO a"]
    {
        let tx = begin(&client).await;
        for result in [client.execute(statement, ()).await.map(drop), tx.query(statement, ()).await.map(drop)]
        {
            assert!(matches!(&result, Err(Error::TransactionControl { .. })), "{statement}: {result:?}");
        }
        tx.commit().await.unwrap();
    }
    let err = client.execute("SELECT 1; COMMIT", ()).await.unwrap_err();
    assert!(matches!(err, Error::NotOneStatement(2)), "{err:?}");
}

async fn many_tasks_may_share_a_transaction(db: &Database) {
    let client = db.set_up().await;
    let tx = begin(&client).await;
    let run = run(&tx).await;
    let tasks: Vec<_> = (0..20)
        .map(|task| {
            let (client, run): (Client, Run) = ((*tx).clone(), run.clone());
            tokio::spawn(async move {
                Experiment::open(&client, format!("e{task}")).await?;
                run.add_metrics([(format!("m{task}"), task)]).step(i64::from(task)).await?;
                client
                    .executemany("INSERT INTO experiments (name) VALUES ($1)", [(format!("f{task}"),)])
                    .await
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    tx.commit().await.unwrap();
    assert_eq!(names(&client).await.len(), 41);
    assert_eq!(client.run(run.id()).metrics().await.unwrap().len(), 20);
}

async fn new_columns_may_come_inside_of_a_transaction(db: &Database) {
    let client = db.set_up().await;
    let tx = begin(&client).await;
    let run = run(&tx).await;
    for step in 0..3 {
        run.add_metrics([(format!("m{step}"), 0.5)]).step(step).await.unwrap();
    }
    run.add_metrics([("m0", 1.5)]).step(1).await.unwrap();
    tx.commit().await.unwrap();
    let points = client.run(run.id()).metrics().await.unwrap();
    let found: Vec<_> = points.iter().map(|point| (point.step, point.metrics.len())).collect();
    assert_eq!(found, [(0, 1), (1, 2), (2, 1)]);
}

async fn transactions_that_add_columns_do_not_deadlock(db: &Database) {
    let client = db.set_up().await;
    let run = run(&client).await;
    let write = |task: i64, client: Client, run: Run| async move {
        for round in 0..2 {
            let tx = client.begin().await?;
            let run = tx.run(run.id());
            // Both have written metrics, and so hold a lock on the table, when they want another column.
            run.add_metrics([("shared", task)]).step(task * 10 + round).await?;
            run.add_metrics([(format!("own{task}_{round}"), task)]).step(task * 10 + round).await?;
            run.add_metrics(metrics! { format!("shared{round}") => 0.5 }).step(task * 10 + round).await?;
            tx.commit().await?;
        }
        Ok::<(), Error>(())
    };
    let tasks: Vec<_> = (0..3).map(|task| tokio::spawn(write(task, client.clone(), run.clone()))).collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let points = run.metrics().await.unwrap();
    assert_eq!(points.len(), 6);
    for point in points {
        let (task, round) = (point.step / 10, point.step % 10);
        let mut found: Vec<_> = point.metrics.keys().cloned().collect();
        found.sort();
        let mut expected = [format!("own{task}_{round}"), "shared".to_owned(), format!("shared{round}")];
        expected.sort();
        assert_eq!(found, expected, "step {}", point.step);
    }
}

async fn a_column_that_is_rolled_back_is_added_again(db: &Database) {
    let client = db.set_up().await;
    let run = run(&client).await;
    let tx = begin(&client).await;
    tx.run(run.id()).add_metrics([("loss", 1)]).await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(run.metrics().await.unwrap(), []);
    run.add_metrics([("loss", "text")]).await.map(drop).unwrap_or_else(|err| {
        // On PostgreSQL the column was added beside the transaction, and stays.
        assert_eq!(db.dialect(), Dialect::Postgres);
        assert!(matches!(err, Error::MetricValue { .. }), "{err:?}");
    });
}

async fn a_column_that_a_nested_transaction_takes_back_is_added_again(db: &Database) {
    let client = db.set_up().await;
    let run = run(&client).await;
    let tx = begin(&client).await;
    let nested = begin(&tx).await;
    nested.run(run.id()).add_metrics([("loss", 0.5)]).await.unwrap();
    nested.rollback().await.unwrap();
    tx.run(run.id()).add_metrics([("loss", 0.25)]).await.unwrap();
    tx.commit().await.unwrap();
    let values: Vec<f64> = client.first_values("SELECT loss FROM metrics", ()).await.unwrap();
    assert_eq!(values, [0.25]);
}
