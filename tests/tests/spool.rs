//! What was appended to a spool arrives, once, whatever happens to the processes, the disk and the files in between.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use sqltrack_core::spool::{Entry, Fsync, Moment, NewRun, RunUpdate, Spool, SpooledRun};
use sqltrack_core::{Client, EngineError, Error, Experiment, RunId, SyncReport, Value};
use sqltrack_tests::{Database, Worker, on_both_engines};
use time::macros::datetime;

const SPOOLER: &str = env!("CARGO_BIN_EXE_spooler");

on_both_engines!(
    what_was_appended_before_kill_9_arrives,
    a_full_disk_refuses_and_damages_nothing,
    a_disk_that_is_full_for_a_new_segment_loses_nothing,
    a_sync_needs_no_room_on_the_disk,
    damage_costs_only_what_it_hits,
    a_sync_that_is_killed_goes_on_where_it_ended,
    a_replay_changes_nothing,
    many_syncs_at_once_deliver_once,
    what_is_refused_is_kept_and_the_rest_arrives,
    a_run_without_a_database_arrives_whole,
    an_offline_run_is_made_once,
    another_database_gets_nothing_unless_forced,
    a_living_writer_is_left_alone,
    a_look_finds_what_is_missing,
    a_dry_run_delivers_nothing,
    older_tables_say_what_to_do,
);

async fn new_run(client: &Client) -> RunId {
    Experiment::open(client, "spool").await.unwrap().new_run().await.unwrap().id()
}

fn entry(run: impl Into<SpooledRun>, step: i64) -> Entry {
    let names: Arc<[Arc<str>]> = [Arc::from("loss")].into();
    let (run, values) = (run.into(), vec![Value::Int(step)]);
    Entry { run, lease: None, step, progress: 0.0, updated: None, names, values }
}

/// A spool in the test's folder, with the steps 1 to `count` of a run, whose writer is gone.
fn spooled(client: &Client, db: &Database, run: RunId, count: i64) -> PathBuf {
    let root = db.folder().join("spool");
    let spool = Spool::open(&root, &client.spool_target(), Fsync::Never).unwrap();
    for step in 1..=count {
        spool.append(&entry(run, step)).unwrap();
    }
    root
}

/// The folder of the only writer in a spool.
fn writer(root: &Path) -> PathBuf {
    let mut folders = std::fs::read_dir(root).unwrap();
    let folder = folders.next().unwrap().unwrap().path();
    assert!(folders.next().is_none());
    folder
}

fn is_empty(root: &Path) -> bool {
    std::fs::read_dir(root).unwrap().next().is_none()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(file.file_name());
        if file.path().is_dir() {
            copy(&file.path(), &to);
        } else {
            std::fs::copy(file.path(), to).unwrap();
        }
    }
}

async fn steps(client: &Client) -> Vec<i64> {
    client.first_values("SELECT step FROM metrics ORDER BY step", ()).await.unwrap()
}

fn counts(report: &SyncReport) -> (u64, u64, u64) {
    (report.delivered, report.already_there, report.rejected)
}

async fn what_was_appended_before_kill_9_arrives(db: &Database) {
    let client = db.set_up().await;
    let run = new_run(&client).await;
    let root = db.folder().join("spool");
    let mut worker = Worker::start(SPOOLER, db, ["append", root.to_str().unwrap(), &run.to_string()]);
    worker.go();
    let mut said = BTreeSet::new();
    while said.len() < 1500 {
        said.insert(worker.line().unwrap().parse::<i64>().unwrap());
    }
    worker.signal(sqltrack_tests::Signal::KILL);
    let (_, lines, errors) = worker.wait();
    // The last line may be half of one.
    let whole = lines.iter().rev().skip(1).map(|line| line.parse::<i64>().unwrap());
    said.extend(whole);
    let report = client.sync(&root).verify(true).await.unwrap();
    assert!(report.is_clean(), "{report:?} {errors}");
    let arrived: BTreeSet<i64> = steps(&client).await.into_iter().collect();
    assert_eq!(said.difference(&arrived).collect::<Vec<_>>(), Vec::<&i64>::new());
    assert_eq!(arrived.len() as u64, report.delivered);
    // Each thread has one at most that it could not say any more, beside the line that was cut.
    assert!(arrived.len() <= said.len() + 3, "{} {}", arrived.len(), said.len());
    assert!(is_empty(&root));
}

