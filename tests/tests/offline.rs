//! Runs that are tracked with no database at all, and are delivered to one later.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};

use serde_json::json;
use sqltrack_core::{
    Ack, Client, Error, Experiment, MetricSet, Run, RunId, Stamp, SyncReport, Value, metrics,
};
use sqltrack_tests::{Database, Signal, Worker, on_both_engines};
use time::macros::datetime;

const WORKER: &str = env!("CARGO_BIN_EXE_worker");

on_both_engines!(
    a_run_arrives_as_it_was_tracked,
    every_end_without_a_database_leaves_its_status,
    what_dies_without_a_word_is_given_up_on_arrival,
    what_lives_again_is_not_given_up,
    metrics_wait_for_the_run_that_another_process_began,
    a_part_of_a_tracker_writes_to_its_run,
    runs_may_have_ids_of_their_own,
    what_is_refused_takes_its_metrics_with_it,
    what_was_begun_first_is_delivered_first,
    what_needs_a_database_says_so,
    a_spool_that_cannot_be_is_an_error,
);

fn folder(db: &Database) -> PathBuf {
    db.folder().join("spool")
}

/// A client that would fail if it asked the database, which has no tables.
async fn offline(db: &Database) -> Client {
    let builder = db.builder().set("offline", "true").set("spool", folder(db).to_str().unwrap());
    builder.connect().await.unwrap()
}

async fn sync(db: &Database) -> (Client, SyncReport) {
    let client = db.set_up().await;
    let report = client.sync(folder(db)).verify(true).await.unwrap();
    (client, report)
}

fn writers(db: &Database) -> Vec<PathBuf> {
    let folder = std::fs::read_dir(folder(db));
    folder.map_or(Vec::new(), |files| files.map(|file| file.unwrap().path()).collect())
}

async fn value<T: sqltrack_core::Decode>(run: &Run, expression: &str) -> T {
    let sql = format!("SELECT {expression} FROM runs WHERE id = $1");
    run.client().first_value(&sql, (run.id(),)).await.unwrap().unwrap()
}

async fn status(run: &Run) -> String {
    value(run, "status").await
}

async fn steps(run: &Run) -> Vec<i64> {
    run.metrics().await.unwrap().into_iter().map(|point| point.step).collect()
}

async fn a_run_arrives_as_it_was_tracked(db: &Database) {
    let client = offline(db).await;
    let experiment = Experiment::open(&client, "far away").await.unwrap();
    assert_eq!(experiment.name().await.unwrap(), "far away");
    assert_eq!(writers(db), [] as [PathBuf; 0]);
    let first = experiment.new_run().await.unwrap();
    let created = datetime!(2024-05-07 12:30 UTC);
    first.stop().set_created(created).await.unwrap();
    let run = experiment.new_run().await.unwrap();
    assert!(run.id().0 < 0 && run.id() != first.id());
    assert_eq!(run.experiment().await.unwrap().name().await.unwrap(), "far away");
    run.set_args([("lr", json!(0.5))]).add_tags(["night"]).add_link("resumes", first.id()).await.unwrap();
    let set = MetricSet::new(["loss", "accuracy"]).unwrap();
    run.track(async |run| {
        assert_eq!(run.add_metrics([("loss", 0.5)]).step(0).await?, Ack::Spooled);
        for step in 1..2_000 {
            run.record_values(step, &set, [f64::from(step), 0.25])?;
        }
        run.record_metrics((2_000, 1.0), metrics! { "loss" => f64::NAN, "phase" => "end" })?;
        Ok::<_, Error>(())
    })
    .await
    .unwrap();
    assert_eq!(client.flush().await.unwrap(), Ack::Spooled);
    assert_eq!((client.stats().queued_rows, client.stats().spooled_rows), (2_001, 2_001));
    client.close().await;
    assert!(matches!(run.record_metrics(1, [("loss", 0.5)]), Err(Error::Stopped(_))));

    let (client, report) = sync(db).await;
    assert!(report.is_clean(), "{report:?}");
    let [first, run] = report.runs_created[..] else { panic!("{report:?}") };
    assert_eq!((report.rejected, report.runs_lost.len(), writers(db).len()), (0, 0, 0));
    let (first, run) = (client.run(first), client.run(run));
    assert_eq!(value::<time::OffsetDateTime>(&first, "time_created").await, created);
    assert_eq!((status(&first).await.as_str(), status(&run).await.as_str()), ("COMPLETED", "COMPLETED"));
    assert_eq!(run.experiment().await.unwrap().name().await.unwrap(), "far away");
    let is_ordered = "time_created <= time_started AND time_started <= time_updated";
    assert!(value::<bool>(&run, is_ordered).await);
    assert_eq!(value::<serde_json::Value>(&run, "args").await, json!({"lr": 0.5}));
    let sql = "SELECT to_id FROM run_links WHERE from_id = $1 AND kind = 'resumes'";
    let linked: Option<i64> = client.first_value(sql, (run.id(),)).await.unwrap();
    assert_eq!(linked, Some(first.id().0));
    let points = run.metrics().await.unwrap();
    assert_eq!(points.len(), 2_001);
    for point in &points[1..2_000] {
        let expected = [("loss", Value::Float(point.step as f64)), ("accuracy", Value::Float(0.25))];
        let found: BTreeMap<_, _> =
            point.metrics.iter().map(|(name, value)| (name.as_str(), value)).collect();
        assert_eq!(found, expected.iter().map(|(name, value)| (*name, value)).collect());
    }
    let last = &points[2_000];
    assert!(matches!(last.metrics["loss"], Value::Float(loss) if loss.is_nan()), "{last:?}");
    assert_eq!((last.progress, &last.metrics["phase"]), (1.0, &Value::from("end")));
}

