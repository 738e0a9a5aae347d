//! The ends that a tracked process can come to, each with a real process: which status the run has afterwards, within which
//! time, and how the process exits.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use sqltrack_core::{Client, Dialect, EngineError, Error, Experiment, Run, RunId, Transaction};
use sqltrack_tests::{Database, Proxy, Signal, Worker, on_both_engines};

const WORKER: &str = env!("CARGO_BIN_EXE_worker");
/// The heartbeat of the worker: short where one waits for LOST, long where it must not come from a busy machine.
const INTERVAL: Duration = Duration::from_millis(100);
const LONG_INTERVAL: Duration = Duration::from_secs(2);
/// The time of grace of the worker, and what a busy machine may add to it.
const GRACE: Duration = Duration::from_secs(2);
const ALLOWANCE: Duration = Duration::from_secs(20);

on_both_engines!(
    every_end_leaves_its_status,
    signals_end_the_run_and_the_process,
    a_training_that_blocks_its_runtime_is_ended_as_well,
    what_was_acknowledged_before_a_signal_is_there,
    signals_end_the_process_also_while_the_database_is_away,
    signals_are_given_back,
    an_application_may_handle_signals_itself,
    ignored_signals_stay_ignored,
    what_dies_without_a_word_is_lost,
    what_is_stopped_is_lost_until_it_goes_on,
    nothing_of_an_old_holder_lands,
    a_clock_that_is_wrong_changes_no_verdict,
    a_process_that_a_tracker_starts_is_a_part_of_it;
    postgres: a_silent_server_does_not_keep_the_process_from_ending,
);

async fn new_run(client: &Client) -> Run {
    Experiment::open(client, "endings").await.unwrap().new_run().await.unwrap()
}

async fn life(run: &Run) -> String {
    let sql = "SELECT status FROM run_status WHERE id = $1";
    run.client().first_value(sql, (run.id(),)).await.unwrap().unwrap()
}

/// Waits until the run has a status, and tells how long that took.
async fn until(run: &Run, expected: &str) -> Duration {
    let start = Instant::now();
    while life(run).await != expected {
        assert!(start.elapsed() < Duration::from_secs(60), "it is {}, not {expected}", life(run).await);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    start.elapsed()
}

/// Gives up what is dead. The clock of a file system goes in steps, so that it may be a moment behind the view's.
async fn reap(client: &Client) -> Vec<RunId> {
    let start = Instant::now();
    loop {
        let reaped = client.reap().stale(Duration::ZERO).await.unwrap();
        if !reaped.is_empty() || start.elapsed() > ALLOWANCE {
            return reaped.into_iter().map(|reaped| reaped.run).collect();
        }
    }
}

/// A process that tracks the run, and has said so.
fn start(db: &Database, form: &str, ending: &str, run: &Run) -> Worker {
    start_with(db, form, ending, run, [])
}

fn start_with<'a>(
    db: &Database,
    form: &str,
    ending: &str,
    run: &Run,
    variables: impl IntoIterator<Item = (&'a str, String)>,
) -> Worker {
    let run = run.id().to_string();
    let heartbeat = ("SQLTRACK_DSN_HEARTBEAT", INTERVAL.as_secs_f64().to_string());
    let variables = std::iter::once(heartbeat).chain(variables);
    let mut worker = Worker::start_with(WORKER, db, ["live", form, ending, &run], variables);
    worker.go();
    assert_eq!(worker.line().as_deref(), Some("tracked"));
    worker
}

/// An exit status in words: `code 0`, `signal 9`.
fn told(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("code {code}"),
        (_, Some(signal)) => format!("signal {signal}"),
        other => format!("{other:?}"),
    }
}

async fn every_end_leaves_its_status(db: &Database) {
    let client = db.set_up().await;
    for (form, ending, exit, expected) in [
        ("track", "return", "code 0", "COMPLETED"),
        ("guard", "return", "code 0", "COMPLETED"),
        ("track", "error", "code 1", "FAILED"),
        ("guard", "error", "code 1", "FAILED"),
        ("track", "panic", "code 101", "FAILED"),
        ("guard", "panic", "code 101", "FAILED"),
        ("track", "drop", "code 0", "CANCELLED"),
        ("guard", "drop", "code 0", "FAILED"),
    ] {
        let run = new_run(&client).await;
        let (status, _, errors) = start(db, form, ending, &run).wait();
        assert_eq!((form, ending, told(status).as_str()), (form, ending, exit), "{errors}");
        // The process waits for its last word to be recorded.
        assert_eq!((form, ending, life(&run).await.as_str()), (form, ending, expected));
    }
}

