//! What goes in as a metric comes out again, in the column type that the book promises.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRng, TestRunner};
use serde_json::json;
use sqltrack_core::{Client, Experiment, MetricType, Run, Value};
use sqltrack_tests::{Database, on_both_engines};
use time::macros::{date, datetime};
use time::{Date, Duration, OffsetDateTime};

on_both_engines!(
    every_type_has_its_column_type,
    extreme_values_come_back,
    arbitrary_values_come_back,
    arbitrary_json_comes_back,
    the_long_view_agrees_with_the_columns,
    values_out_of_range_are_refused_and_leave_nothing,
);

/// A run to add metrics to.
async fn run(db: &Database) -> (Client, Run) {
    let client = db.set_up().await;
    let run = Experiment::open(&client, "values").await.unwrap().new_run().await.unwrap();
    (client, run)
}

/// NaN equals NaN here, and nothing else differs from `==`.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Float(a), Value::Float(b)) if a.is_nan() => b.is_nan(),
        (a, b) => a == b,
    }
}

/// Writes each value to a step of its own, and reads them all by `Run::metrics` and by SQL.
#[track_caller]
fn check(read: &[Option<Value>], expected: &[Value]) {
    for (index, value) in expected.iter().enumerate() {
        let found = read[index].as_ref();
        assert!(found.is_some_and(|found| same(found, value)), "step {index}: {value:?} became {found:?}");
    }
    assert_eq!(read.len(), expected.len());
}

async fn come_back(client: &Client, run: &Run, name: &str, values: &[Value]) {
    let tx = client.begin().await.unwrap();
    for (step, value) in values.iter().enumerate() {
        let step = i64::try_from(step).unwrap();
        tx.run(run.id())
            .add_metrics([(name, value.clone())])
            .step(step)
            .await
            .unwrap_or_else(|err| panic!("{value:?}: {err}"));
    }
    tx.commit().await.unwrap();
    let points = run.metrics().await.unwrap();
    let read: Vec<_> = points.iter().map(|point| point.metrics.get(name).cloned()).collect();
    check(&read, values);
    let sql = format!("SELECT step, \"{name}\" AS v FROM metrics WHERE run_id = $1 ORDER BY step");
    let rows = client.query(&sql, (run.id(),)).await.unwrap();
    let read: Vec<Value> = rows.iter().map(|row| row.get("v").unwrap()).collect();
    let kept = spilled(client, run, name).await;
    for (step, value) in read.iter().enumerate() {
        let is_spilled = kept.contains_key(&i64::try_from(step).unwrap());
        assert_eq!(value.is_null(), is_spilled, "{:?}", values[step]);
        assert!(is_spilled || same(value, &values[step]), "{:?} is stored as {value:?}", values[step]);
    }
}

/// The steps at which the metric is in the overflow.
async fn spilled(client: &Client, run: &Run, name: &str) -> BTreeMap<i64, ()> {
    let sql = "SELECT step FROM metrics_overflow WHERE run_id = $1 AND name = $2";
    let steps: Vec<i64> = client.first_values(sql, (run.id(), name)).await.unwrap();
    steps.into_iter().map(|step| (step, ())).collect()
}

