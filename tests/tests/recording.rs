//! Metrics written together and in the background: in order, whole, and each error to the call that caused it.
//! What happens while the database is away is in `outages.rs`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use sqltrack_core::{Ack, Client, EngineError, Error, Experiment, MetricSet, Metrics, Run, Value, metrics};
use sqltrack_tests::{Database, on_both_engines};

on_both_engines!(
    any_sequence_of_calls_leaves_what_the_last_ones_say,
    calls_that_are_under_way_together_are_committed_together,
    an_error_comes_back_to_the_call_that_caused_it,
    what_was_recorded_and_refused_is_told_by_the_next_flush,
    the_end_of_a_run_waits_for_what_was_recorded,
    a_run_ends_also_if_metrics_of_it_are_refused,
    recording_needs_no_runtime,
    the_last_client_waits_for_what_was_recorded,
    a_client_that_was_closed_takes_nothing,
    nothing_is_recorded_in_a_transaction,
    ten_thousand_metrics_fit_one_call,
    columns_beyond_the_budget_are_not_made,
    rows_of_several_runs_and_columns_come_together,
    no_column_is_made_for_what_is_refused,
    what_must_be_given_together_is_checked;
    postgres:
        a_row_that_is_too_big_is_split,
);

async fn run(client: &Client) -> Run {
    Experiment::open(client, "recording").await.unwrap().new_run().await.unwrap()
}

type Points = BTreeMap<i64, BTreeMap<String, Value>>;

async fn points(run: &Run) -> Points {
    let points = run.metrics().await.unwrap().into_iter();
    points.map(|point| (point.step, point.metrics.into_iter().collect())).collect()
}

/// Text that tells NaN from NaN no more.
fn shown(points: &Points) -> String {
    format!("{points:?}")
}

/// One call: whether it is awaited, its step, and its metrics.
type Made = (bool, i64, BTreeMap<&'static str, Value>);

fn calls() -> impl Strategy<Value = Vec<Made>> {
    let value = prop_oneof![
        8 => any::<i32>().prop_map(|number| Value::Float(f64::from(number) / 3.0)),
        1 => Just(Value::Float(f64::NAN)),
        1 => Just(Value::Float(f64::NEG_INFINITY)),
        2 => Just(Value::Null),
        1 => (-5_i64..5).prop_map(Value::Int),
    ];
    let name = prop::sample::select(vec!["a", "b", "c", "d", "beyond 1", "beyond 2"]);
    let call = (prop::bool::weighted(0.2), 0_i64..12, prop::collection::btree_map(name, value, 0..5));
    prop::collection::vec(call, 1..120)
}

async fn any_sequence_of_calls_leaves_what_the_last_ones_say(db: &Database) {
    let admin = db.set_up().await;
    let first = run(&admin).await;
    first.add_metrics([("a", 0.0), ("b", 0.0), ("c", 0.0), ("d", 0.0)]).await.unwrap();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(25));
    for _ in 0..runner.config().cases {
        let made = calls().new_tree(&mut runner).unwrap().current();
        // There is no room for further columns.
        let client = db.builder().set("columns", "4").connect().await.unwrap();
        let run = run(&client).await;
        let mut expected = Points::new();
        for (is_awaited, step, call) in &made {
            let metrics: Metrics = call.iter().map(|(name, value)| (*name, value.clone())).collect();
            if *is_awaited {
                run.add_metrics(metrics).step(*step).await.unwrap();
            } else {
                run.record_metrics(*step, metrics).unwrap();
            }
            for (name, value) in call {
                let point = expected.entry(*step).or_default();
                match value {
                    Value::Null => drop(point.remove(*name)),
                    // The columns are float columns, and the overflow keeps what it is given.
                    Value::Int(number) if !name.starts_with("beyond") => {
                        point.insert((*name).to_owned(), Value::Float(*number as f64));
                    }
                    value => drop(point.insert((*name).to_owned(), value.clone())),
                }
            }
        }
        assert_eq!(client.flush().await.unwrap(), Ack::Committed);
        assert_eq!(shown(&points(&run).await), shown(&expected), "{made:?}");
        let stats = client.stats();
        assert_eq!((stats.queued_rows, stats.queued_bytes), (0, 0), "{stats:?}");
        assert_eq!(stats.written_rows, made.len() as u64);
    }
}

