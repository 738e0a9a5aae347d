//! Writing metrics: keys, columns that come and change, and what does not fit them.

use std::collections::BTreeMap;

use serde_json::json;
use sqltrack_core::{Client, Error, Experiment, Metrics, Run, Value, metrics};
use sqltrack_tests::{Database, on_both_engines};

on_both_engines!(
    a_second_write_changes_only_what_it_names,
    none_clears_a_metric_wherever_it_is,
    zero_has_no_sign_in_a_key,
    step_and_progress_are_zero_by_default,
    bad_names_and_values_are_refused_and_leave_nothing,
    nan_spoils_no_aggregate,
    a_float_widens_an_integer_column,
    large_integers_keep_their_column,
    a_value_of_another_type_is_refused,
    a_stale_view_of_the_columns_is_corrected,
    a_thousand_metrics_fit_one_call,
    metrics_beyond_the_columns_overflow,
    points_are_read_whole_while_they_are_written,
    names_that_differ_in_case,
);

async fn run(db: &Database) -> (Client, Run) {
    let client = db.set_up().await;
    let run = Experiment::open(&client, "metrics").await.unwrap().new_run().await.unwrap();
    (client, run)
}

/// Everything that the run has, by step, progress and name.
async fn all(run: &Run) -> Vec<(i64, f64, BTreeMap<String, Value>)> {
    let points = run.metrics().await.unwrap();
    points
        .into_iter()
        .map(|point| (point.step, point.progress, point.metrics.into_iter().collect()))
        .collect()
}

fn named<const N: usize>(metrics: [(&str, Value); N]) -> BTreeMap<String, Value> {
    metrics.map(|(name, value)| (name.to_owned(), value)).into()
}

async fn a_second_write_changes_only_what_it_names(db: &Database) {
    let (_, run) = run(db).await;
    run.add_metrics([("a", 1)]).step(3).await.unwrap();
    run.add_metrics([("b", 2)]).step(3).await.unwrap();
    assert_eq!(all(&run).await, [(3, 0.0, named([("a", 1.into()), ("b", 2.into())]))]);
    run.add_metrics([("a", 5)]).step(3).await.unwrap();
    assert_eq!(all(&run).await, [(3, 0.0, named([("a", 5.into()), ("b", 2.into())]))]);
}

async fn none_clears_a_metric_wherever_it_is(db: &Database) {
    let (client, run) = run(db).await;
    let sql = "INSERT INTO metrics_overflow (run_id, step, progress, name, value) VALUES ($1, 0, 0, 'spilled', 1.5)";
    client.execute(sql, (run.id(),)).await.unwrap();
    run.add_metrics(metrics! { "a" => 1, "b" => 2, "nan" => f64::NAN }).await.unwrap();
    run.add_metrics([("a", None::<i64>), ("unknown", None)]).await.unwrap();
    run.add_metrics([("nan", None::<f64>)]).await.unwrap();
    assert_eq!(all(&run).await, [(0, 0.0, named([("b", 2.into()), ("spilled", 1.5.into())]))]);
    run.add_metrics([("spilled", None::<f64>)]).await.unwrap();
    assert_eq!(all(&run).await, [(0, 0.0, named([("b", 2.into())]))]);
}

async fn zero_has_no_sign_in_a_key(db: &Database) {
    let (client, run) = run(db).await;
    run.add_metrics(metrics! { "a" => 1, "nan" => f64::NAN }).progress(-0.0).await.unwrap();
    run.add_metrics([("b", 2)]).progress(0.0).await.unwrap();
    run.add_metrics([("nan", 0.5)]).await.unwrap();
    let expected = named([("a", 1.into()), ("b", 2.into()), ("nan", 0.5.into())]);
    assert_eq!(all(&run).await, [(0, 0.0, expected)]);
    assert!(client.query("SELECT * FROM metrics_overflow", ()).await.unwrap().is_empty());
}