fn samples() -> [(MetricType, Vec<Value>); 9] {
    let floats = [
        0.0,
        -0.0,
        1.0,
        0.1,
        f64::MIN,
        f64::MAX,
        f64::MIN_POSITIVE,
        5e-324,
        f64::EPSILON,
        1e300,
        -1e-300,
        9_007_199_254_740_993.0,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
    ];
    let texts = [
        "",
        " ",
        "a",
        "'",
        "\"",
        "\\",
        "é",
        "e\u{301}",
        "损失",
        "😀👩‍👩‍👧",
        "שלום",
        "\u{202e}abc",
        "\u{feff}",
        "\r\n\t",
        "\u{1}",
        "\u{10ffff}",
        "NaN",
        "null",
        "1",
        "1e5",
        "2024-05-07",
        "$1",
        "?",
        "%s",
        ":x",
    ];
    let documents = [
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(1),
        json!(-1),
        json!(1.0),
        json!(1e300),
        json!(-0.5),
        json!(5e-324),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(9_007_199_254_740_993_i64),
        json!("text"),
        json!(""),
        json!("1"),
        json!("1.0"),
        json!("null"),
        json!([]),
        json!({}),
        json!([1, [2.5, null], {"a": {"b": "😀"}}]),
        json!({"": 1, "a'b\"c": [true], "$1": "?"}),
    ];
    [
        (MetricType::Bool, vec![true.into(), false.into()]),
        (MetricType::Int, [0, 1, -1, i64::MIN, i64::MAX, 1 << 53, (1 << 53) + 1].map(Value::Int).into()),
        (MetricType::Float, floats.map(Value::Float).into()),
        (MetricType::Text, texts.map(Value::from).into()),
        (
            MetricType::Bytes,
            vec![
                Value::Bytes(vec![]),
                Value::Bytes(vec![0]),
                Value::Bytes((0..=255).collect()),
                Value::Bytes(vec![7; 1 << 20]),
            ],
        ),
        (
            MetricType::Date,
            [
                date!(0000 - 01 - 01),
                date!(0001 - 01 - 01),
                date!(1969 - 12 - 31),
                date!(2024 - 02 - 29),
                date!(9999 - 12 - 31),
            ]
            .map(Value::from)
            .into(),
        ),
        (
            MetricType::Timestamp,
            [
                datetime!(0000-01-01 0:00 UTC),
                datetime!(1969-12-31 23:59:59.999_999 UTC),
                datetime!(2000-01-01 0:00 UTC),
                datetime!(2024-05-07 14:30:00.000_001 +2),
                datetime!(2024-05-07 12:30:00 UTC),
                datetime!(2024-05-07 12:30:00.5 UTC),
                datetime!(9999-12-31 23:59:59.999_999 UTC),
            ]
            .map(Value::from)
            .into(),
        ),
        (
            MetricType::Duration,
            [0, 1, -1, 86_400_000_000, -86_400_000_001, i64::MAX, i64::MIN]
                .map(|us| Value::from(Duration::microseconds(us)))
                .into(),
        ),
        (MetricType::Json, documents.map(Value::Json).into()),
    ]
}

async fn every_type_has_its_column_type(db: &Database) {
    let (client, run) = run(db).await;
    let names = db.choose(
        [
            "boolean",
            "bigint",
            "double precision",
            "text",
            "bytea",
            "date",
            "timestamp with time zone",
            "interval",
            "jsonb",
        ],
        [
            "BOOLEAN",
            "INTEGER",
            "REAL",
            "TEXT",
            "BLOB",
            "DATE",
            "TIMESTAMP WITH TIME ZONE",
            "INTERVAL",
            "JSONB",
        ],
    );
    let sql = db.choose(
        "SELECT data_type::text FROM information_schema.columns WHERE table_name = 'metrics' AND column_name = $1",
        "SELECT type FROM pragma_table_info('metrics') WHERE name = $1",
    );
    for (index, (metric_type, values)) in samples().into_iter().enumerate() {
        let name = format!("m{index}");
        run.add_metrics([(name.as_str(), values[0].clone())]).await.unwrap();
        let declared: Option<String> = client.first_value(sql, (name.as_str(),)).await.unwrap();
        assert_eq!(declared.as_deref(), Some(names[index]), "{metric_type:?}");
        assert_eq!(client.map_type(metric_type).to_lowercase(), names[index].to_lowercase());
    }
    // Narrower types share a column type with the widest.
    let narrow = sqltrack_core::metrics! {
        "i8" => -1_i8, "i16" => -1_i16, "i32" => -1_i32, "u8" => 1_u8, "u16" => 1_u16, "u32" => 1_u32, "u64" => 1_u64,
        "f32" => 0.1_f32, "string" => String::from("x"), "bytes" => b"\0\xff",
    };
    run.add_metrics(narrow.clone()).step(1).await.unwrap();
    let point = run.metrics().await.unwrap().pop().unwrap();
    let expected: Vec<_> = narrow.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect();
    assert_eq!(point.metrics.into_iter().collect::<Vec<_>>(), expected);
    assert_eq!(expected[7].1, Value::Float(f64::from(0.1_f32)));
}

async fn extreme_values_come_back(db: &Database) {
    let (client, run) = run(db).await;
    let experiment = run.experiment().await.unwrap();
    for (metric_type, values) in samples() {
        let run = experiment.new_run().await.unwrap();
        come_back(&client, &run, &format!("{metric_type:?}"), &values).await;
    }
}

fn any_date() -> impl Strategy<Value = Date> {
    let (first, last) = (date!(0000 - 01 - 01).to_julian_day(), date!(9999 - 12 - 31).to_julian_day());
    (first..=last).prop_map(|day| Date::from_julian_day(day).unwrap())
}

fn any_time() -> impl Strategy<Value = OffsetDateTime> {
    (any_date(), 0..86_400_000_000_i64)
        .prop_map(|(date, us)| date.midnight().assume_utc() + Duration::microseconds(us))
}

