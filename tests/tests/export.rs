//! All metrics of many runs as one table: just what each run has.

use std::collections::BTreeMap;

use sqltrack_core::{Client, Experiment, MetricExport, Rows, Value};
use sqltrack_tests::generator::{self, Seeded};
use sqltrack_tests::{Database, on_both_engines};

on_both_engines!(
    an_export_is_what_each_run_has,
    an_empty_export_has_its_columns,
    what_is_asked_for_is_exported,
);

/// Metrics by run and step, those without a value left out.
type Found = BTreeMap<(i64, i64), BTreeMap<String, String>>;

async fn exported(client: &Client, export: &MetricExport) -> (u64, Vec<String>, Vec<Rows>) {
    let mut parts = client.export_metrics(export).await.unwrap();
    let mut all = Vec::new();
    while let Some(rows) = parts.next().await.unwrap() {
        all.push(rows);
    }
    let names = all[0].columns().iter().map(|column| column.name.clone()).collect();
    (parts.total(), names, all)
}

fn found(parts: &[Rows]) -> Found {
    let mut found = Found::new();
    for row in parts.iter().flatten() {
        let key = (row.get("run_id").unwrap(), row.get("step").unwrap());
        let named = row.columns().iter().zip(row.values()).skip(3).filter(|(_, value)| !value.is_null());
        let metrics = named.map(|(column, value)| (column.name.clone(), format!("{value:?}"))).collect();
        assert!(found.insert(key, metrics).is_none());
    }
    found
}

async fn an_export_is_what_each_run_has(db: &Database) {
    db.set_up().await;
    // Few columns, so that most metrics are beyond them.
    let client = db.builder().set("columns", "6").connect().await.unwrap();
    let experiment = Experiment::open(&client, "export").await.unwrap();
    let mut chance = Seeded::new(7);
    let mut runs = Vec::new();
    for _ in 0..6 {
        let run = experiment.new_run().await.unwrap();
        let steps = i64::try_from(chance.below(2_500)).unwrap();
        let seed = chance.next();
        for step in 0..steps {
            run.record_metrics(step, generator::metrics(seed, step)).unwrap();
        }
        runs.push(run);
    }
    client.flush().await.unwrap();
    let (total, names, parts) = exported(&client, &MetricExport::default()).await;
    assert!(parts.iter().map(Rows::len).sum::<usize>() as u64 == total && parts.len() > 1);
    let mut expected = Found::new();
    for run in &runs {
        for point in run.metrics().await.unwrap() {
            let metrics =
                point.metrics.into_iter().map(|(name, value)| (name, format!("{value:?}"))).collect();
            expected.insert((run.id().0, point.step), metrics);
        }
    }
    assert_eq!(found(&parts), expected);
    let used: std::collections::BTreeSet<&String> = expected.values().flat_map(BTreeMap::keys).collect();
    assert_eq!(names.iter().skip(3).collect::<std::collections::BTreeSet<_>>(), used);
}

async fn an_empty_export_has_its_columns(db: &Database) {
    let client = db.set_up().await;
    let (total, names, parts) = exported(&client, &MetricExport::default()).await;
    assert_eq!((total, parts.len(), parts[0].len()), (0, 1, 0));
    assert_eq!(names, ["run_id", "step", "progress"]);
}

async fn what_is_asked_for_is_exported(db: &Database) {
    let client = db.set_up().await;
    let mut runs = Vec::new();
    for name in ["one", "one", "two"] {
        let run = Experiment::open(&client, name).await.unwrap().new_run().await.unwrap();
        run.add_metrics([("loss", Value::Float(f64::NAN)), ("count", Value::Int(7))]).await.unwrap();
        runs.push(run.id());
    }
    let ids = |parts: &[Rows]| found(parts).into_keys().map(|(run, _)| run).collect::<Vec<_>>();
    let experiment = Some(client.find_experiment("one").await.unwrap());
    let one = MetricExport { experiment, ..MetricExport::default() };
    assert_eq!(ids(&exported(&client, &one).await.2), [runs[0].0, runs[1].0]);
    let both = MetricExport { runs: vec![runs[1], runs[2]], ..one };
    assert_eq!(ids(&exported(&client, &both).await.2), [runs[1].0]);
    let metrics = vec!["loss".to_owned(), "count".to_owned()];
    let named = MetricExport { metrics, runs: vec![runs[2]], ..MetricExport::default() };
    let (_, names, parts) = exported(&client, &named).await;
    assert_eq!(names[3..], ["loss", "count"]);
    let row = parts[0].first().unwrap();
    assert!(row.get::<f64>("loss").unwrap().is_nan() && row.get::<i64>("count").unwrap() == 7);
}
