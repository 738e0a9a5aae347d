//! Metrics while the database is away, silent or locked: they wait, for as long as was agreed, and none is lost.

use std::time::{Duration, Instant};

use sqltrack_core::{Client, Dialect, Error, Experiment, Run};
use sqltrack_tests::{Database, on_both_engines};

on_both_engines!(
    a_transaction_that_blocks_the_writer_is_waited_for;
    postgres:
        an_outage_is_waited_for,
        what_was_recorded_waits_longer_than_what_is_awaited,
        what_is_awaited_does_not_wait_for_what_was_recorded_before,
        a_full_queue_refuses_or_waits,
        a_new_column_waits_for_a_long_reader_and_others_do_not_fail,
        a_column_that_cannot_be_had_is_waited_for_once,
);

async fn run(client: &Client) -> Run {
    Experiment::open(client, "outages").await.unwrap().new_run().await.unwrap()
}

async fn steps(run: &Run) -> Vec<i64> {
    run.metrics().await.unwrap().into_iter().map(|point| point.step).collect()
}

/// On SQLite by the file's lock, on PostgreSQL by that of the run's row.
async fn a_transaction_that_blocks_the_writer_is_waited_for(db: &Database) {
    let client = db.set_up().await;
    let run = run(&client).await;
    run.add_metrics([("loss", 0.5)]).await.unwrap();
    let tx = client.begin().await.unwrap();
    tx.run(run.id()).set_comment("held").await.unwrap();
    for step in 1..=1_000 {
        run.record_metrics(step, [("loss", 0.5)]).unwrap();
    }
    let waiting = tokio::spawn({
        let run = run.clone();
        async move { run.add_metrics([("loss", 0.25)]).step(1_001).updated(sqltrack_core::Stamp::Auto).await }
    });
    tokio::time::sleep(Duration::from_secs(2)).await;
    tx.commit().await.unwrap();
    waiting.await.unwrap().unwrap();
    client.flush().await.unwrap();
    assert_eq!(steps(&run).await.len(), 1_002);
}

async fn an_outage_is_waited_for(db: &Database) {
    db.set_up().await;
    let (proxy, url) = db.behind_proxy();
    let client = db.builder().set("url", url).set("retry", "30").connect().await.unwrap();
    let run = run(&client).await;
    for (number, kind) in ["cut", "silent"].into_iter().enumerate() {
        let first = 1_000 * i64::try_from(number).unwrap();
        run.add_metrics([("loss", 0.5)]).step(first).await.unwrap();
        if kind == "cut" {
            proxy.cut()
        } else {
            proxy.silence()
        }
        for step in 1..500 {
            run.record_metrics(first + step, [("loss", 0.25)]).unwrap();
        }
        let waiting = tokio::spawn({
            let run = run.clone();
            async move { run.add_metrics([("loss", 0.125)]).step(first + 500).await }
        });
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(!waiting.is_finished());
        assert!(client.stats().queued_rows >= 500);
        proxy.open();
        waiting.await.unwrap().unwrap();
        client.flush().await.unwrap();
    }
    assert_eq!(steps(&run).await.len(), 2 * 501);
    assert!(client.stats().retries > 0);
}

async fn what_was_recorded_waits_longer_than_what_is_awaited(db: &Database) {
    db.set_up().await;
    let (proxy, url) = db.behind_proxy();
    let client = db.builder().set("url", url).set("retry", "1").connect().await.unwrap();
    let run = run(&client).await;
    run.add_metrics([("loss", 0.5)]).await.unwrap();
    proxy.cut();
    run.record_metrics(1, [("loss", 0.25)]).unwrap();
    let start = Instant::now();
    let err = run.add_metrics([("loss", 0.125)]).step(2).await.unwrap_err();
    assert!(matches!(&err, Error::Engine(err) if err.is_passing()), "{err:?}");
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    let err = client.flush().await.unwrap_err();
    assert!(matches!(&err, Error::Engine(err) if err.is_passing()), "{err:?}");
    proxy.open();
    client.flush().await.unwrap();
    assert_eq!(steps(&run).await, [0, 1]);
}