async fn step_and_progress_are_zero_by_default(db: &Database) {
    let (client, run) = run(db).await;
    run.add_metrics([("a", 1)]).await.unwrap();
    for (step, progress) in
        [(i64::MIN, f64::NEG_INFINITY), (i64::MAX, f64::INFINITY), (-1, 0.5), (-1, 5e-324)]
    {
        run.add_metrics([("a", 1)]).step(step).progress(progress).await.unwrap();
    }
    let keys: Vec<_> = all(&run).await.into_iter().map(|(step, progress, _)| (step, progress)).collect();
    let expected =
        [(i64::MIN, f64::NEG_INFINITY), (-1, 5e-324), (-1, 0.5), (0, 0.0), (i64::MAX, f64::INFINITY)];
    assert_eq!(keys, expected);
    let count: Option<i64> = client.first_value("SELECT count(*) FROM metrics", ()).await.unwrap();
    assert_eq!(count, Some(5));
}

async fn bad_names_and_values_are_refused_and_leave_nothing(db: &Database) {
    let (client, run) = run(db).await;
    let long = "é".repeat(32);
    let bad: [(Metrics, &str); 14] = [
        ([("", 1)].into(), "a metric needs a name"),
        ([(long.as_str(), 1)].into(), "has 64 bytes"),
        ([("a\0b", 1)].into(), "NUL"),
        ([("run_id", 1)].into(), "reserved"),
        ([("STEP", 1)].into(), "reserved"),
        ([("Progress", 1)].into(), "reserved"),
        ([("ctid", 1)].into(), "reserved"),
        ([("rowid", 1)].into(), "reserved"),
        ([("n", u64::MAX)].into(), "`n`: the integer 18446744073709551615"),
        (
            [("n", i128::MIN)].map(|(name, _)| (name, u128::MAX)).into(),
            "`n`: the integer 340282366920938463463374607431768211455",
        ),
        ([("n", "a\0b")].into(), "NUL"),
        ([("n", json!({"a": ["\0"]}))].into(), "NUL"),
        ([("n", json!({"\0": 1}))].into(), "NUL"),
        (vec![("n", 1), ("n", 2)].into(), "given twice"),
    ];
    for (bad, message) in bad {
        // A good metric before it is not written either.
        let mut metrics = metrics! { "good" => 1 };
        bad.iter().for_each(|(name, value)| metrics.push(name, value.clone()));
        let err = run.add_metrics(metrics).await.unwrap_err().to_string();
        assert!(err.contains(message), "{err}");
    }
    let err = run.add_metrics([("good", 1)]).progress(f64::NAN).await.unwrap_err();
    assert!(matches!(err, Error::ProgressNan), "{err:?}");
    let rows = client.query("SELECT * FROM metrics", ()).await.unwrap();
    assert_eq!((rows.columns().len(), rows.len()), (3, 0));
}

async fn nan_spoils_no_aggregate(db: &Database) {
    let (client, run) = run(db).await;
    for (step, loss) in [1.0, f64::NAN, 3.0].into_iter().enumerate() {
        run.add_metrics([("loss", loss)]).step(i64::try_from(step).unwrap()).await.unwrap();
    }
    let aggregates: (f64, f64) =
        client.first_row("SELECT max(loss), avg(loss) FROM metrics", ()).await.unwrap().unwrap();
    // PostgreSQL keeps NaN in the column, where it is the largest number there is.
    let is_nan = (aggregates.0.is_nan(), aggregates.1.is_nan());
    assert_eq!(is_nan, db.choose((true, true), (false, false)));
    if !is_nan.0 {
        assert_eq!(aggregates, (3.0, 2.0));
    }
    let spilled: Vec<(i64, String)> = client
        .query("SELECT step, name FROM metrics_overflow", ())
        .await
        .unwrap()
        .into_iter()
        .map(|row| row.decode().unwrap())
        .collect();
    assert_eq!(spilled, db.choose(vec![], vec![(1, "loss".to_owned())]));
    assert!(matches!(all(&run).await[1].2["loss"], Value::Float(loss) if loss.is_nan()));
    run.add_metrics([("loss", 2.0)]).step(1).await.unwrap();
    assert!(client.query("SELECT * FROM metrics_overflow", ()).await.unwrap().is_empty());
    assert_eq!(all(&run).await[1].2, named([("loss", 2.0.into())]));
}

