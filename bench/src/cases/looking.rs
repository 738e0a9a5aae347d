//! Looking at much: the best values of 10,000 runs of 1,000 steps, by the library and by the program, and all of them as a file.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use async_trait::async_trait;

use super::{LIBRARY, Setting, reading};
use crate::database::{Database, names};
use crate::report::{Figure, Goal, Quantity, Unit};
use crate::timing::{Duel, Side, Turn};

const WIDTH: usize = 5;
const PROGRAM: &str = "sqltrack-cli";

pub(super) async fn measure(setting: &Setting) -> Result<Vec<Figure>> {
    let runs = setting.scale.choose(10_000, 500);
    let database = setting.database(WIDTH).await?;
    fill(&database, runs).await?;
    let best = reading::best_values(setting, &database, runs, 6).await?;
    let listed =
        by_program(setting, &database, &["runs", "--best", "metric_0:max", "--format", "csv"]).await?;
    let listed = setting
        .figure(format!("`{PROGRAM} runs --best` of {runs} runs"))
        .library(listed, Unit::Seconds)
        .goal(Goal::LibraryBelow(Quantity { value: 2.0, unit: Unit::Seconds }));
    let written = by_program(setting, &database, &["export", "-o"]).await?;
    let written = setting
        .figure(format!("`{PROGRAM} export` of their metrics as CSV"))
        .library(1.0 / written, Unit::BytesPerSecond)
        .goal(Goal::LibraryAtLeast(Quantity { value: 50e6, unit: Unit::BytesPerSecond }));
    database.remove().await?;
    Ok(vec![best, listed, written])
}

/// Makes runs of 1,000 steps each.
async fn fill(database: &Database, runs: usize) -> Result<()> {
    let mut raw = database.raw(WIDTH).await?;
    let more = format!(
        "WITH RECURSIVE numbers (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < {runs})
        INSERT INTO runs (experiment_id) SELECT id FROM experiments CROSS JOIN numbers"
    );
    raw.execute(&more).await?;
    let value = |number: usize| {
        format!("CAST((r.id * 7919 + step * 104729 + {number}) % 1000003 AS DOUBLE PRECISION) / 1000003")
    };
    let values: Vec<String> = (0..WIDTH).map(value).collect();
    let rows = format!(
        "WITH RECURSIVE steps (step) AS (SELECT 0 UNION ALL SELECT step + 1 FROM steps WHERE step < 999)
        INSERT INTO metrics (run_id, step, progress, {})
        SELECT r.id, step, 0, {} FROM runs AS r CROSS JOIN steps
        WHERE r.id NOT IN (SELECT run_id FROM metrics)",
        names(WIDTH).join(", "),
        values.join(", ")
    );
    raw.execute(&rows).await?;
    raw.settle().await?;
    raw.close().await
}

/// How long the program takes, in seconds; for each byte, if it writes a file.
async fn by_program(setting: &Setting, database: &Database, arguments: &[&'static str]) -> Result<f64> {
    let program = std::env::current_exe()?.with_file_name(PROGRAM);
    let folder = tempfile::Builder::new().prefix("sqltrack-bench-").tempdir_in(&setting.place.folder)?;
    let is_writing = arguments.last() == Some(&"-o");
    let file = is_writing.then(|| folder.path().join("metrics.csv"));
    let url = database.url().to_owned();
    let engine = database.engine.choose("postgres", "sqlite");
    let side = Program { program, url, engine, arguments: arguments.to_vec(), file };
    Duel::default().side(LIBRARY, side).fight(setting.scale.rounds(5)).await?.seconds(LIBRARY)
}

struct Program {
    program: PathBuf,
    url: String,
    engine: &'static str,
    arguments: Vec<&'static str>,
    file: Option<PathBuf>,
}

impl Program {
    fn run(&self) -> Result<Turn> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).args(&self.file).stdin(Stdio::null()).stdout(Stdio::null());
        command.env("SQLTRACK_DSN_URL", &self.url).env("SQLTRACK_DSN_ENGINE", self.engine);
        let start = Instant::now();
        let status = command.status().with_context(|| format!("cannot run {}", self.program.display()))?;
        let elapsed = start.elapsed();
        if !status.success() {
            bail!("{PROGRAM} ended with {status}");
        }
        let work = match &self.file {
            Some(file) => file.metadata()?.len(),
            None => 1,
        };
        Ok(Turn { elapsed, work })
    }
}

#[async_trait]
impl Side for Program {
    async fn turn(&mut self) -> Result<Turn> {
        tokio::task::block_in_place(|| self.run())
    }
}
