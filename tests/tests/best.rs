//! The best value of a metric in each run: never the last one, NULL, NaN or an infinity.

use std::cmp::Ordering;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use sqltrack_core::{
    BestValue, Client, Dialect, Error, Experiment, Goal, ListingError, Metrics, Run, RunId, Value, metrics,
};
use sqltrack_tests::{Database, on_both_engines};

on_both_engines!(
    best_is_what_a_look_at_every_value_finds,
    large_integers_are_told_apart,
    large_steps_are_told_apart,
    only_the_runs_that_are_asked_for_are_listed,
    what_has_no_best_says_why,
    the_statement_can_be_run_by_anybody;
    postgres: columns_of_other_number_types_have_a_best_value,
);

async fn experiment(client: &Client, name: &str) -> Experiment {
    Experiment::open(client, name).await.unwrap()
}

/// A value at a step; rewritten by the next one at the same step.
type Made = (i64, f64, Value);

fn values() -> impl Strategy<Value = Vec<Made>> {
    let value = prop_oneof![
        6 => (-4_i32..4).prop_map(|number| Value::Float(f64::from(number) / 2.0)),
        2 => Just(Value::Float(f64::NAN)),
        1 => Just(Value::Float(f64::INFINITY)),
        1 => Just(Value::Float(f64::NEG_INFINITY)),
        1 => Just(Value::Null),
    ];
    let progress = prop::sample::select(vec![0.0, 0.5]);
    prop::collection::vec((-3_i64..6, progress, value), 0..14)
}

/// What is found by looking at each value.
fn expected(run: RunId, made: &[Made], goal: Goal) -> Option<String> {
    let mut kept: Vec<(i64, f64, f64)> = Vec::new();
    for (step, progress, value) in made {
        kept.retain(|(other, at, _)| (other, at) != (step, progress));
        if let Value::Float(value) = value {
            kept.push((*step, *progress, *value));
        }
    }
    if kept.is_empty() {
        return None;
    }
    let is_better = |one: &(i64, f64, f64), other: &(i64, f64, f64)| {
        let order = one.2.partial_cmp(&other.2).unwrap();
        let order = if goal == Goal::Max { order.reverse() } else { order };
        order.then(one.0.cmp(&other.0)).then(one.1.total_cmp(&other.1)) == Ordering::Less
    };
    let finite = || kept.iter().filter(|(_, _, value)| value.is_finite());
    let best = finite().fold(None, |best, one| match best {
        Some(best) if !is_better(one, best) => Some(best),
        _ => Some(one),
    });
    let non_finite = kept.len() - finite().count();
    let nans = kept.iter().filter(|(_, _, value)| value.is_nan());
    let best = best.map(|(step, progress, value)| (Value::Float(value + 0.0), *step, *progress));
    let first_nan = nans.map(|(step, ..)| *step).min();
    Some(format!("{run}: {best:?} {non_finite} {first_nan:?}"))
}

fn shown(found: &BestValue) -> String {
    let best = found.best.as_ref().map(|best| {
        let Value::Float(value) = best.value else { panic!("{found:?}") };
        (Value::Float(value + 0.0), best.step, best.progress)
    });
    format!("{}: {best:?} {} {:?}", found.run, found.non_finite, found.first_nan_step)
}

async fn best_is_what_a_look_at_every_value_finds(db: &Database) {
    let client = db.set_up().await;
    client.run(first_run(&client).await).add_metrics([("column", 0.5), ("other", 0.5)]).await.unwrap();
    // There is no room for `beyond`, which goes to the overflow.
    let client = db.builder().set("columns", "2").connect().await.unwrap();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(12));
    for case in 0..runner.config().cases {
        let experiment = experiment(&client, &format!("case {case}")).await;
        let strategy = prop::collection::vec(values(), 1..6);
        let made = strategy.new_tree(&mut runner).unwrap().current();
        let mut runs = Vec::new();
        for made in &made {
            let run = experiment.new_run().await.unwrap();
            for (step, progress, value) in made {
                let metrics: Metrics =
                    [("column", value.clone()), ("beyond", value.clone()), ("other", Value::Float(1.0))]
                        .into();
                run.record_metrics((*step, *progress), metrics).unwrap();
            }
            runs.push(run.id());
        }
        client.flush().await.unwrap();
        for (metric, goal) in
            [("column", Goal::Max), ("column", Goal::Min), ("beyond", Goal::Max), ("beyond", Goal::Min)]
        {
            let expected: Vec<String> =
                runs.iter().zip(&made).filter_map(|(run, made)| expected(*run, made, goal)).collect();
            let found = client.best(metric, goal).experiment(experiment.id()).await;
            let found = match found {
                // None of the runs has any.
                Err(Error::Listing(ListingError::NoSuchMetric { .. })) if metric == "beyond" => Vec::new(),
                found => found.unwrap(),
            };
            assert_eq!(found.iter().map(shown).collect::<Vec<_>>(), expected, "{metric} {goal:?} {made:?}");
        }
    }
}

