//! The example of the README, run by the README's sessions.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use sqltrack_core::{Client, Error, Experiment};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let client = Client::builder().set("engine", "sqlite").connect().await?;
    client.setup().await?;
    let experiment = Experiment::open(&client, "Minimal").await?;
    let run = experiment.new_run().await?;
    run.track(async |run| {
        for epoch in 0..90 {
            let loss = 7_f64.powf(1.0 / (epoch as f64 + 1.0));
            run.add_metrics([("loss", loss)]).step(epoch).await?;
        }
        Ok::<_, Error>(())
    })
    .await?;

    let sql = "SELECT step, loss FROM metrics WHERE run_id = $1 ORDER BY loss LIMIT 1";
    let best: Option<(i64, f64)> = client.first_row(sql, (run.id(),)).await?;
    println!("run {}: best step and loss {best:?}", run.id());
    Ok(())
}