/// Also if the writer is in the middle of what it cannot write.
async fn what_is_awaited_does_not_wait_for_what_was_recorded_before(db: &Database) {
    db.set_up().await;
    let (proxy, url) = db.behind_proxy();
    let client = db.builder().set("url", url).set("retry", "1").connect().await.unwrap();
    let run = run(&client).await;
    run.add_metrics([("loss", 0.5)]).await.unwrap();
    run.record_metrics(1, [("loss", 0.25)]).unwrap();
    client.flush().await.unwrap();
    for is_cut in [true, false] {
        if is_cut {
            proxy.cut()
        } else {
            proxy.silence()
        }
        run.record_metrics(2, [("loss", 0.25)]).unwrap();
        // Long enough for the writer to be busy with that.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let start = Instant::now();
        run.add_metrics([("loss", 0.125)]).step(3).await.unwrap_err();
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
        proxy.open();
        while client.flush().await.is_err() {
            assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
        }
    }
}

async fn a_full_queue_refuses_or_waits(db: &Database) {
    db.set_up().await;
    for policy in ["refuse", "wait"] {
        let (proxy, url) = db.behind_proxy();
        let builder = db.builder().set("url", url).set("queue", "1").set("queue_full", policy);
        let client = builder.set("retry", "30").connect().await.unwrap();
        let run = run(&client).await;
        run.add_metrics([("text", "")]).await.unwrap();
        proxy.silence();
        let record = |step: i64| run.record_metrics(step, [("text", "x".repeat(1_000))]);
        let mut taken = 0;
        let opener = std::thread::scope(|scope| {
            let opener = (policy == "wait").then(|| {
                scope.spawn(|| {
                    std::thread::sleep(Duration::from_secs(2));
                    proxy.open();
                    Instant::now()
                })
            });
            for step in 1..3_000 {
                match record(step) {
                    Ok(()) => taken += 1,
                    Err(Error::QueueFull { megabytes: 1, .. }) => break,
                    Err(err) => panic!("{err:?}"),
                }
                assert!(client.stats().queued_bytes < (1 << 20) + 10_000);
            }
            opener.map(|opener| opener.join().unwrap())
        });
        match opener {
            None => assert!((500..1_100).contains(&taken), "{taken}"),
            Some(_) => assert_eq!(taken, 2_999),
        }
        proxy.open();
        client.flush().await.unwrap();
        assert_eq!(steps(&run).await.len(), 1 + taken);
    }
}

/// An `ALTER TABLE` that waited for its lock would make everybody wait behind it.
async fn a_new_column_waits_for_a_long_reader_and_others_do_not_fail(db: &Database) {
    assert_eq!(db.dialect(), Dialect::Postgres);
    let client = db.set_up().await;
    let run = run(&client).await;
    run.add_metrics([("loss", 0.5)]).await.unwrap();
    let reader = db.connect().await.begin().await.unwrap();
    reader.query("SELECT * FROM metrics", ()).await.unwrap();
    let waiting = tokio::spawn({
        let run = run.clone();
        async move { run.add_metrics([("new", 0.5)]).step(1).await }
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    let other = db.connect().await.run(run.id());
    let start = Instant::now();
    let mut longest = Duration::ZERO;
    for step in 10.. {
        let before = Instant::now();
        other.add_metrics([("loss", 0.25)]).step(step).await.unwrap();
        longest = longest.max(before.elapsed());
        if start.elapsed() > Duration::from_secs(3) {
            break;
        }
    }
    assert!(longest < Duration::from_secs(2), "{longest:?}");
    assert!(!waiting.is_finished());
    reader.rollback().await.unwrap();
    waiting.await.unwrap().unwrap();
    let sql = "SELECT new FROM metrics WHERE run_id = $1 AND step = 1";
    let stored: Option<f64> = client.first_value(sql, (run.id(),)).await.unwrap();
    assert_eq!(stored, Some(0.5));
}

/// Each of a dozen calls with a new metric would wait for ten seconds otherwise.
async fn a_column_that_cannot_be_had_is_waited_for_once(db: &Database) {
    let client = db.set_up().await;
    let run = run(&client).await;
    run.add_metrics([("loss", 0.5)]).await.unwrap();
    let reader = db.connect().await.begin().await.unwrap();
    reader.query("SELECT * FROM metrics", ()).await.unwrap();
    let calls = async {
        for step in 1..=12 {
            run.add_metrics([(format!("new {step}"), 1.5)]).step(step).await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(60), calls).await.unwrap();
    reader.rollback().await.unwrap();
    let points = run.metrics().await.unwrap();
    let names: Vec<String> = points.into_iter().skip(1).flat_map(|point| point.metrics.into_keys()).collect();
    assert_eq!(names, (1..=12).map(|step| format!("new {step}")).collect::<Vec<_>>());
}