/// Does a job where files may not grow beyond so many blocks, which stands for a full disk: such a file takes a part of
/// what is written, too. Returns what it says.
fn on_a_full_disk(db: &Database, blocks: u32, job: &[&str]) -> Vec<i64> {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let output = Command::new("sh")
        .args(["-c", &script, SPOOLER])
        .args(job)
        .env_clear()
        .envs(db.variables())
        .env("LOGNAME", "nobody")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    said.lines().skip(1).map(|line| line.parse().unwrap()).collect()
}

async fn a_full_disk_refuses_and_damages_nothing(db: &Database) {
    let client = db.set_up().await;
    let run = new_run(&client).await;
    let root = db.folder().join("spool");
    let said = on_a_full_disk(db, 64, &["fill", root.to_str().unwrap(), &run.to_string(), "3001"]);
    let [large, all] = said[..] else { panic!("{said:?}") };
    assert!(large > 5 && all > large, "{said:?}");
    let report = client.sync(&root).verify(true).await.unwrap();
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(steps(&client).await, (0..all).collect::<Vec<_>>());
}

/// What the refused entry was to define is not taken for defined.
async fn a_disk_that_is_full_for_a_new_segment_loses_nothing(db: &Database) {
    let client = db.set_up().await;
    let run = new_run(&client).await;
    let root = db.folder().join("spool");
    let said = on_a_full_disk(db, 33_000, &["roll", root.to_str().unwrap(), &run.to_string()]);
    assert_eq!(said, [3]);
    let report = client.sync(&root).verify(true).await.unwrap();
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(steps(&client).await, [0, 1, 2]);
}

/// A spool on a full disk can leave it. That nothing can be written is seen to by a folder in the place of a file.
async fn a_sync_needs_no_room_on_the_disk(db: &Database) {
    let client = db.set_up().await;
    let run = new_run(&client).await;
    let root = spooled(&client, db, run, 600);
    std::fs::create_dir(writer(&root).join("delivered")).unwrap();
    let report = client.sync(&root).await.unwrap();
    assert_eq!((counts(&report), report.is_clean()), ((600, 0, 0), true));
    assert!(is_empty(&root));
}

async fn damage_costs_only_what_it_hits(db: &Database) {
    let client = db.set_up().await;
    let run = new_run(&client).await;
    for place in 0..8 {
        let root = spooled(&client, db, run, 300);
        let segment = writer(&root).join("000001.spool");
        let mut bytes = std::fs::read(&segment).unwrap();
        let at = 200 + place * 7919 % (bytes.len() - 200);
        bytes[at] ^= 0x55;
        std::fs::write(&segment, &bytes).unwrap();
        client.execute("DELETE FROM metrics", ()).await.unwrap();
        let report = client.sync(&root).verify(true).await.unwrap();
        assert_eq!(counts(&report), (299, 0, 0), "at {at}");
        assert!(report.damaged_bytes > 0 && !report.is_clean());
        assert_eq!(steps(&client).await.len(), 299);
        // What is damaged is kept for a look, and said once.
        assert!(segment.with_extension("damaged").exists() && !segment.exists());
        assert!(client.sync(&root).await.unwrap().is_clean());
        std::fs::remove_dir_all(root).unwrap();
    }
}

async fn a_sync_that_is_killed_goes_on_where_it_ended(db: &Database) {
    let client = db.set_up().await;
    let run = new_run(&client).await;
    let root = spooled(&client, db, run, 4000);
    let sync = || {
        let mut worker = Worker::start(SPOOLER, db, ["sync", root.to_str().unwrap()]);
        worker.go();
        worker
    };
    for _ in 0..3 {
        let mut worker = sync();
        assert!(worker.line().is_some());
        worker.kill();
    }
    let report = client.sync(&root).verify(true).await.unwrap();
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(report.delivered + report.already_there, 4000);
    assert_eq!(steps(&client).await, (1..=4000).collect::<Vec<_>>());
    assert!(is_empty(&root));
}

