//! What a client with a spool has taken is delivered, whatever happens to the database or to the process.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sqltrack_core::{Ack, Client, Error, Experiment, MetricSet, Run};
use sqltrack_tests::{Database, on_both_engines};

on_both_engines!(
    a_client_that_ends_well_leaves_nothing,
    what_is_refused_is_kept_aside,
    a_spool_that_cannot_be_is_done_without;
    postgres:
        an_outage_is_outlived,
        what_does_not_fit_the_memory_waits_in_the_spool,
        a_disk_and_a_memory_that_are_full_refuse_and_keep_the_order,
        a_client_that_ends_in_an_outage_leaves_what_it_has,
);

async fn run(client: &Client) -> Run {
    Experiment::open(client, "spooled").await.unwrap().new_run().await.unwrap()
}

fn folder(db: &Database) -> PathBuf {
    db.folder().join("spool")
}

async fn spooling(db: &Database, parameters: &[(&str, &str)]) -> Client {
    let builder = db.builder().set("spool", folder(db).to_str().unwrap());
    let builder = parameters.iter().fold(builder, |builder, (name, value)| builder.set(*name, *value));
    builder.connect().await.unwrap()
}

fn writers(db: &Database) -> Vec<PathBuf> {
    std::fs::read_dir(folder(db)).map_or(Vec::new(), |files| files.map(|file| file.unwrap().path()).collect())
}

async fn steps(db: &Database, run: &Run) -> Vec<i64> {
    let sql = "SELECT step FROM metrics WHERE run_id = $1 ORDER BY step";
    db.connect().await.first_values(sql, (run.id(),)).await.unwrap()
}

async fn known_writers(db: &Database) -> Option<i64> {
    db.connect().await.first_value("SELECT count(*) FROM writers", ()).await.unwrap()
}

async fn a_client_that_ends_well_leaves_nothing(db: &Database) {
    db.set_up().await;
    let client = spooling(db, &[]).await;
    let run = run(&client).await;
    assert_eq!(run.add_metrics([("loss", 0.5)]).step(0).await.unwrap(), Ack::Committed);
    for step in 1..3_000 {
        run.record_metrics(step, [("loss", 0.25), ("accuracy", 0.5)]).unwrap();
    }
    assert_eq!(writers(db).len(), 1);
    assert_eq!(client.flush().await.unwrap(), Ack::Committed);
    assert_eq!(steps(db, &run).await, (0..3_000).collect::<Vec<_>>());
    assert_eq!(known_writers(db).await, Some(1));
    client.close().await;
    assert_eq!(writers(db), [] as [PathBuf; 0]);
    assert_eq!(known_writers(db).await, Some(0));
}

async fn what_is_refused_is_kept_aside(db: &Database) {
    db.set_up().await;
    let client = spooling(db, &[]).await;
    let run = run(&client).await;
    run.add_metrics([("phase", "train")]).step(0).await.unwrap();
    run.record_metrics(1, [("phase", 0.5)]).unwrap();
    client.run(404).record_metrics(2, [("phase", "lost")]).unwrap();
    run.record_metrics(3, [("phase", "test")]).unwrap();
    client.flush().await.unwrap_err();
    client.close().await;
    let [writer] = writers(db).try_into().unwrap();
    let rejected = std::fs::read_to_string(writer.join("rejected.jsonl")).unwrap();
    let lines: Vec<&str> = rejected.lines().collect();
    assert_eq!(lines.len(), 2, "{rejected}");
    assert!(
        rejected.contains("does not fit the column") && rejected.contains("there is no run 404"),
        "{rejected}"
    );
    assert_eq!(steps(db, &run).await, [0, 3]);
    let report = db.connect().await.sync(folder(db)).await.unwrap();
    assert_eq!((report.delivered, report.rejected), (0, 0));
}

async fn a_spool_that_cannot_be_is_done_without(db: &Database) {
    db.set_up().await;
    std::fs::write(db.folder().join("file"), "").unwrap();
    let below_file = db.folder().join("file/spool");
    let client = spooling(db, &[("spool", below_file.to_str().unwrap())]).await;
    let run = run(&client).await;
    run.record_metrics(1, [("loss", 0.5)]).unwrap();
    client.flush().await.unwrap();
    assert_eq!(steps(db, &run).await, [1]);
}

async fn an_outage_is_outlived(db: &Database) {
    db.set_up().await;
    let (proxy, url) = db.behind_proxy();
    let client = spooling(db, &[("url", &url), ("retry", "1")]).await;
    let run = run(&client).await;
    run.add_metrics([("loss", 0.5)]).step(0).await.unwrap();
    for (number, is_cut) in [true, false].into_iter().enumerate() {
        let first = 1 + 100 * i64::try_from(number).unwrap();
        if is_cut {
            proxy.cut()
        } else {
            proxy.silence()
        }
        let start = Instant::now();
        for step in first..first + 99 {
            run.record_metrics(step, [("loss", 0.25)]).unwrap();
        }
        let ack = run.add_metrics([("loss", 0.125)]).step(first + 99).await.unwrap();
        assert_eq!(ack, Ack::Spooled);
        assert_eq!(client.flush().await.unwrap(), Ack::Spooled);
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
        assert_eq!(steps(db, &run).await.len(), usize::try_from(first).unwrap());
        proxy.open();
        until(async || steps(db, &run).await.len() == usize::try_from(first).unwrap() + 100).await;
    }
    assert_eq!(client.flush().await.unwrap(), Ack::Committed);
    client.close().await;
    assert_eq!((writers(db).len(), known_writers(db).await), (0, Some(0)));
}

