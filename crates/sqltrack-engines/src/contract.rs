//! What every engine has to do, as cases that take any engine on a database that is set up and empty. Each has one
//! reason to fail, and its name is a sentence. The feature `contract` turns them on.

use crate::{
    Access, Belongings, Connection, Engine, EngineError, ExperimentChanges, ExperimentId, MetricType,
    ObjectPatch, RunChanges, RunId, Value, tags,
};
use metrics::{MetricsRow, add_column, row, write};

mod batch;
mod life;
mod metrics;
mod writers;

pub use batch::{
    a_batch_is_refused_whole, a_batch_is_written_whole, a_batch_takes_values_out_of_the_overflow,
};
pub use life::{
    a_heartbeat_needs_its_lease, metrics_need_the_lease_that_they_name, only_silent_runs_are_reaped,
    the_life_of_a_run_comes_back_as_written,
};
pub use metrics::{
    a_column_is_added_once, a_column_is_not_widened_over_large_integers,
    a_value_moves_from_the_overflow_to_its_column, a_wide_column_keeps_its_integers,
    metrics_need_their_columns, metrics_need_their_run, null_clears_a_metric,
};
pub use writers::{
    a_finished_writer_is_forgotten, a_second_delivery_waits_for_the_first, an_offline_run_is_known_by_its_id,
    nothing_is_delivered_twice, what_a_writer_has_delivered_is_known, what_is_rolled_back_is_not_delivered,
};

/// Calls a macro with the names of all cases.
#[macro_export]
macro_rules! engine_contract {
    ($callback:ident) => {
        $callback! {
            an_experiment_is_found_by_name_and_by_id
            a_taken_name_gives_no_second_experiment
            a_taken_id_gives_no_second_run
            a_run_needs_its_experiment
            automatic_ids_step_over_explicit_ones
            an_unknown_run_is_reported
            an_unknown_experiment_is_reported
            the_target_of_a_link_is_reported_when_it_is_missing
            a_taken_name_cannot_be_taken_again
            a_change_that_fails_leaves_nothing
            a_run_goes_with_all_that_belongs_to_it
            an_experiment_goes_with_its_runs
            what_does_not_exist_cannot_be_deleted
            a_rollback_undoes_everything
            a_savepoint_undoes_only_what_came_after_it
            a_transaction_that_is_dropped_is_rolled_back
            metrics_need_their_run
            metrics_need_their_columns
            a_column_is_added_once
            a_wide_column_keeps_its_integers
            a_column_is_not_widened_over_large_integers
            null_clears_a_metric
            a_value_moves_from_the_overflow_to_its_column
            a_batch_is_written_whole
            a_batch_takes_values_out_of_the_overflow
            a_batch_is_refused_whole
            the_life_of_a_run_comes_back_as_written
            a_heartbeat_needs_its_lease
            metrics_need_the_lease_that_they_name
            only_silent_runs_are_reaped
            what_a_writer_has_delivered_is_known
            nothing_is_delivered_twice
            what_is_rolled_back_is_not_delivered
            a_second_delivery_waits_for_the_first
            a_finished_writer_is_forgotten
            an_offline_run_is_known_by_its_id
            a_script_is_known_once_it_is_recorded
            an_empty_result_has_columns
        }
    };
}

async fn connect(engine: &dyn Engine) -> Box<dyn Connection> {
    engine.connect().await.unwrap()
}

/// An experiment with a run.
async fn run(conn: &mut dyn Connection) -> RunId {
    let experiment = conn.insert_experiment(None, "contract").await.unwrap().unwrap();
    conn.insert_run(experiment, None).await.unwrap().unwrap()
}

async fn values(conn: &mut dyn Connection, sql: &str) -> Vec<Vec<Value>> {
    conn.query(sql, &[]).await.unwrap().into_iter().map(crate::Row::into_values).collect()
}

