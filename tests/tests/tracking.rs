//! Tracking within one process: which status each end leaves, who may track a run at the same time, and what is refused
//! to those who have lost it.

use std::time::Duration;

use sqltrack_core::{Client, EngineError, Error, Experiment, Run, Stamp, Status};
use sqltrack_tests::{Database, on_both_engines};
use time::OffsetDateTime;

on_both_engines!(
    a_run_is_running_and_then_completed,
    what_the_code_returns_passes_through,
    a_panic_goes_on_and_the_run_has_failed,
    a_dropped_future_is_cancelled,
    a_future_that_ends_with_its_runtime_is_cancelled,
    every_status_can_be_chosen,
    a_guard_ends_its_run,
    times_are_set_as_asked_for,
    a_live_run_has_one_tracker,
    a_run_that_was_taken_over_is_lost_to_its_holder,
    ranks_share_a_run,
    a_rank_that_fails_fails_the_run,
    heartbeats_come_while_the_runtime_is_blocked,
    a_silent_run_is_lost_until_it_speaks_again,
    only_silent_runs_are_reaped,
    a_reaped_run_gets_its_true_end,
    a_run_started_anew_is_judged_by_no_old_heartbeat,
    tracking_is_no_part_of_a_transaction,
    older_tables_say_what_to_do;
    postgres: heartbeats_touch_no_index,
);

async fn new_run(client: &Client) -> Run {
    Experiment::open(client, "tracking").await.unwrap().new_run().await.unwrap()
}

async fn status(run: &Run) -> String {
    let sql = "SELECT status FROM runs WHERE id = $1";
    run.client().first_value(sql, (run.id(),)).await.unwrap().unwrap()
}

/// The status with LOST in it.
async fn life(run: &Run) -> String {
    let sql = "SELECT status FROM run_status WHERE id = $1";
    run.client().first_value(sql, (run.id(),)).await.unwrap().unwrap()
}