async fn calls_that_are_under_way_together_are_committed_together(db: &Database) {
    let client = db.set_up().await;
    let run = run(&client).await;
    let write = async |step: i64| run.add_metrics([("loss", 0.5)]).step(step).await;
    write(0).await.unwrap();
    let before = client.stats().batches;
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..64 {
        let run = run.clone();
        tasks.spawn(async move {
            for number in 0..20 {
                run.add_metrics([("loss", 0.5)]).step(1 + 20 * task + number).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(points(&run).await.len(), 1 + 64 * 20);
    let batches = client.stats().batches - before;
    assert!(batches < 64 * 20 / 4, "{batches} transactions");
}

async fn an_error_comes_back_to_the_call_that_caused_it(db: &Database) {
    let client = db.set_up().await;
    let run = run(&client).await;
    run.add_metrics(metrics! { "loss" => 0.5, "phase" => "train" }).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..60_i64 {
        let (run, nobody) = (run.clone(), client.run(404));
        tasks.spawn(async move {
            let result = match number % 3 {
                0 => run.add_metrics([("loss", 0.5)]).step(number).await,
                1 => nobody.add_metrics([("loss", 0.5)]).step(number).await,
                _ => run.add_metrics([("phase", 1.5)]).step(number).await,
            };
            (number, result)
        });
    }
    for (number, result) in tasks.join_all().await {
        match (number % 3, result) {
            (0, Ok(Ack::Committed)) | (2, Err(Error::MetricValue { .. })) => {}
            (1, Err(Error::Engine(EngineError::NoSuchRun(run)))) => assert_eq!(run.0, 404),
            (_, other) => panic!("{number}: {other:?}"),
        }
    }
    assert_eq!(points(&run).await.len(), 20);
    client.flush().await.unwrap();
}

async fn what_was_recorded_and_refused_is_told_by_the_next_flush(db: &Database) {
    let client = db.set_up().await;
    let run = run(&client).await;
    for step in 0..10 {
        run.record_metrics(step, [("loss", 0.5)]).unwrap();
        client.run(404).record_metrics(step, [("loss", 0.5)]).unwrap();
    }
    let err = client.flush().await.unwrap_err();
    assert!(matches!(&err, Error::Refused { count: 10, first } if first == "there is no run 404"), "{err:?}");
    client.flush().await.unwrap();
    assert_eq!(points(&run).await.len(), 10);
    assert_eq!((client.stats().written_rows, client.stats().refused_rows), (10, 10));
    assert!(matches!(run.record_metrics(1, [("step", 1)]), Err(Error::MetricName(_))));
    assert!(matches!(run.record_metrics((1, f64::NAN), [("a", 1)]), Err(Error::ProgressNan)));
}

async fn the_end_of_a_run_waits_for_what_was_recorded(db: &Database) {
    const COUNT: i64 = 3_000;
    let client = db.set_up().await;
    let other = db.connect().await;
    let count = async |run: &Run| -> i64 {
        let sql = "SELECT count(*) FROM metrics JOIN runs ON id = run_id WHERE run_id = $1 AND status = 'COMPLETED'";
        other.first_value(sql, (run.id(),)).await.unwrap().unwrap()
    };
    let record = |run: &Run| {
        (0..COUNT).for_each(|step| run.record_metrics(step, [("loss", 0.5)]).unwrap());
    };
    let tracked = run(&client).await;
    tracked
        .track(async |run| {
            record(&run);
            Ok::<_, Error>(())
        })
        .await
        .unwrap();
    assert_eq!(count(&tracked).await, COUNT);

    let guarded = run(&client).await;
    let guard = guarded.guard().await.unwrap();
    record(&guard);
    guard.complete().await.unwrap();
    assert_eq!(count(&guarded).await, COUNT);

    let started = run(&client).await;
    started.start().await.unwrap();
    record(&started);
    started.stop().await.unwrap();
    assert_eq!(count(&started).await, COUNT);
}

async fn a_run_ends_also_if_metrics_of_it_are_refused(db: &Database) {
    let client = db.set_up().await;
    let run = run(&client).await;
    run.start().await.unwrap();
    run.add_metrics([("phase", "train")]).await.unwrap();
    run.record_metrics(1, [("phase", 0.5)]).unwrap();
    let err = run.stop().await.unwrap_err();
    assert!(matches!(err, Error::Refused { count: 1, .. }), "{err:?}");
    let sql = "SELECT status FROM runs WHERE id = $1";
    let status: Option<String> = client.first_value(sql, (run.id(),)).await.unwrap();
    assert_eq!(status.as_deref(), Some("COMPLETED"));
}

async fn recording_needs_no_runtime(db: &Database) {
    let client = db.set_up().await;
    let run = run(&client).await;
    let set = MetricSet::new(["loss", "accuracy"]).unwrap();
    let recorder = run.clone();
    std::thread::spawn(move || {
        for step in 0..500 {
            recorder.record_values(step, &set, [f64::from(step), 0.5]).unwrap();
        }
    })
    .join()
    .unwrap();
    // Nobody polls anything here: it is written all the same.
    let other = db.connect().await;
    let start = Instant::now();
    loop {
        let sql = "SELECT count(*) FROM metrics WHERE run_id = $1";
        let count: Option<i64> = other.first_value(sql, (run.id(),)).await.unwrap();
        if count == Some(500) {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "{count:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

async fn the_last_client_waits_for_what_was_recorded(db: &Database) {
    let client = db.set_up().await;
    let run = run(&client).await;
    let id = run.id();
    for step in 0..200 {
        run.record_metrics(step, [("loss", 0.5)]).unwrap();
    }
    drop((client, run));
    assert_eq!(points(&db.connect().await.run(id)).await.len(), 200);
}

async fn a_client_that_was_closed_takes_nothing(db: &Database) {
    let client = db.set_up().await;
    let run = run(&client).await;
    run.record_metrics(1, [("loss", 0.5)]).unwrap();
    client.close().await;
    assert_eq!(points(&db.connect().await.run(run.id())).await.len(), 1);
    assert!(matches!(run.record_metrics(2, [("loss", 0.5)]), Err(Error::Stopped(_))));
    assert!(matches!(run.add_metrics([("loss", 0.5)]).await, Err(Error::Stopped(_))));
}

async fn nothing_is_recorded_in_a_transaction(db: &Database) {
    let client = db.set_up().await;
    let run = run(&client).await;
    let tx = client.begin().await.unwrap();
    let err = tx.run(run.id()).record_metrics(1, [("loss", 0.5)]).unwrap_err();
    assert!(matches!(err, Error::NotInTransaction(_)), "{err:?}");
    tx.run(run.id()).add_metrics([("loss", 0.5)]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(points(&run).await.len(), 1);
}

async fn ten_thousand_metrics_fit_one_call(db: &Database) {
    const COUNT: usize = 10_000;
    let client = db.set_up().await;
    let run = run(&client).await;
    let set = MetricSet::new((0..COUNT).map(|number| format!("layer {number}/norm"))).unwrap();
    for step in [1, 2] {
        let values = (0..COUNT).map(|number| number as f64 * f64::from(step));
        run.add_metrics(set.metrics(values).unwrap()).step(step.into()).await.unwrap();
    }
    run.record_values(3, &set, (0..COUNT).map(|number| (number % 2 == 0).then_some(0.5))).unwrap();
    client.flush().await.unwrap();
    let points = points(&run).await;
    for step in [1, 2] {
        let metrics = &points[&i64::from(step)];
        assert_eq!(metrics.len(), COUNT);
        for number in 0..COUNT {
            let value = &metrics[&format!("layer {number}/norm")];
            assert_eq!(value, &Value::Float(number as f64 * f64::from(step)));
        }
    }
    assert_eq!(points[&3].len(), COUNT / 2);
    let sql = "SELECT count(*) FROM metrics_long WHERE run_id = $1";
    let long: Option<i64> = client.first_value(sql, (run.id(),)).await.unwrap();
    assert_eq!(long, Some(2 * 10_000 + 5_000));
}

async fn columns_beyond_the_budget_are_not_made(db: &Database) {
    let admin = db.set_up().await;
    let client = db.builder().set("columns", "3").connect().await.unwrap();
    let run = run(&client).await;
    run.add_metrics([("a", 1.0), ("b", 2.0)]).await.unwrap();
    run.add_metrics([("c", 3.0), ("d", 4.0), ("e", 5.0)]).await.unwrap();
    let table = "SELECT * FROM metrics";
    let rows = admin.query(table, ()).await.unwrap();
    let names: Vec<&str> = rows.columns().iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["run_id", "step", "progress", "a", "b", "c"]);
    // Whoever has more room makes the column, and a later value of the metric moves there.
    let other = admin.run(run.id());
    other.add_metrics([("d", 6.0)]).await.unwrap();
    let expected = [("a", 1.0), ("b", 2.0), ("c", 3.0), ("d", 6.0), ("e", 5.0)];
    let expected = expected.map(|(name, value)| (name.to_owned(), Value::Float(value)));
    assert_eq!(points(&run).await, Points::from([(0, expected.into())]));
}

async fn rows_of_several_runs_and_columns_come_together(db: &Database) {
    let client = db.set_up().await;
    let runs = [run(&client).await, run(&client).await, run(&client).await];
    for step in 0..300_i64 {
        for (number, run) in runs.iter().enumerate() {
            match (step as usize + number) % 3 {
                0 => run.record_metrics(step, [("a", step as f64)]).unwrap(),
                1 => run.record_metrics(step, metrics! { "b" => step, "text" => step.to_string() }).unwrap(),
                _ => run.record_metrics(step, [("a", 0.5), ("c", 1.5)]).unwrap(),
            }
        }
    }
    client.flush().await.unwrap();
    for (number, run) in runs.iter().enumerate() {
        let points = points(run).await;
        assert_eq!(points.len(), 300);
        for (step, metrics) in points {
            let expected: BTreeMap<&str, Value> = match (step as usize + number) % 3 {
                0 => [("a", Value::Float(step as f64))].into(),
                1 => [("b", Value::Int(step)), ("text", Value::from(step.to_string()))].into(),
                _ => [("a", Value::Float(0.5)), ("c", Value::Float(1.5))].into(),
            };
            let found: BTreeMap<&str, Value> =
                metrics.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
            assert_eq!(found, expected);
        }
    }
}

async fn no_column_is_made_for_what_is_refused(db: &Database) {
    let client = db.set_up().await;
    let run = run(&client).await;
    run.add_metrics(metrics! { "phase" => "train", "count" => 1 }).await.unwrap();
    let bad = || metrics! { "alone" => 0.5, "count" => 0.5, "phase" => 0.5 };
    run.add_metrics(bad()).step(1).await.unwrap_err();
    run.record_metrics(2, bad()).unwrap();
    run.record_metrics(3, [("together", 0.5)]).unwrap();
    client.flush().await.unwrap_err();
    let rows = client.query("SELECT * FROM metrics WHERE step = 0", ()).await.unwrap();
    let names: Vec<&str> = rows.columns().iter().map(|column| column.name.as_str()).skip(3).collect();
    assert_eq!(names, ["phase", "count", "together"]);
    let row = rows.into_iter().next().unwrap();
    assert_eq!(row.get::<Value>("count").unwrap(), Value::Int(1), "the column was made a float column");
}

async fn what_must_be_given_together_is_checked(db: &Database) {
    let client = db.set_up().await;
    let run = run(&client).await;
    let set = MetricSet::new(["a", "b"]).unwrap();
    assert!(matches!(set.metrics([1.0]), Err(Error::Metrics(_))));
    assert!(matches!(run.record_values(1, &set, [1.0, 2.0, 3.0]), Err(Error::Metrics(_))));
    assert!(matches!(MetricSet::new(["a", "a"]), Err(Error::MetricTwice { .. })));
    run.record_values((1, 0.5), &set, [1.0, 2.0]).unwrap();
    client.flush().await.unwrap();
    assert_eq!(run.metrics().await.unwrap()[0].progress, 0.5);
}

async fn a_row_that_is_too_big_is_split(db: &Database) {
    db.set_up().await;
    let client = db.builder().set("columns", "1400").connect().await.unwrap();
    let run = run(&client).await;
    let set = MetricSet::new((0..1_300).map(|number| format!("m{number}"))).unwrap();
    let values = |factor: f64| (0..1_300).map(move |number| f64::from(number) * factor);
    run.add_metrics(set.metrics(values(0.5)).unwrap()).step(1).await.unwrap();
    run.record_values(2, &set, values(0.25)).unwrap();
    run.record_metrics(3, [("m7", 0.5)]).unwrap();
    client.flush().await.unwrap();
    let tx = client.begin().await.unwrap();
    tx.run(run.id()).add_metrics(set.metrics(values(0.125)).unwrap()).step(4).await.unwrap();
    tx.commit().await.unwrap();
    let points = points(&run).await;
    for (step, factor) in [(1, 0.5), (2, 0.25), (4, 0.125)] {
        assert_eq!(points[&step].len(), 1_300);
        assert_eq!(points[&step]["m1299"], Value::Float(1299.0 * factor));
    }
    assert_eq!(points[&3].len(), 1);
}