async fn first_run(client: &Client) -> RunId {
    experiment(client, "first").await.new_run().await.unwrap().id()
}

async fn large_integers_are_told_apart(db: &Database) {
    let client = db.set_up().await;
    let run = client.run(first_run(&client).await);
    let large = 1_i64 << 53;
    for (step, value) in [(1, large), (2, large + 1), (3, large + 1), (4, -large), (5, -large - 1)] {
        run.add_metrics([("count", value)]).step(step).await.unwrap();
    }
    // The same beyond the columns.
    let narrow = db.builder().set("columns", "1").connect().await.unwrap();
    for (step, value) in [(1, large), (2, large + 1), (3, large + 1), (4, -large), (5, -large - 1)] {
        narrow.run(run.id()).add_metrics([("beyond", value)]).step(step).await.unwrap();
    }
    for metric in ["count", "beyond"] {
        for (goal, expected, step) in [(Goal::Max, large + 1, 2), (Goal::Min, -large - 1, 5)] {
            let found = run.best(metric, goal).await.unwrap().unwrap().best.unwrap();
            assert_eq!((metric, found.value, found.step), (metric, Value::Int(expected), step));
        }
    }
}

async fn large_steps_are_told_apart(db: &Database) {
    let client = db.set_up().await;
    let run = client.run(first_run(&client).await);
    for step in [i64::MAX, i64::MAX - 1, (1 << 53) + 1] {
        run.add_metrics(metrics! { "loss" => 0.5, "count" => 7 }).step(step).await.unwrap();
    }
    run.add_metrics([("loss", f64::INFINITY)]).step(i64::MIN).await.unwrap();
    let best = async |metric, goal| {
        let found = run.best(metric, goal).await.unwrap().unwrap();
        (found.best.unwrap().step, found.non_finite)
    };
    for goal in [Goal::Max, Goal::Min] {
        assert_eq!(best("loss", goal).await, ((1 << 53) + 1, 1));
        assert_eq!(best("count", goal).await, ((1 << 53) + 1, 0));
    }
    run.add_metrics([("loss", 0.75)]).step(i64::MIN).await.unwrap();
    assert_eq!(best("loss", Goal::Max).await, (i64::MIN, 0));
    run.add_metrics([("loss", 0.25)]).step(i64::MAX).progress(0.5).await.unwrap();
    assert_eq!(best("loss", Goal::Min).await, (i64::MAX, 0));
}

