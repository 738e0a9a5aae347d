//! A spool is read as it was written, whatever happens to its end.

mod content;
mod damage;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqltrack_engines::{Dialect, RunId, Value};
use tempfile::TempDir;

use super::entry::{Entry, Item, SpooledRun};
use super::{Folder, Fsync, Reader, Spool, Taken, Target};

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