async fn a_replay_changes_nothing(db: &Database) {
    let client = db.set_up().await;
    let run = new_run(&client).await;
    let root = spooled(&client, db, run, 600);
    let backup = db.folder().join("backup");
    copy(&root, &backup);
    assert_eq!(counts(&client.sync(&root).await.unwrap()), (600, 0, 0));
    // Later than the spool, and so not to be overwritten by it.
    client.run(run).add_metrics([("loss", -1)]).step(7).await.unwrap();
    let before = client.query("SELECT * FROM metrics ORDER BY step", ()).await.unwrap();
    assert_eq!(counts(&client.sync(&backup).await.unwrap()), (0, 600, 0));
    let after = client.query("SELECT * FROM metrics ORDER BY step", ()).await.unwrap();
    assert_eq!(format!("{before:?}"), format!("{after:?}"));
    assert!(is_empty(&root) && is_empty(&backup));
}

/// In copies of the folder there is no common lock; the database has the last word.
async fn many_syncs_at_once_deliver_once(db: &Database) {
    let client = db.set_up().await;
    let run = new_run(&client).await;
    let root = spooled(&client, db, run, 3000);
    let roots = [1, 2].map(|copied| {
        let to = db.folder().join(format!("copy{copied}"));
        copy(&root, &to);
        to
    });
    let jobs =
        [&root, &root, &roots[0], &roots[1]].map(|root| vec!["sync".to_owned(), root.display().to_string()]);
    let said = sqltrack_tests::all_at_once(SPOOLER, db, jobs);
    let last = said.iter().map(|lines| lines.last().unwrap().split(' ').map(|n| n.parse::<i64>().unwrap()));
    let totals = last.fold([0; 3], |mut sum, counts| {
        sum.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        sum
    });
    assert_eq!(totals[0], 3000, "{said:?}");
    // The two that had one folder: one found the other at work, or nothing left.
    assert!(totals[1] == 6000 && totals[2] <= 1, "{said:?}");
    assert_eq!(steps(&client).await, (1..=3000).collect::<Vec<_>>());
}

async fn what_is_refused_is_kept_and_the_rest_arrives(db: &Database) {
    let client = db.set_up().await;
    let run = new_run(&client).await;
    client.run(run).add_metrics([("phase", "train")]).await.unwrap();
    let root = db.folder().join("spool");
    let spool = Spool::open(&root, &client.spool_target(), Fsync::Second).unwrap();
    let mistyped = Entry { names: [Arc::from("phase")].into(), ..entry(run, 2) };
    let lost = Entry { lease: Some(404), ..entry(run, 3) };
    for entry in [entry(run, 1), mistyped, lost, entry(RunId(404), 4), entry(run, 5)] {
        spool.append(&entry).unwrap();
    }
    let folder = spool.path().to_owned();
    assert!(!spool.close().unwrap());
    let report = client.sync(&root).verify(true).await.unwrap();
    assert_eq!(counts(&report), (2, 0, 3));
    assert!(!report.is_clean());
    assert_eq!(steps(&client).await, [0, 1, 5]);
    let rejected = std::fs::read_to_string(folder.join("rejected.jsonl")).unwrap();
    let rejected: Vec<serde_json::Value> =
        rejected.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let reasons = ["metric `phase`: the integer 2 does not fit", "was taken over", "there is no run 404"];
    assert_eq!(rejected.len(), reasons.len());
    for ((document, reason), seq) in rejected.iter().zip(reasons).zip(2..) {
        assert_eq!(document["seq"], seq);
        assert!(document["reason"].as_str().unwrap().contains(reason), "{document}");
    }
    assert_eq!(rejected[1]["metrics"]["loss"], 3);
    assert_eq!(rejected[2]["run"], 404);
    // They are not said again, nor lost.
    assert!(client.sync(&root).await.unwrap().is_clean());
    assert!(folder.join("rejected.jsonl").exists());
}

