//! A spool is read as it was written, whatever happens to its end.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;
use sqltrack_engines::{
    Dialect, ExperimentId, Moment, ObjectPatch, OfflineRunId, RunChanges, RunId, Value, tags,
};
use tempfile::TempDir;
use time::macros::{date, datetime, time};
use time::{Duration, OffsetDateTime};

use super::entry::{Entry, Item, NewRun, RunUpdate, SpooledRun};
use super::{Folder, Fsync, Reader, Spool, SpoolError, Taken, Target};

fn target() -> Target {
    Target::new(Dialect::Postgres, "database `runs` on db:5432 as `alice`", None)
}

fn open(root: &TempDir) -> Spool {
    Spool::open(root.path(), &target(), Fsync::Never).unwrap()
}

fn names(names: &[&str]) -> Arc<[Arc<str>]> {
    names.iter().map(|name| Arc::from(*name)).collect()
}

fn entry(step: i64) -> Entry {
    Entry {
        run: SpooledRun::Run(RunId(7)),
        lease: None,
        step,
        progress: 0.5,
        updated: None,
        names: names(&["loss"]),
        values: vec![Value::Int(step)],
    }
}

/// The folder of a writer that is gone.
fn left(path: &Path) -> Folder {
    let writer = path.file_name().unwrap().to_str().unwrap().parse().unwrap();
    match Folder::take(path, writer).unwrap() {
        Taken::Free(folder) => folder,
        other => panic!("{other:?}"),
    }
}

/// All entries that are left, and how many bytes are damaged.
fn read(path: &Path) -> (Vec<(i64, Item)>, u64) {
    let mut reader = Reader::of_folder(&left(path), 0);
    let mut items = Vec::new();
    while let Some(item) = reader.next().unwrap() {
        items.push(item);
    }
    (items, reader.damaged())
}

/// The steps of the entries that are left.
fn steps(path: &Path) -> (Vec<i64>, u64) {
    let (items, damaged) = read(path);
    let step = |(_, item)| match item {
        Item::Metrics(entry) => entry.step,
        other => panic!("{other:?}"),
    };
    (items.into_iter().map(step).collect(), damaged)
}