async fn a_float_widens_an_integer_column(db: &Database) {
    let (client, run) = run(db).await;
    let other = db.connect().await;
    for (step, value) in
        [(0, Value::Int(7)), (1, Value::Int(-(1 << 53))), (2, 2.64.into()), (3, f64::NAN.into())]
    {
        run.add_metrics([("loss", value)]).step(step).await.unwrap();
        other.run(run.id()).add_metrics([("other", step)]).step(step).await.unwrap();
    }
    // A client that still knows the column as one of integers.
    other.run(run.id()).add_metrics([("loss", 9)]).step(4).await.unwrap();
    let found: Vec<_> = all(&run).await.iter().map(|(_, _, metrics)| metrics["loss"].clone()).collect();
    assert_eq!(found[..3], [Value::Float(7.0), Value::Float(-9_007_199_254_740_992.0), Value::Float(2.64)]);
    assert!(matches!(found[3], Value::Float(loss) if loss.is_nan()));
    assert_eq!(found[4], Value::Float(9.0));
    let rows = client.query("SELECT loss FROM metrics WHERE 1 = 0", ()).await.unwrap();
    assert_eq!(rows.columns()[0].type_name, db.choose("float8", "REAL"));
}

async fn large_integers_keep_their_column(db: &Database) {
    let (client, run) = run(db).await;
    let large = (1_i64 << 53) + 1;
    run.add_metrics([("n", large)]).await.unwrap();
    let err = run.add_metrics([("n", 0.5)]).step(1).await.unwrap_err().to_string();
    assert!(err.contains("`n`") && err.contains("2^53"), "{err}");
    assert_eq!(all(&run).await, [(0, 0.0, named([("n", large.into())]))]);
    // The same the other way round, by a client that knows the column and one that does not.
    run.add_metrics([("f", 0.5)]).await.unwrap();
    for client in [client, db.connect().await] {
        let err = client.run(run.id()).add_metrics([("f", large)]).step(1).await.unwrap_err();
        assert!(matches!(&err, Error::MetricValue { name, .. } if name == "f"), "{err:?}");
    }
    run.add_metrics([("f", large - 1)]).await.unwrap();
    assert_eq!(all(&run).await[0].2["f"], Value::Float(9_007_199_254_740_992.0));
}

async fn a_value_of_another_type_is_refused(db: &Database) {
    let (_, run) = run(db).await;
    let values: [(&str, Value); 5] = [
        ("int", 1.into()),
        ("float", 0.5.into()),
        ("bool", true.into()),
        ("text", "x".into()),
        ("json", json!({}).into()),
    ];
    run.add_metrics(values.to_vec()).await.unwrap();
    let before = all(&run).await;
    for (column, _) in &values {
        for (kind, value) in &values {
            let fits = column == kind
                || (*column, *kind) == ("float", "int")
                || (*column, *kind) == ("int", "float");
            if fits {
                continue;
            }
            let err = run.add_metrics([(*column, value.clone())]).await.unwrap_err();
            assert!(
                matches!(&err, Error::MetricValue { name, .. } if name == column),
                "{kind} into {column}: {err:?}"
            );
        }
    }
    assert_eq!(all(&run).await, before);
}

async fn a_stale_view_of_the_columns_is_corrected(db: &Database) {
    let (client, run) = run(db).await;
    run.add_metrics([("a", 1)]).await.unwrap();
    client.execute("ALTER TABLE metrics RENAME COLUMN a TO b", ()).await.unwrap();
    run.add_metrics([("a", 2)]).step(1).await.unwrap();
    let expected = [(0, 0.0, named([("b", 1.into())])), (1, 0.0, named([("a", 2.into())]))];
    assert_eq!(all(&run).await, expected);
}

/// Metrics `m0`, `m1`, … with their numbers as values.
fn many(numbers: std::ops::Range<i64>) -> Metrics {
    numbers.map(|number| (format!("m{number}"), number as f64)).collect()
}

fn expected(numbers: std::ops::Range<i64>) -> BTreeMap<String, Value> {
    many(numbers).iter().map(|(name, value)| (name.to_owned(), value.clone())).collect()
}

