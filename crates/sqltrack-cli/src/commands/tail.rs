//! `tail`: the metrics of a run as they come.

use std::collections::VecDeque;
use std::io::Write;
use std::time::Duration;

use sqltrack_core::{At, Client, MetricPoint, Row, Run, Value, text};

use crate::diagnostics::{note, one_line};
use crate::named::RunName;

/// How many points are looked at again, since a metric may come later than the others of its step.
const REMEMBERED: usize = 50;
/// What a run is while there may be more to come: by the scheduler's words, also where it is about to end, or to go on.
const GOING_ON: [&str; 13] = [
    "PLANNED",
    "PENDING",
    "CONFIGURING",
    "RUNNING",
    "LOST",
    "COMPLETING",
    "REQUEUED",
    "REQUEUE_HOLD",
    "RESIZING",
    "SIGNALING",
    "STAGE_OUT",
    "STOPPED",
    "SUSPENDED",
];

/// Follow a run: show its metrics as they come, until it ends
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sqltrack-cli tail 7
  sqltrack-cli tail 7 --metric loss -n 0 --interval 5s")]
pub(crate) struct Args {
    /// The id of the run, or the environment variable that holds it
    #[arg(value_name = "ID|VARIABLE", default_value = RunName::OF_JOB, allow_negative_numbers = true)]
    run: RunName,
    /// Only this metric; may be given several times
    #[arg(short, long, value_name = "NAME")]
    metric: Vec<String>,
    /// How many points to show that are there already
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10)]
    lines: u32,
    /// How often to look, such as 500ms or 1m
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = humantime::parse_duration)]
    interval: Duration,
}

pub(super) async fn run(args: &Args, client: &Client, out: &mut impl Write) -> anyhow::Result<()> {
    let run = Run::open(client, args.run.handle(client)?.id()).await?;
    let mut seen = Seen::new(&args.metric);
    let before = run.latest_metrics(None, args.lines.max(1)).await?;
    if args.lines == 0 {
        seen.show(before, &mut std::io::sink())?;
    } else {
        seen.show(before, out)?;
    }
    loop {
        out.flush()?;
        // What came before its end is shown: it is looked for after the status.
        let status = status(&run, client).await?;
        seen.show(run.latest_metrics(seen.first(), u32::MAX).await?, out)?;
        match status {
            Some(status) if !GOING_ON.contains(&status.as_str()) => {
                out.flush()?;
                note(&format!("run {} is {status}", run.id()));
                return Ok(());
            }
            None => anyhow::bail!("run {} was deleted", run.id()),
            Some(_) => tokio::time::sleep(args.interval).await,
        }
    }
}

async fn status(run: &Run, client: &Client) -> anyhow::Result<Option<String>> {
    let row: Option<Row> =
        client.first_row("SELECT status FROM run_status WHERE id = $1", (run.id(),)).await?;
    Ok(row.map(|row| row.get(0)).transpose()?)
}

/// The points that were shown, of which the last ones are remembered.
struct Seen<'a> {
    metrics: &'a [String],
    points: VecDeque<MetricPoint>,
}

impl<'a> Seen<'a> {
    fn new(metrics: &'a [String]) -> Self {
        Self { metrics, points: VecDeque::new() }
    }

    /// From where on to look again.
    fn first(&self) -> Option<At> {
        self.points.front().map(|point| At { step: point.step, progress: point.progress })
    }

    /// Shows what is new of these points.
    fn show(&mut self, points: Vec<MetricPoint>, out: &mut dyn Write) -> anyhow::Result<()> {
        for point in points {
            let at = |other: &&mut MetricPoint| (other.step, other.progress) == (point.step, point.progress);
            let known = self.points.iter_mut().find(at);
            let is_new = |name: &str, value: &Value| {
                known.as_ref().is_none_or(|known| {
                    known.metrics.get(name).is_none_or(|before| format!("{before:?}") != format!("{value:?}"))
                })
            };
            let is_wanted = |name: &String| self.metrics.is_empty() || self.metrics.contains(name);
            let news: Vec<String> = point
                .metrics
                .iter()
                .filter(|(name, value)| is_wanted(name) && is_new(name, value))
                .map(|(name, value)| one_line(&format!("{name}={}", text::of(value))))
                .collect();
            if !news.is_empty() {
                let progress = if point.progress == 0.0 {
                    String::new()
                } else {
                    format!("  {:.1} %", 100.0 * point.progress)
                };
                writeln!(out, "{:>8}{progress}  {}", point.step, news.join("  "))?;
            }
            match known {
                Some(known) => *known = point,
                None => self.points.push_back(point),
            }
            if self.points.len() > REMEMBERED {
                self.points.pop_front();
            }
        }
        Ok(())
    }
}
