//! Does one job in the database that its environment leads to, at the same time as others of its kind: says
//! `ready`, waits for a line, does the job and prints what came of it.

use std::io::{Write, stderr, stdin, stdout};
use std::process::ExitCode;
use std::time::Duration;

use sqltrack_core::{Client, Error, Experiment, Metrics, Run, sigterm};

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let job: Vec<String> = std::env::args().skip(1).collect();
    match runtime.unwrap().block_on(work(&job)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            let mut errors = stderr().lock();
            writeln!(errors, "{job:?}: {err}").unwrap();
            ExitCode::FAILURE
        }
    }
}

fn say(line: impl std::fmt::Display) {
    let mut out = stdout().lock();
    writeln!(out, "{line}").unwrap();
    out.flush().unwrap();
}

async fn work(job: &[String]) -> Result<(), Error> {
    let client = Client::connect().await?;
    say("ready");
    stdin().read_line(&mut String::new()).unwrap();
    let job: Vec<&str> = job.iter().map(String::as_str).collect();
    match job.as_slice() {
        ["experiment", name] => say(Experiment::open(&client, *name).await?.id()),
        ["runs", experiment, first, count] => runs(&client, experiment, number(first), number(count)).await?,
        ["metrics", prefix, run, count] => metrics(&client, prefix, number(run), number(count)).await?,
        ["columns", prefix, run, count] => columns(&client, prefix, number(run), number(count)).await?,
        ["setup", scripts @ ..] => {
            let reports = client.setup().scripts(scripts.iter().copied()).await?;
            reports.into_iter().for_each(say);
        }
        ["live", form, ending, run] => return live(&client, form, ending, number(run)).await,
        ["live-and-wait", run] => {
            client.run(number(run)).track(async |_| Ok::<_, Error>(())).await?;
            say("ended");
            stdin().read_line(&mut String::new()).unwrap();
        }
        ["own-signals", run] => {
            let mut terminated =
                tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).unwrap();
            let run = client.run(number(run));
            let tracked = run.tracking().without_signals().track(async |_| {
                say("tracked");
                std::future::pending::<Result<(), Error>>().await
            });
            tokio::select! {
                result = tracked => return result,
                _ = terminated.recv() => say("mine"),
            }
        }
        ["part"] => {
            let run = Run::from_env(&client).await?;
            run.add_metrics([("loss", 0.5)]).await?;
            let tracked = run.track(async |_| Ok::<_, Error>("tracked")).await?;
            say(tracked);
        }
        ["time"] => say(time::OffsetDateTime::now_utc().unix_timestamp()),
        ["write", count] => {
            for _ in 0..number(count) {
                client.execute("INSERT INTO experiments (name) VALUES ('from another process')", ()).await?;
                client.execute("DELETE FROM experiments WHERE name = 'from another process'", ()).await?;
            }
        }
        other => panic!("there is no job {other:?}"),
    }
    Ok(())
}

/// Tracks a run in one of two forms, says so, and comes to its end in one of many ways.
async fn live(client: &Client, form: &str, ending: &str, run: i64) -> Result<(), Error> {
    sigterm::register("say", || say("called"));
    let run = client.run(run);
    let tracking = run.tracking().grace(Duration::from_secs(2));
    match form {
        "track" if ending == "drop" => {
            let forever = tracking.track(async |_| {
                say("tracked");
                std::future::pending::<Result<(), Error>>().await
            });
            let _ = tokio::time::timeout(Duration::from_millis(200), forever).await;
            Ok(())
        }
        "track" => tracking.track(async |run| come_to_an_end(&run, ending).await).await,
        "guard" => {
            let guard = tracking.guard().await?;
            let result = come_to_an_end(&guard, ending).await;
            match ending {
                "drop" => drop(guard),
                _ => guard.end_by(&result).await?,
            }
            result
        }
        other => panic!("there is no form {other:?}"),
    }
}

#[expect(clippy::exit, reason = "one of the ways to end")]
async fn come_to_an_end(run: &Run, ending: &str) -> Result<(), Error> {
    run.add_metrics([("loss", 0.5)]).step(1).await?;
    say("tracked");
    match ending {
        "return" | "drop" => Ok(()),
        "error" => Err(Error::ProgressNan),
        "panic" => panic!("on purpose"),
        "abort" => std::process::abort(),
        "exit" => std::process::exit(3),
        // Until a signal ends it, or `go`.
        "wait" => {
            tokio::task::spawn_blocking(|| stdin().read_line(&mut String::new())).await.unwrap().unwrap();
            run.add_metrics([("loss", 0.25)]).step(2).await.map(drop)
        }
        // The same, without ever giving the runtime a chance.
        "block" => {
            stdin().read_line(&mut String::new()).unwrap();
            Ok(())
        }
        // Metrics all the time, saying each that is there.
        "write" => {
            for step in 2.. {
                run.add_metrics([("loss", 0.5)]).step(step).await?;
                say(step);
            }
            Ok(())
        }
        other => panic!("there is no end {other:?}"),
    }
}

fn number(text: &str) -> i64 {
    text.parse().unwrap()
}

/// Creates runs, one with an automatic id and one with the next explicit id in turn.
async fn runs(client: &Client, experiment: &str, first: i64, count: i64) -> Result<(), Error> {
    let experiment = Experiment::open(client, experiment).await?;
    for explicit in first..first + count {
        say(experiment.new_run().await?.id());
        say(experiment.get_run(explicit).await?.id());
    }
    Ok(())
}

/// Adds metrics that every process adds, and ones of its own, at steps of its own.
async fn metrics(client: &Client, prefix: &str, run: i64, count: i64) -> Result<(), Error> {
    let step = number(prefix);
    for index in 0..count {
        let names = [format!("shared_{index}"), format!("own_{prefix}_{index}")];
        let metrics: Metrics = names.into_iter().map(|name| (name, step * 1000 + index)).collect();
        client.run(run).add_metrics(metrics).step(step).await?;
    }
    Ok(())
}

/// Adds columns, one after the other, and says so each time.
async fn columns(client: &Client, prefix: &str, run: i64, count: i64) -> Result<(), Error> {
    for index in 0..count {
        client.run(run).add_metrics([(format!("{prefix}{index}"), index)]).step(index).await?;
    }
    Ok(())
}
