//! Writes metrics that can be told again, and says which of them are there for good: what a training does, for tests that
//! get in its way.

use std::io::{Write, stderr, stdout};
use std::process::ExitCode;

use sqltrack_core::{Client, Error, Experiment, Run};
use sqltrack_tests::generator;

/// How many rows are recorded until they are flushed.
const BLOCK: i64 = 25;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let job: Vec<String> = std::env::args().skip(1).collect();
    match runtime.unwrap().block_on(train(&job)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            writeln!(stderr().lock(), "{job:?}: {err}").unwrap();
            ExitCode::FAILURE
        }
    }
}

/// What was said is known to whoever reads it, also if this process is killed right after.
fn say(line: impl std::fmt::Display) {
    let mut out = stdout().lock();
    writeln!(out, "{line}").unwrap();
    out.flush().unwrap();
}

async fn train(job: &[String]) -> Result<(), Error> {
    let number = |text: &str| text.parse::<i64>().unwrap();
    let job: Vec<&str> = job.iter().map(String::as_str).collect();
    match job.as_slice() {
        [way, run, seed, first, last] => {
            let client = Client::connect().await?;
            let run = client.run(number(run));
            let seed = seed.parse().unwrap();
            match *way {
                "awaited" => awaited(&run, seed, number(first), number(last)).await?,
                "recorded" => recorded(&run, seed, number(first), number(last)).await?,
                "spooled" => spooled(&run, seed, number(first), number(last))?,
                other => panic!("there is no way {other}"),
            }
            client.close().await;
        }
        ["crowd", clients, steps] => crowd(number(clients), number(steps)).await?,
        other => panic!("there is no job {other:?}"),
    }
    Ok(())
}

async fn awaited(run: &Run, seed: u64, first: i64, last: i64) -> Result<(), Error> {
    for step in first..=last {
        run.add_metrics(generator::metrics(seed, step)).step(step).await?;
        say(step);
    }
    Ok(())
}

async fn recorded(run: &Run, seed: u64, first: i64, last: i64) -> Result<(), Error> {
    for step in first..=last {
        run.record_metrics(step, generator::metrics(seed, step))?;
        if step % BLOCK == 0 || step == last {
            run.client().flush().await?;
            say(step);
        }
    }
    Ok(())
}

/// Nothing is waited for: what the call took is there for good.
fn spooled(run: &Run, seed: u64, first: i64, last: i64) -> Result<(), Error> {
    for step in first..=last {
        run.record_metrics(step, generator::metrics(seed, step))?;
        say(step);
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    Ok(())
}

/// Many clients, each with a run of its own, whose id is its seed.
async fn crowd(clients: i64, steps: i64) -> Result<(), Error> {
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..clients {
        tasks.spawn(async move {
            let client = Client::connect().await?;
            let run = Experiment::open(&client, "crowd").await?.new_run().await?;
            let seed = u64::try_from(run.id().0).unwrap();
            match number % 2 {
                0 => awaited_quietly(&run, seed, steps).await?,
                _ => (1..=steps)
                    .try_for_each(|step| run.record_metrics(step, generator::metrics(seed, step)))?,
            }
            client.flush().await?;
            client.close().await;
            Ok::<_, Error>(run.id())
        });
    }
    while let Some(done) = tasks.join_next().await {
        say(done.unwrap()?);
    }
    Ok(())
}

async fn awaited_quietly(run: &Run, seed: u64, steps: i64) -> Result<(), Error> {
    for step in 1..=steps {
        run.add_metrics(generator::metrics(seed, step)).step(step).await?;
    }
    Ok(())
}
