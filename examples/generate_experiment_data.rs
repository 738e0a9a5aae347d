//! Makes up what a lab has after some weeks: experiments, several hundred runs as a scheduler starts them, with arguments,
//! environments, tags and links, and metrics of runs that went well, diverged, or were interrupted and resumed.
//!
//! The book's pages on analysis look at it. It is the same each time.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::collections::BTreeMap;

use sqltrack_core::{Experiment, Fields, Metrics, RESUMES, Run, Stamp, Status, Value};
use sqltrack_examples::client;
use time::{Duration, OffsetDateTime};

/// The number of the scheduler's first job.
const FIRST_JOB: i64 = 523_200;
const EPOCHS: i64 = 90;
/// 2023-05-02 08:00 UTC.
const START: i64 = 1_683_014_400;

/// Pseudo-random numbers (xorshift).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn one_of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[(self.next() * all.len() as f64) as usize % all.len()]
    }
}

/// What is tried.
struct Setting {
    learning_rate: f64,
    model: &'static str,
    augment: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let client = client().await?;
    client.setup().await?;
    let mut chance = Chance(0x9E37_79B9_7F4A_7C15);
    let mut job = FIRST_JOB;
    let mut started = OffsetDateTime::from_unix_timestamp(START)?;
    let mut count = 0;
    for (name, runs) in [("cifar10", 120), ("imagenet", 160), ("ablation", 40)] {
        let experiment = Experiment::open(&client, name).await?;
        experiment.set_comment(format!("What {name} says about learning rates")).await?;
        for number in 0..runs {
            let setting = Setting {
                learning_rate: [0.003, 0.01, 0.03, 0.1, 0.3][number % 5],
                model: ["resnet18", "resnet50", "vit_s"][number / 5 % 3],
                augment: number % 2 == 0,
            };
            job += 1 + (chance.next() * 3.0) as i64;
            started += Duration::minutes((chance.next() * 240.0) as i64);
            let run = experiment.get_run(job).await?;
            // One in eight is interrupted, and resumed as another job.
            let last = if number % 8 == 3 { 20 + (chance.next() * 50.0) as i64 } else { EPOCHS };
            describe(&run, &setting, started, &mut chance).await?;
            let end = train(&run, &setting, (0, last), started, &mut chance)?;
            let status = if last < EPOCHS { Status::Timeout } else { Status::Completed };
            finish(&run, status, end).await?;
            count += 1;
            if number % 37 == 5 {
                run.add_tags(["marked"]).await?;
            }
            if last < EPOCHS {
                job += 1;
                let resumed = experiment.get_run(job).await?;
                describe(&resumed, &setting, end + Duration::hours(2), &mut chance).await?;
                let end = train(&resumed, &setting, (last, EPOCHS), end + Duration::hours(2), &mut chance)?;
                finish(&resumed, Status::Completed, end).await?;
                resumed.add_link(RESUMES, run.id()).await?;
                count += 1;
            }
        }
    }
    client.flush().await?;
    println!("{count} runs in 3 experiments, with {} rows of metrics", client.stats().written_rows);
    client.close().await;
    Ok(())
}

/// What is known of a run when it starts.
async fn describe(
    run: &Run,
    setting: &Setting,
    started: OffsetDateTime,
    chance: &mut Chance,
) -> anyhow::Result<()> {
    let args = serde_json::json!({
        "lr": setting.learning_rate,
        "model": { "name": setting.model, "pretrained": false },
        "augment": setting.augment,
        "epochs": EPOCHS,
    });
    let env: BTreeMap<&str, String> = BTreeMap::from([
        ("GIT_COMMIT", format!("{:07x}", (started.unix_timestamp() / 604_800) * 7_919)),
        ("HOST", chance.one_of(&["node01", "node02", "node07"]).to_owned()),
        ("SLURM_JOB_PARTITION", chance.one_of(&["gpu", "gpu-long"]).to_owned()),
        ("SLURM_JOBID", run.id().to_string()),
        ("SOURCE", "train.py".to_owned()),
    ]);
    run.set_args(Fields::from(args))
        .set_env(Fields::from(serde_json::json!(env)))
        .set_created(Stamp::At(started - Duration::minutes(3)))
        .set_started(Stamp::At(started))
        .set_tags([setting.model])
        .await?;
    Ok(())
}

async fn finish(run: &Run, status: Status, end: OffsetDateTime) -> anyhow::Result<()> {
    run.set_status(status).set_updated(Stamp::At(end)).await?;
    Ok(())
}

/// Records the metrics of some epochs, and returns when the last one ended.
fn train(
    run: &Run,
    setting: &Setting,
    (first, last): (i64, i64),
    started: OffsetDateTime,
    chance: &mut Chance,
) -> anyhow::Result<OffsetDateTime> {
    // Too large a rate makes a large network diverge.
    let diverges = (setting.learning_rate > 0.2 && setting.model != "resnet18").then_some(30);
    let rate = (setting.learning_rate / 0.05).ln().abs();
    let best = 0.93 - 0.03 * rate + if setting.augment { 0.02 } else { 0.0 };
    let mut now = started;
    for epoch in first..last {
        let took = Duration::seconds_f64(95.0 + 10.0 * chance.next());
        let progress = (epoch + 1) as f64 / EPOCHS as f64;
        let learned = 1.0 - (-4.0 * progress).exp();
        // Late epochs overfit without augmentation.
        let overfit = if setting.augment { 0.0 } else { 0.03 * (progress - 0.7).max(0.0) };
        let mut top1 = best * learned - overfit + 0.01 * (chance.next() - 0.5);
        let mut loss = 3.0 * (1.0 - learned) + 0.3 * (1.0 - best) + 0.05 * chance.next();
        if diverges.is_some_and(|from| epoch >= from) {
            (top1, loss) = (0.1, f64::NAN);
        }
        let metrics: Metrics = [
            ("train_start", Value::from(now)),
            ("train_end", Value::from(now + took)),
            ("train_loss", Value::Float(loss)),
            ("val_loss", Value::Float(loss * 1.1 + 5.0 * overfit)),
            ("val_top1", Value::Float(top1)),
        ]
        .into();
        run.record_metrics((epoch, progress), metrics)?;
        now += took + Duration::seconds(12);
    }
    Ok(now)
}
