//! Runs that continue others are one series: the library, the views and a look at every row agree.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use sqltrack_core::{Client, Experiment, Lineage, RESUMES, RunId, Value};
use sqltrack_tests::{Database, on_both_engines};

on_both_engines!(
    a_series_is_what_a_look_at_every_row_finds,
    other_kinds_of_links_make_other_series,
    a_run_that_is_not_there_is_told,
    columns_can_still_be_widened,
);

/// A row of a run: its step and a value.
type Made = (i64, Value);

/// Runs with their rows, and links among them.
fn worlds() -> impl Strategy<Value = (Vec<Vec<Made>>, Vec<(usize, usize)>)> {
    let value = prop_oneof![
        4 => (-4_i32..4).prop_map(|number| Value::Float(f64::from(number) / 2.0)),
        1 => Just(Value::Float(f64::NAN)),
        1 => Just(Value::Float(f64::INFINITY)),
        1 => Just(Value::Null),
    ];
    let rows = prop::collection::vec((-2_i64..8, value), 0..6);
    let links = prop::collection::vec((0_usize..6, 0_usize..6), 0..6);
    (prop::collection::vec(rows, 6), links)
}

/// A row of a series: the series, the run, the step, and the value.
type Row = (i64, i64, i64, String);

/// What is found by looking at each row. Runs are created in the order of their ids.
fn expected(runs: &[RunId], made: &[Vec<Made>], links: &[(usize, usize)]) -> BTreeSet<Row> {
    let rows: Vec<BTreeMap<i64, &Value>> =
        made.iter().map(|made| made.iter().map(|(step, value)| (*step, value)).collect()).collect();
    let continued = |first: usize| {
        let mut members = BTreeSet::from([first]);
        for _ in 0..made.len() {
            let more: Vec<usize> =
                links.iter().filter(|(_, to)| members.contains(to)).map(|(from, _)| *from).collect();
            members.extend(more);
        }
        members
    };
    let is_first = |run: &usize| links.iter().all(|(from, _)| from != run);
    let mut series: Vec<(usize, BTreeSet<usize>)> =
        (0..made.len()).filter(is_first).map(|first| (first, continued(first))).collect();
    for run in 0..made.len() {
        if series.iter().all(|(_, members)| !members.contains(&run)) {
            series.push((run, BTreeSet::from([run])));
        }
    }
    let mut found = BTreeSet::new();
    for (first, members) in series {
        for run in &members {
            for (step, value) in &rows[*run] {
                let is_over =
                    |later: &&usize| *later > run && rows[**later].keys().any(|first| first <= step);
                if !members.iter().any(|later| is_over(&later)) {
                    found.insert((runs[first].0, runs[*run].0, *step, shown(value)));
                }
            }
        }
    }
    found
}

fn shown(value: &Value) -> String {
    match value {
        Value::Float(number) => format!("{}", number + 0.0),
        _ => "none".to_owned(),
    }
}

async fn of_library(client: &Client, lineages: &[Lineage]) -> BTreeSet<Row> {
    let mut found = BTreeSet::new();
    for lineage in lineages {
        let series = lineage.metrics(client).await.unwrap();
        assert!(series.is_sorted_by_key(|(_, point)| point.step), "{series:?}");
        for (run, point) in series {
            let value = point.metrics.get("loss").unwrap_or(&Value::Null);
            found.insert((lineage.id.0, run.0, point.step, shown(value)));
        }
    }
    found
}

/// Which rows the view has, with the values that the table has; NaN is beyond it on SQLite.
async fn of_view(client: &Client, runs: &[RunId]) -> BTreeSet<(i64, i64, i64)> {
    let first = runs[0].0;
    let sql = "SELECT l.lineage_id, m.run_id, m.step FROM metrics_lineage AS l
        JOIN metrics AS m ON m.run_id = l.run_id AND m.step = l.step AND m.progress = l.progress
        WHERE m.run_id >= $1";
    let rows = client.query(sql, (first,)).await.unwrap();
    rows.into_iter().map(|row| row.decode().unwrap()).collect()
}