fn segment(path: &Path, number: u32) -> PathBuf {
    path.join(format!("{number:06}.spool"))
}

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
    let path = spool.path().to_owned();
    drop(spool);
    let expected = vec![
        (1, Item::NewRun(Box::new(new.clone()))),
        (2, Item::Metrics(Entry { run: new.id.into(), ..entry(1) })),
        (3, Item::Update(Box::new(end))),
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

#[test]
fn a_reader_follows_its_writer() {
    let root = tempfile::tempdir().unwrap();
    let spool = open(&root);
    let mut reader = spool.reader(2);
    assert_eq!(reader.next().unwrap(), None);
    for step in 1..=2 {
        spool.append(&entry(step)).unwrap();
    }
    assert_eq!(reader.next().unwrap(), None);
    assert_eq!(spool.append_many(&[entry(3), entry(4)]).unwrap(), 4);
    for seq in 3..=4 {
        assert_eq!(reader.next().unwrap(), Some((seq, Item::Metrics(entry(seq)))));
    }
    assert_eq!(reader.next().unwrap(), None);
    assert_eq!((spool.last_seq(), reader.damaged()), (4, 0));
}

#[test]
fn full_segments_go_once_they_are_delivered() {
    let root = tempfile::tempdir().unwrap();
    let spool = open(&root);
    let path = spool.path().to_owned();
    let large = |step| Entry { values: vec![Value::Bytes(vec![7; 9 << 20])], ..entry(step) };
    let huge = Entry { values: vec![Value::Bytes(vec![7; 20 << 20])], ..entry(3) };
    let mut reader = spool.reader(0);
    for entry in [large(1), large(2), huge.clone(), entry(4)] {
        spool.append(&entry).unwrap();
    }
    let exist = || (1..=4).filter(|number| segment(&path, *number).exists()).collect::<Vec<u32>>();
    assert_eq!(exist(), [1, 2, 3, 4]);
    for expected in [large(1), large(2), huge, entry(4)] {
        let (seq, item) = reader.next().unwrap().unwrap();
        assert!(item == Item::Metrics(expected), "{seq}");
    }
    spool.delivered(1).unwrap();
    assert_eq!(exist(), [2, 3, 4]);
    spool.delivered(3).unwrap();
    assert_eq!(exist(), [4]);
    spool.delivered(2).unwrap();
    assert_eq!(
        steps(&{
            drop((spool, reader));
            path.clone()
        }),
        (vec![4], 0)
    );
    assert_eq!(left(&path).mark(), 3);
}

#[test]
fn a_writer_that_has_delivered_all_leaves_nothing() {
    let root = tempfile::tempdir().unwrap();
    for (delivered, is_gone) in [(1, false), (2, true)] {
        let spool = open(&root);
        spool.append_many(&[entry(1), entry(2)]).unwrap();
        spool.delivered(delivered).unwrap();
        let path = spool.path().to_owned();
        assert_eq!(spool.close().unwrap(), is_gone);
        assert_eq!(!path.exists(), is_gone);
    }
}

#[test]
fn a_living_writer_is_left_alone() {
    let root = tempfile::tempdir().unwrap();
    let spool = open(&root);
    let take = || Folder::take(spool.path(), spool.writer()).unwrap();
    assert!(matches!(take(), Taken::InUse));
    let listed = [(spool.writer(), spool.path().canonicalize().unwrap())];
    assert_eq!(Folder::list(root.path()).unwrap(), listed);
    assert_eq!(Folder::list(spool.path()).unwrap(), listed);
    let (path, writer) = (spool.path().to_owned(), spool.writer());
    drop(spool);
    let first = Folder::take(&path, writer).unwrap();
    assert!(matches!(Folder::take(&path, writer).unwrap(), Taken::InUse));
    let Taken::Free(first) = first else { panic!("{first:?}") };
    assert_eq!(first.target().unwrap(), target());
    first.remove().unwrap();
    assert!(matches!(Folder::take(&path, writer).unwrap(), Taken::Gone));
}

#[test]
fn a_folder_that_was_never_finished_is_removed() {
    let root = tempfile::tempdir().unwrap();
    let spool = open(&root);
    let unfinished = root.path().join(format!(".new-{:032x}", 7));
    fs::create_dir(&unfinished).unwrap();
    let count = || fs::read_dir(root.path()).unwrap().count();
    assert_eq!((Folder::list(root.path()).unwrap().len(), count()), (1, 2));
    let lock = fs::File::create(unfinished.join("lock")).unwrap();
    lock.lock().unwrap();
    assert_eq!((Folder::list(root.path()).unwrap().len(), count()), (1, 2));
    drop(lock);
    assert_eq!((Folder::list(root.path()).unwrap().len(), count()), (1, 1));
    assert!(spool.close().unwrap());
}

#[cfg(unix)]
#[test]
fn only_its_owner_may_look_into_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let root = tempfile::tempdir().unwrap();
    let root = root.path().join("a/spool");
    let spool = Spool::open(&root, &target(), Fsync::Always).unwrap();
    spool.append(&entry(1)).unwrap();
    spool.delivered(1).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&root), mode(spool.path())), (0o700, 0o700));
    let files: Vec<_> = fs::read_dir(spool.path()).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 4, "{files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[test]
fn threads_append_at_once() {
    let root = tempfile::tempdir().unwrap();
    let spool = Spool::open(root.path(), &target(), Fsync::Second).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let spool = &spool;
            scope.spawn(move || {
                let names = names(&[&format!("own{thread}"), "shared"]);
                for step in 0..200 {
                    let values = vec![Value::Int(thread), Value::Int(step)];
                    spool.append(&Entry { names: names.clone(), values, ..entry(step) }).unwrap();
                }
            });
        }
    });
    let path = spool.path().to_owned();
    drop(spool);
    let (items, damaged) = read(&path);
    assert_eq!(items.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), (1..=800).collect::<Vec<_>>());
    assert_eq!(damaged, 0);
    for thread in 0..4 {
        let own =
            |item: &&Item| matches!(item, Item::Metrics(entry) if entry.values[0] == Value::Int(thread));
        let steps = items.iter().map(|(_, item)| item).filter(own).map(|item| match item {
            Item::Metrics(entry) => entry.step,
            other => panic!("{other:?}"),
        });
        assert_eq!(steps.collect::<Vec<_>>(), (0..200).collect::<Vec<_>>());
    }
}

#[test]
fn a_damaged_file_of_a_target_says_so() {
    let root = tempfile::tempdir().unwrap();
    let path = open(&root).path().to_owned();
    fs::write(path.join("target.json"), "{").unwrap();
    let err = left(&path).target().unwrap_err();
    assert!(matches!(err, SpoolError::Damaged { .. }), "{err:?}");
}