/// What was inserted is found.
pub async fn an_experiment_is_found_by_name_and_by_id(engine: &dyn Engine) {
    let mut conn = connect(engine).await;
    let id = conn.insert_experiment(None, "a").await.unwrap().unwrap();
    let named = conn.experiment_named("a").await.unwrap();
    assert_eq!(named.as_ref().map(|found| (found.id, found.name.as_str())), Some((id, "a")));
    assert_eq!(conn.experiment(id).await.unwrap(), named);
    assert_eq!(conn.experiment_named("A").await.unwrap(), None);
}

/// The second insert says that there is one, and is no error.
pub async fn a_taken_name_gives_no_second_experiment(engine: &dyn Engine) {
    let mut conn = connect(engine).await;
    conn.insert_experiment(None, "a").await.unwrap().unwrap();
    assert_eq!(conn.insert_experiment(None, "a").await.unwrap(), None);
    assert_eq!(conn.insert_experiment(Some(ExperimentId(70)), "a").await.unwrap(), None);
}

/// The same for a run's id.
pub async fn a_taken_id_gives_no_second_run(engine: &dyn Engine) {
    let mut conn = connect(engine).await;
    let taken = run(&mut *conn).await;
    let experiment = conn.experiment_of_run(taken).await.unwrap().unwrap();
    assert_eq!(conn.insert_run(experiment, Some(taken)).await.unwrap(), None);
}

/// A run of no experiment is an error.
pub async fn a_run_needs_its_experiment(engine: &dyn Engine) {
    let mut conn = connect(engine).await;
    for id in [None, Some(RunId(5))] {
        let err = conn.insert_run(ExperimentId(404), id).await.unwrap_err();
        assert!(matches!(err, EngineError::NoSuchExperiment(ExperimentId(404))), "{err:?}");
    }
}

/// An automatic id is unused, whatever ids were given before.
pub async fn automatic_ids_step_over_explicit_ones(engine: &dyn Engine) {
    let mut conn = connect(engine).await;
    let experiment = conn.insert_experiment(None, "ids").await.unwrap().unwrap();
    for id in [1, 2, 3, 5, i64::MAX, i64::MIN, 0] {
        assert_eq!(conn.insert_run(experiment, Some(RunId(id))).await.unwrap(), Some(RunId(id)));
    }
    let mut automatic = Vec::new();
    for _ in 0..4 {
        automatic.push(conn.insert_run(experiment, None).await.unwrap().unwrap().0);
    }
    assert_eq!(automatic, [4, 6, 7, 8]);
}

/// Changing an unknown run is an error, not a silent update of no rows.
pub async fn an_unknown_run_is_reported(engine: &dyn Engine) {
    let mut conn = connect(engine).await;
    for changes in
        [RunChanges::default(), RunChanges { status: Some("X".to_owned()), ..RunChanges::default() }]
    {
        let err = conn.update_run(RunId(404), &changes).await.unwrap_err();
        assert!(matches!(err, EngineError::NoSuchRun(RunId(404))), "{err:?}");
    }
    assert_eq!(conn.experiment_of_run(RunId(404)).await.unwrap(), None);
}

/// The same for an experiment.
pub async fn an_unknown_experiment_is_reported(engine: &dyn Engine) {
    let mut conn = connect(engine).await;
    let err = conn.update_experiment(ExperimentId(404), &ExperimentChanges::default()).await.unwrap_err();
    assert!(matches!(err, EngineError::NoSuchExperiment(ExperimentId(404))), "{err:?}");
    assert_eq!(conn.experiment(ExperimentId(404)).await.unwrap(), None);
}

/// The error names the target, not the run that links to it.
pub async fn the_target_of_a_link_is_reported_when_it_is_missing(engine: &dyn Engine) {
    let mut conn = connect(engine).await;
    let from = run(&mut *conn).await;
    let links = [(("follows".to_owned(), 404), true)].into();
    let err = conn.update_run(from, &RunChanges { links, ..RunChanges::default() }).await.unwrap_err();
    assert!(matches!(err, EngineError::NoSuchRun(RunId(404))), "{err:?}");
}

