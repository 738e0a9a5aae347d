//! Everything that gets in the way of a training: its process is killed, the server crashes, freezes and is cut off,
//! locks are held. What was acknowledged is there, exactly as it was sent; nothing is there in part.
//!
//! `cargo xtask torture --rounds N` does more of it, with other seeds.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use sqltrack_core::{Client, Dialect, Experiment, Run, Value};
use sqltrack_tests::generator::{self, Seeded};
use sqltrack_tests::{Database, Proxy, Server, on_both_engines};

const TRAINER: &str = env!("CARGO_BIN_EXE_trainer");
/// How many rows each training of a round writes.
const STEPS: i64 = 600;
/// What gets in the way in a round, at most.
const FAULTS: u32 = 6;

on_both_engines!(nothing_that_was_acknowledged_is_lost, a_crowd_gets_in_nobodys_way);

/// A number from the environment, which `cargo xtask torture` sets.
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().unwrap())
}

/// A training, in a process of its own, and the last step that it said to be there.
struct Trainer {
    child: Child,
    acknowledged: Arc<AtomicI64>,
    reader: JoinHandle<()>,
}

impl Trainer {
    fn start(way: &str, place: &Place<'_>, run: &Run, seed: u64, done: i64) -> Self {
        let variables = place.variables();
        let spool = place.spool();
        let numbers = [run.id().to_string(), seed.to_string(), (done + 1).to_string(), STEPS.to_string()];
        let mut child = Command::new(TRAINER)
            .arg(way)
            .args(numbers)
            .env_clear()
            .envs(variables.iter().cloned())
            .envs((way == "spooled").then_some(("SQLTRACK_DSN_SPOOL", spool)))
            .env("LOGNAME", "nobody")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let acknowledged = Arc::new(AtomicI64::new(done));
        let known = acknowledged.clone();
        let reader = std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                known.store(line.parse().unwrap(), Ordering::Release);
            }
        });
        Self { child, acknowledged, reader }
    }

    /// Ends it at once, and returns the last step that it said.
    fn kill(mut self) -> i64 {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.reader.join().unwrap();
        self.acknowledged.load(Ordering::Acquire)
    }

    /// Waits for its end, which must be a good one.
    fn finish(mut self) {
        let mut errors = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        let status = self.child.wait().unwrap();
        self.reader.join().unwrap();
        assert!(status.success(), "{status}: {errors}");
        assert_eq!(self.acknowledged.load(Ordering::Acquire), STEPS);
    }
}

/// The database of a round, and what can be done to it.
enum Place<'a> {
    Server { server: Server, proxy: Proxy, folder: &'a Path },
    File(&'a Database),
}

impl Place<'_> {
    fn variables(&self) -> Vec<(String, String)> {
        match self {
            Self::Server { server, proxy, .. } => {
                vec![("SQLTRACK_DSN_URL".to_owned(), server.url(proxy.port()))]
            }
            Self::File(db) => db.variables().map(|(name, value)| (name, value.to_owned())).collect(),
        }
    }

    /// The folder that what is spooled waits in.
    fn spool(&self) -> PathBuf {
        let folder = match self {
            Self::Server { folder, .. } => folder,
            Self::File(db) => db.folder(),
        };
        folder.join("spool")
    }

    async fn client(&self) -> Client {
        match self {
            Self::Server { server, .. } => {
                Client::builder().set("url", server.url(server.port())).connect().await.unwrap()
            }
            Self::File(db) => db.connect().await,
        }
    }

    /// Does something to the database, and tells what. What is killed is the caller's business.
    async fn disturb(&mut self, chance: &mut Seeded) -> &'static str {
        let pause = Duration::from_millis(100 + chance.below(600));
        match self {
            Self::Server { server, proxy, .. } => match chance.below(5) {
                0 => {
                    server.crash(pause);
                    "crash"
                }
                1 => {
                    server.freeze(pause);
                    "freeze"
                }
                2 => {
                    proxy.silence();
                    tokio::time::sleep(pause).await;
                    proxy.open();
                    "silence"
                }
                3 => {
                    proxy.cut();
                    tokio::time::sleep(pause).await;
                    proxy.open();
                    "cut"
                }
                _ => {
                    self.hold(pause).await;
                    "lock"
                }
            },
            Self::File(_) => {
                self.hold(pause).await;
                "lock"
            }
        }
    }

    /// Delivers what a killed process has left, past the proxy.
    async fn sync(&self) {
        let report = self.client().await.sync(self.spool()).force().await.unwrap();
        assert_eq!((report.rejected, report.damaged_bytes), (0, 0), "{report:?}");
    }

    /// Keeps everybody from writing for a while.
    async fn hold(&self, pause: Duration) {
        let tx = self.client().await.begin().await.unwrap();
        if tx.dialect() == Dialect::Postgres {
            tx.execute("LOCK TABLE metrics IN SHARE MODE", ()).await.unwrap();
        }
        tokio::time::sleep(pause).await;
        tx.rollback().await.unwrap();
    }
}

/// A run of one round: what writes it, and how far that has come.
struct Training {
    way: &'static str,
    run: Run,
    seed: u64,
    done: i64,
    trainer: Option<Trainer>,
}

impl Training {
    fn keep_going(&mut self, place: &Place<'_>) {
        if self.trainer.is_none() {
            let trainer = Trainer::start(self.way, place, &self.run, self.seed, self.done);
            self.trainer = Some(trainer);
        }
    }

