//! The queries of the manual's notebook (section 3.4.1) run unchanged, and find in what this library wrote what they find in what
//! the Python package wrote.

use serde_json::{Value as Json, json};
use sqltrack_core::{Client, Experiment, Fields, Metrics, Run, Stamp, Value};
use sqltrack_tests::{Database, on_both_engines, python};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

on_both_engines!(;
    postgres: the_manuals_queries_find_what_they_find_in_data_of_the_python_package,
);

const COLUMNS: &str = "ALTER TABLE metrics
    ADD COLUMN train_start TIMESTAMP WITH TIME ZONE,
    ADD COLUMN train_end TIMESTAMP WITH TIME ZONE,
    ADD COLUMN train_loss DOUBLE PRECISION,
    ADD COLUMN val_loss DOUBLE PRECISION,
    ADD COLUMN val_top1 DOUBLE PRECISION;";

/// The moment at some seconds after the first run was started.
fn at(seconds: i64) -> String {
    let moment = OffsetDateTime::from_unix_timestamp(1_683_014_400).unwrap() + Duration::seconds(seconds);
    moment.format(&Rfc3339).unwrap()
}

/// One epoch. Numbers are texts, since JSON has no NaN; `top1` may be missing.
fn epoch(start: i64, step: i64, top1: Option<&str>) -> Json {
    let loss = if step == 7 { "NaN".to_owned() } else { format!("{}", 3.0 / (step + 1) as f64) };
    json!({
        "step": step,
        "progress": format!("{}", (step + 1) as f64 / 90.0),
        "train_start": at(start + step * 107),
        "train_end": at(start + step * 107 + 95 + step % 3),
        "train_loss": loss,
        "val_loss": loss,
        "val_top1": top1,
    })
}

/// The epochs of a run whose best one is neither the first nor the last.
fn epochs(start: i64, first: i64, last: i64) -> Vec<Json> {
    let top1 = |step: i64| format!("{}", 0.9 - 0.001 * ((step - (first + last) / 2).abs() * 7 % 91) as f64);
    (first..last).map(|step| epoch(start, step, Some(&top1(step)))).collect()
}

fn run(id: i64, status: &str, tags: &[&str], start: i64, metrics: Vec<Json>) -> Json {
    json!({
        "id": id,
        "experiment": 1 + id % 2,
        "status": status,
        "comment": (id % 3 == 0).then_some("a \"quoted\" Ω"),
        "tags": tags,
        "args": { "lr": 0.1 * (id % 5) as f64, "model": { "name": "resnet18" }, "epochs": 90, "resume": null },
        "env": { "SOURCE": "train.py", "GIT_COMMIT": "0a1b2c3", "SLURM_JOB_PARTITION": "gpu", "SLURM_JOBID": id.to_string() },
        "started": at(start),
        "updated": at(start + 9_630),
        "metrics": metrics,
    })
}

/// What is written, on both sides: the runs of the manual, and some whose values are missing or no numbers.
fn plan() -> Json {
    let odd = |step: i64| match step {
        2 => None,
        3 => Some("NaN"),
        4 => Some("-Infinity"),
        _ => Some("0.25"),
    };
    let odd = (2..6).map(|step| epoch(0, step, odd(step))).collect();
    let nan_first = [Some("0.5"), Some("NaN"), Some("0.75")];
    let nan_first =
        nan_first.into_iter().enumerate().map(|(step, top1)| epoch(500, step as i64, top1)).collect();
    json!({
        "columns": COLUMNS,
        "experiments": [
            { "id": 1, "name": "cifar10", "comment": "what it says", "tags": ["small"], "created": at(-60) },
            { "id": 2, "name": "imagenet", "comment": null, "tags": [], "created": at(-30) },
        ],
        "runs": [
            run(523_459, "TIMEOUT", &["resnet18"], 1_000, epochs(1_000, 0, 45)),
            run(523_473, "COMPLETED", &["resnet18", "marked"], 9_000, epochs(9_000, 45, 90)),
            run(523_497, "COMPLETED", &["marked"], 20_000, epochs(20_000, 0, 90)),
            run(1, "FAILED", &[], 0, odd),
            run(2, "CANCELLED", &["odd"], 500, nan_first),
            run(3, "PENDING", &["empty"], 700, Vec::new()),
        ],
        "links": [
            { "from": 523_473, "kind": "resumes", "to": 523_459 },
            { "from": 523_497, "kind": "compares", "to": 1 },
        ],
        "asked": [[523_459], [523_497, 523_473, 523_459, 1], [1, 2, 3]],
    })
}