#[test]
fn a_later_version_is_not_taken_for_damage() {
    let root = tempfile::tempdir().unwrap();
    let path = open(&root).path().to_owned();
    let mut header = fs::read(segment(&path, 1)).unwrap();
    header[8] = 2;
    let sum = crc32fast::hash(&header[..28]).to_le_bytes();
    header[28..32].copy_from_slice(&sum);
    fs::write(segment(&path, 1), header).unwrap();
    let err = Reader::of_folder(&left(&path), 0).next().unwrap_err();
    assert!(matches!(err, SpoolError::Newer { version: 2, .. }), "{err:?}");
}

/// A spool of 20 entries of different lengths, and what its only segment holds.
fn twenty(root: &TempDir) -> (PathBuf, Vec<u8>) {
    let spool = open(root);
    for step in 1..=20 {
        let text = "x".repeat(usize::try_from(step).unwrap() * 7 % 40);
        let (names, values) = (names(&["loss", "note"]), vec![Value::Int(step), Value::Text(text)]);
        spool.append(&Entry { names, values, ..entry(step) }).unwrap();
    }
    let path = spool.path().to_owned();
    drop(spool);
    let bytes = fs::read(segment(&path, 1)).unwrap();
    (path, bytes)
}

/// Entries in order, the first ones of which are all there up to where something was done to the file.
#[track_caller]
fn check_prefix(found: &[i64], offset: usize, ends: &[usize]) {
    let whole = ends.iter().filter(|end| **end <= offset).count();
    let expected: Vec<i64> = (1..=20).take(whole).collect();
    assert_eq!(found[..whole.min(found.len())], expected);
    assert!(
        found.is_sorted_by(|a, b| a < b) && found.iter().all(|step| (1..=20).contains(step)),
        "{found:?}"
    );
}

/// Where in the segment each entry ends.
fn ends(bytes: &[u8]) -> Vec<usize> {
    let mut at = 32;
    let mut ends = Vec::new();
    while at < bytes.len() {
        let length = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        let is_entry = bytes[at + 8] != 1;
        at += 8 + length;
        if is_entry {
            ends.push(at);
        }
    }
    ends
}

#[test]
fn a_file_that_is_cut_anywhere_is_read_up_to_there() {
    let root = tempfile::tempdir().unwrap();
    let (path, bytes) = twenty(&root);
    let ends = ends(&bytes);
    for length in 0..=bytes.len() {
        fs::write(segment(&path, 1), &bytes[..length]).unwrap();
        let (found, damaged) = steps(&path);
        check_prefix(&found, length, &ends);
        assert_eq!(found.len(), ends.iter().filter(|end| **end <= length).count());
        let whole = ends.iter().copied().filter(|end| *end <= length).max().unwrap_or(0);
        assert!(damaged <= (length - whole) as u64, "{damaged} at {length}");
    }
}

proptest! {
    /// What is before the damage is there, and what is after it, too, but for what the damage has hit.
    #[test]
    fn damage_costs_only_what_it_hits(at in 32_usize..2000, byte in any::<u8>(), length in 1_usize..40) {
        let root = tempfile::tempdir().unwrap();
        let (path, mut bytes) = twenty(&root);
        let ends = ends(&bytes);
        let at = at % (bytes.len() - 32) + 32;
        let end = (at + length).min(bytes.len());
        let old = bytes[at..end].to_vec();
        bytes[at..end].fill(byte);
        fs::write(segment(&path, 1), &bytes).unwrap();
        let (found, damaged) = steps(&path);
        check_prefix(&found, at, &ends);
        // The definition of the names comes before the first entry.
        let first_end = ends[0];
        if old == bytes[at..end] {
            prop_assert_eq!((found.len(), damaged), (20, 0));
        } else if at >= first_end {
            let hit = ends.iter().enumerate().filter(|(index, entry_end)| {
                let start = if *index == 0 { 0 } else { ends[index - 1] };
                start < end && at < **entry_end
            });
            prop_assert!(found.len() >= 20 - hit.count(), "{found:?}");
            prop_assert!(damaged > 0);
        }
    }

    /// Bytes that were never a spool are no entries, and no panic.
    #[test]
    fn noise_is_no_entry(noise in prop::collection::vec(any::<u8>(), 0..3000)) {
        let root = tempfile::tempdir().unwrap();
        let path = open(&root).path().to_owned();
        fs::write(segment(&path, 1), &noise).unwrap();
        prop_assert_eq!(read(&path).0, vec![]);
    }

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
