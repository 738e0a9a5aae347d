//! Ids: automatic ones are unused, unknown ones are errors, and what belongs to them goes with them.

use std::collections::BTreeSet;

use sqltrack_core::{Client, EngineError, Error, Experiment, ExperimentId, Fields, Run, RunId, Stamp};
use sqltrack_tests::{Database, on_both_engines};

on_both_engines!(
    automatic_ids_are_unused_after_explicit_ones,
    automatic_ids_are_unused_while_explicit_ones_are_taken,
    an_id_of_a_deleted_run_is_not_given_again,
    an_experiment_is_opened_by_name_or_id_or_both,
    a_run_belongs_to_one_experiment,
    unknown_runs_are_errors,
    unknown_experiments_are_errors,
    unknown_targets_of_links_are_errors,
    a_run_may_be_linked_to_itself,
    deletes_cascade,
);

async fn automatic_ids_are_unused_after_explicit_ones(db: &Database) {
    let client = db.set_up().await;
    let explicit = || (1..=50).chain([0, -1, i64::MIN, i64::MAX, i64::MAX - 1, 52, 53, 60]);
    Experiment::open(&client, (1, "e1")).await.unwrap();
    for id in explicit() {
        assert_eq!(Experiment::open(&client, (id, format!("e{id}"))).await.unwrap().id(), ExperimentId(id));
        assert_eq!(client.experiment(1).get_run(id).await.unwrap().id(), RunId(id));
    }
    let mut automatic = Vec::new();
    for number in 0..10 {
        let experiment = Experiment::open(&client, format!("automatic {number}")).await.unwrap();
        let run = experiment.new_run().await.unwrap();
        automatic.push((experiment.id().0, run.id().0));
    }
    let expected = [51, 54, 55, 56, 57, 58, 59, 61, 62, 63].map(|id| (id, id));
    assert_eq!(automatic, expected);
}

async fn automatic_ids_are_unused_while_explicit_ones_are_taken(db: &Database) {
    let client = db.set_up().await;
    let experiment = Experiment::open(&client, "ids").await.unwrap();
    let tasks = (0..8_i64).map(|task| {
        let experiment = experiment.clone();
        tokio::spawn(async move {
            let mut automatic = Vec::new();
            for index in 0..20 {
                experiment.get_run(1 + task * 20 + index).await.unwrap();
                automatic.push(experiment.new_run().await.unwrap().id());
            }
            automatic
        })
    });
    let mut automatic = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        automatic.extend(task.await.unwrap());
    }
    assert_eq!(automatic.iter().collect::<BTreeSet<_>>().len(), automatic.len());
}

async fn an_id_of_a_deleted_run_is_not_given_again(db: &Database) {
    let client = db.set_up().await;
    let experiment = Experiment::open(&client, "ids").await.unwrap();
    let first = experiment.new_run().await.unwrap().id();
    client.execute("DELETE FROM runs", ()).await.unwrap();
    assert!(experiment.new_run().await.unwrap().id() > first);
}

async fn an_experiment_is_opened_by_name_or_id_or_both(db: &Database) {
    let client = db.set_up().await;
    let a = Experiment::open(&client, "a").await.unwrap().id();
    let b = Experiment::open(&client, (70, "b")).await.unwrap().id();
    assert_eq!(b, ExperimentId(70));
    assert_eq!(Experiment::open(&client, "b").await.unwrap().id(), b);
    assert_eq!(Experiment::open(&client, b).await.unwrap().name().await.unwrap(), "b");
    assert_eq!(Experiment::open(&client, (b, "b")).await.unwrap().id(), b);
    for (id, name, message) in [
        (a.0, "b", format!("the experiment `b` has the id 70, not {a}; give the id or the name")),
        (404, "b", "the experiment `b` has the id 70, not 404; give the id or the name".to_owned()),
        (70, "new", "experiment 70 is named `b`, not `new`; give the id or the name".to_owned()),
    ] {
        let err = Experiment::open(&client, (id, name)).await.unwrap_err();
        assert_eq!(err.to_string(), message);
        assert!(matches!(err, Error::ExperimentConflict { .. } | Error::ExperimentNameConflict { .. }));
    }
    let err = Experiment::open(&client, 404).await.unwrap_err();
    assert!(matches!(err, Error::Engine(EngineError::NoSuchExperiment(ExperimentId(404)))), "{err:?}");
    let err = client.experiment(b).set_name("a").await.unwrap_err();
    assert!(matches!(&err, Error::Engine(EngineError::NameTaken { name }) if name == "a"), "{err:?}");
    let names: Vec<String> =
        client.first_values("SELECT name FROM experiments ORDER BY id", ()).await.unwrap();
    assert_eq!(names, ["a", "b"]);
}

async fn a_run_belongs_to_one_experiment(db: &Database) {
    let client = db.set_up().await;
    let a = Experiment::open(&client, "a").await.unwrap();
    let b = Experiment::open(&client, "b").await.unwrap();
    let run = a.get_run(5).await.unwrap();
    assert_eq!(a.get_run(5).await.unwrap().id(), run.id());
    assert_eq!(Run::open(&client, 5).await.unwrap().experiment().await.unwrap().id(), a.id());
    let err = b.get_run(5).await.unwrap_err();
    assert!(matches!(err, Error::RunConflict { run: RunId(5), .. }), "{err:?}");
    let missing = client.experiment(404);
    for result in [missing.new_run().await, missing.get_run(6).await] {
        let err = result.unwrap_err();
        assert!(matches!(err, Error::Engine(EngineError::NoSuchExperiment(ExperimentId(404)))), "{err:?}");
    }
}

