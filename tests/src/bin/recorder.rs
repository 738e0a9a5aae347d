//! Records a run as a program does that leaves it to the library what to record, and logs all that there is to log to
//! standard error. Reads a text from standard input that becomes part of the run.

use std::io::Read;

use serde_json::json;
use sqltrack_core::{Client, Error, Experiment, Fields};

const USAGE: &str = "usage: recorder --password=PASSWORD --url=URL --lr=LR [--broken]";

fn main() -> Result<(), Error> {
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(std::io::stderr)
        .init();
    sqltrack_args::runtime::register(USAGE, sqltrack_args::Settings::new());
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(record())
}

async fn record() -> Result<(), Error> {
    let mut diff = String::new();
    std::io::stdin().read_to_string(&mut diff).unwrap();
    let client = Client::connect().await?;
    let redactor = client.redactor();
    let arguments: Vec<String> = std::env::args().collect();
    let run = Experiment::open(&client, "secrets").await?.new_run().await?;
    run.set_env(Fields::Auto)
        .add_env(Fields::Auto)
        .set_args(Fields::Auto)
        .add_args(Fields::Auto)
        .set_extras([
            ("command", json!(redactor.arguments(&arguments))),
            ("diff", json!(redactor.text(&diff))),
        ])
        .await?;
    client.close().await;
    Ok(())
}