fn list<'a>(plan: &'a Json, name: &str) -> impl Iterator<Item = &'a Json> {
    plan[name].as_array().unwrap().iter()
}

fn texts<'a>(made: &'a Json, name: &str) -> impl Iterator<Item = &'a str> {
    list(made, name).map(|text| text.as_str().unwrap())
}

fn moment(made: &Json) -> OffsetDateTime {
    OffsetDateTime::parse(made.as_str().unwrap(), &Rfc3339).unwrap()
}

fn metrics(made: &Json) -> Metrics {
    let values =
        made.as_object().unwrap().iter().filter(|(name, _)| !["step", "progress"].contains(&name.as_str()));
    let value = |(name, value): (&String, &Json)| match value.as_str() {
        None => (name.clone(), Value::Null),
        Some(_) if name.starts_with("train_") && name != "train_loss" => (name.clone(), moment(value).into()),
        Some(number) => (name.clone(), Value::Float(number.parse().unwrap())),
    };
    values.map(value).collect()
}

async fn write_run(client: &Client, made: &Json) {
    let experiment = Experiment::open(client, made["experiment"].as_i64().unwrap()).await.unwrap();
    let run = experiment.get_run(made["id"].as_i64().unwrap()).await.unwrap();
    for row in list(made, "metrics") {
        let progress: f64 = row["progress"].as_str().unwrap().parse().unwrap();
        run.add_metrics(metrics(row)).step(row["step"].as_i64().unwrap()).progress(progress).await.unwrap();
    }
    run.set_status(made["status"].as_str().unwrap())
        .set_comment(made["comment"].as_str())
        .set_tags(texts(made, "tags"))
        .set_args(Fields::from(made["args"].clone()))
        .set_env(Fields::from(made["env"].clone()))
        .set_started(Stamp::At(moment(&made["started"])))
        .set_updated(Stamp::At(moment(&made["updated"])))
        .await
        .unwrap();
}

async fn write(client: &Client, plan: &Json) {
    client.setup().scripts([("columns.sql", COLUMNS)]).await.unwrap();
    for made in list(plan, "experiments") {
        let key = (made["id"].as_i64().unwrap(), made["name"].as_str().unwrap());
        let experiment = Experiment::open(client, key).await.unwrap();
        experiment.set_comment(made["comment"].as_str()).add_tags(texts(made, "tags")).await.unwrap();
        let sql = "UPDATE experiments SET time_created = $1 WHERE id = $2";
        client.execute(sql, (moment(&made["created"]), key.0)).await.unwrap();
    }
    for made in list(plan, "runs") {
        write_run(client, made).await;
    }
    for made in list(plan, "links") {
        let from = Run::open(client, made["from"].as_i64().unwrap()).await.unwrap();
        from.add_link(made["kind"].as_str().unwrap(), made["to"].as_i64().unwrap()).await.unwrap();
    }
}

async fn the_manuals_queries_find_what_they_find_in_data_of_the_python_package(db: &Database) {
    let (client, plan) = (db.connect().await, plan());
    write(&client, &plan).await;
    let file = db.folder().join("plan.json");
    std::fs::write(&file, plan.to_string()).unwrap();
    let (_, url) = db.by_tcp();
    let said = python("manual_queries.py", [url.as_ref(), file.as_os_str()]);
    assert_eq!(said.lines().filter(|line| line.ends_with("rows are the same")).count(), 8, "{said}");
}
