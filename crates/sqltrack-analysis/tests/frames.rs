//! Results as data frames: every type is kept, on both engines.

use polars::prelude::{DataType, TimeUnit, TimeZone};
use sqltrack_analysis::{Error, frame_rows, query_dataframe};
use sqltrack_core::{Dialect, Experiment, Parameters, Value, metrics};
use sqltrack_tests::{Database, on_both_engines};

on_both_engines!(
    the_minimal_example_is_a_frame,
    types_are_kept,
    parameters_are_named_or_numbered,
    names_are_each_once;
    postgres: arrays_and_other_types_are_kept;
    sqlite: a_column_of_several_types_says_so,
);

async fn the_minimal_example_is_a_frame(db: &Database) {
    let client = db.set_up().await;
    let experiment = Experiment::open(&client, "Minimal").await.unwrap();
    let run = experiment.new_run().await.unwrap();
    for epoch in 0..3 {
        let loss = 7_f64.powf(1.0 / f64::from(epoch + 1));
        run.add_metrics([("loss", loss)]).step(epoch.into()).await.unwrap();
    }
    let frame = query_dataframe(&client, "SELECT step, loss FROM metrics ORDER BY step", ()).await.unwrap();
    let expected = "\
shape: (3, 2)
┌──────┬──────────┐
│ step ┆ loss     │
│ ---  ┆ ---      │
│ i64  ┆ f64      │
╞══════╪══════════╡
│ 0    ┆ 7.0      │
│ 1    ┆ 2.645751 │
│ 2    ┆ 1.912931 │
└──────┴──────────┘";
    assert_eq!(frame.to_string(), expected);
}

async fn types_are_kept(db: &Database) {
    let client = db.set_up().await;
    let run = Experiment::open(&client, "types").await.unwrap().new_run().await.unwrap();
    let at = time::OffsetDateTime::UNIX_EPOCH + time::Duration::microseconds(-1);
    let metrics = metrics! {
        "ok" => true, "count" => i64::MAX, "loss" => f64::INFINITY, "note" => "é", "raw" => Value::Bytes(vec![0, 255]),
        "day" => Value::Date(at.date()), "at" => at, "took" => time::Duration::milliseconds(1_500),
        "doc" => Value::Json(serde_json::json!({ "a": [1] })),
    };
    run.add_metrics(metrics).step(1).await.unwrap();
    run.add_metrics([("other", 1)]).step(2).await.unwrap();
    let sql = "SELECT ok, count, loss, note, raw, day, at, took, doc FROM metrics ORDER BY step";
    let frame = query_dataframe(&client, sql, ()).await.unwrap();
    let types: Vec<DataType> = frame.columns().iter().map(|column| column.dtype().clone()).collect();
    let expected = [
        DataType::Boolean,
        DataType::Int64,
        DataType::Float64,
        DataType::String,
        DataType::Binary,
        DataType::Date,
        DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)),
        DataType::Duration(TimeUnit::Microseconds),
        DataType::String,
    ];
    assert_eq!(types, expected);
    assert!(frame.columns().iter().all(|column| column.null_count() == 1));
    assert_eq!(frame.column("count").unwrap().i64().unwrap().get(0), Some(i64::MAX));
    assert_eq!(frame.column("loss").unwrap().f64().unwrap().get(0), Some(f64::INFINITY));
    let micros = frame.column("at").unwrap().cast(&DataType::Int64).unwrap();
    assert_eq!(micros.i64().unwrap().get(0), Some(-1));
    assert_eq!(
        frame.column("doc").unwrap().str().unwrap().get(0).map(|json| json.replace(' ', "")),
        Some(r#"{"a":[1]}"#.to_owned())
    );
    // And back, but for JSON, which is text in a frame.
    let as_kept = |value: &Value| match value {
        Value::Json(_) => Value::Text(sqltrack_core::text::of(value)),
        value => value.clone(),
    };
    let back = |row: &sqltrack_core::Row| row.values().iter().map(as_kept).collect::<Vec<_>>();
    let queried: Vec<_> = client.query(sql, ()).await.unwrap().iter().map(back).collect();
    let rows: Vec<_> = frame_rows(&frame).into_iter().map(|row| row.into_values()).collect();
    assert_eq!(rows, queried);
}