async fn signals_end_the_run_and_the_process(db: &Database) {
    let client = db.set_up().await;
    for form in ["track", "guard"] {
        for (signal, exit) in [(Signal::INT, "code 130"), (Signal::TERM, "code 143")] {
            let run = new_run(&client).await;
            let worker = start(db, form, "wait", &run);
            let start = Instant::now();
            worker.signal(signal);
            let (status, said, errors) = worker.wait();
            assert!(start.elapsed() < ALLOWANCE, "{:?}", start.elapsed());
            assert_eq!((told(status).as_str(), said), (exit, vec!["called".to_owned()]), "{errors}");
            assert_eq!(life(&run).await, "CANCELLED");
        }
    }
}

async fn a_training_that_blocks_its_runtime_is_ended_as_well(db: &Database) {
    let client = db.set_up().await;
    for form in ["track", "guard"] {
        let run = new_run(&client).await;
        let worker = start(db, form, "block", &run);
        worker.signal(Signal::TERM);
        let (status, said, errors) = worker.wait();
        assert_eq!((told(status).as_str(), said), ("code 143", vec!["called".to_owned()]), "{errors}");
        assert_eq!(life(&run).await, "CANCELLED");
    }
}

async fn what_was_acknowledged_before_a_signal_is_there(db: &Database) {
    let client = db.set_up().await;
    for signal in [Signal::INT, Signal::TERM, Signal::KILL] {
        let run = new_run(&client).await;
        let mut worker = start(db, "track", "write", &run);
        let mut last = worker.line();
        while last.as_ref().is_none_or(|step| step.parse().is_ok_and(|step: i64| step < 20)) {
            last = worker.line();
        }
        worker.signal(signal);
        let (_, said, _) = worker.wait();
        let acknowledged = said.iter().rev().find_map(|line| line.parse::<i64>().ok()).unwrap_or(20);
        let count: Option<i64> =
            client.first_value("SELECT count(*) FROM metrics WHERE run_id = $1", (run.id(),)).await.unwrap();
        assert!(count >= Some(acknowledged), "{count:?} of {acknowledged}");
    }
}

/// What keeps the worker from its database.
enum Away {
    Server(Proxy),
    /// The file is locked.
    File(Transaction),
}

/// A process that tracks the run, and has lost its database since.
async fn start_and_go_away(db: &Database, client: &Client, form: &str, run: &Run) -> (Worker, Away) {
    match db.dialect() {
        Dialect::Sqlite => {
            let worker = start(db, form, "wait", run);
            (worker, Away::File(client.begin().await.unwrap()))
        }
        Dialect::Postgres => {
            let (worker, proxy) = start_behind_proxy(db, form, run);
            proxy.cut();
            (worker, Away::Server(proxy))
        }
    }
}

fn start_behind_proxy(db: &Database, form: &str, run: &Run) -> (Worker, Proxy) {
    let (proxy, url) = db.behind_proxy();
    let worker = start_with(db, form, "wait", run, [("SQLTRACK_DSN_URL", url)]);
    (worker, proxy)
}

async fn signals_end_the_process_also_while_the_database_is_away(db: &Database) {
    let client = db.set_up().await;
    for form in ["track", "guard"] {
        let run = new_run(&client).await;
        let (worker, away) = start_and_go_away(db, &client, form, &run).await;
        let start = Instant::now();
        worker.signal(Signal::TERM);
        let (status, said, errors) = worker.wait();
        assert!(start.elapsed() < GRACE + ALLOWANCE, "{:?}", start.elapsed());
        assert_eq!((told(status).as_str(), said), ("code 143", vec!["called".to_owned()]), "{errors}");
        match away {
            Away::Server(proxy) => proxy.open(),
            Away::File(tx) => tx.rollback().await.unwrap(),
        }
        until(&run, "LOST").await;
    }
}

async fn a_silent_server_does_not_keep_the_process_from_ending(db: &Database) {
    let client = db.set_up().await;
    let run = new_run(&client).await;
    let (worker, proxy) = start_behind_proxy(db, "track", &run);
    proxy.silence();
    until(&run, "LOST").await;
    // One heartbeat was on its way; the next ones take other connections.
    proxy.open();
    until(&run, "RUNNING").await;
    proxy.silence();
    let start = Instant::now();
    worker.signal(Signal::INT);
    let (status, said, errors) = worker.wait();
    assert!(start.elapsed() < GRACE + ALLOWANCE, "{:?}", start.elapsed());
    assert_eq!((told(status).as_str(), said), ("code 130", vec!["called".to_owned()]), "{errors}");
}

