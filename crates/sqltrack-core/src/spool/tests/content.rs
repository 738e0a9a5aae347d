//! What comes back is what was written.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;
use sqltrack_engines::{ExperimentId, Moment, ObjectPatch, OfflineRunId, RunChanges, RunId, Value, tags};
use time::macros::{date, datetime, time};
use time::{Duration, OffsetDateTime};

use super::super::SpoolError;
use super::super::entry::{Entry, Item, NewRun, RunUpdate, SpooledRun};
use super::{entry, names, open, read, steps};

/// Every kind of value there is.
fn values() -> Vec<Value> {
    vec![
        Value::Null,
        Value::Bool(false),
        Value::Bool(true),
        Value::Int(i64::MIN),
        Value::Int(i64::MAX),
        Value::Float(-0.0),
        Value::Float(f64::INFINITY),
        Value::Float(f64::MIN_POSITIVE),
        Value::Decimal("18446744073709551615".to_owned()),
        Value::Text(String::new()),
        Value::Text("损失 \0 \u{1f389}".to_owned()),
        Value::Bytes(vec![0, 255, 10]),
        Value::Date(date!(-9999 - 01 - 01)),
        Value::Date(date!(9999 - 12 - 31)),
        Value::Time(time!(23:59:59.999_999_999)),
        Value::Timestamp(datetime!(1969-12-31 23:59:59.999_999 UTC)),
        Value::Timestamp(datetime!(2024-05-07 12:30:00 +2)),
        Value::Duration(Duration::new(-1, -1_000)),
        Value::Duration(Duration::MAX),
        Value::Json(json!({"a": [1, 2.5, null, {"b": "\n"}], "": 0.1})),
        Value::List(vec![Value::Int(1), Value::List(vec![Value::Text("x".to_owned())])]),
    ]
}

#[test]
fn every_value_comes_back() {
    let root = tempfile::tempdir().unwrap();
    let spool = open(&root);
    let values = values();
    let named: Vec<Arc<str>> = (0..values.len()).map(|index| Arc::from(format!("m{index}"))).collect();
    let entry = Entry {
        run: SpooledRun::Offline(OfflineRunId(u128::MAX)),
        lease: Some(i64::MIN),
        step: i64::MIN,
        progress: f64::NEG_INFINITY,
        updated: Some(Moment::At(datetime!(2024-05-07 12:30:00.000_001 UTC))),
        names: named.into(),
        values,
    };
    assert_eq!(spool.append(&entry).unwrap(), 1);
    let path = spool.path().to_owned();
    drop(spool);
    assert_eq!(read(&path), (vec![(1, Item::Metrics(entry))], 0));
}

/// All bits of it, since some programs hide something there.
#[test]
fn a_nan_keeps_its_bits() {
    let root = tempfile::tempdir().unwrap();
    let spool = open(&root);
    let nan = f64::from_bits(0xfff8_0000_dead_beef);
    spool.append(&Entry { values: vec![Value::Float(nan)], ..entry(1) }).unwrap();
    let Some((1, Item::Metrics(read))) = spool.reader(0).next().unwrap() else { panic!() };
    let [Value::Float(read)] = read.values[..] else { panic!() };
    assert_eq!(read.to_bits(), nan.to_bits());
}

#[test]
fn runs_come_back() {
    let root = tempfile::tempdir().unwrap();
    let spool = open(&root);
    let mut env = ObjectPatch::default();
    env.add(tags(["a", "b"]));
    env.remove(["c".to_owned()]);
    let new = NewRun {
        is_taken: true,
        id: OfflineRunId(3),
        experiment: Some(ExperimentId(-1)),
        experiment_name: Some("tuning".to_owned()),
        run: Some(RunId(i64::MAX)),
        changes: RunChanges {
            status: Some("RUNNING".to_owned()),
            comment: Some(None),
            created: Some(Moment::At(datetime!(2024-05-07 12:30:00.123_456 UTC))),
            started: Some(Moment::At(datetime!(1969-12-31 23:59:59 UTC))),
            updated: None,
            tags: ObjectPatch { replace: Some(None), ..ObjectPatch::default() },
            args: ObjectPatch { replace: Some(Some(tags(["x"]))), ..ObjectPatch::default() },
            env,
            extras: ObjectPatch::default(),
            links: [(("next".to_owned(), 4), true), (("next".to_owned(), -4), false)].into(),
        },
    };
    let end = RunUpdate::end(new.id, "COMPLETED", datetime!(2024-05-07 12:31:00.000_001_5 UTC));
    assert_eq!(end.changes.updated, Some(Moment::At(datetime!(2024-05-07 12:31:00.000_001 UTC))));
    spool.begin_run(&new).unwrap();
    spool.append(&Entry { run: new.id.into(), ..entry(1) }).unwrap();
    spool.update_run(&end).unwrap();
    let lives = [Some(true), Some(false)].map(|lives| RunUpdate { lives, ..end.clone() });
    for update in &lives {
        spool.update_run(update).unwrap();
    }
    let path = spool.path().to_owned();
    drop(spool);
    let [begins, ends] = lives.map(|update| Item::Update(Box::new(update)));
    let expected = vec![
        (1, Item::NewRun(Box::new(new.clone()))),
        (2, Item::Metrics(Entry { run: new.id.into(), ..entry(1) })),
        (3, Item::Update(Box::new(end))),
        (4, begins),
        (5, ends),
    ];
    assert_eq!(read(&path), (expected, 0));
}