/// Renaming to a name that another experiment has is an error that says so.
pub async fn a_taken_name_cannot_be_taken_again(engine: &dyn Engine) {
    let mut conn = connect(engine).await;
    conn.insert_experiment(None, "a").await.unwrap();
    let id = conn.insert_experiment(None, "b").await.unwrap().unwrap();
    let changes = ExperimentChanges { name: Some("a".to_owned()), ..ExperimentChanges::default() };
    let err = conn.update_experiment(id, &changes).await.unwrap_err();
    assert!(matches!(&err, EngineError::NameTaken { name } if name == "a"), "{err:?}");
}

/// One bad link undoes the whole change.
pub async fn a_change_that_fails_leaves_nothing(engine: &dyn Engine) {
    let mut conn = connect(engine).await;
    let run = run(&mut *conn).await;
    let changes = RunChanges {
        status: Some("RUNNING".to_owned()),
        tags: ObjectPatch { add: tags(["a"]), ..ObjectPatch::default() },
        links: [(("a".to_owned(), run.0), true), (("b".to_owned(), 404), true)].into(),
        ..RunChanges::default()
    };
    conn.update_run(run, &changes).await.unwrap_err();
    let left = values(&mut *conn, "SELECT status, tags, (SELECT count(*) FROM run_links) FROM runs").await;
    assert_eq!(left, [[Value::from("PLANNED"), Value::Null, Value::Int(0)]]);
}

/// Two experiments, linked both ways; runs 1 and 2 of the first and run 3 of the second, linked in a circle; metrics of
/// each run, one of them beyond the columns.
async fn populate(conn: &mut dyn Connection) -> [ExperimentId; 2] {
    add_column(conn, "loss", MetricType::Float).await;
    let mut experiments = Vec::new();
    for (name, runs) in [("a", vec![1, 2]), ("b", vec![3])] {
        let experiment = conn.insert_experiment(None, name).await.unwrap().unwrap();
        for id in runs {
            let run = conn.insert_run(experiment, Some(RunId(id))).await.unwrap().unwrap();
            write(&mut *conn, &row(run, &[("loss", Value::Float(0.5))])).await.unwrap();
            let overflow = vec![("late".to_owned(), Value::Float(0.5))];
            write(&mut *conn, &MetricsRow { step: 4, overflow, ..row(run, &[]) }).await.unwrap();
        }
        experiments.push(experiment);
    }
    for (from, to) in [(1, 2), (2, 3), (3, 1)] {
        let links = [(("next".to_owned(), to), true)].into();
        conn.update_run(RunId(from), &RunChanges { links, ..RunChanges::default() }).await.unwrap();
    }
    let [a, b] = experiments.try_into().unwrap();
    for (from, to) in [(a, b), (b, a)] {
        let links = [(("next".to_owned(), to.0), true)].into();
        conn.update_experiment(from, &ExperimentChanges { links, ..ExperimentChanges::default() })
            .await
            .unwrap();
    }
    [a, b]
}

/// How many rows each table has.
async fn sizes(conn: &mut dyn Connection) -> Vec<Value> {
    let tables = ["experiments", "experiment_links", "runs", "run_links", "metrics", "metrics_overflow"];
    let counts: Vec<_> = tables.iter().map(|table| format!("(SELECT count(*) FROM {table})")).collect();
    values(conn, &format!("SELECT {}", counts.join(", "))).await.remove(0)
}

/// What is counted before is what is missing after.
pub async fn a_run_goes_with_all_that_belongs_to_it(engine: &dyn Engine) {
    let mut conn = connect(engine).await;
    populate(&mut *conn).await;
    assert_eq!(sizes(&mut *conn).await, [2, 2, 3, 3, 6, 3].map(Value::Int));
    let belongings = conn.run_belongings(RunId(1)).await.unwrap();
    assert_eq!(belongings, Some(Belongings { runs: 0, metric_rows: 2, links: 2 }));
    conn.delete_run(RunId(1)).await.unwrap();
    assert_eq!(sizes(&mut *conn).await, [2, 2, 2, 1, 4, 2].map(Value::Int));
    assert_eq!(conn.run_belongings(RunId(1)).await.unwrap(), None);
}