    /// Compares what is there with what was written, as `client` sees it, whose connections no crash has broken.
    async fn check(&self, client: &Client) {
        let points = client.run(self.run.id()).metrics().await.unwrap();
        let rows: BTreeMap<i64, String> =
            points.into_iter().map(|point| (point.step, shown(point.metrics))).collect();
        for (step, found) in &rows {
            assert_eq!(*found, shown(generator::metrics(self.seed, *step)), "step {step}");
        }
        let missing: Vec<i64> = (1..=self.done).filter(|step| !rows.contains_key(step)).collect();
        assert_eq!(missing, [] as [i64; 0], "of {}", self.done);
    }
}

/// Metrics in the order of their names; NaN equals NaN.
fn shown(metrics: impl IntoIterator<Item = (String, Value)>) -> String {
    format!("{:?}", metrics.into_iter().collect::<BTreeMap<_, _>>())
}

async fn nothing_that_was_acknowledged_is_lost(db: &Database) {
    let mut place = match db.dialect() {
        Dialect::Postgres => {
            let server = Server::start();
            let proxy = Proxy::start(server.port());
            Place::Server { server, proxy, folder: db.folder() }
        }
        Dialect::Sqlite => Place::File(db),
    };
    place.client().await.setup().await.unwrap();
    let first = setting("SQLTRACK_TORTURE_SEED", 1);
    for seed in first..first + setting("SQLTRACK_TORTURE_ROUNDS", 2) {
        round(&mut place, seed).await;
    }
}

#[expect(clippy::print_stderr, reason = "the seed and what was done are what a failure needs")]
async fn round(place: &mut Place<'_>, seed: u64) {
    let mut chance = Seeded::new(seed);
    let client = place.client().await;
    let experiment = Experiment::open(&client, "torture").await.unwrap();
    let mut trainings = Vec::new();
    for way in ["awaited", "recorded", "spooled"] {
        let run = experiment.new_run().await.unwrap();
        trainings.push(Training { way, seed: chance.next(), run, done: 0, trainer: None });
    }
    let mut done = Vec::new();
    for _ in 0..1 + chance.below(u64::from(FAULTS)) {
        trainings.iter_mut().for_each(|training| training.keep_going(place));
        tokio::time::sleep(Duration::from_millis(20 + chance.below(300))).await;
        if chance.below(3) == 0 {
            let victim = &mut trainings[chance.below(3) as usize];
            if let Some(trainer) = victim.trainer.take() {
                victim.done = trainer.kill();
                if victim.way == "spooled" {
                    place.sync().await;
                }
                victim.check(&place.client().await).await;
                done.push("kill");
            }
        } else {
            done.push(place.disturb(&mut chance).await);
        }
    }
    eprintln!("seed {seed}: {}", done.join(", "));
    for training in &mut trainings {
        training.keep_going(place);
        training.trainer.take().unwrap().finish();
        training.done = STEPS;
        training.check(&place.client().await).await;
    }
    // Whoever ended well has left nothing behind, and neither have those that were killed.
    let left: Vec<_> =
        std::fs::read_dir(place.spool()).map(|files| files.flatten().collect()).unwrap_or_default();
    assert!(left.is_empty(), "{left:?}");
    // A sync leaves what is known of its writer, in case there is a copy of the spool.
    let killed = done.iter().filter(|fault| **fault == "kill").count();
    let sql = "SELECT count(*) FROM writers";
    let known: Option<i64> = place.client().await.first_value(sql, ()).await.unwrap();
    place.client().await.execute("DELETE FROM writers", ()).await.unwrap();
    assert!(known.is_some_and(|known| known <= killed as i64), "{known:?} of {killed}");
}

/// Sixty-four clients in eight processes, whose metrics are new at the same moment; somebody reads all the time, and somebody
/// else for long.
async fn a_crowd_gets_in_nobodys_way(db: &Database) {
    const PROCESSES: usize = 8;
    let (clients, steps) = ("8", setting("SQLTRACK_TORTURE_STEPS", 120).to_string());
    let long = Duration::from_secs(setting("SQLTRACK_TORTURE_READER", 3));
    let admin = db.set_up().await;
    // What the long reader reads; the others' metrics are all to come.
    let first = Experiment::open(&admin, "first").await.unwrap().new_run().await.unwrap();
    first.add_metrics([("first", 1)]).await.unwrap();
    let analysis = db.connect().await.begin().await.unwrap();
    analysis.query("SELECT count(*) FROM metrics", ()).await.unwrap();
    if db.dialect() == Dialect::Sqlite {
        // There it would be the only writer; a reader holds up nobody.
        analysis.rollback().await.unwrap();
    } else {
        tokio::spawn(async move {
            tokio::time::sleep(long).await;
            analysis.rollback().await.unwrap();
        });
    }
    let reader = db.connect().await;
    let reading = tokio::spawn(async move {
        loop {
            reader.query("SELECT * FROM metrics ORDER BY run_id, step LIMIT 1000", ()).await.unwrap();
        }
    });
    let start = Instant::now();
    let jobs: Vec<Child> = (0..PROCESSES)
        .map(|_| {
            Command::new(TRAINER)
                .args(["crowd", clients, &steps])
                .env_clear()
                .envs(db.variables())
                .env("LOGNAME", "nobody")
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut runs = Vec::new();
    for job in jobs {
        let output = tokio::task::spawn_blocking(|| job.wait_with_output()).await.unwrap().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && errors.is_empty(), "{}: {errors}", output.status);
        let lines = String::from_utf8(output.stdout).unwrap();
        runs.extend(lines.lines().map(|line| line.parse::<i64>().unwrap()));
    }
    assert!(!reading.is_finished(), "after {:?}", start.elapsed());
    reading.abort();
    assert_eq!(runs.len(), 64);
    for run in runs {
        let done = steps.parse().unwrap();
        let run = admin.run(run);
        let seed = u64::try_from(run.id().0).unwrap();
        Training { way: "crowd", seed, run, done, trainer: None }.check(&admin).await;
    }
}