async fn until(run: &Run, expected: &str) {
    while life(run).await != expected {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn heartbeat(run: &Run) -> Option<OffsetDateTime> {
    let sql = "SELECT time_heartbeat FROM runs WHERE id = $1";
    run.client().first_value(sql, (run.id(),)).await.unwrap()
}

fn ok<T>(value: T) -> Result<T, Error> {
    Ok(value)
}

async fn a_run_is_running_and_then_completed(db: &Database) {
    let client = db.set_up().await;
    let run = new_run(&client).await;
    let during = run.track(async |run| ok((status(&run).await, life(&run).await))).await.unwrap();
    assert_eq!(during, ("RUNNING".to_owned(), "RUNNING".to_owned()));
    assert_eq!(status(&run).await, "COMPLETED");
    let sql = "SELECT time_started <= time_updated, time_heartbeat IS NULL, trackers FROM runs";
    let row: (bool, bool, i64) = match db.dialect() {
        sqltrack_tests::Dialect::Postgres => {
            let (ordered, silent, trackers): (bool, bool, i32) =
                client.first_row(sql, ()).await.unwrap().unwrap();
            (ordered, silent, trackers.into())
        }
        sqltrack_tests::Dialect::Sqlite => {
            let (ordered, silent, trackers): (i64, i64, i64) =
                client.first_row(sql, ()).await.unwrap().unwrap();
            (ordered == 1, silent == 1, trackers)
        }
    };
    assert_eq!(row, (true, true, 0));
}

#[derive(Debug)]
enum Own {
    Mine(u8),
    Tracking(#[expect(dead_code, reason = "to be shown")] Error),
}

impl From<Error> for Own {
    fn from(err: Error) -> Self {
        Self::Tracking(err)
    }
}

async fn what_the_code_returns_passes_through(db: &Database) {
    let client = db.set_up().await;
    let run = new_run(&client).await;
    assert_eq!(run.track(async |_| ok(vec![1, 2])).await.unwrap(), [1, 2]);
    assert_eq!(status(&run).await, "COMPLETED");
    let failed = run.track(async |_| Err::<(), _>(Own::Mine(7))).await;
    assert!(matches!(failed, Err(Own::Mine(7))), "{failed:?}");
    assert_eq!(status(&run).await, "FAILED");
    // It can be sent to another thread, with what it captures.
    let sent = run.clone();
    let task = tokio::spawn(async move { sent.track(async |run| run.add_metrics([("a", 1)]).await).await });
    task.await.unwrap().unwrap();
    assert_eq!(status(&run).await, "COMPLETED");
}

async fn a_panic_goes_on_and_the_run_has_failed(db: &Database) {
    let client = db.set_up().await;
    let run = new_run(&client).await;
    let other = run.clone();
    let task = tokio::spawn(async move {
        other
            .track(async |run| {
                run.add_metrics([("loss", 0.5)]).await?;
                assert!(run.id().0 < 0, "on purpose");
                ok(())
            })
            .await
    });
    let panic = task.await.unwrap_err().into_panic();
    assert!(
        panic.downcast_ref::<String>().is_some_and(|text| text == "on purpose")
            || panic.downcast_ref::<&str>().is_some_and(|text| *text == "on purpose")
    );
    assert_eq!(status(&run).await, "FAILED");
    let guarded = run.clone();
    let task = tokio::spawn(async move {
        let guard = guarded.guard().await.unwrap();
        assert!(guard.id().0 < 0, "on purpose");
    });
    task.await.unwrap_err();
    assert_eq!(status(&run).await, "FAILED");
}

async fn a_dropped_future_is_cancelled(db: &Database) {
    let client = db.set_up().await;
    let run = new_run(&client).await;
    let (started, has_started) = tokio::sync::oneshot::channel();
    let forever = run.track(async |_| {
        started.send(()).unwrap();
        std::future::pending::<Result<(), Error>>().await
    });
    tokio::select! {
        _ = forever => unreachable!(),
        _ = has_started => {}
    }
    assert_eq!(status(&run).await, "CANCELLED");
}

async fn a_future_that_ends_with_its_runtime_is_cancelled(db: &Database) {
    let client = db.set_up().await;
    let run = new_run(&client).await;
    let (builder, id) = (db.builder(), run.id());
    std::thread::spawn(move || {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let client = builder.connect().await.unwrap();
            let (started, has_started) = tokio::sync::oneshot::channel();
            tokio::spawn(async move {
                client
                    .run(id)
                    .track(async |_| {
                        started.send(()).unwrap();
                        std::future::pending::<Result<(), Error>>().await
                    })
                    .await
            });
            has_started.await.unwrap();
        });
    })
    .join()
    .unwrap();
    assert_eq!(status(&run).await, "CANCELLED");
}

async fn every_status_can_be_chosen(db: &Database) {
    let client = db.set_up().await;
    let run = new_run(&client).await;
    let tracking = run.tracking().normal("CONVERGED").error("DIVERGED").interrupted("LEFT");
    tracking.clone().track(async |_| ok(())).await.unwrap();
    assert_eq!(status(&run).await, "CONVERGED");
    tracking.clone().track(async |_| Err::<(), _>(Error::ProgressNan)).await.unwrap_err();
    assert_eq!(status(&run).await, "DIVERGED");
    let mut future = Box::pin(tracking.track(async |_| std::future::pending::<Result<(), Error>>().await));
    while status(&run).await != "RUNNING" {
        let polled =
            std::future::poll_fn(|cx| std::task::Poll::Ready(future.as_mut().poll(cx).is_ready())).await;
        assert!(!polled);
    }
    // It may just have begun, or not have heard of that yet.
    drop(future);
    until(&run, "LEFT").await;
    let err = run.tracking().normal("").track(async |_| ok(())).await.unwrap_err();
    assert!(matches!(err, Error::BadText { .. }), "{err:?}");
}

async fn a_guard_ends_its_run(db: &Database) {
    let client = db.set_up().await;
    let run = new_run(&client).await;
    let guard = run.guard().await.unwrap();
    guard.add_metrics([("loss", 0.5)]).await.unwrap();
    assert_eq!(status(&run).await, "RUNNING");
    guard.complete().await.unwrap();
    assert_eq!(status(&run).await, "COMPLETED");
    run.guard().await.unwrap().end("TIMEOUT").await.unwrap();
    assert_eq!(status(&run).await, "TIMEOUT");
    run.guard().await.unwrap().end_by(&Err::<(), _>("no")).await.unwrap();
    assert_eq!(status(&run).await, "FAILED");
    run.guard().await.unwrap().complete().await.unwrap();
    drop(run.guard().await.unwrap());
    assert_eq!(status(&run).await, "FAILED");
    drop(run.guard().await.unwrap().dropped(Status::Cancelled));
    assert_eq!(status(&run).await, "CANCELLED");
}

async fn times(run: &Run) -> (Option<OffsetDateTime>, Option<OffsetDateTime>) {
    let sql = "SELECT time_started, time_updated FROM runs WHERE id = $1";
    run.client().first_row(sql, (run.id(),)).await.unwrap().unwrap()
}

async fn times_are_set_as_asked_for(db: &Database) {
    let client = db.set_up().await;
    let run = new_run(&client).await;
    let then = time::macros::datetime!(2024-05-07 12:30 UTC);
    let tracking = run.tracking().started(then).updated(Stamp::Keep);
    tracking.track(async |_| ok(())).await.unwrap();
    assert_eq!(times(&run).await, (Some(then), None));
    run.resume().track(async |_| ok(())).await.unwrap();
    let (started, updated) = times(&run).await;
    assert_eq!(started, Some(then), "a run that goes on began when it began");
    assert!(updated.is_some_and(|updated| updated > then));
    run.track(async |_| ok(())).await.unwrap();
    assert!(
        times(&run).await.0.is_some_and(|started| started > then),
        "a run that is tracked anew begins anew"
    );
}

async fn a_live_run_has_one_tracker(db: &Database) {
    let client = db.set_up().await;
    let run = new_run(&client).await;
    let other = db.connect().await.run(run.id());
    let holder = run.guard().await.unwrap();
    let err = other.track(async |_| -> Result<(), Error> { unreachable!() }).await.unwrap_err();
    let Error::RunIsTracked { run: id, holder: by } = &err else { panic!("{err:?}") };
    assert_eq!((*id, by.ends_with(&format!(":{}", std::process::id()))), (run.id(), true));
    let err = run.guard().await.unwrap_err();
    assert!(matches!(err, Error::RunIsTracked { .. }), "{err:?}");
    holder.complete().await.unwrap();
    other.track(async |_| ok(())).await.unwrap();
}

fn is_lost<T: std::fmt::Debug>(result: Result<T, Error>) -> bool {
    matches!(result, Err(Error::Engine(EngineError::LeaseLost { .. })))
}

/// A client that shares nothing with others of this process: another process would have it so.
async fn elsewhere(db: &Database) -> Client {
    db.builder().set("heartbeat", "29").connect().await.unwrap()
}

async fn a_run_that_was_taken_over_is_lost_to_its_holder(db: &Database) {
    let client = db.set_up().await;
    let run = new_run(&client).await;
    let holder = run.guard().await.unwrap();
    holder.add_metrics([("loss", 0.5)]).step(1).await.unwrap();
    let new = elsewhere(db).await.run(run.id()).resume().guard().await.unwrap();
    new.add_metrics([("loss", 0.25)]).step(2).await.unwrap();

    // By the guard or by any other handle of this process, every column and with every kind of value.
    assert!(is_lost(holder.add_metrics([("loss", 9.0)]).step(2).await));
    assert!(is_lost(holder.add_metrics([("loss", f64::NAN)]).step(3).updated(Stamp::Keep).await));
    assert!(is_lost(run.add_metrics([("loss", None::<f64>)]).step(1).await));
    assert!(is_lost(run.add_metrics([("fresh", 1)]).step(4).await));
    assert!(is_lost(holder.set_status("BROKEN").add_tags(["x"]).await));
    assert!(is_lost(run.set_extras([("a", 1)]).await));
    let tx = client.begin().await.unwrap();
    assert!(is_lost(tx.run(run.id()).set_comment("x").await));
    drop(tx);
    let ended = holder.complete().await;
    assert!(is_lost(ended));

    assert_eq!(status(&new).await, "RUNNING");
    let points = new.metrics().await.unwrap();
    let found: Vec<_> = points.iter().map(|point| (point.step, point.metrics["loss"].clone())).collect();
    assert_eq!(found, [(1, 0.5.into()), (2, 0.25.into())]);
    assert!(points.iter().all(|point| point.metrics.len() == 1), "{points:?}");
    let row: (Option<String>, Option<serde_json::Value>) =
        client.first_row("SELECT comment, tags FROM runs WHERE id = $1", (run.id(),)).await.unwrap().unwrap();
    assert_eq!(row, (None, None));
    new.complete().await.unwrap();
    assert_eq!(status(&run).await, "COMPLETED");
}

async fn ranks_share_a_run(db: &Database) {
    let client = db.set_up().await;
    let run = new_run(&client).await;
    let first = run.join().guard().await.unwrap();
    let second = elsewhere(db).await.run(run.id()).join().guard().await.unwrap();
    assert_eq!(first.variables(), second.variables());
    first.add_metrics([("rank0", 1)]).step(1).await.unwrap();
    second.add_metrics([("rank1", 2)]).step(1).await.unwrap();
    first.complete().await.unwrap();
    assert_eq!(status(&run).await, "RUNNING", "the run goes on while one of its ranks does");
    second.add_metrics([("rank1", 3)]).step(2).await.unwrap();
    second.complete().await.unwrap();
    assert_eq!(status(&run).await, "COMPLETED");
}

async fn a_rank_that_fails_fails_the_run(db: &Database) {
    let client = db.set_up().await;
    let run = new_run(&client).await;
    let good = run.join().guard().await.unwrap();
    let bad = elsewhere(db).await.run(run.id()).join().guard().await.unwrap();
    bad.end(Status::OutOfMemory).await.unwrap();
    assert_eq!(status(&run).await, "OUT_OF_MEMORY");
    good.add_metrics([("loss", 0.5)]).await.unwrap();
    good.complete().await.unwrap();
    assert_eq!(status(&run).await, "OUT_OF_MEMORY");
}

async fn heartbeats_come_while_the_runtime_is_blocked(db: &Database) {
    let client = db.set_up().await;
    let run = new_run(&client).await;
    let guard = run.tracking().heartbeat(Duration::from_millis(20)).guard().await.unwrap();
    let builder = db.builder();
    let id = run.id();
    // The only thread of this runtime waits until another one has seen three heartbeats.
    let runtime = std::thread::spawn(move || {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let observer = builder.connect().await.unwrap().run(id);
            for _ in 0..3 {
                let last = heartbeat(&observer).await;
                while heartbeat(&observer).await == last {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            }
        });
    });
    runtime.join().unwrap();
    guard.complete().await.unwrap();
}