async fn signals_are_given_back(db: &Database) {
    let client = db.set_up().await;
    let run = new_run(&client).await.id().to_string();
    for (signal, number) in [(Signal::INT, 2), (Signal::TERM, 15)] {
        let mut worker = Worker::start(WORKER, db, ["live-and-wait", &run]);
        worker.go();
        assert_eq!(worker.line().as_deref(), Some("ended"));
        worker.signal(signal);
        let (status, said, _) = worker.wait();
        assert_eq!((status.signal(), said), (Some(number), vec![]));
    }
}

async fn an_application_may_handle_signals_itself(db: &Database) {
    let client = db.set_up().await;
    let run = new_run(&client).await;
    let mut worker = Worker::start(WORKER, db, ["own-signals", &run.id().to_string()]);
    worker.go();
    assert_eq!(worker.line().as_deref(), Some("tracked"));
    worker.signal(Signal::TERM);
    let (status, said, errors) = worker.wait();
    assert_eq!((told(status).as_str(), said), ("code 0", vec!["mine".to_owned()]), "{errors}");
    assert_eq!(life(&run).await, "CANCELLED", "by the future that it has dropped");
}

async fn ignored_signals_stay_ignored(db: &Database) {
    let client = db.set_up().await;
    let run = new_run(&client).await;
    let id = run.id().to_string();
    let script = format!("trap '' INT; exec '{WORKER}' \"$@\"");
    let mut worker = Worker::start("/bin/sh", db, ["-c", &script, "sh", "live", "track", "wait", &id]);
    worker.go();
    assert_eq!(worker.line().as_deref(), Some("tracked"));
    worker.signal(Signal::INT);
    worker.go();
    let (status, said, errors) = worker.wait();
    assert_eq!((told(status).as_str(), said), ("code 0", vec![]), "{errors}");
    assert_eq!(life(&run).await, "COMPLETED");
}

async fn what_dies_without_a_word_is_lost(db: &Database) {
    let client = db.set_up().await;
    for form in ["track", "guard"] {
        for (ending, exit) in [("abort", "signal 6"), ("exit", "code 3"), ("kill", "signal 9")] {
            let run = new_run(&client).await;
            let worker = start(db, form, if ending == "kill" { "wait" } else { ending }, &run);
            if ending == "kill" {
                worker.signal(Signal::KILL);
            }
            let (status, ..) = worker.wait();
            assert_eq!((ending, told(status).as_str()), (ending, exit));
            let waited = until(&run, "LOST").await;
            assert!(waited < 3 * INTERVAL + ALLOWANCE, "{waited:?}");
            assert_eq!(reap(&client).await, [run.id()]);
            assert_eq!(life(&run).await, "NODE_FAIL");
        }
    }
}

async fn what_is_stopped_is_lost_until_it_goes_on(db: &Database) {
    let client = db.set_up().await;
    for form in ["track", "guard"] {
        let run = new_run(&client).await;
        let mut worker = start(db, form, "wait", &run);
        worker.signal(Signal::STOP);
        until(&run, "LOST").await;
        worker.signal(Signal::CONT);
        let waited = until(&run, "RUNNING").await;
        assert!(waited < ALLOWANCE, "{waited:?}");
        worker.go();
        worker.finish();
        assert_eq!(life(&run).await, "COMPLETED");
    }
}

/// Stops a worker, but not while it holds a lock that the others would wait for.
async fn stop_between_writes(worker: &mut Worker, run: &Run) {
    loop {
        worker.signal(Signal::STOP);
        let client = run.client().clone();
        let id = run.id();
        let probe = tokio::spawn(async move {
            let tx = client.begin().await.unwrap();
            tx.execute("UPDATE runs SET comment = comment WHERE id = $1", (id,)).await.unwrap();
            tx.rollback().await.unwrap();
        });
        let mut probe = std::pin::pin!(probe);
        if let Ok(done) = tokio::time::timeout(Duration::from_secs(3), &mut probe).await {
            return done.unwrap();
        }
        worker.signal(Signal::CONT);
        probe.await.unwrap();
    }
}