async fn a_run_without_a_database_arrives_whole(db: &Database) {
    let client = db.set_up().await;
    let root = db.folder().join("spool");
    let spool = Spool::open(&root, &client.spool_target(), Fsync::Second).unwrap();
    let mut run = NewRun::of_experiment("offline").unwrap();
    let started = datetime!(2024-05-07 12:30 UTC);
    run.changes.created = Some(Moment::At(started));
    run.changes.started = Some(Moment::At(started));
    run.changes.status = Some("RUNNING".to_owned());
    run.changes.args.add([("lr".to_owned(), serde_json::json!(0.1))].into_iter().collect());
    spool.begin_run(&run).unwrap();
    for step in 1..=3 {
        let updated = Some(Moment::At(started + time::Duration::seconds(step)));
        spool.append(&Entry { updated, ..entry(run.id, step) }).unwrap();
    }
    let ended = started + time::Duration::minutes(1);
    spool.update_run(&RunUpdate::end(run.id, "COMPLETED", ended)).unwrap();
    drop(spool);
    let report = client.sync(&root).verify(true).await.unwrap();
    assert!(report.is_clean(), "{report:?}");
    let [made] = report.runs_created[..] else { panic!("{report:?}") };
    let sql = "SELECT e.name, r.status, r.time_created, r.time_started, r.time_updated
        FROM runs AS r JOIN experiments AS e ON e.id = r.experiment_id WHERE r.id = $1";
    let row = client.query(sql, (made,)).await.unwrap().into_iter().next().unwrap();
    let times = [started, started, ended].map(Value::from);
    let [name, status, found @ ..] = &row.into_values()[..] else { panic!() };
    assert_eq!((name, status), (&Value::from("offline"), &Value::from("COMPLETED")));
    assert_eq!(found.iter().map(in_utc).collect::<Vec<_>>(), times.iter().map(in_utc).collect::<Vec<_>>());
    assert_eq!(steps(&client).await, [1, 2, 3]);
    assert!(is_empty(&root));
}

/// A time as text, since SQLite gives it as one.
fn in_utc(value: &Value) -> String {
    sqltrack_core::text::of(value).replace(".000000", "")
}

async fn an_offline_run_is_made_once(db: &Database) {
    let client = db.set_up().await;
    let root = db.folder().join("spool");
    let open = || Spool::open(&root, &client.spool_target(), Fsync::Never).unwrap();
    let run = NewRun::of_experiment("offline").unwrap();
    let first = open();
    first.begin_run(&run).unwrap();
    first.append(&entry(run.id, 1)).unwrap();
    drop(first);
    let backup = db.folder().join("backup");
    copy(&root, &backup);
    let made = client.sync(&root).await.unwrap().runs_created;
    assert_eq!(made.len(), 1);
    assert_eq!(client.sync(&backup).await.unwrap().runs_created, []);
    // Another process adds to the same run, says again that it is new, and knows one that has not come yet.
    let second = open();
    second.begin_run(&run).unwrap();
    second.append(&entry(run.id, 2)).unwrap();
    let never = NewRun::of_experiment("never").unwrap();
    second.append(&entry(never.id, 3)).unwrap();
    drop(second);
    let report = client.sync(&root).await.unwrap();
    assert_eq!((counts(&report), report.writers_waiting, report.runs_created), ((2, 0, 0), 1, vec![]));
    let runs: Vec<i64> = client.first_values("SELECT id FROM runs", ()).await.unwrap();
    assert_eq!(runs, [made[0].0]);
    assert_eq!(steps(&client).await, [1, 2]);
    // It came in the end.
    let third = open();
    third.begin_run(&never).unwrap();
    drop(third);
    let report = client.sync(&root).await.unwrap();
    assert!(report.is_clean() && report.delivered == 2 && report.runs_created.len() == 1, "{report:?}");
    assert_eq!(steps(&client).await, [1, 2, 3]);
    assert!(is_empty(&root));
}