async fn a_series_is_what_a_look_at_every_row_finds(db: &Database) {
    let client = db.set_up().await;
    let experiment = Experiment::open(&client, "lineage").await.unwrap();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(16));
    for _ in 0..runner.config().cases {
        let (made, links) = worlds().new_tree(&mut runner).unwrap().current();
        let mut runs = Vec::new();
        for made in &made {
            let run = experiment.new_run().await.unwrap();
            for (step, value) in made {
                run.record_metrics(*step, [("loss", value.clone())]).unwrap();
            }
            runs.push(run.id());
        }
        client.flush().await.unwrap();
        for (from, to) in &links {
            client.run(runs[*from]).add_link(RESUMES, runs[*to]).await.unwrap();
        }
        let expected = expected(&runs, &made, &links);
        let lineages = client.lineages(runs.iter().copied(), RESUMES).await.unwrap();
        assert_eq!(of_library(&client, &lineages).await, expected, "{made:?} {links:?}");
        let keys: BTreeSet<_> =
            expected.iter().map(|(series, run, step, _)| (*series, *run, *step)).collect();
        assert_eq!(of_view(&client, &runs).await, keys, "{made:?} {links:?}");
        let is_circle = |run: usize| {
            let mut next: BTreeSet<usize> =
                links.iter().filter(|link| link.0 == run).map(|link| link.1).collect();
            for _ in 0..made.len() {
                next.extend(
                    links.iter().filter(|link| next.contains(&link.0)).map(|link| link.1).collect::<Vec<_>>(),
                );
            }
            next.contains(&run)
        };
        let circle: BTreeSet<RunId> =
            (0..runs.len()).filter(|run| is_circle(*run)).map(|run| runs[run]).collect();
        let told: BTreeSet<RunId> =
            lineages.iter().flat_map(|lineage| lineage.cycle.iter().copied()).collect();
        assert_eq!(told, circle, "{links:?}");
    }
}

async fn other_kinds_of_links_make_other_series(db: &Database) {
    let client = db.set_up().await;
    let experiment = Experiment::open(&client, "kinds").await.unwrap();
    let mut runs = Vec::new();
    for first in [0, 5, 5] {
        let run = experiment.new_run().await.unwrap();
        for step in first..first + 10 {
            run.add_metrics([("loss", 0.5)]).step(step).await.unwrap();
        }
        runs.push(run);
    }
    runs[1].add_link(RESUMES, runs[0].id()).await.unwrap();
    runs[2].add_link("fine-tunes", runs[0].id()).await.unwrap();
    let shown = |lineages: Vec<Lineage>| {
        let [lineage] = lineages.as_slice() else { panic!("{lineages:?}") };
        lineage.runs.iter().map(|run| (run.run, run.before_step)).collect::<Vec<_>>()
    };
    let [one, two, three] = [runs[0].id(), runs[1].id(), runs[2].id()];
    assert_eq!(shown(runs[0].lineages(RESUMES).await.unwrap()), [(one, Some(5)), (two, None)]);
    assert_eq!(shown(runs[2].lineages(RESUMES).await.unwrap()), [(three, None)]);
    assert_eq!(shown(runs[0].lineages("fine-tunes").await.unwrap()), [(one, Some(5)), (three, None)]);
    let sql = "SELECT run_id, before_step FROM run_lineage WHERE kind = 'fine-tunes' ORDER BY run_id";
    let rows = client.query(sql, ()).await.unwrap();
    let rows: Vec<(i64, Option<i64>)> = rows.into_iter().map(|row| row.decode().unwrap()).collect();
    assert_eq!(rows, [(one.0, Some(5)), (three.0, None)]);
}

async fn a_run_that_is_not_there_is_told(db: &Database) {
    let client = db.set_up().await;
    let err = client.lineages([7], RESUMES).await.unwrap_err();
    assert!(err.to_string().contains("run 7"), "{err}");
}

/// A column that a view named could not.
async fn columns_can_still_be_widened(db: &Database) {
    let client = db.set_up().await;
    let run = Experiment::open(&client, "widen").await.unwrap().new_run().await.unwrap();
    run.add_metrics([("count", 1)]).step(1).await.unwrap();
    run.add_metrics([("count", 0.5)]).step(2).await.unwrap();
    let sql = "SELECT count FROM metrics JOIN metrics_lineage USING (run_id, step, progress) ORDER BY step";
    let values: Vec<f64> = client.first_values(sql, ()).await.unwrap();
    assert_eq!(values, [1.0, 0.5]);
}
