//! A future that is dropped at any point leaves nothing half done, no transaction open and the client usable.

use std::collections::BTreeSet;
use std::time::Duration;

use sqltrack_core::{Client, Dialect, Error, Experiment, Run, metrics};
use sqltrack_tests::{Database, Worker, on_both_engines};

const WORKER: &str = env!("CARGO_BIN_EXE_worker");
const CALLS: u64 = 2_000;

on_both_engines!(dropped_calls_are_whole_or_nothing, a_dropped_begin_leaves_no_transaction_open);

/// A sequence of numbers that is the same each time.
struct Seeded(u64);

impl Seeded {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// Waits until the tasks of all dropped calls have ended.
async fn all_tasks_ended() {
    let runtime = tokio::runtime::Handle::current();
    while runtime.metrics().num_alive_tasks() > 0 {
        tokio::task::yield_now().await;
    }
}

/// No connection of this test has a transaction open, and another process gets the write lock at once.
async fn no_transaction_is_open(db: &Database) {
    if db.dialect() == Dialect::Postgres {
        let sql =
            "SELECT query FROM pg_stat_activity WHERE datname = $1 AND state LIKE 'idle in transaction%'";
        let open: Vec<String> = db.connect().await.first_values(sql, (db.name(),)).await.unwrap();
        assert_eq!(open, [] as [String; 0]);
    }
    let mut writer = Worker::start(WORKER, db, ["write", "1"]);
    writer.go();
    let started = std::time::Instant::now();
    writer.finish();
    assert!(started.elapsed() < Duration::from_secs(5), "the lock was held for {:?}", started.elapsed());
}

/// One call of some kind. What it does, it does in two places, so that a half can be told from the whole.
async fn call(client: Client, run: Run, number: u64) -> Result<(), Error> {
    let step = i64::try_from(number).unwrap();
    let name = format!("m{}", number % 40);
    match number % 8 {
        0 => {
            let found = metrics! { name => 1.5, "nan" => f64::NAN };
            run.add_metrics(found).step(step).await.map(drop)
        }
        1 => {
            run.set_comment(number.to_string()).add_extras([("comment", number.to_string())]).await.map(drop)
        }
        2 => {
            let sets = [(format!("a{number}"),), (format!("b{number}"),)];
            client.executemany("INSERT INTO experiments (name) VALUES ($1)", sets).await.map(drop)
        }
        3 => {
            let tx = client.begin().await?;
            Experiment::open(&tx, format!("a{number}")).await?;
            let nested = tx.begin().await?;
            Experiment::open(&nested, format!("b{number}")).await?;
            nested.commit().await?;
            tx.commit().await
        }
        4 => client.query("SELECT * FROM metrics ORDER BY step LIMIT 20", ()).await.map(drop),
        5 => {
            let script = format!(
                "BEGIN; INSERT INTO experiments (name) VALUES ('a{number}'); INSERT INTO experiments (name) VALUES ('b{number}'); END;"
            );
            client.executescript(&script).await
        }
        6 => {
            let tx = client.begin().await?;
            tx.run(run.id()).add_metrics([(name, 2.5)]).step(step).await?;
            tx.rollback().await
        }
        _ => Experiment::open(&client, format!("alone{number}")).await?.new_run().await.map(drop),
    }
}

async fn dropped_calls_are_whole_or_nothing(db: &Database) {
    let client = db.set_up().await;
    let run = Experiment::open(&client, "cancelled").await.unwrap().new_run().await.unwrap();
    let mut random = Seeded(0x5eed_5eed);
    let mut done = 0;
    for number in 0..CALLS {
        let limit = Duration::from_micros(random.next() % 4_000);
        if let Ok(result) = tokio::time::timeout(limit, call(client.clone(), run.clone(), number)).await {
            result.unwrap_or_else(|err| panic!("call {number}: {err}"));
            done += 1;
        }
    }
    assert!((CALLS / 100..CALLS - CALLS / 100).contains(&done), "{done} calls were not dropped");
    all_tasks_ended().await;
    no_transaction_is_open(db).await;
    whole_or_nothing(&client, &run).await;
    Experiment::open(&client, "afterwards").await.unwrap().new_run().await.unwrap().start().await.unwrap();
}

async fn whole_or_nothing(client: &Client, run: &Run) {
    let names: Vec<String> = client.first_values("SELECT name FROM experiments", ()).await.unwrap();
    let starting = |letter| -> BTreeSet<String> {
        names
            .iter()
            .filter_map(|name| name.strip_prefix(letter))
            .filter(|rest| rest.parse::<u64>().is_ok())
            .map(str::to_owned)
            .collect()
    };
    let (first, second) = (starting('a'), starting('b'));
    assert!(!first.is_empty());
    assert_eq!(first, second);
    let kept: Option<(Option<String>, Option<serde_json::Value>)> =
        client.first_row("SELECT comment, extras FROM runs WHERE id = $1", (run.id(),)).await.unwrap();
    let (comment, extras) = kept.unwrap();
    assert_eq!(extras.map(|extras| extras["comment"].as_str().unwrap().to_owned()), comment);
    for point in run.metrics().await.unwrap() {
        let names: Vec<_> = point.metrics.keys().map(String::as_str).collect();
        let expected = format!("m{}", point.step % 40);
        let mut names = names;
        names.sort_unstable();
        assert_eq!(names, [expected.as_str(), "nan"], "step {}", point.step);
    }
}

async fn a_dropped_begin_leaves_no_transaction_open(db: &Database) {
    let client = db.set_up().await;
    let mut random = Seeded(0xbe91_4393);
    for _ in 0..CALLS / 3 {
        let limit = Duration::from_micros(random.next() % 400);
        // Also a transaction that has begun is dropped here, with or without work in it.
        let _ = tokio::time::timeout(limit, async {
            let tx = client.begin().await.unwrap();
            let nested = tx.begin().await.unwrap();
            let _ = Experiment::open(&nested, "never").await;
            tx.begin().await.unwrap().commit().await.unwrap();
        })
        .await;
    }
    all_tasks_ended().await;
    no_transaction_is_open(db).await;
    let names: Vec<String> = client.first_values("SELECT name FROM experiments", ()).await.unwrap();
    assert_eq!(names, [] as [String; 0]);
}