async fn another_database_gets_nothing_unless_forced(db: &Database) {
    let client = db.set_up().await;
    let run = new_run(&client).await;
    let root = db.folder().join("spool");
    let mut target = client.spool_target();
    target.database.push_str("-elsewhere");
    let spool = Spool::open(&root, &target, Fsync::Never).unwrap();
    spool.append(&entry(run, 1)).unwrap();
    spool.append(&entry(run, 2)).unwrap();
    // The other one has the first already.
    spool.delivered(1).unwrap();
    drop(spool);
    let report = client.sync(&root).await.unwrap();
    assert_eq!(counts(&report), (0, 0, 0));
    assert_eq!(report.for_others.iter().map(|other| &other.target).collect::<Vec<_>>(), [&target]);
    assert!(!report.is_clean());
    let report = client.sync(&root).force().await.unwrap();
    assert_eq!((counts(&report), report.is_clean()), ((1, 0, 0), true));
    assert_eq!(steps(&client).await, [2]);
}

async fn a_living_writer_is_left_alone(db: &Database) {
    let client = db.set_up().await;
    let run = new_run(&client).await;
    let root = db.folder().join("spool");
    let spool = Spool::open(&root, &client.spool_target(), Fsync::Always).unwrap();
    spool.append(&entry(run, 1)).unwrap();
    let report = client.sync(&root).await.unwrap();
    assert_eq!((counts(&report), report.writers_alive), ((0, 0, 0), 1));
    spool.append(&entry(run, 2)).unwrap();
    let folder = spool.path().to_owned();
    drop(spool);
    let report = client.sync(folder).await.unwrap();
    assert_eq!((counts(&report), report.writers_alive), ((2, 0, 0), 0));
    assert_eq!(steps(&client).await, [1, 2]);
}

/// A trigger of the database's own takes some rows away.
async fn a_look_finds_what_is_missing(db: &Database) {
    let client = db.set_up().await;
    let run = new_run(&client).await;
    let root = spooled(&client, db, run, 250);
    let trigger = db.choose(
        "CREATE FUNCTION thief() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
        CREATE TRIGGER thief BEFORE INSERT ON metrics FOR EACH ROW WHEN (NEW.step IN (3, 77)) EXECUTE FUNCTION thief()",
        "CREATE TRIGGER thief AFTER INSERT ON metrics WHEN NEW.step IN (3, 77)
        BEGIN DELETE FROM metrics WHERE step = NEW.step; END",
    );
    client.executescript(trigger).await.unwrap();
    let report = client.sync(&root).verify(true).await.unwrap();
    let verified = report.verified.unwrap();
    assert_eq!((verified.expected, verified.found), (250, 248));
    assert!(!report.is_clean());
}

async fn a_dry_run_delivers_nothing(db: &Database) {
    let client = db.set_up().await;
    let run = new_run(&client).await;
    let root = spooled(&client, db, run, 10);
    for _ in 0..2 {
        assert_eq!(counts(&client.sync(&root).dry_run().await.unwrap()), (10, 0, 0));
    }
    assert!(steps(&client).await.is_empty());
    let writers: Vec<String> = client.first_values("SELECT id FROM writers", ()).await.unwrap();
    assert!(writers.is_empty());
}

async fn older_tables_say_what_to_do(db: &Database) {
    let client = db.set_up().await;
    let run = new_run(&client).await;
    for table in ["writers", "offline_runs"] {
        client.execute(&format!("DROP TABLE {table}"), ()).await.unwrap();
    }
    client.run(run).add_metrics([("loss", 1)]).await.unwrap();
    let root = spooled(&client, db, run, 1);
    let err = client.sync(&root).await.unwrap_err();
    assert!(matches!(err, Error::Engine(EngineError::Outdated { .. })), "{err:?}");
    assert_eq!(counts(&client.sync(&root).dry_run().await.unwrap()), (1, 0, 0));
}