/// Awaits each change of a handle and checks that it is refused for its id.
macro_rules! refused {
    ($handle:expr, $error:pat, [$($method:ident($($argument:expr),*)),* $(,)?]) => {$(
        let result = $handle.$method($($argument),*).await.map(drop);
        assert!(matches!(&result, Err(Error::Engine($error))), "{}: {result:?}", stringify!($method));
    )*};
}

const NONE: [&str; 0] = [];

async fn unknown_runs_are_errors(db: &Database) {
    let client = db.set_up().await;
    Experiment::open(&client, "x").await.unwrap().get_run(1).await.unwrap();
    let unknown = client.run(404);
    refused!(
        unknown,
        EngineError::NoSuchRun(RunId(404)),
        [
            experiment(),
            start(),
            stop(),
            stop_with("FAILED"),
            set_status("X"),
            set_comment("x"),
            set_comment(None::<String>),
            set_created(Stamp::Auto),
            set_started(Stamp::Auto),
            set_updated(Stamp::Keep),
            set_tags(["x"]),
            add_tags(["x"]),
            add_tags(NONE),
            remove_tags(["x"]),
            set_args(Fields::Auto),
            set_args([("x", 1)]),
            add_args([("x", 1)]),
            remove_args(["x"]),
            set_env([("x", 1)]),
            add_env([("x", 1)]),
            remove_env(["x"]),
            set_extras([("x", 1)]),
            add_extras([("x", 1)]),
            remove_extras(["x"]),
            add_link("x", 1),
            remove_link("x", 1),
            add_metrics([("loss", 0.5)]),
            add_metrics([("loss", f64::NAN)]),
            add_metrics([("loss", None::<f64>)]),
            add_metrics(Vec::<(String, f64)>::new()),
        ]
    );
    let opened = Run::open(&client, 404).await;
    assert!(matches!(opened, Err(Error::Engine(EngineError::NoSuchRun(RunId(404))))));
    let quiet = unknown.add_metrics([("loss", 0.5)]).updated(Stamp::Keep).await;
    assert!(matches!(quiet, Err(Error::Engine(EngineError::NoSuchRun(RunId(404))))), "{quiet:?}");
    let left: Option<i64> = client.first_value("SELECT count(*) FROM metrics", ()).await.unwrap();
    assert_eq!(left, Some(0));
}

async fn unknown_experiments_are_errors(db: &Database) {
    let client = db.set_up().await;
    Experiment::open(&client, (1, "x")).await.unwrap();
    refused!(
        client.experiment(404),
        EngineError::NoSuchExperiment(ExperimentId(404)),
        [
            name(),
            new_run(),
            get_run(5),
            set_name("y"),
            set_comment("x"),
            set_tags(["x"]),
            add_tags(["x"]),
            remove_tags(["x"]),
            set_extras([("x", 1)]),
            add_extras([("x", 1)]),
            remove_extras(["x"]),
            add_link("x", 1),
            remove_link("x", 1),
        ]
    );
}

async fn unknown_targets_of_links_are_errors(db: &Database) {
    let client = db.set_up().await;
    let run = Experiment::open(&client, (1, "x")).await.unwrap().get_run(1).await.unwrap();
    refused!(run, EngineError::NoSuchRun(RunId(404)), [add_link("x", 404)]);
    refused!(client.experiment(1), EngineError::NoSuchExperiment(ExperimentId(404)), [add_link("x", 404)]);
    // A link that is not there is removed already.
    run.remove_link("x", 404).await.unwrap();
    client.experiment(1).remove_link("x", 404).await.unwrap();
}

async fn links(client: &Client, table: &str) -> Vec<(i64, String, i64)> {
    let sql = format!("SELECT from_id, kind, to_id FROM {table} ORDER BY from_id, kind, to_id");
    let rows = client.query(&sql, ()).await.unwrap();
    rows.into_iter().map(|row| row.decode().unwrap()).collect()
}

async fn a_run_may_be_linked_to_itself(db: &Database) {
    let client = db.set_up().await;
    let experiment = Experiment::open(&client, (1, "x")).await.unwrap();
    let run = experiment.get_run(1).await.unwrap();
    for _ in 0..2 {
        run.add_link("self", 1).add_link("gone", 1).remove_link("gone", 1).await.unwrap();
        experiment.add_link("self", 1).await.unwrap();
    }
    for table in ["run_links", "experiment_links"] {
        assert_eq!(links(&client, table).await, [(1, "self".to_owned(), 1)], "{table}");
    }
}

async fn deletes_cascade(db: &Database) {
    let client = db.set_up().await;
    for id in [1, 2] {
        let experiment = Experiment::open(&client, (id, format!("e{id}"))).await.unwrap();
        let run = experiment.get_run(id).await.unwrap();
        run.add_metrics(
            sqltrack_core::metrics! { "a" => 1, "json" => serde_json::json!(1.5), "nan" => f64::NAN },
        )
        .await
        .unwrap();
    }
    client.experiment(1).add_link("to", 2).await.unwrap();
    client.experiment(2).add_link("to", 1).add_link("to", 2).await.unwrap();
    client.run(1).add_link("to", 2).await.unwrap();
    client.run(2).add_link("to", 1).add_link("to", 2).await.unwrap();
    assert_eq!(client.execute("DELETE FROM experiments WHERE id = $1", (1,)).await.unwrap(), 1);
    for table in ["run_links", "experiment_links"] {
        assert_eq!(links(&client, table).await, [(2, "to".to_owned(), 2)], "{table}");
    }
    for table in ["runs", "metrics", "metrics_overflow"] {
        let id = if table == "runs" { "id" } else { "run_id" };
        let left: Vec<i64> =
            client.first_values(&format!("SELECT DISTINCT {id} FROM {table}"), ()).await.unwrap();
        assert!(left.iter().all(|id| *id == 2), "{table}: {left:?}");
    }
}