async fn nothing_of_an_old_holder_lands(db: &Database) {
    let client = db.set_up().await;
    for form in ["track", "guard"] {
        let run = new_run(&client).await;
        // In the middle of writing as fast as it can.
        let mut old = start(db, form, "write", &run);
        for _ in 0..5 {
            old.line();
        }
        stop_between_writes(&mut old, &run).await;
        let new = run.resume().guard().await.unwrap();
        let count = "SELECT count(*) FROM metrics WHERE run_id = $1";
        let before: Option<i64> = client.first_value(count, (run.id(),)).await.unwrap();
        let row = "SELECT status, time_updated FROM runs WHERE id = $1";
        let row_before: Option<(String, Option<time::OffsetDateTime>)> =
            client.first_row(row, (run.id(),)).await.unwrap();
        old.signal(Signal::CONT);
        let (status, _, errors) = old.wait();
        assert_eq!(told(status), "code 1", "{errors}");
        assert!(errors.contains("was taken over by"), "{errors}");
        let after: Option<i64> = client.first_value(count, (run.id(),)).await.unwrap();
        assert_eq!(before, after);
        let row_after = client.first_row(row, (run.id(),)).await.unwrap();
        assert_eq!(row_before, row_after);
        new.complete().await.unwrap();
        assert_eq!(life(&run).await, "COMPLETED");
    }
}

/// Builds what tells a process another time than it is, by as many seconds as `CLOCK_SHIFT` says.
fn clock_shifter(db: &Database) -> String {
    let library = db.folder().join("clock.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/endings/clock.c");
    let built = std::process::Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o", library.to_str().unwrap(), source, "-ldl"])
        .status()
        .unwrap();
    assert!(built.success());
    library.to_str().unwrap().to_owned()
}

async fn a_clock_that_is_wrong_changes_no_verdict(db: &Database) {
    let client = db.set_up().await;
    let shifter = clock_shifter(db);
    for shift in ["3600", "-3600"] {
        let heartbeat = LONG_INTERVAL.as_secs().to_string();
        let shifted = || {
            let shift = [("LD_PRELOAD", shifter.clone()), ("CLOCK_SHIFT", shift.to_owned())];
            shift.into_iter().chain([("SQLTRACK_DSN_HEARTBEAT", heartbeat.clone())])
        };
        let told = Worker::start_with(WORKER, db, ["time"], shifted());
        let told: i64 = {
            let mut worker = told;
            worker.go();
            worker.finish()[0].parse().unwrap()
        };
        let off = told - time::OffsetDateTime::now_utc().unix_timestamp();
        assert!(off.abs() > 3000, "the clock is not off: {off} s");

        let run = new_run(&client).await;
        let mut worker = start_with(db, "track", "wait", &run, shifted());
        for _ in 0..20 {
            assert_eq!(life(&run).await, "RUNNING");
            tokio::time::sleep(INTERVAL / 4).await;
        }
        assert_eq!(client.reap().stale(Duration::ZERO).await.unwrap(), []);
        let err = run.guard().await.unwrap_err();
        assert!(matches!(err, Error::RunIsTracked { .. }), "{err:?}");
        worker.go();
        worker.finish();

        let run = new_run(&client).await;
        start_with(db, "track", "wait", &run, shifted()).kill();
        let waited = until(&run, "LOST").await;
        assert!(waited < 3 * LONG_INTERVAL + ALLOWANCE, "{waited:?}");
        assert_eq!(reap(&client).await, [run.id()]);
    }
}

async fn a_process_that_a_tracker_starts_is_a_part_of_it(db: &Database) {
    let client = db.set_up().await;
    let run = new_run(&client).await;
    let guard = run.guard().await.unwrap();
    let mut child = Worker::start_with(WORKER, db, ["part"], guard.variables());
    child.go();
    assert_eq!(child.finish(), ["tracked"]);
    assert_eq!(life(&run).await, "RUNNING", "the tracker that started it has not ended");
    assert_eq!(run.metrics().await.unwrap().len(), 1);

    let new =
        db.builder().set("heartbeat", "29").connect().await.unwrap().run(run.id()).resume().guard().await;
    let new = new.unwrap();
    let mut late = Worker::start_with(WORKER, db, ["part"], guard.variables());
    late.go();
    let (status, _, errors) = late.wait();
    assert_eq!(told(status), "code 1", "{errors}");
    assert!(errors.contains("was taken over by"), "{errors}");
    let err = guard.complete().await.unwrap_err();
    assert!(matches!(err, Error::Engine(EngineError::LeaseLost { .. })), "{err:?}");
    new.complete().await.unwrap();
}
