//! Deleting: whole, or in a transaction not at all.

use sqltrack_core::{Belongings, EngineError, Error, Experiment, ExperimentId, RunId};
use sqltrack_tests::{Database, on_both_engines};

on_both_engines!(
    what_belongs_to_a_run_goes_with_it,
    an_experiment_goes_with_its_runs,
    a_deletion_that_fails_undoes_those_before_it,
    an_automatic_id_is_not_given_again,
);

async fn what_belongs_to_a_run_goes_with_it(db: &Database) {
    let client = db.set_up().await;
    let experiment = Experiment::open(&client, "kept").await.unwrap();
    let [run, other] = [experiment.new_run().await.unwrap(), experiment.new_run().await.unwrap()];
    for step in 0..3 {
        run.add_metrics([("loss", 0.5)]).step(step).await.unwrap();
    }
    other.add_link("resumes", run.id()).await.unwrap();
    let expected = Belongings { runs: 0, metric_rows: 3, links: 1 };
    assert_eq!(run.belongings().await.unwrap(), expected);
    run.delete().await.unwrap();
    assert_eq!(other.belongings().await.unwrap(), Belongings::default());
    assert_eq!(run.metrics().await.unwrap(), []);
    let gone = run.id();
    for result in [run.delete().await, run.belongings().await.map(drop), run.start().await.map(drop)] {
        assert!(
            matches!(&result, Err(Error::Engine(EngineError::NoSuchRun(id))) if *id == gone),
            "{result:?}"
        );
    }
}

async fn an_experiment_goes_with_its_runs(db: &Database) {
    let client = db.set_up().await;
    let experiment = Experiment::open(&client, "gone").await.unwrap();
    let run = experiment.new_run().await.unwrap();
    assert_eq!(experiment.belongings().await.unwrap(), Belongings { runs: 1, ..Belongings::default() });
    experiment.delete().await.unwrap();
    let runs: Vec<i64> = client.first_values("SELECT id FROM runs", ()).await.unwrap();
    assert_eq!(runs, [0; 0]);
    let unknown = client.experiment(404);
    for result in [unknown.delete().await, unknown.belongings().await.map(drop)] {
        let expected =
            matches!(&result, Err(Error::Engine(EngineError::NoSuchExperiment(ExperimentId(404)))));
        assert!(expected, "{result:?}");
    }
    assert!(run.belongings().await.is_err());
}

async fn a_deletion_that_fails_undoes_those_before_it(db: &Database) {
    let client = db.set_up().await;
    let run = Experiment::open(&client, "kept").await.unwrap().new_run().await.unwrap();
    let tx = client.begin().await.unwrap();
    tx.run(run.id()).delete().await.unwrap();
    let err = tx.run(404).delete().await.unwrap_err();
    assert!(matches!(err, Error::Engine(EngineError::NoSuchRun(RunId(404)))), "{err:?}");
    assert!(tx.commit().await.is_err());
    assert_eq!(run.belongings().await.unwrap(), Belongings::default());
}

async fn an_automatic_id_is_not_given_again(db: &Database) {
    let client = db.set_up().await;
    let experiment = Experiment::open(&client, "ids").await.unwrap();
    let run = experiment.new_run().await.unwrap();
    run.delete().await.unwrap();
    assert!(experiment.new_run().await.unwrap().id() > run.id());
    experiment.delete().await.unwrap();
    assert!(Experiment::open(&client, "ids").await.unwrap().id() > experiment.id());
}