async fn only_the_runs_that_are_asked_for_are_listed(db: &Database) {
    let client = db.set_up().await;
    let (one, other) = (experiment(&client, "one").await, experiment(&client, "other").await);
    let mut runs = Vec::new();
    for (number, experiment) in [&one, &other, &one, &one].into_iter().enumerate() {
        let run = experiment.new_run().await.unwrap();
        if number < 3 {
            run.add_metrics([("loss", number as f64)]).step(7).await.unwrap();
        }
        runs.push(run.id());
    }
    let ids = |found: Vec<BestValue>| found.iter().map(|found| found.run).collect::<Vec<_>>();
    let best = || client.best("loss", Goal::Min);
    assert_eq!(ids(best().await.unwrap()), runs[..3]);
    assert_eq!(ids(best().experiment(one.id()).await.unwrap()), [runs[0], runs[2]]);
    assert_eq!(ids(best().runs([runs[2], runs[1], RunId(404)]).await.unwrap()), [runs[1], runs[2]]);
    assert_eq!(ids(best().runs([] as [RunId; 0]).await.unwrap()), []);
    assert_eq!(client.run(runs[3]).best("loss", Goal::Min).await.unwrap(), None);
    // What others have beyond the columns is no misspelt name either.
    let narrow = db.builder().set("columns", "1").connect().await.unwrap();
    narrow.run(runs[0]).add_metrics([("beyond", 0.5)]).await.unwrap();
    assert_eq!(client.run(runs[3]).best("beyond", Goal::Min).await.unwrap(), None);
    let err = client.best("beyon", Goal::Min).await.unwrap_err();
    assert_eq!(err.to_string(), "there is no metric `beyon`; did you mean `beyond`?");
    // In a transaction, too, with what that has not committed yet.
    let tx = client.begin().await.unwrap();
    tx.run(runs[3]).add_metrics([("loss", -1.0)]).await.unwrap();
    assert_eq!(ids(tx.best("loss", Goal::Min).await.unwrap()), runs);
    tx.rollback().await.unwrap();
}

async fn what_has_no_best_says_why(db: &Database) {
    let client = db.set_up().await;
    let run: Run = client.run(first_run(&client).await);
    run.add_metrics(metrics! { "val/loss" => 0.5, "phase" => "train" }).await.unwrap();
    let err = client.best("val_loss", Goal::Min).await.unwrap_err();
    assert_eq!(err.to_string(), "there is no metric `val_loss`; did you mean `val/loss`?");
    let err = run.best("phase", Goal::Min).await.unwrap_err();
    assert!(
        matches!(&err, Error::Listing(ListingError::NotANumber { name, .. }) if name == "phase"),
        "{err:?}"
    );
    assert!(err.to_string().contains("TEXT") || err.to_string().contains("text"), "{err}");
    let hostile = client.best("x\"; DROP TABLE metrics; --' $1 {}", Goal::Max).await.unwrap_err();
    assert!(matches!(hostile, Error::Listing(ListingError::NoSuchMetric { .. })), "{hostile:?}");
}

async fn the_statement_can_be_run_by_anybody(db: &Database) {
    let client = db.set_up().await;
    let experiment = experiment(&client, "sql").await;
    let run = experiment.new_run().await.unwrap();
    for (step, loss) in [(1, 0.5), (2, 0.25), (3, f64::NAN)] {
        run.add_metrics([("loss", loss)]).step(step).await.unwrap();
    }
    let sql = client.best("loss", Goal::Min).experiment(experiment.id()).sql().await.unwrap();
    let rows = client.query(&sql, (experiment.id(),)).await.unwrap();
    let [row] = rows.into_iter().collect::<Vec<_>>().try_into().unwrap();
    assert_eq!((row.get::<f64>("value").unwrap(), row.get::<i64>("step").unwrap()), (0.25, 2));
    // On SQLite, NaN stands beyond the column.
    let non_finite: i64 = row.get("non_finite").unwrap();
    assert_eq!(non_finite, db.choose(1, 0));
    assert_eq!(run.best("loss", Goal::Min).await.unwrap().unwrap().non_finite, 1);
}

async fn columns_of_other_number_types_have_a_best_value(db: &Database) {
    assert_eq!(db.dialect(), Dialect::Postgres);
    let client = db.set_up().await;
    let run: Run = client.run(first_run(&client).await);
    client
        .execute("ALTER TABLE metrics ADD COLUMN small SMALLINT, ADD COLUMN single REAL", ())
        .await
        .unwrap();
    for (step, small, single) in [(1, 3, 0.5_f32), (2, 7, f32::NAN), (3, 7, -0.5)] {
        run.add_metrics(metrics! { "small" => small, "single" => single }).step(step).await.unwrap();
    }
    let found = run.best("small", Goal::Max).await.unwrap().unwrap().best.unwrap();
    assert_eq!((found.value, found.step), (Value::Int(7), 2));
    let found = run.best("single", Goal::Max).await.unwrap().unwrap();
    assert_eq!((found.non_finite, found.first_nan_step), (1, Some(2)));
    let found = found.best.unwrap();
    assert_eq!((found.value, found.step), (Value::Float(0.5), 1));
}