/// Makes the last heartbeat of a run one of long ago, as if its tracker had been stopped since.
async fn silence(run: &Run, minutes: i64) {
    let postgres = "UPDATE runs SET time_heartbeat = time_heartbeat - make_interval(mins => $1::int), \
                    time_started = time_started - make_interval(mins => $1::int) WHERE id = $2";
    let sqlite = "UPDATE runs SET \
                    time_heartbeat = strftime('%Y-%m-%d %H:%M:%f000+00:00', time_heartbeat, -$1 || ' minutes'), \
                    time_started = strftime('%Y-%m-%d %H:%M:%f000+00:00', time_started, -$1 || ' minutes') WHERE id = $2";
    let sql = match run.client().dialect() {
        sqltrack_tests::Dialect::Postgres => postgres,
        sqltrack_tests::Dialect::Sqlite => sqlite,
    };
    assert_eq!(run.client().execute(sql, (minutes, run.id())).await.unwrap(), 1);
}

async fn a_silent_run_is_lost_until_it_speaks_again(db: &Database) {
    let client = db.set_up().await;
    let run = new_run(&client).await;
    let guard = run.tracking().heartbeat(Duration::from_secs(5)).guard().await.unwrap();
    assert_eq!(life(&run).await, "RUNNING");
    silence(&run, 60).await;
    assert_eq!((status(&run).await, life(&run).await), ("RUNNING".to_owned(), "LOST".to_owned()));
    let listed = client.list_runs(None, None).await.unwrap();
    assert_eq!(listed.into_iter().next().unwrap().get::<String>("status").unwrap(), "LOST");
    until(&run, "RUNNING").await;
    guard.complete().await.unwrap();
    assert_eq!(life(&run).await, "COMPLETED");
}

