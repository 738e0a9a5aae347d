//! Whatever a user can type is stored as it is or refused clearly, and never interpreted.

use serde_json::{Value as Json, json};
use sqltrack_core::sql::{Composable as _, Literal};
use sqltrack_core::{Client, Error, Experiment, Parameters, Run, ScriptSource, Status, Value};
use sqltrack_tests::{Database, on_both_engines};

on_both_engines!(
    names_of_experiments,
    texts_of_runs,
    keys_of_objects,
    names_of_metrics,
    names_of_scripts,
    parameters_of_statements,
    texts_that_no_database_keeps,
);

/// Texts that mean something to someone on the way to the database.
fn texts() -> Vec<String> {
    let texts = [
        "'",
        "''",
        "\"",
        "\"\"",
        "`",
        "\\",
        "\\'",
        "';--",
        "'; DROP TABLE runs; --",
        "\"; DROP TABLE runs; --",
        "/* x",
        "*/",
        "--",
        "$1",
        "$$",
        "$x$",
        "?",
        "?1",
        ":x",
        "::text",
        "@x",
        "%",
        "%s",
        "%(x)s",
        "{}",
        "{0}",
        "E'\\n'",
        "NULL",
        "DEFAULT",
        " ",
        "  padded  ",
        "\t",
        "\n",
        "\r\n",
        "\u{7f}",
        "\u{1}",
        "😀",
        "👩‍👩‍👧",
        "é",
        "e\u{301}",
        "損失",
        "שלום",
        "\u{202e}x",
        "\u{feff}",
        "\u{fffd}",
        "select",
        "a.b",
        "a/b@c",
        "a->b",
        "$.a[0]",
        "#>>",
        "[0]",
        "true",
        "1",
        "-0",
        "1e5",
        "NaN",
        "2024-05-07",
    ];
    let long = ["x".repeat(62), "x".repeat(63), "é".repeat(31), "😀".repeat(15)];
    texts.map(str::to_owned).into_iter().chain(long).collect()
}

/// The bytes of the texts that a query gives.
async fn bytes(client: &Client, column: &str, rest: &str) -> Vec<Vec<u8>> {
    let bytes = match client.dialect() {
        sqltrack_core::Dialect::Postgres => format!("convert_to({column}, 'UTF8')"),
        sqltrack_core::Dialect::Sqlite => format!("CAST({column} AS BLOB)"),
    };
    client.first_values(&format!("SELECT {bytes} FROM {rest}"), ()).await.unwrap()
}

#[track_caller]
fn check(stored: &[Vec<u8>], texts: &[String]) {
    let stored: Vec<_> = stored.iter().map(|bytes| String::from_utf8_lossy(bytes)).collect();
    assert_eq!(stored, texts);
}

async fn run(client: &Client) -> Run {
    Experiment::open(client, "hostile").await.unwrap().new_run().await.unwrap()
}

async fn names_of_experiments(db: &Database) {
    let client = db.set_up().await;
    let long = "long".repeat(500);
    let texts: Vec<String> = texts().into_iter().chain([long]).collect();
    for text in &texts {
        let experiment = Experiment::open(&client, text.as_str()).await.unwrap();
        assert_eq!(experiment.name().await.unwrap(), *text);
        assert_eq!(Experiment::open(&client, text).await.unwrap().id(), experiment.id(), "{text:?}");
    }
    check(&bytes(&client, "name", "experiments ORDER BY id").await, &texts);
    let first = Experiment::open(&client, texts[0].as_str()).await.unwrap();
    for text in &texts[1..] {
        let err = first.set_name(text.as_str()).await.unwrap_err();
        assert!(err.to_string().contains(text.as_str()), "{err}");
    }
    first.set_name("renamed '; --").await.unwrap();
    assert_eq!(first.name().await.unwrap(), "renamed '; --");
}

async fn texts_of_runs(db: &Database) {
    let client = db.set_up().await;
    let experiment = Experiment::open(&client, "hostile").await.unwrap();
    let texts = texts();
    for text in &texts {
        let run = experiment.new_run().await.unwrap();
        run.set_comment(text.as_str())
            .set_status(text.as_str())
            .add_link(text.as_str(), run.id())
            .await
            .unwrap();
    }
    check(&bytes(&client, "comment", "runs ORDER BY id").await, &texts);
    check(&bytes(&client, "status", "runs ORDER BY id").await, &texts);
    check(&bytes(&client, "kind", "run_links ORDER BY from_id").await, &texts);
    let run = experiment.new_run().await.unwrap();
    let huge = "'\"😀".repeat(300_000);
    run.set_comment(huge.as_str()).await.unwrap();
    let comment: Option<String> =
        client.first_value("SELECT comment FROM runs ORDER BY id DESC", ()).await.unwrap();
    assert_eq!(comment, Some(huge));
    for text in &texts {
        assert_eq!(Status::from(text.as_str()).as_str(), text);
    }
}

