//! From the start of a process to its first committed metric.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use async_trait::async_trait;

use super::{LIBRARY, RAW, Setting};
use crate::database::EXPERIMENT;
use crate::part::{self, By};
use crate::report::{Figure, Goal, Unit};
use crate::timing::{Duel, Side, Turn};

const WIDTH: usize = 5;

pub(super) async fn measure(setting: &Setting) -> Result<Vec<Figure>> {
    let database = setting.database(WIDTH).await?;
    let run = database.raw(WIDTH).await?.new_run(EXPERIMENT).await?;
    let mut figures = Vec::new();
    for (what, run) in [("of a run that is there", Some(run)), ("of a new run", None)] {
        let start = |by| Start { by, url: database.url().to_owned(), run };
        let duel = Duel::default().side(RAW, start(By::Raw)).side(LIBRARY, start(By::Library));
        let outcome = duel.fight(setting.scale.rounds(80)).await?;
        figures.push(
            setting
                .figure(format!("process start to first metric {what}"))
                .raw(outcome.seconds(RAW)?, Unit::Seconds)
                .library(outcome.seconds(LIBRARY)?, Unit::Seconds)
                .ratio(outcome.cost(LIBRARY, RAW)?)
                .goal(Goal::RatioAtMost(2.0)),
        );
    }
    database.remove().await?;
    Ok(figures)
}

struct Start {
    by: By,
    url: String,
    run: Option<i64>,
}

impl Start {
    fn start(&self) -> Result<Turn> {
        let mut command = part::command("first", &self.url)?;
        command.arg(self.by.option());
        if let Some(run) = self.run {
            command.args(["--run", &run.to_string()]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let start = Instant::now();
        let mut process = command.spawn()?;
        let mut said = String::new();
        BufReader::new(process.stdout.take().context("the process has no output")?).read_line(&mut said)?;
        let elapsed = start.elapsed();
        if !process.wait()?.success() || said != "committed\n" {
            bail!("the process has committed nothing");
        }
        Ok(Turn { elapsed, work: 1 })
    }
}

#[async_trait]
impl Side for Start {
    async fn turn(&mut self) -> Result<Turn> {
        tokio::task::block_in_place(|| self.start())
    }
}