async fn only_silent_runs_are_reaped(db: &Database) {
    let client = db.set_up().await;
    let (live, silent, short) = (new_run(&client).await, new_run(&client).await, new_run(&client).await);
    let (done, plain) = (new_run(&client).await, new_run(&client).await);
    let guards = [live.guard().await.unwrap(), silent.guard().await.unwrap(), short.guard().await.unwrap()];
    done.track(async |_| ok(())).await.unwrap();
    plain.start().await.unwrap();
    plain.set_updated(OffsetDateTime::now_utc() - time::Duration::hours(1)).await.unwrap();
    silence(&silent, 60).await;
    // Three heartbeats are not missing yet, however little patience there is.
    silence(&short, 1).await;

    let ids =
        |reaped: Vec<sqltrack_core::ReapedRun>| reaped.into_iter().map(|run| run.run).collect::<Vec<_>>();
    let dry = client.reap().stale(Duration::from_secs(1)).dry_run().await.unwrap();
    assert_eq!(ids(dry), [silent.id()]);
    assert_eq!(status(&silent).await, "RUNNING");
    let reaped = client.reap().await.unwrap();
    assert!(
        reaped[0].holder.as_ref().is_some_and(|holder| holder.ends_with(&std::process::id().to_string()))
    );
    assert_eq!(ids(reaped), [silent.id()]);
    assert_eq!(status(&silent).await, "NODE_FAIL");
    assert_eq!(ids(client.reap().await.unwrap()), []);
    let untracked = client.reap().untracked().status("GONE").await.unwrap();
    assert_eq!(ids(untracked), [plain.id()]);
    for (run, expected) in [(&live, "RUNNING"), (&short, "RUNNING"), (&done, "COMPLETED"), (&plain, "GONE")] {
        assert_eq!(status(run).await, expected);
    }
    for guard in guards {
        guard.complete().await.unwrap();
    }
}