/// The same for an experiment. A link between two of its runs is one link.
pub async fn an_experiment_goes_with_its_runs(engine: &dyn Engine) {
    let mut conn = connect(engine).await;
    let [a, b] = populate(&mut *conn).await;
    let belongings = conn.experiment_belongings(a).await.unwrap();
    assert_eq!(belongings, Some(Belongings { runs: 2, metric_rows: 4, links: 5 }));
    conn.delete_experiment(a).await.unwrap();
    assert_eq!(sizes(&mut *conn).await, [1, 0, 1, 0, 2, 1].map(Value::Int));
    assert_eq!(conn.experiment_belongings(a).await.unwrap(), None);
    assert_eq!(conn.experiment_of_run(RunId(3)).await.unwrap(), Some(b));
}

/// Deleting nothing is an error, not a silent delete of no rows.
pub async fn what_does_not_exist_cannot_be_deleted(engine: &dyn Engine) {
    let mut conn = connect(engine).await;
    let err = conn.delete_run(RunId(404)).await.unwrap_err();
    assert!(matches!(err, EngineError::NoSuchRun(RunId(404))), "{err:?}");
    let err = conn.delete_experiment(ExperimentId(404)).await.unwrap_err();
    assert!(matches!(err, EngineError::NoSuchExperiment(ExperimentId(404))), "{err:?}");
}

/// Nothing of a transaction is left.
pub async fn a_rollback_undoes_everything(engine: &dyn Engine) {
    let mut conn = connect(engine).await;
    conn.begin(Access::Write).await.unwrap();
    let run = run(&mut *conn).await;
    conn.rollback().await.unwrap();
    assert_eq!(conn.experiment_of_run(run).await.unwrap(), None);
    assert_eq!(conn.experiment_named("contract").await.unwrap(), None);
}

/// What came before it stays.
pub async fn a_savepoint_undoes_only_what_came_after_it(engine: &dyn Engine) {
    let mut conn = connect(engine).await;
    conn.begin(Access::Write).await.unwrap();
    conn.insert_experiment(None, "before").await.unwrap();
    conn.savepoint(1).await.unwrap();
    conn.insert_experiment(None, "after").await.unwrap();
    conn.rollback_to(1).await.unwrap();
    conn.commit().await.unwrap();
    assert_eq!(values(&mut *conn, "SELECT name FROM experiments").await, [[Value::from("before")]]);
}

/// The next connection finds no transaction open, and no lock held.
pub async fn a_transaction_that_is_dropped_is_rolled_back(engine: &dyn Engine) {
    let mut conn = connect(engine).await;
    conn.begin(Access::Write).await.unwrap();
    conn.insert_experiment(None, "dropped").await.unwrap();
    drop(conn);
    let mut conn = connect(engine).await;
    assert_eq!(conn.experiment_named("dropped").await.unwrap(), None);
    assert!(conn.insert_experiment(None, "dropped").await.unwrap().is_some());
}

/// A record is read back as it was written, over one of the same version, until it is forgotten.
pub async fn a_script_is_known_once_it_is_recorded(engine: &dyn Engine) {
    let mut conn = connect(engine).await;
    let before = conn.applied_scripts().await.unwrap();
    let mut script = crate::AppliedScript {
        version: 7,
        name: "it's \"v1\".sql".to_owned(),
        checksum: vec![0, 255],
        finished: false,
    };
    for finished in [false, true] {
        script.finished = finished;
        conn.record_script(&script).await.unwrap();
        let applied = conn.applied_scripts().await.unwrap();
        assert_eq!(applied, [before.as_slice(), std::slice::from_ref(&script)].concat());
    }
    conn.forget_script(7).await.unwrap();
    assert_eq!(conn.applied_scripts().await.unwrap(), before);
}

/// A table without rows still has columns to print.
pub async fn an_empty_result_has_columns(engine: &dyn Engine) {
    let mut conn = connect(engine).await;
    let rows = conn
        .query("SELECT id, name AS title FROM experiments WHERE id = $1", &[Value::Int(1)])
        .await
        .unwrap();
    let names: Vec<&str> = rows.columns().iter().map(|column| column.name.as_str()).collect();
    assert_eq!((names, rows.len()), (vec!["id", "title"], 0));
}
