//! Many processes at once in one database: none fails, none waits for ever, nothing is lost.

use std::collections::{BTreeMap, BTreeSet};

use sqltrack_core::{Experiment, Value};
use sqltrack_tests::{Database, all_at_once, on_both_engines};

const WORKER: &str = env!("CARGO_BIN_EXE_worker");
const PROCESSES: i64 = 16;

on_both_engines!(
    an_experiment_of_one_name_is_created_once,
    automatic_and_explicit_ids_are_distinct,
    the_same_and_different_columns_are_added_by_all,
    every_script_is_applied_once;
    sqlite: a_setup_may_begin_with_an_empty_file,
);

fn job(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

async fn an_experiment_of_one_name_is_created_once(db: &Database) {
    let client = db.set_up().await;
    let names = ["one name", "it's another"];
    for name in names {
        let ids = all_at_once(WORKER, db, (0..PROCESSES).map(|_| job(&["experiment", name])));
        let ids: BTreeSet<_> = ids.concat().into_iter().collect();
        assert_eq!(ids.len(), 1, "{ids:?}");
    }
    let found: Vec<String> =
        client.first_values("SELECT name FROM experiments ORDER BY id", ()).await.unwrap();
    assert_eq!(found, names);
}

async fn automatic_and_explicit_ids_are_distinct(db: &Database) {
    let client = db.set_up().await;
    // The explicit ids of each process lie where automatic ones would come, and some of them side by side.
    let each = 10;
    let jobs = (0..PROCESSES).map(|process| {
        let first = 1 + process * each;
        job(&["runs", "ids", &first.to_string(), &each.to_string()])
    });
    let printed: Vec<i64> =
        all_at_once(WORKER, db, jobs).concat().iter().map(|id| id.parse().unwrap()).collect();
    let expected = usize::try_from(PROCESSES * each).unwrap();
    let stored: Vec<i64> = client.first_values("SELECT id FROM runs ORDER BY id", ()).await.unwrap();
    let distinct: BTreeSet<i64> = printed.iter().copied().collect();
    assert_eq!(distinct.into_iter().collect::<Vec<_>>(), stored);
    // An explicit id that an automatic one was faster to take is that run: it belongs to the same experiment.
    assert_eq!(printed.len(), 2 * expected);
    let automatic: BTreeSet<i64> = printed.iter().copied().step_by(2).collect();
    assert_eq!(automatic.len(), expected, "an automatic id was given twice");
}

async fn the_same_and_different_columns_are_added_by_all(db: &Database) {
    let client = db.set_up().await;
    let run = Experiment::open(&client, "columns").await.unwrap().new_run().await.unwrap();
    let count = 6;
    let jobs = (1..=PROCESSES)
        .map(|process| job(&["metrics", &process.to_string(), &run.id().to_string(), &count.to_string()]));
    all_at_once(WORKER, db, jobs);
    let points = run.metrics().await.unwrap();
    let found: BTreeMap<i64, BTreeMap<String, Value>> =
        points.into_iter().map(|point| (point.step, point.metrics.into_iter().collect())).collect();
    let point = |process: i64| {
        let metrics = (0..count).flat_map(|index| {
            let value = Value::Int(process * 1000 + index);
            [(format!("shared_{index}"), value.clone()), (format!("own_{process}_{index}"), value)]
        });
        (process, metrics.collect())
    };
    assert_eq!(found, (1..=PROCESSES).map(point).collect());
}

const SCRIPTS: [(&str, &str); 3] = [
    ("v001.sql", "BEGIN;\nCREATE TABLE log (n INTEGER);\nINSERT INTO log VALUES (1);\nEND;\n"),
    ("v002.sql", "INSERT INTO log VALUES (2);\nALTER TABLE metrics ADD COLUMN val_top1 FLOAT;\n"),
    ("v003.sql", "-- no-transaction\nINSERT INTO log VALUES (3);\n"),
];

async fn every_script_is_applied_once(db: &Database) {
    set_up_by_all(db).await;
}

async fn a_setup_may_begin_with_an_empty_file(db: &Database) {
    std::fs::write(db.folder().join("test.db"), "").unwrap();
    set_up_by_all(db).await;
}

async fn set_up_by_all(db: &Database) {
    for (name, sql) in SCRIPTS {
        std::fs::write(db.folder().join(name), sql).unwrap();
    }
    let words = ["setup", "v001.sql", "v002.sql", "v003.sql"];
    let printed = all_at_once(WORKER, db, (0..PROCESSES).map(|_| job(&words)));
    let names = ["base.sql", "v001.sql", "v002.sql", "v003.sql"];
    let mut new = Vec::new();
    for lines in printed {
        // What has followed `base.sql` may be applied by another process than that.
        let lines = lines.iter().filter(|line| !line.contains(" base-"));
        let (states, scripts): (Vec<_>, Vec<_>) = lines.map(|line| line.split_once(' ').unwrap()).unzip();
        assert_eq!(scripts, names);
        new.extend(
            states.into_iter().zip(names).filter(|(state, _)| *state == "(NEW)").map(|(_, name)| name),
        );
    }
    new.sort_unstable();
    assert_eq!(new, names, "each script is new to one process");
    let log: Vec<i64> = db.connect().await.first_values("SELECT n FROM log ORDER BY n", ()).await.unwrap();
    assert_eq!(log, [1, 2, 3]);
}