/// A process that tracks a run without a database, and has said so.
fn start(db: &Database, form: &str, ending: &str, run: RunId) -> Worker {
    let job = ["live", form, ending, &run.to_string()];
    let mut worker = Worker::start_with(WORKER, db, job, variables(db));
    worker.go();
    assert_eq!(worker.line().as_deref(), Some("tracked"));
    worker
}

fn variables(db: &Database) -> [(&'static str, String); 2] {
    let spool = folder(db).to_str().unwrap().to_owned();
    [("SQLTRACK_DSN_OFFLINE", "true".to_owned()), ("SQLTRACK_DSN_SPOOL", spool)]
}

async fn every_end_without_a_database_leaves_its_status(db: &Database) {
    let client = offline(db).await;
    let experiment = Experiment::open(&client, "ends").await.unwrap();
    let mut expected = Vec::new();
    for (form, ending, signal, exit, status) in [
        ("track", "return", None, 0, "COMPLETED"),
        ("guard", "error", None, 1, "FAILED"),
        ("track", "panic", None, 101, "FAILED"),
        ("track", "drop", None, 0, "CANCELLED"),
        ("guard", "drop", None, 0, "FAILED"),
        ("track", "wait", Some(Signal::INT), 130, "CANCELLED"),
        ("guard", "block", Some(Signal::TERM), 143, "CANCELLED"),
    ] {
        let run = experiment.new_run().await.unwrap();
        let worker = start(db, form, ending, run.id());
        if let Some(signal) = signal {
            worker.signal(signal);
        }
        let (ended, _, errors) = worker.wait();
        assert_eq!((form, ending, ended.code()), (form, ending, Some(exit)), "{errors}");
        expected.push((form, ending, status));
    }
    client.close().await;
    let (client, report) = sync(db).await;
    assert!(report.is_clean() && report.runs_lost.is_empty(), "{report:?}");
    for (run, (form, ending, expected)) in report.runs_created.iter().zip(expected) {
        let run = client.run(*run);
        assert_eq!((form, ending, status(&run).await.as_str()), (form, ending, expected));
        let is_written = (form, ending) != ("track", "drop");
        assert_eq!((ending, steps(&run).await.len()), (ending, usize::from(is_written)));
    }
}

async fn what_dies_without_a_word_is_given_up_on_arrival(db: &Database) {
    let client = offline(db).await;
    let experiment = Experiment::open(&client, "deaths").await.unwrap();
    let (killed, started) = (experiment.new_run().await.unwrap(), experiment.new_run().await.unwrap());
    // Who only starts a run may have another process end it.
    started.start().await.unwrap();
    client.close().await;
    let worker = start(db, "track", "wait", killed.id());
    worker.signal(Signal::KILL);
    let (ended, _, _) = worker.wait();
    assert_eq!(ended.signal(), Some(9));
    let (client, report) = sync(db).await;
    let [killed, started] = report.runs_created[..] else { panic!("{report:?}") };
    assert_eq!(report.runs_lost, [killed]);
    assert_eq!(status(&client.run(killed)).await, "NODE_FAIL");
    assert_eq!(steps(&client.run(killed)).await, [1]);
    assert_eq!(status(&client.run(started)).await, "RUNNING");
}

/// Of a run that has an id of its own, so that it can be gone on with where there is a database.
async fn what_lives_again_is_not_given_up(db: &Database) {
    let client = offline(db).await;
    let run = Experiment::open(&client, "requeued").await.unwrap().get_run(42).await.unwrap();
    client.close().await;
    let worker = start(db, "track", "wait", run.id());
    worker.kill();
    let online = db.set_up().await;
    let again = Experiment::open(&online, "requeued").await.unwrap().get_run(42).await.unwrap();
    let guard = again.guard().await.unwrap();
    let (_, report) = sync(db).await;
    assert!(report.is_clean() && report.runs_lost.is_empty(), "{report:?}");
    assert_eq!((status(&guard).await.as_str(), steps(&guard).await), ("RUNNING", vec![1]));
    guard.complete().await.unwrap();
    assert_eq!(status(&again).await, "COMPLETED");
}

async fn metrics_wait_for_the_run_that_another_process_began(db: &Database) {
    let beginner = offline(db).await;
    let run = Experiment::open(&beginner, "shared").await.unwrap().new_run().await.unwrap();
    let other = offline(db).await;
    other.run(run.id()).record_metrics(1, [("loss", 0.5)]).unwrap();
    other.close().await;
    // The one that began it lives: what has arrived stays where it is.
    let (client, report) = sync(db).await;
    assert_eq!((report.writers_alive, report.writers_waiting, report.rejected), (1, 1, 0), "{report:?}");
    assert!(!report.is_clean());
    beginner.close().await;
    let report = client.sync(folder(db)).verify(true).await.unwrap();
    assert!(report.is_clean(), "{report:?}");
    let [run] = report.runs_created[..] else { panic!("{report:?}") };
    assert_eq!((steps(&client.run(run)).await, writers(db).len()), (vec![1], 0));
}

async fn a_part_of_a_tracker_writes_to_its_run(db: &Database) {
    let client = offline(db).await;
    let run = Experiment::open(&client, "parts").await.unwrap().new_run().await.unwrap();
    let guard = run.guard().await.unwrap();
    let experiment = ("SQLTRACK_EXPERIMENT_NAME", "parts".to_owned());
    let variables = variables(db).into_iter().chain(guard.variables()).chain([experiment]);
    let mut worker = Worker::start_with(WORKER, db, ["part"], variables);
    worker.go();
    assert_eq!(worker.finish(), ["tracked"]);
    guard.end("TIMEOUT").await.unwrap();
    client.close().await;
    let (client, report) = sync(db).await;
    assert!(report.is_clean(), "{report:?}");
    let [run] = report.runs_created[..] else { panic!("{report:?}") };
    let run = client.run(run);
    assert_eq!((status(&run).await.as_str(), steps(&run).await), ("TIMEOUT", vec![0]));
}

async fn runs_may_have_ids_of_their_own(db: &Database) {
    let online = db.set_up().await;
    let known = Experiment::open(&online, "known").await.unwrap().get_run(41).await.unwrap();
    let before: time::OffsetDateTime = value(&known, "time_created").await;
    for step in 0..3 {
        let client = offline(db).await;
        let run = Experiment::open(&client, "batch").await.unwrap().get_run(42).await.unwrap();
        assert_eq!(run.id(), RunId(42));
        run.add_metrics([("loss", 0.5)]).step(step).await.unwrap();
        // Whatever experiment it belongs to, and one that is named by its handle alone.
        let taken = Run::take(&client, 41, "batch").await.unwrap();
        taken.add_metrics([("loss", 0.5)]).step(step).await.unwrap();
        client.run(41).add_metrics([("loss", 0.5)]).step(10 + step).await.unwrap();
        Run::take(&client, 43, "batch").await.unwrap().set_comment("new").await.unwrap();
        client.close().await;
    }
    let (client, report) = sync(db).await;
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(report.runs_created, [RunId(42), RunId(43)]);
    assert_eq!(steps(&client.run(42)).await, [0, 1, 2]);
    assert_eq!(steps(&known).await, [0, 1, 2, 10, 11, 12]);
    assert_eq!(value::<time::OffsetDateTime>(&known, "time_created").await, before);
    for (run, expected) in [(41, "known"), (42, "batch"), (43, "batch")] {
        let experiment = client.run(run).experiment().await.unwrap();
        assert_eq!(experiment.name().await.unwrap(), expected);
    }
}

async fn what_is_refused_takes_its_metrics_with_it(db: &Database) {
    let online = db.set_up().await;
    let known = Experiment::open(&online, "mine").await.unwrap().get_run(41).await.unwrap();
    let client = offline(db).await;
    let run = Experiment::open(&client, "yours").await.unwrap().get_run(41).await.unwrap();
    run.add_metrics([("loss", 0.5)]).step(1).await.unwrap();
    let good = Experiment::open(&client, "yours").await.unwrap().new_run().await.unwrap();
    good.add_metrics([("loss", 0.5)]).step(2).await.unwrap();
    client.close().await;
    let (_, report) = sync(db).await;
    assert_eq!((report.rejected, report.delivered, report.writers_waiting), (2, 2, 0), "{report:?}");
    assert_eq!(steps(&known).await, [] as [i64; 0]);
    let [writer] = writers(db).try_into().unwrap();
    let rejected = std::fs::read_to_string(writer.join("rejected.jsonl")).unwrap();
    assert!(rejected.contains("run 41 belongs to experiment 1, not to "), "{rejected}");
}

/// Each in a process of its own, as commands of a shell are; their folders have random names.
async fn what_was_begun_first_is_delivered_first(db: &Database) {
    let mut run = RunId(0);
    for status in ["PLANNED", "RUNNING", "PREEMPTED", "RUNNING", "COMPLETED"] {
        let client = offline(db).await;
        if status == "PLANNED" {
            run = Experiment::open(&client, "order").await.unwrap().new_run().await.unwrap().id();
        } else {
            client.run(run).set_status(status).await.unwrap();
        }
        client.close().await;
    }
    let (client, report) = sync(db).await;
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(status(&client.run(report.runs_created[0])).await, "COMPLETED");
}

async fn what_needs_a_database_says_so(db: &Database) {
    let client = offline(db).await;
    let experiment = Experiment::open(&client, "nothing").await.unwrap();
    let run = experiment.new_run().await.unwrap();
    let errors = [
        client.query("SELECT 1", ()).await.map(drop).unwrap_err(),
        client.execute("SELECT 1", ()).await.map(drop).unwrap_err(),
        client.begin().await.map(drop).unwrap_err(),
        client.setup().await.map(drop).unwrap_err(),
        client.sync(folder(db)).await.map(drop).unwrap_err(),
        client.reap().await.map(drop).unwrap_err(),
        client.list_runs(None, None).await.map(drop).unwrap_err(),
        run.metrics().await.map(drop).unwrap_err(),
        run.tracker().await.map(drop).unwrap_err(),
        experiment.set_comment("x").await.map(drop).unwrap_err(),
    ];
    for err in errors {
        let expected = "this needs the database, but `offline` is set (parameter); unset it";
        assert!(matches!(err, Error::Offline { .. }), "{err:?}");
        assert_eq!(err.to_string(), expected);
    }
    for tracking in [run.resume(), run.join()] {
        let err = tracking.guard().await.unwrap_err();
        assert!(matches!(err, Error::NotOffline(_)), "{err:?}");
    }
    let err = client.run(7).experiment().await.unwrap_err();
    assert!(matches!(err, Error::NotOffline(_)), "{err:?}");
    // What is wrong whatever the database says is told at once.
    let err = run.record_metrics((1, f64::NAN), [("loss", 0.5)]).unwrap_err();
    assert!(matches!(err, Error::ProgressNan), "{err:?}");
    assert!(matches!(run.add_metrics([("step", 1)]).await, Err(Error::MetricName(_))));
    run.add_metrics([("loss", 0.5)]).updated(Stamp::Keep).await.unwrap();
}

async fn a_spool_that_cannot_be_is_an_error(db: &Database) {
    std::fs::write(db.folder().join("file"), "").unwrap();
    let spool = db.folder().join("file/spool");
    let builder = db.builder().set("offline", "yes").set("spool", spool.to_str().unwrap());
    let client = builder.connect().await.unwrap();
    let err = Experiment::open(&client, "nowhere").await.unwrap().new_run().await.unwrap_err();
    assert!(matches!(err, Error::Spool(_)) && err.to_string().contains("file/spool"), "{err}");
    let err = db.builder().set("offline", "true").set("spool", "off").connect().await.unwrap_err();
    assert!(err.to_string().contains("`offline` needs a spool"), "{err}");
    assert!(db.builder().set("offline", "maybe").connect().await.is_err());
    assert!(!Path::new(&spool).exists());
}