async fn keys_of_objects(db: &Database) {
    let client = db.set_up().await;
    let run = run(&client).await;
    let texts = texts();
    let object = |value: &dyn Fn(&str) -> Json| -> serde_json::Map<String, Json> {
        texts.iter().map(|text| (text.clone(), value(text))).collect()
    };
    for text in &texts {
        let pair = || [(text.as_str(), json!({ text.as_str(): [text] }))];
        run.add_tags([text.as_str()]).add_args(pair()).add_env(pair()).add_extras(pair()).await.unwrap();
    }
    let stored = async || -> Vec<Json> {
        let row: (Json, Json, Json, Json) =
            client.first_row("SELECT tags, args, env, extras FROM runs", ()).await.unwrap().unwrap();
        vec![row.0, row.1, row.2, row.3]
    };
    let fields = Json::Object(object(&|text| json!({ text: [text] })));
    let tags = Json::Object(object(&|_| json!(true)));
    assert_eq!(stored().await, [tags, fields.clone(), fields.clone(), fields]);
    for text in &texts {
        let one = || [text.as_str()];
        run.remove_tags(one()).remove_args(one()).remove_env(one()).remove_extras(one()).await.unwrap();
        let rest = stored().await;
        assert!(rest.iter().all(|object| object.get(text).is_none()), "{text:?}");
    }
    assert_eq!(stored().await, [json!({}), json!({}), json!({}), json!({})]);
}

async fn names_of_metrics(db: &Database) {
    let client = db.set_up().await;
    let run = run(&client).await;
    let texts = texts();
    for (step, text) in (0_i64..).zip(&texts) {
        run.add_metrics([(text.as_str(), step)])
            .step(step)
            .await
            .unwrap_or_else(|err| panic!("{text:?}: {err}"));
        run.add_metrics([(text.as_str(), step as f64 + 0.5)])
            .step(step)
            .await
            .unwrap_or_else(|err| panic!("{text:?}: {err}"));
    }
    for (step, (point, text)) in (0_i64..).zip(run.metrics().await.unwrap().iter().zip(&texts)) {
        let found: Vec<_> =
            point.metrics.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        assert_eq!((point.step, found), (step, vec![(text.as_str(), Value::Float(step as f64 + 0.5))]));
    }
    check(&bytes(&client, "name", "metrics_long ORDER BY step").await, &texts);
    let err = run.add_metrics([("x".repeat(64), 1)]).await.unwrap_err();
    assert!(matches!(err, Error::MetricName(_)), "{err:?}");
}

async fn names_of_scripts(db: &Database) {
    let client = db.set_up().await;
    let texts: Vec<String> = texts().into_iter().filter(|text| !text.contains('/')).collect();
    let scripts = || texts.iter().map(|text| ScriptSource::from((text.as_str(), "SELECT 1")));
    for state in ["NEW", "OK"] {
        let reports = client.setup().scripts(scripts()).await.unwrap();
        let found: Vec<_> = reports[1..].iter().map(ToString::to_string).collect();
        let expected: Vec<_> = texts.iter().map(|text| format!("({state}) {text}")).collect();
        assert_eq!(found, expected);
    }
}

async fn parameters_of_statements(db: &Database) {
    let client = db.set_up().await;
    let sql = db.choose("SELECT $1::text, $2::jsonb", "SELECT $1, $2");
    for text in texts() {
        let row: (String, Value) =
            client.first_row(sql, (text.as_str(), json!([text]))).await.unwrap().unwrap();
        assert_eq!(row, (text.clone(), db.choose(json!([text]).into(), json!([text]).to_string().into())));
        let quoted = Literal::from(text.as_str()).to_string_for(client.dialect()).unwrap();
        let back: Option<String> = client.first_value(&format!("SELECT {quoted}"), ()).await.unwrap();
        assert_eq!(back, Some(text));
    }
    let named = Parameters::named([("x", "it's :y")]);
    let sql = db.choose("SELECT ':y', :x::text", "SELECT ':y', :x");
    let row: (String, String) = client.first_row(sql, named).await.unwrap().unwrap();
    assert_eq!(row, (":y".to_owned(), "it's :y".to_owned()));
}

async fn texts_that_no_database_keeps(db: &Database) {
    let client = db.set_up().await;
    let run = run(&client).await;
    let experiment = run.experiment().await.unwrap();
    let too_long = "x".repeat(2_001);
    for name in ["", "\0", "a\0b", too_long.as_str()] {
        let results = [
            Experiment::open(&client, name).await.map(drop),
            experiment.set_name(name).await.map(drop),
            run.set_status(name).await.map(drop),
            run.add_link(name, run.id()).await.map(drop),
            run.add_tags([name]).await.map(drop),
        ];
        for result in results {
            assert!(matches!(&result, Err(Error::BadText { .. })), "{name:?}: {result:?}");
        }
    }
    for result in [
        run.set_comment("a\0b").await.map(drop),
        run.add_args([("\0", 1)]).await.map(drop),
        run.set_extras([("a", json!([{"b": "\0"}]))]).await.map(drop),
    ] {
        assert!(matches!(&result, Err(Error::BadText { .. })), "{result:?}");
    }
    let names: Vec<String> = client.first_values("SELECT name FROM experiments", ()).await.unwrap();
    assert_eq!(names, ["hostile"]);
    assert!(client.query("SELECT 'a\0b'", ()).await.is_err());
    // A parameter with NUL is an error on PostgreSQL; SQLite keeps it whole.
    let text: Result<Option<String>, _> =
        client.first_value(db.choose("SELECT $1::text", "SELECT $1"), ("a\0b",)).await;
    match db.choose(None, Some("a\0b".to_owned())) {
        None => drop(text.unwrap_err()),
        kept => assert_eq!(text.unwrap(), kept),
    }
}