async fn a_reaped_run_gets_its_true_end(db: &Database) {
    let client = db.set_up().await;
    let run = new_run(&client).await;
    let guard = run.guard().await.unwrap();
    silence(&run, 60).await;
    client.reap().await.unwrap();
    guard.add_metrics([("loss", 0.5)]).await.unwrap();
    guard.complete().await.unwrap();
    assert_eq!(status(&run).await, "COMPLETED");
    // But not if somebody has gone on with it.
    let old = run.guard().await.unwrap();
    silence(&run, 60).await;
    client.reap().await.unwrap();
    let new = elsewhere(db).await.run(run.id()).guard().await.unwrap();
    assert!(is_lost(old.add_metrics([("loss", 0.4)]).await));
    assert!(is_lost(old.complete().await));
    new.complete().await.unwrap();
}

async fn a_run_started_anew_is_judged_by_no_old_heartbeat(db: &Database) {
    let client = db.set_up().await;
    let run = new_run(&client).await;
    let guard = run.guard().await.unwrap();
    silence(&run, 60).await;
    assert_eq!(life(&run).await, "LOST");
    db.connect()
        .await
        .execute("UPDATE runs SET status = 'RUNNING', time_started = CURRENT_TIMESTAMP", ())
        .await
        .unwrap();
    assert_eq!(life(&run).await, "RUNNING");
    assert_eq!(client.reap().await.unwrap(), []);
    guard.complete().await.unwrap();
}

