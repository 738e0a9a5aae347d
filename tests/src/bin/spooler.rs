//! Appends to a spool, or delivers one, and says so: something to kill. Says `ready`, and waits for a line.

use std::io::{Write, stderr, stdin, stdout};
use std::process::ExitCode;
use std::sync::Arc;

use sqltrack_core::spool::{Entry, Fsync, Spool, SpoolError, SpooledRun};
use sqltrack_core::{Client, Error, RunId, Value};

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let job: Vec<String> = std::env::args().skip(1).collect();
    match runtime.unwrap().block_on(work(&job)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            writeln!(stderr().lock(), "{job:?}: {err}").unwrap();
            ExitCode::FAILURE
        }
    }
}

fn say(line: impl std::fmt::Display) {
    let mut out = stdout().lock();
    writeln!(out, "{line}").unwrap();
    out.flush().unwrap();
}

async fn work(job: &[String]) -> Result<(), Error> {
    let client = Client::connect().await?;
    say("ready");
    stdin().read_line(&mut String::new()).unwrap();
    let job: Vec<&str> = job.iter().map(String::as_str).collect();
    match job.as_slice() {
        ["append", dir, run] => append(&client, dir, number(run)),
        ["fill", dir, run, size] => fill(&client, dir, number(run), usize::try_from(number(size)).unwrap()),
        ["roll", dir, run] => roll(&client, dir, number(run)),
        ["sync", dir] => {
            let progress = |so_far: sqltrack_core::SyncProgress| say(so_far.delivered);
            let report = client.sync(*dir).progress(progress).await?;
            say(format!("{} {} {}", report.delivered, report.already_there, report.writers_alive));
            Ok(())
        }
        other => panic!("there is no job {other:?}"),
    }
}

fn number(text: &str) -> i64 {
    text.parse().unwrap()
}

fn open(client: &Client, dir: &str) -> Result<Spool, SpoolError> {
    Spool::open(dir, &client.spool_target(), Fsync::Never)
}

fn entry(run: i64, step: i64, note: String) -> Entry {
    let names: Arc<[Arc<str>]> = ["loss", "note"].map(Arc::from).into();
    let values = vec![Value::Int(step), Value::Text(note)];
    Entry { run: SpooledRun::Run(RunId(run)), lease: None, step, progress: 0.0, updated: None, names, values }
}

/// Appends for ever, from two threads, and says each step that is there.
fn append(client: &Client, dir: &str, run: i64) -> Result<(), Error> {
    let spool = open(client, dir)?;
    std::thread::scope(|scope| {
        for thread in 0..2 {
            let spool = &spool;
            scope.spawn(move || {
                for step in (thread..).step_by(2) {
                    spool.append(&entry(run, step, "x".repeat(100))).unwrap();
                    say(step);
                }
            });
        }
    });
    Ok(())
}

/// Appends entries of `size` bytes until the disk is full, and then small ones until it is full again; says how many of
/// both are there.
fn fill(client: &Client, dir: &str, run: i64, size: usize) -> Result<(), Error> {
    let spool = open(client, dir)?;
    let mut step = 0;
    for size in [size, 1] {
        let mut refusals = 0;
        while refusals < 3 {
            match spool.append(&entry(run, step, "x".repeat(size))) {
                Ok(_) => step += 1,
                Err(SpoolError::NotOnDisk { .. }) => refusals += 1,
                Err(err) => return Err(err.into()),
            }
        }
        say(step);
    }
    Ok(())
}

/// Appends an entry that needs a segment of its own and is too large for the disk, then one of the same, new, names.
fn roll(client: &Client, dir: &str, run: i64) -> Result<(), Error> {
    let spool = open(client, dir)?;
    let first = Entry {
        names: [Arc::from("loss")].into(),
        values: vec![Value::Int(0)],
        ..entry(run, 0, String::new())
    };
    spool.append(&first)?;
    let refused = spool.append(&entry(run, 1, "x".repeat(40 << 20)));
    assert!(matches!(refused, Err(SpoolError::NotOnDisk { .. })), "{refused:?}");
    spool.append(&entry(run, 1, String::new()))?;
    spool.append(&Entry { step: 2, ..first })?;
    say(3);
    Ok(())
}