async fn parameters_are_named_or_numbered(db: &Database) {
    let client = db.set_up().await;
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(Experiment::open(&client, "e").await.unwrap().new_run().await.unwrap().id());
    }
    let chosen = Value::List(vec![Value::from(ids[1]), Value::from(ids[3])]);
    let sql = match client.dialect() {
        Dialect::Postgres => "SELECT id FROM runs WHERE id = ANY(:run_ids) ORDER BY id",
        Dialect::Sqlite => {
            "SELECT id FROM runs WHERE id IN (SELECT value FROM json_each(:run_ids)) ORDER BY id"
        }
    };
    let frame = query_dataframe(&client, sql, Parameters::named([("run_ids", chosen)])).await.unwrap();
    let found: Vec<Option<i64>> = frame.column("id").unwrap().i64().unwrap().iter().collect();
    assert_eq!(found, [Some(ids[1].0), Some(ids[3].0)]);
    let frame = query_dataframe(&client, "SELECT id FROM runs WHERE id < $1", (ids[2],)).await.unwrap();
    assert_eq!(frame.height(), 2);
}

async fn names_are_each_once(db: &Database) {
    let client = db.set_up().await;
    let frame = query_dataframe(&client, "SELECT 1 AS a, 2 AS a, 'x' AS b", ()).await.unwrap();
    let names: Vec<&str> = frame.get_column_names().into_iter().map(|name| name.as_str()).collect();
    assert_eq!(names, ["a", "a_2", "b"]);
    let empty = query_dataframe(&client, "SELECT id, name FROM experiments", ()).await.unwrap();
    assert_eq!(empty.shape(), (0, 2));
}

async fn arrays_and_other_types_are_kept(db: &Database) {
    let client = db.set_up().await;
    let sql =
        "SELECT ARRAY[1, NULL, 3] AS numbers, ARRAY['a', 'b'] AS texts, 12345678901234567890.5 AS exact,
        TIME '12:30:00.5' AS noon, ARRAY[]::INTEGER[] AS nothing";
    let frame = query_dataframe(&client, sql, ()).await.unwrap();
    assert_eq!(frame.column("numbers").unwrap().dtype(), &DataType::List(Box::new(DataType::Int64)));
    assert_eq!(frame.column("texts").unwrap().dtype(), &DataType::List(Box::new(DataType::String)));
    assert_eq!(frame.column("exact").unwrap().str().unwrap().get(0), Some("12345678901234567890.5"));
    assert_eq!(frame.column("noon").unwrap().dtype(), &DataType::Time);
    let numbers = frame.column("numbers").unwrap().list().unwrap().get_as_series(0).unwrap();
    assert_eq!(numbers.i64().unwrap().iter().collect::<Vec<_>>(), [Some(1), None, Some(3)]);
    let [row] = frame_rows(&frame).into_iter().collect::<Vec<_>>().try_into().unwrap();
    let expected = [
        Value::List(vec![1.into(), Value::Null, 3.into()]),
        Value::List(vec!["a".into(), "b".into()]),
        "12345678901234567890.5".into(),
        Value::Time(time::macros::time!(12:30:00.5)),
        Value::List(Vec::new()),
    ];
    assert_eq!(row.into_values(), expected);
}

async fn a_column_of_several_types_says_so(db: &Database) {
    let client = db.set_up().await;
    // As one query they are texts; large integers are no floats.
    let frame = query_dataframe(&client, "SELECT 1 AS n UNION ALL SELECT 'x'", ()).await.unwrap();
    assert_eq!(frame.column("n").unwrap().dtype(), &DataType::String);
    let sql = "SELECT 9007199254740993 AS n UNION ALL SELECT 0.5";
    let err = query_dataframe(&client, sql, ()).await.unwrap_err();
    assert!(matches!(err, Error::Arrow(_)) && err.to_string().contains("row 1 is an integer"), "{err}");
}