async fn tracking_is_no_part_of_a_transaction(db: &Database) {
    let client = db.set_up().await;
    let run = new_run(&client).await;
    let tx = client.begin().await.unwrap();
    let err = tx.run(run.id()).guard().await.unwrap_err();
    assert!(matches!(err, Error::NotInTransaction(_)), "{err:?}");
    drop(tx);
    let err = client.run(404).guard().await.unwrap_err();
    assert!(matches!(err, Error::Engine(EngineError::NoSuchRun(id)) if id.0 == 404), "{err:?}");
}

/// What the first version of the tables lacks.
async fn downgrade(client: &Client) {
    let columns = ["lease", "holder", "trackers", "time_heartbeat", "heartbeat_interval"];
    for view in ["metrics_lineage", "run_lineage", "run_status"] {
        client.execute(&format!("DROP VIEW {view}"), ()).await.unwrap();
    }
    for table in ["writers", "offline_runs"] {
        client.execute(&format!("DROP TABLE {table}"), ()).await.unwrap();
    }
    for column in columns {
        client.execute(&format!("ALTER TABLE runs DROP COLUMN {column}"), ()).await.unwrap();
    }
    client.execute("DELETE FROM sqltrack_migrations WHERE description <> 'base.sql'", ()).await.unwrap();
}

async fn older_tables_say_what_to_do(db: &Database) {
    let client = db.set_up().await;
    let run = new_run(&client).await;
    downgrade(&client).await;
    run.start().await.unwrap();
    run.add_metrics([("loss", 0.5)]).await.unwrap();
    run.stop().await.unwrap();
    for err in [
        run.guard().await.unwrap_err(),
        client.reap().await.unwrap_err(),
        client.list_runs(None, None).await.unwrap_err(),
    ] {
        assert!(matches!(err, Error::Engine(EngineError::Outdated { .. })), "{err:?}");
    }
    let reports: Vec<_> = client.setup().await.unwrap().iter().map(ToString::to_string).collect();
    let news = ["base-002-run-life.sql", "base-003-writers.sql", "base-004-lineage.sql"];
    let expected: Vec<String> = news.iter().map(|name| format!("(NEW) {name}")).collect();
    assert_eq!((&*reports[0], &reports[1..]), ("(OK) base.sql", &*expected));
    let reports: Vec<_> = client.setup().await.unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(reports, ["(OK) base.sql"]);
    run.track(async |_| ok(())).await.unwrap();
}

async fn heartbeats_touch_no_index(db: &Database) {
    let client = db.set_up().await;
    let run = new_run(&client).await;
    let guard = run.tracking().heartbeat(Duration::from_millis(10)).guard().await.unwrap();
    let sql = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'runs'";
    let counts = loop {
        client.query("SELECT pg_stat_force_next_flush()", ()).await.unwrap();
        let counts: (i64, i64) = client.first_row(sql, ()).await.unwrap().unwrap();
        if counts.0 > 30 {
            break counts;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert!(counts.1 * 100 >= counts.0 * 90, "{counts:?}");
    guard.complete().await.unwrap();
}
