//! Several processes that write at the same time, each to a run of its own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use async_trait::async_trait;

use super::{LIBRARY, RAW, Setting};
use crate::database::Database;
use crate::part::{self, By};
use crate::report::{Figure, Goal, Unit};
use crate::timing::{Duel, Side, Turn};

const WIDTH: usize = 5;
const PROCESSES: usize = 8;

pub(super) async fn measure(setting: &Setting) -> Result<Vec<Figure>> {
    Ok(vec![
        // Long enough that none has ended when the last one begins.
        measure_way(setting, "awaited rows", ["--millis", "100"]).await?,
        measure_way(setting, "unawaited rows", ["--unawaited", setting.scale.choose("4000", "2000")]).await?,
    ])
}

async fn measure_way(setting: &Setting, what: &str, options: [&str; 2]) -> Result<Figure> {
    let database = setting.database(WIDTH).await?;
    let outcome = Duel::default()
        .side(RAW, Processes::start(By::Raw, &database, options)?)
        .side(LIBRARY, Processes::start(By::Library, &database, options)?)
        .fight(setting.scale.rounds(60))
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
struct Processes(Vec<Writer>);

impl Processes {
    fn start(by: By, database: &Database, options: [&str; 2]) -> Result<Self> {
        let start = |_| Writer::start(by, database, options);
        Ok(Self((0..PROCESSES).map(start).collect::<Result<_>>()?))
    }

    fn write(&mut self) -> Result<Turn> {
        self.0.iter_mut().try_for_each(Writer::go)?;
        for writer in &mut self.0 {
            let said = writer.hear()?;
            ensure!(said == "ready", "a writer said `{said}`");
        }
        let start = Instant::now();
        self.0.iter_mut().try_for_each(Writer::go)?;
        let mut rows = 0;
        for writer in &mut self.0 {
            let said = writer.hear()?;
            rows += said.parse::<u64>().with_context(|| format!("a writer said `{said}`"))?;
        }
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
    fn start(by: By, database: &Database, options: [&str; 2]) -> Result<Self> {
        let mut command = part::command("writer", database.url())?;
        let mut process =
            command.arg(by.option()).args(options).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let output = BufReader::new(process.stdout.take().context("the process has no output")?);
        Ok(Self { input: process.stdin.take(), output, process })
    }

    fn go(&mut self) -> Result<()> {
        Ok(self.input.as_mut().context("the process has no input")?.write_all(b"go\n")?)
    }

    fn hear(&mut self) -> Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // The end of its input ends it.
        drop(self.input.take());
        let _ = self.process.wait();
    }
}
