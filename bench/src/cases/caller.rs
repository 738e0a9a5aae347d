//! What recording a row costs the one who calls, whatever becomes of the row.

use std::time::Instant;

use anyhow::{Context as _, Result};
use sqltrack_core::{Client, Experiment, MetricSet};

use super::Setting;
use crate::database::{EXPERIMENT, names};
use crate::report::{Figure, Goal, Quantity, Unit};
use crate::timing::quantile;

const NAMES: [&str; 5] = ["metric_0", "metric_1", "metric_2", "metric_3", "metric_4"];
/// How many calls come in a row before the queue is emptied.
const BURST: i64 = 1000;

pub(super) async fn measure(setting: &Setting) -> Result<Vec<Figure>> {
    let database = setting.database(NAMES.len()).await?;
    let mut figures = measure_calls(setting, database.client().await?, "", 1e-6).await?;
    let folder = tempfile::tempdir_in(&setting.place.folder)?;
    let spool = folder.path().to_str().context("the path of the spool is no text")?;
    let spooling = crate::database::client(database.url(), &[("spool", spool.to_owned())]).await?;
    figures.extend(measure_calls(setting, spooling, " with the spool", 2e-6).await?);
    database.remove().await?;
    Ok(figures)
}

/// By both ways to record a row; the median has to be below `limit`.
async fn measure_calls(setting: &Setting, client: Client, how: &str, limit: f64) -> Result<Vec<Figure>> {
    let run = Experiment::open(&client, EXPERIMENT).await?.new_run().await?;
    let set = MetricSet::new(names(NAMES.len()))?;
    let (mut metrics, mut values) = (Vec::new(), Vec::new());
    let bursts = i64::try_from(setting.scale.rounds(100))?;
    for burst in 0..=bursts {
        for call in 0..BURST {
            let step = burst * BURST + call;
            let start = Instant::now();
            run.record_metrics(step, NAMES.map(|name| (name, 0.5)))?;
            metrics.push(start.elapsed().as_secs_f64());
        }
        client.flush().await?;
        for call in 0..BURST {
            let step = (bursts + 1 + burst) * BURST + call;
            let start = Instant::now();
            run.record_values(step, &set, [0.5; NAMES.len()])?;
            values.push(start.elapsed().as_secs_f64());
        }
        client.flush().await?;
    }
    client.close().await;
    let mut figures = Vec::new();
    for (call, mut times) in [("record_metrics", metrics), ("record_values", values)] {
        // The first burst connects and looks at the columns.
        let mut times = times.split_off(BURST.unsigned_abs().try_into()?);
        times.sort_by(f64::total_cmp);
        for (what, part, limit) in [("median", 0.5, limit), ("99th percentile", 0.99, 1e-5)] {
            let goal = Goal::LibraryBelow(Quantity { value: limit, unit: Unit::Seconds });
            let time = quantile(&times, part).context("nothing was measured")?;
            figures.push(
                setting
                    .figure(format!("call of `{call}`{how}, {what}"))
                    .library(time, Unit::Seconds)
                    .goal(goal),
            );
        }
    }
    Ok(figures)
}