/// It is not the time of the delivery.
#[test]
fn now_is_the_time_of_the_append() {
    let root = tempfile::tempdir().unwrap();
    let spool = open(&root);
    let before = OffsetDateTime::now_utc();
    spool.append(&Entry { updated: Some(Moment::Now), ..entry(1) }).unwrap();
    let after = OffsetDateTime::now_utc();
    let Some((_, Item::Metrics(read))) = spool.reader(0).next().unwrap() else { panic!() };
    let Some(Moment::At(time)) = read.updated else { panic!("{read:?}") };
    assert!(before <= time && time <= after, "{time}");
}

#[test]
fn what_cannot_be_read_back_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let spool = open(&root);
    let mut deep = json!(0);
    for _ in 0..200 {
        deep = json!([deep]);
    }
    for (names, value) in [(names(&["deep"]), Value::Json(deep)), (names(&["two", "names"]), Value::Int(1))] {
        let err = spool.append(&Entry { names, values: vec![value], ..entry(1) }).unwrap_err();
        assert!(matches!(err, SpoolError::Unspoolable(_)), "{err:?}");
    }
    // Names that were to be defined with a refused entry are defined with the next one.
    for step in 1..3 {
        let entry = Entry { names: names(&["deep"]), ..entry(step) };
        assert_eq!(spool.append(&entry).unwrap(), step);
    }
    let path = spool.path().to_owned();
    drop(spool);
    assert_eq!(steps(&path), (vec![1, 2], 0));
}

proptest! {
    #[test]
    fn every_entry_comes_back(
        entries in prop::collection::vec((any::<i64>(), any::<f64>(), prop::option::of(any::<i64>()), numbers()), 1..20),
    ) {
        let root = tempfile::tempdir().unwrap();
        let spool = open(&root);
        let mut written = Vec::new();
        for (step, progress, lease, values) in entries {
            let progress = if progress.is_nan() { 0.0 } else { progress };
            let names: Vec<Arc<str>> = (0..values.len()).map(|index| Arc::from(format!("m{index}"))).collect();
            let entry = Entry { step, progress, lease, names: names.into(), values, ..entry(0) };
            spool.append(&entry).unwrap();
            written.push((i64::try_from(written.len()).unwrap() + 1, Item::Metrics(entry)));
        }
        let path = spool.path().to_owned();
        drop(spool);
        prop_assert_eq!(read(&path), (written, 0));
    }
}

fn numbers() -> impl Strategy<Value = Vec<Value>> {
    let value = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<f64>().prop_filter("equals itself", |number| !number.is_nan()).prop_map(Value::Float),
        any::<String>().prop_map(Value::Text),
        any::<Vec<u8>>().prop_map(Value::Bytes),
        (-1_000_000_i64..1_000_000, 0_u32..1_000_000).prop_map(|(seconds, micros)| {
            let time = OffsetDateTime::from_unix_timestamp(seconds * 10_000).unwrap();
            Value::Timestamp(time + Duration::microseconds(i64::from(micros)))
        }),
        any::<i64>().prop_map(|micros| Value::Duration(Duration::microseconds(micros))),
        any::<String>().prop_map(|text| Value::Json(json!({ "text": text }))),
    ];
    prop::collection::vec(value, 0..8)
}
