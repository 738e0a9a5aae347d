//! `log`: metrics from a shell script.

use std::fmt::Display;

use anyhow::anyhow;
use sqltrack_args::{ArgValue, parse_json};
use sqltrack_core::{Client, Metrics, Run, Stamp, Value};

use crate::named::RunName;
use crate::options::wrong_usage;
use crate::{input, typed};

/// Add metrics to a run
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
VALUE is read as JSON if it is any:
  0.5, 7, true            a number, a truth value
  \"7\"                     the text 7
  [1, 2], {\"a\": 1}        a JSON document
  null                    no value: what the step had is cleared
NaN and Infinity are numbers, too, in any case and also as `inf`. Everything else is text.

`-` instead of metrics reads them from standard input, a JSON object a line:
  {\"step\": 1, \"loss\": 0.5}
`step` and `progress` are those of the line, or else those of the options. Each line is committed
as soon as it is read; the first that cannot be used ends it.

Examples:
  sqltrack-cli log --run 7 --step 3 loss=0.25 accuracy=0.9
  sqltrack-cli log loss=NaN phase=train                  in a job, where SQLTRACK_RUN_ID is set
  ./train | sqltrack-cli log --run SLURM_JOB_ID -")]
pub(crate) struct Args {
    /// The id of the run, or the environment variable that holds it
    #[arg(long, value_name = "ID|VARIABLE", default_value = RunName::OF_JOB, allow_negative_numbers = true)]
    run: RunName,
    /// The step that the metrics were measured at
    #[arg(long, value_name = "N", default_value_t, allow_negative_numbers = true)]
    step: i64,
    /// The progress that they were measured at, by convention from 0 to 1
    #[arg(long, value_name = "P", default_value_t, allow_negative_numbers = true)]
    progress: f64,
    /// When the run was last heard of
    #[arg(long, value_name = "TIME|now|keep", default_value = "now", value_parser = typed::stamp)]
    updated: Stamp,
    /// A metric with its value; or `-` alone
    #[arg(value_name = "NAME=VALUE", required = true, value_parser = entry)]
    metrics: Vec<Entry>,
}

#[derive(Debug, Clone)]
enum Entry {
    Metric(String, Value),
    StandardInput,
}

fn entry(text: &str) -> Result<Entry, String> {
    if text == "-" {
        return Ok(Entry::StandardInput);
    }
    let (name, value) = typed::pair(text)?;
    Ok(Entry::Metric(name.to_owned(), typed::metric(value)))
}

/// Metrics with where they were measured, if that is said.
#[derive(Debug, Default, PartialEq)]
struct Point {
    step: Option<i64>,
    progress: Option<f64>,
    metrics: Metrics,
}

pub(super) async fn run(args: &Args, client: &Client) -> anyhow::Result<()> {
    let run = args.run.handle(client)?;
    if let [Entry::StandardInput] = args.metrics.as_slice() {
        return add_lines(args, &run).await;
    }
    let mut point = Point::default();
    for entry in &args.metrics {
        match entry {
            Entry::Metric(name, value) => point.metrics.push(name, value.clone()),
            Entry::StandardInput => return Err(wrong_usage("`-` stands for all metrics; give it alone")),
        }
    }
    Ok(add(args, &run, point).await?)
}

async fn add(args: &Args, run: &Run, point: Point) -> Result<(), sqltrack_core::Error> {
    let metrics = run.add_metrics(point.metrics).updated(args.updated);
    metrics.step(point.step.unwrap_or(args.step)).progress(point.progress.unwrap_or(args.progress)).await?;
    Ok(())
}

/// Waiting for a line blocks, which is no harm: nothing else happens meanwhile.
async fn add_lines(args: &Args, run: &Run) -> anyhow::Result<()> {
    for line in input::lines() {
        let (number, line) = line?;
        if line.trim().is_empty() {
            continue;
        }
        let named = |problem: &dyn Display| format!("standard input:{number}: {problem}");
        let point = point(&line).map_err(|problem| anyhow!(named(&problem)))?;
        add(args, run, point).await.map_err(|err| {
            let message = named(&err);
            anyhow::Error::from(err).context(message)
        })?;
    }
    Ok(())
}

fn point(line: &str) -> Result<Point, String> {
    let Some(ArgValue::Map(members)) = parse_json(line) else {
        return Err("expected a JSON object such as {\"step\": 1, \"loss\": 0.5}".to_owned());
    };
    let mut point = Point::default();
    for (name, value) in members {
        match (name.as_str(), typed::metric_of(value)) {
            ("step", Value::Int(step)) => point.step = Some(step),
            ("step", _) => return Err("`step` is no whole number of 64 bits".to_owned()),
            ("progress", Value::Float(progress)) => point.progress = Some(progress),
            #[expect(clippy::cast_precision_loss, reason = "a progress is no large number")]
            ("progress", Value::Int(progress)) => point.progress = Some(progress as f64),
            ("progress", _) => return Err("`progress` is no number".to_owned()),
            (_, value) => point.metrics.push(name, value),
        }
    }
    Ok(point)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_an_object_with_metrics() {
        let metrics = Metrics::from([("loss", Value::Float(f64::INFINITY)), ("epoch", Value::Int(3))]);
        let expected = Point { step: Some(1), progress: Some(1.0), metrics };
        let line = "{\"step\": 1, \"loss\": Infinity, \"progress\": 1, \"epoch\": 3}";
        assert_eq!(point(line), Ok(expected));
        assert_eq!(point("{}"), Ok(Point::default()));
        for line in ["loss=0.5", "[1]", "{\"step\": 1.5}", "{\"progress\": \"x\"}", "{\"step\": null}", "{"] {
            assert!(point(line).is_err(), "{line}");
        }
    }
}