fn any_text() -> impl Strategy<Value = String> {
    prop::collection::vec(any::<char>().prop_filter("no database keeps NUL", |char| *char != '\0'), 0..40)
        .prop_map(|chars| chars.into_iter().collect())
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|value| json!(value)),
        any::<i64>().prop_map(|value| json!(value)),
        any::<u64>().prop_map(|value| json!(value)),
        any::<f64>().prop_map(|value| json!(value)),
        any_text().prop_map(|value| json!(value)),
    ];
    leaf.prop_recursive(3, 20, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(serde_json::Value::from),
            prop::collection::btree_map(any_text(), inner, 0..5).prop_map(|map| json!(map)),
        ]
    })
}

/// As many values of a strategy as a test of one type takes, the same ones each time.
fn generate<T: std::fmt::Debug>(strategy: impl Strategy<Value = T>) -> Vec<T> {
    const VALUES: usize = 100;
    let config = Config::default();
    let rng = TestRng::deterministic_rng(config.rng_algorithm);
    let mut runner = TestRunner::new_with_rng(config, rng);
    (0..VALUES).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

async fn arbitrary_values_come_back(db: &Database) {
    let (client, run) = run(db).await;
    let experiment = run.experiment().await.unwrap();
    let values: [Vec<Value>; 7] = [
        generate(any::<i64>().prop_map(Value::from)),
        generate(prop::num::f64::ANY.prop_map(Value::from)),
        generate(any_text().prop_map(Value::from)),
        generate(prop::collection::vec(any::<u8>(), 0..200).prop_map(Value::from)),
        generate(any_date().prop_map(Value::from)),
        generate(any_time().prop_map(Value::from)),
        generate(any::<i64>().prop_map(|us| Value::from(Duration::microseconds(us)))),
    ];
    for (index, values) in values.iter().enumerate() {
        let run = experiment.new_run().await.unwrap();
        come_back(&client, &run, &format!("m{index}"), values).await;
    }
}

async fn arbitrary_json_comes_back(db: &Database) {
    let (client, run) = run(db).await;
    come_back(&client, &run, "json", &generate(any_json().prop_map(Value::Json))).await;
}

/// `metrics_long` tells each number in `value`, and each value that is no float in `other`.
async fn the_long_view_agrees_with_the_columns(db: &Database) {
    let (client, run) = run(db).await;
    let metrics = sqltrack_core::metrics! {
        "float" => 0.5, "infinity" => f64::NEG_INFINITY, "int" => i64::MAX, "bool" => true, "text" => "it's \"x\"",
        "json" => json!({"a": [1, null]}), "number" => json!(1.0), "date" => date!(2024 - 05 - 07),
        "bytes" => b"\0\xff", "nothing" => None::<f64>,
    };
    run.add_metrics(metrics).step(2).progress(0.25).await.unwrap();
    let sql =
        "SELECT name, value, other FROM metrics_long WHERE run_id = $1 AND step = 2 AND progress = 0.25";
    let rows = client.query(sql, (run.id(),)).await.unwrap();
    let mut found = BTreeMap::new();
    for row in rows {
        let (name, value, other): (String, Option<f64>, Value) = row.decode().unwrap();
        let other = match other {
            Value::Text(text) => serde_json::from_str(&text).unwrap(),
            Value::Json(json) => json,
            other => {
                assert!(other.is_null(), "{other:?}");
                json!("NULL")
            }
        };
        found.insert(name, (value, other));
    }
    let null = || json!("NULL");
    let expected = [
        ("float", (Some(0.5), null())),
        ("infinity", (Some(f64::NEG_INFINITY), null())),
        ("int", (Some(i64::MAX as f64), json!(i64::MAX))),
        ("bool", (None, json!(true))),
        ("text", (None, json!("it's \"x\""))),
        ("json", (None, json!({"a": [1, null]}))),
        ("number", (None, db.choose(json!(1.0), json!({"json": 1.0})))),
        ("date", (None, json!("2024-05-07"))),
        ("bytes", (None, json!("\\x00ff"))),
    ];
    assert_eq!(found, expected.map(|(name, found)| (name.to_owned(), found)).into());
}

async fn values_out_of_range_are_refused_and_leave_nothing(db: &Database) {
    let (client, run) = run(db).await;
    let early = datetime!(-9999-01-01 0:00 UTC);
    for value in [Value::from(Duration::MAX), Value::from(Duration::MIN), early.into(), early.date().into()] {
        let added = run.add_metrics([("bad", value.clone())]).await;
        let err = added.expect_err(&format!("{value:?}")).to_string();
        assert!(err.contains("out of range"), "{err}");
        assert_eq!(run.metrics().await.unwrap(), []);
        let rows = client.query("SELECT * FROM metrics", ()).await.unwrap();
        let columns: Vec<_> = rows.columns().iter().map(|column| column.name.as_str()).collect();
        assert_eq!(columns, ["run_id", "step", "progress"], "{value:?}");
    }
}
