//! What is public goes from thread to thread, and so do the futures.

use sqltrack_core::{
    AddMetrics, Client, Config, Error, Experiment, ExperimentEdit, Metrics, Parameters, Row, Rows, Run,
    RunEdit, Transaction, Value,
};

fn is_send_and_sync<T: Send + Sync>() {}

fn is_cheap_to_share<T: Send + Sync + Clone + 'static>() {}

fn is_send<T: Send>(_: &T) {}

#[test]
fn handles_are_shared_between_threads() {
    is_cheap_to_share::<Client>();
    is_cheap_to_share::<Experiment>();
    is_cheap_to_share::<Run>();
    is_cheap_to_share::<Config>();
    is_send_and_sync::<Transaction>();
    is_send_and_sync::<(ExperimentEdit, RunEdit, AddMetrics)>();
    is_send_and_sync::<(Metrics, Parameters, Value, Row, Rows)>();
    is_send_and_sync::<Error>();
}

#[test]
fn futures_go_to_other_threads() {
    async fn everything(client: Client) -> Result<(), Error> {
        client.setup().await?;
        let tx = client.begin().await?;
        let experiment = Experiment::open(&tx, "threads").await?;
        experiment.add_tags(["a"]).await?;
        let run = experiment.new_run().await?;
        run.start().await?;
        run.add_metrics([("loss", 0.5)]).step(1).await?;
        client.query("SELECT 1", ()).await?;
        tx.commit().await
    }
    let client = Client::from_config(Config::explicit([("engine", "sqlite")]).unwrap()).unwrap();
    is_send(&everything(client));
}
