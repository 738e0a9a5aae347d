//! Several processes that write at the same time, each to a run of its own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use async_trait::async_trait;

use super::{LIBRARY, RAW, Setting};
use crate::database::Database;
use crate::part::{self, By};
use crate::report::{Figure, Goal, Unit};
use crate::timing::{Duel, Side, Turn};

const WIDTH: usize = 5;
const PROCESSES: usize = 8;

pub(super) async fn measure(setting: &Setting) -> Result<Vec<Figure>> {
    let awaited = measure_way(setting, "awaited rows", setting.scale.choose(100, 40), &[]).await?;
    Ok(vec![
        awaited,
        #[cfg(feature = "unawaited")]
        measure_way(setting, "unawaited rows", setting.scale.choose(4000, 2000), &["--unawaited"]).await?,
    ])
}

async fn measure_way(setting: &Setting, what: &str, rows: u32, options: &[&str]) -> Result<Figure> {
    let database = setting.database(WIDTH).await?;
    let outcome = Duel::default()
        .side(RAW, Processes::start(By::Raw, &database, rows, options)?)
        .side(LIBRARY, Processes::start(By::Library, &database, rows, options)?)
        .fight(setting.scale.rounds(20))
        .await?;
    database.remove().await?;
    Ok(setting
        .figure(format!("8 processes, a run each, {what}"))
        .raw(1.0 / outcome.seconds(RAW)?, Unit::RowsPerSecond)
        .library(1.0 / outcome.seconds(LIBRARY)?, Unit::RowsPerSecond)
        .ratio(outcome.speed(LIBRARY, RAW)?)
        .goal(Goal::RatioAtLeast(0.9)))
}

/// The processes of one side, which live as long as this.
struct Processes {
    writers: Vec<Writer>,
    rows: u32,
}

impl Processes {
    fn start(by: By, database: &Database, rows: u32, options: &[&str]) -> Result<Self> {
        let start = |_| Writer::start(by, database, rows, options);
        let writers = (0..PROCESSES).map(start).collect::<Result<_>>()?;
        Ok(Self { writers, rows })
    }

    fn write(&mut self) -> Result<Turn> {
        self.writers.iter_mut().try_for_each(|writer| writer.expect("ready"))?;
        let start = Instant::now();
        self.writers.iter_mut().try_for_each(Writer::go)?;
        self.writers.iter_mut().try_for_each(|writer| writer.expect("done"))?;
        let rows = u64::from(self.rows) * PROCESSES as u64;
        Ok(Turn { elapsed: start.elapsed(), work: rows })
    }
}

#[async_trait]
impl Side for Processes {
    async fn turn(&mut self) -> Result<Turn> {
        tokio::task::block_in_place(|| self.write())
    }
}

/// One process.
struct Writer {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Writer {
    fn start(by: By, database: &Database, rows: u32, options: &[&str]) -> Result<Self> {
        let mut command = part::command("writer", by, database.url())?;
        command.args(["--rows", &rows.to_string()]).args(options);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let output = BufReader::new(process.stdout.take().context("the process has no output")?);
        Ok(Self { input: process.stdin.take(), output, process })
    }

    fn go(&mut self) -> Result<()> {
        Ok(self.input.as_mut().context("the process has no input")?.write_all(b"go\n")?)
    }

    fn expect(&mut self, word: &str) -> Result<()> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        match line.trim_end() {
            said if said == word => Ok(()),
            said => bail!("a writer said `{said}`, not `{word}`"),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // The end of its input ends it.
        drop(self.input.take());
        let _ = self.process.wait();
    }
}