async fn a_thousand_metrics_fit_one_call(db: &Database) {
    let (client, run) = run(db).await;
    run.add_metrics(many(0..1000)).await.unwrap();
    assert_eq!(all(&run).await, [(0, 0.0, expected(0..1000))]);
    let count: Option<i64> = client.first_value("SELECT count(*) FROM metrics_long", ()).await.unwrap();
    assert_eq!(count, Some(1000));
}

async fn metrics_beyond_the_columns_overflow(db: &Database) {
    let (client, run) = run(db).await;
    for step in 0..5 {
        run.add_metrics(many(step * 500..(step + 1) * 500)).step(step).await.unwrap();
    }
    let steps = (0..5).map(|step| (step, 0.0, expected(step * 500..(step + 1) * 500)));
    assert_eq!(all(&run).await, steps.collect::<Vec<_>>());
    let count: Option<i64> = client.first_value("SELECT count(*) FROM metrics_long", ()).await.unwrap();
    assert_eq!(count, Some(2500));
    // Values of the overflow have any type, change, and can be cleared.
    run.add_metrics(
        metrics! { "m2000" => "text", "m2001" => json!([null]), "m2002" => i64::MAX, "m2003" => f64::NAN },
    )
    .step(4)
    .await
    .unwrap();
    run.add_metrics([("m2004", None::<f64>)]).step(4).await.unwrap();
    let metrics = &all(&run).await[4].2;
    let kept: [Value; 3] = ["m2000", "m2001", "m2002"].map(|name| metrics[name].clone());
    assert_eq!(kept, ["text".into(), json!([null]).into(), i64::MAX.into()]);
    assert!(matches!(metrics["m2003"], Value::Float(number) if number.is_nan()));
    assert_eq!((metrics.get("m2004"), metrics.len()), (None, 499));
}

async fn names_that_differ_in_case(db: &Database) {
    let (_, run) = run(db).await;
    run.add_metrics([("loss", 1)]).await.unwrap();
    let both: [(Metrics, &str, &str); 2] =
        [([("LOSS", 2)].into(), "LOSS", "loss"), ([("Acc", 1), ("acC", 2)].into(), "acC", "Acc")];
    for (metrics, name, existing) in both {
        let added = run.add_metrics(metrics).step(1).await;
        match db.choose(Ok(()), Err((name, existing))) {
            Ok(()) => drop(added.unwrap()),
            Err((name, existing)) => {
                let err = added.unwrap_err();
                let is_case = matches!(&err, Error::MetricCase { name: found, existing: other } if found == name && other == existing);
                assert!(is_case, "{err:?}");
            }
        }
    }
    let first = (0, 0.0, named([("loss", 1.into())]));
    let second = (1, 0.0, named([("Acc", 1.into()), ("LOSS", 2.into()), ("acC", 2.into())]));
    assert_eq!(all(&run).await, db.choose(vec![first.clone(), second], vec![first]));
    // Letters beyond ASCII are told apart by both.
    run.add_metrics([("ä", 1), ("Ä", 2)]).step(2).await.unwrap();
    assert_eq!(all(&run).await.last().unwrap().2, named([("ä", 1.into()), ("Ä", 2.into())]));
}

async fn points_are_read_whole_while_they_are_written(db: &Database) {
    let (_, run) = run(db).await;
    run.add_metrics([("column", 0)]).await.unwrap();
    let client = db.builder().set("columns", "1").connect().await.unwrap();
    let written = client.run(run.id());
    // One in a column, one beyond, and both the same.
    let writing = tokio::spawn(async move {
        for step in 0..300 {
            written.add_metrics([("column", step), ("beyond", step)]).step(step).await.unwrap();
        }
    });
    let mut looks = 0;
    while !writing.is_finished() {
        let points = [run.metrics().await.unwrap(), run.latest_metrics(None, 3).await.unwrap()].concat();
        let is_whole = |point: &&sqltrack_core::MetricPoint| {
            point.step == 0 || point.metrics.get("column") == point.metrics.get("beyond")
        };
        let torn = points.iter().find(|point| !is_whole(point));
        assert!(torn.is_none(), "after {looks} looks: {torn:?}");
        looks += 1;
    }
    writing.await.unwrap();
    assert!(looks > 3, "it was written too fast to see anything");
}