async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !is_so().await {
        assert!(start.elapsed() < Duration::from_secs(30));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn what_does_not_fit_the_memory_waits_in_the_spool(db: &Database) {
    const COUNT: i64 = 30_000;
    db.set_up().await;
    let (proxy, url) = db.behind_proxy();
    let client = spooling(db, &[("url", &url), ("queue", "1")]).await;
    let run = run(&client).await;
    let set = MetricSet::new(["a", "b", "c", "d", "e"]).unwrap();
    run.add_metrics(set.metrics([0.0; 5]).unwrap()).step(0).await.unwrap();
    proxy.silence();
    for step in 1..COUNT {
        run.record_values(step, &set, [step as f64; 5]).unwrap();
    }
    let stats = client.stats();
    assert!(stats.queued_bytes < (1 << 20) + 10_000, "{stats:?}");
    assert_eq!(stats.queued_rows, 29_999);
    // In order: what is behind it in the spool alone cannot be overtaken.
    assert_eq!(run.add_metrics(set.metrics([0.5; 5]).unwrap()).step(7).await.unwrap(), Ack::Spooled);
    proxy.open();
    assert_eq!(client.flush().await.unwrap(), Ack::Committed);
    assert_eq!(steps(db, &run).await, (0..COUNT).collect::<Vec<_>>());
    let sql =
        "SELECT count(*) FROM metrics WHERE a = step AND e = step AND step <> 7 OR step = 7 AND a = 0.5";
    let right: Option<i64> = db.connect().await.first_value(sql, ()).await.unwrap();
    assert_eq!(right, Some(COUNT));
    client.close().await;
    assert_eq!(writers(db).len(), 0);
}

/// That the disk is full is seen to by a folder in the place of the second segment.
async fn a_disk_and_a_memory_that_are_full_refuse_and_keep_the_order(db: &Database) {
    db.set_up().await;
    let (proxy, url) = db.behind_proxy();
    let parameters = [("url", url.as_str()), ("queue", "1"), ("queue_full", "refuse"), ("retry", "30")];
    let client = spooling(db, &parameters).await;
    let run = run(&client).await;
    run.add_metrics([("text", "")]).step(0).await.unwrap();
    let [writer] = writers(db).try_into().unwrap();
    std::fs::create_dir(writer.join("000002.spool")).unwrap();
    proxy.silence();
    let text = "x".repeat(100_000);
    let mut taken = 0;
    let refused = loop {
        match run.record_metrics(taken + 1, [("text", text.as_str())]) {
            Ok(()) => taken += 1,
            Err(err) => break err,
        }
        assert!(taken < 1_000 && client.stats().queued_bytes < 2 << 20, "{:?}", client.stats());
    };
    assert!(matches!(refused, Error::QueueFull { megabytes: 1, .. }), "{refused:?}");
    assert!(taken > 100, "{taken}");
    let refused = run.add_metrics([("text", text.as_str())]).step(1).await.unwrap_err();
    assert!(matches!(refused, Error::QueueFull { .. }), "{refused:?}");
    // Small calls fit the segment, but not those that were refused before them.
    run.record_metrics(taken + 1, [("text", "")]).unwrap();
    proxy.open();
    assert_eq!(client.flush().await.unwrap(), Ack::Committed);
    assert_eq!(steps(db, &run).await, (0..=taken + 1).collect::<Vec<_>>());
    // There is room in memory again: what the disk does not take is there alone.
    run.record_metrics(taken + 2, [("text", text.as_str())]).unwrap();
    client.flush().await.unwrap();
    assert_eq!(steps(db, &run).await.len() as i64, taken + 3);
}

async fn a_client_that_ends_in_an_outage_leaves_what_it_has(db: &Database) {
    db.set_up().await;
    let (proxy, url) = db.behind_proxy();
    let client = spooling(db, &[("url", &url), ("retry", "1")]).await;
    let run = run(&client).await;
    run.add_metrics([("loss", 0.5)]).step(0).await.unwrap();
    proxy.cut();
    for step in 1..50 {
        run.record_metrics(step, [("loss", 0.25)]).unwrap();
    }
    client.close().await;
    // The writer gives up a little later than the client, and lets go of the folder then.
    let direct = db.connect().await;
    let mut delivered = 0;
    until(async || {
        delivered += direct.sync(folder(db)).force().await.unwrap().delivered;
        delivered == 49
    })
    .await;
    assert_eq!(steps(db, &run).await.len(), 50);
    assert!(!Path::exists(&folder(db)) || writers(db).is_empty());
}
