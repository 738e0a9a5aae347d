//! The user's own queries: every type, empty results, parameters and lists.

use serde_json::json;
use sqltrack_core::{Client, EngineError, Error, Experiment, Parameters, Value};
use sqltrack_tests::{Database, on_both_engines};
use time::macros::{date, datetime, time};

on_both_engines!(
    an_empty_result_has_its_columns,
    parameters_have_positions_or_names,
    lists_are_parameters,
    changed_rows_are_counted,
    many_sets_of_parameters_are_all_or_none,
    a_script_is_all_or_nothing,
    typed_rows_say_what_does_not_fit;
    postgres: known_types_are_read, new_types_are_met_inside_of_a_transaction, unknown_types_are_named, operators_are_no_placeholders;
    sqlite: stored_values_are_read_as_declared,
);

async fn an_empty_result_has_its_columns(db: &Database) {
    let client = db.set_up().await;
    for sql in [
        "SELECT id, name AS \"the name\", 1 + 1 AS two FROM experiments",
        "SELECT id, name AS \"the name\", 1 + 1 AS two FROM experiments WHERE id = $1",
    ] {
        let parameters: Parameters = if sql.contains('$') { (5,).into() } else { ().into() };
        let rows = client.query(sql, parameters).await.unwrap();
        let names: Vec<_> = rows.columns().iter().map(|column| column.name.as_str()).collect();
        assert_eq!((names, rows.len()), (vec!["id", "the name", "two"], 0));
    }
    assert_eq!(client.first_value::<i64>("SELECT id FROM runs", ()).await.unwrap(), None);
    assert_eq!(client.first_values::<i64>("SELECT id FROM runs", ()).await.unwrap(), [0_i64; 0]);
}

async fn parameters_have_positions_or_names(db: &Database) {
    let client = db.set_up().await;
    let cast = db.choose("::bigint", "");
    let positional: (i64, i64, i64) =
        client.first_row(&format!("SELECT $2{cast}, $1{cast}, $2{cast}"), (1, 2)).await.unwrap().unwrap();
    assert_eq!(positional, (2, 1, 2));
    let named = Parameters::named([("a", 1), ("b", 2)]);
    let sql = format!("SELECT :b{cast}, :a{cast}, :b{cast}, ':a'");
    let found: (i64, i64, i64, String) = client.first_row(&sql, named).await.unwrap().unwrap();
    assert_eq!(found, (2, 1, 2, ":a".to_owned()));
    let missing = client.query("SELECT :a", Parameters::named([("b", 1)])).await.unwrap_err();
    assert!(matches!(missing, Error::Placeholder(_)), "{missing:?}");
    for parameters in [Parameters::from(()), (1, 2).into()] {
        let result = client.query(&format!("SELECT $1{cast}"), parameters.clone()).await;
        assert!(result.is_err(), "{parameters:?}: {result:?}");
    }
}

async fn lists_are_parameters(db: &Database) {
    let client = db.set_up().await;
    for id in 1..=5 {
        Experiment::open(&client, (id, format!("e{id}"))).await.unwrap();
    }
    let ids = db.choose(
        "SELECT id FROM experiments WHERE id = ANY($1) ORDER BY id",
        "SELECT id FROM experiments WHERE id IN (SELECT value FROM json_each($1)) ORDER BY id",
    );
    let names = ids.replace("WHERE id", "WHERE name");
    let numbers: Value = [1_i64, 4, 9].into_iter().collect();
    assert_eq!(client.first_values::<i64>(ids, [numbers]).await.unwrap(), [1, 4]);
    let texts: Value = ["e2", "it's", "e3"].into_iter().collect();
    assert_eq!(client.first_values::<i64>(&names, [texts]).await.unwrap(), [2, 3]);
    let none: Value = std::iter::empty::<i64>().collect();
    assert_eq!(client.first_values::<i64>(ids, [none]).await.unwrap(), [0_i64; 0]);
}

async fn changed_rows_are_counted(db: &Database) {
    let client = db.set_up().await;
    let changed = async |sql: &str| client.execute(sql, ()).await.unwrap();
    assert_eq!(changed("INSERT INTO experiments (name) VALUES ('a'), ('b'), ('c')").await, 3);
    assert_eq!(changed("UPDATE experiments SET comment = 'x' WHERE name <> 'a'").await, 2);
    assert_eq!(changed("DELETE FROM experiments WHERE name = 'none'").await, 0);
}

async fn count(client: &Client) -> i64 {
    client.first_value("SELECT count(*) FROM experiments", ()).await.unwrap().unwrap()
}

async fn many_sets_of_parameters_are_all_or_none(db: &Database) {
    let client = db.set_up().await;
    let sql = "INSERT INTO experiments (name) VALUES ($1)";
    assert_eq!(client.executemany(sql, [("a",), ("b",)]).await.unwrap(), 2);
    client.executemany(sql, [("c",), ("a",)]).await.unwrap_err();
    assert_eq!(count(&client).await, 2);
    let tx = client.begin().await.unwrap();
    tx.executemany(sql, [("d",), ("a",)]).await.unwrap_err();
    tx.executemany(sql, [("e",), ("f",)]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(count(&client).await, 4);
}

async fn a_script_is_all_or_nothing(db: &Database) {
    let client = db.set_up().await;
    let script = "BEGIN;\nINSERT INTO experiments (name) VALUES ('a');\nINSERT INTO experiments (name) VALUES ('b');\nEND;";
    client.executescript(script).await.unwrap();
    let broken =
        "INSERT INTO experiments (name) VALUES ('c');\n\nINSERT INTO experiments (name) VALUES ('a');";
    let err = client.executescript(broken).await.unwrap_err().to_string();
    assert!(err.starts_with("script:3: "), "{err}");
    assert_eq!(count(&client).await, 2);
}

async fn typed_rows_say_what_does_not_fit(db: &Database) {
    let client = db.set_up().await;
    let err = client.first_row::<(i64, i64)>("SELECT 1", ()).await.unwrap_err();
    assert_eq!(err.to_string(), "the result has 1 columns, 2 were asked for");
    let err = client.first_row::<(String,)>("SELECT 1 AS n", ()).await.unwrap_err();
    assert!(err.to_string().starts_with("column `n` holds the integer Int(1), which is no "), "{err}");
    let err = client.first_value::<i64>("SELECT NULL AS n", ()).await.unwrap_err();
    assert!(err.to_string().starts_with("column `n` holds NULL"), "{err}");
}

fn list<const N: usize>(values: [Value; N]) -> Value {
    Value::List(values.into())
}

fn decimal(text: &str) -> Value {
    Value::Decimal(text.to_owned())
}

async fn known_types_are_read(db: &Database) {
    let client = db.connect().await;
    client
        .executescript("CREATE TYPE mood AS ENUM ('sad', 'it''s ok'); CREATE DOMAIN percent AS integer CHECK (VALUE <= 100);")
        .await
        .unwrap();
    let digits = "9".repeat(200);
    let cases: Vec<(String, Value)> = [
        ("1::smallint", 1.into()),
        ("(-2147483648)::integer", i64::from(i32::MIN).into()),
        ("9223372036854775807::bigint", i64::MAX.into()),
        ("true", true.into()),
        ("0.1::real", f64::from(0.1_f32).into()),
        ("'-Infinity'::double precision", f64::NEG_INFINITY.into()),
        ("123.4500", decimal("123.4500")),
        ("-0.00001", decimal("-0.00001")),
        ("1e20::numeric", decimal("100000000000000000000")),
        ("10000::numeric", decimal("10000")),
        ("'NaN'::numeric", decimal("NaN")),
        ("'a'::text", "a".into()),
        ("'a'::varchar(5)", "a".into()),
        ("'a'::char(3)", "a  ".into()),
        ("'a'::name", "a".into()),
        ("'a'::\"char\"", "a".into()),
        ("'\\x00ff'::bytea", b"\0\xff".into()),
        ("'2024-05-07'::date", date!(2024 - 05 - 07).into()),
        ("'infinity'::date", "infinity".into()),
        ("'-infinity'::timestamptz", "-infinity".into()),
        ("'2024-05-07 12:30:00.5+02'::timestamptz", datetime!(2024-05-07 10:30:00.5 UTC).into()),
        ("'12:30:00.5'::time", Value::Time(time!(12:30:00.5))),
        ("'1 day -01:00'::interval", time::Duration::hours(23).into()),
        ("'1 year 2 days'::interval", "P12M2DT0S".into()),
        ("'{\"a\": [1, null]}'::json", json!({"a": [1, null]}).into()),
        ("'1.0'::jsonb", json!(1.0).into()),
        ("'00112233-4455-6677-8899-aabbccddeeff'::uuid", "00112233-4455-6677-8899-aabbccddeeff".into()),
        ("'sad'::mood", "sad".into()),
        ("'it''s ok'::mood", "it's ok".into()),
        ("42::percent", 42.into()),
        ("ARRAY[1, NULL, 3]", list([1.into(), Value::Null, 3.into()])),
        ("'{}'::text[]", list([])),
        (
            "ARRAY[['a', NULL], ['', 'd']]",
            list([list(["a".into(), Value::Null]), list(["".into(), "d".into()])]),
        ),
        ("ARRAY[0.5, 'NaN']::numeric[]", list([decimal("0.5"), decimal("NaN")])),
        ("ARRAY['{\"a\": 1}']::jsonb[]", list([json!({"a": 1}).into()])),
        ("ARRAY['2024-05-07'::date]", list([date!(2024 - 05 - 07).into()])),
        ("NULL", Value::Null),
        ("NULL::mood", Value::Null),
    ]
    .map(|(sql, value)| (sql.to_owned(), value))
    .into_iter()
    .chain([(digits.clone(), decimal(&digits)), (format!("-0.{digits}"), decimal(&format!("-0.{digits}")))])
    .collect();
    for (sql, expected) in cases {
        let found: Option<Value> = client
            .first_value(&format!("SELECT {sql}"), ())
            .await
            .unwrap_or_else(|err| panic!("{sql}: {err}"));
        assert_eq!(found, Some(expected), "{sql}");
    }
}

async fn unknown_types_are_named(db: &Database) {
    let client = db.connect().await;
    client.executescript("CREATE TYPE pair AS (a INTEGER, b TEXT);").await.unwrap();
    for (sql, name) in [
        ("ROW(1, 'x')::pair", "pair"),
        ("int4range(1, 5)", "int4range"),
        ("point(1, 2)", "point"),
        ("'10000-01-01'::date", "date"),
        ("'10000-01-01'::timestamptz", "timestamptz"),
        ("'24:00:00'::time", "time"),
    ] {
        let err = client.query(&format!("SELECT {sql} AS c"), ()).await.expect_err(sql);
        assert!(
            matches!(&err, Error::Engine(EngineError::UnreadableColumn { column, type_name }) if column == "c" && type_name == name),
            "{sql}: {err:?}"
        );
        let text: Option<String> = client.first_value(&format!("SELECT ({sql})::text"), ()).await.unwrap();
        assert!(text.is_some(), "the advice to cast to text is good");
    }
}

async fn operators_are_no_placeholders(db: &Database) {
    let client = db.set_up().await;
    let run = Experiment::open(&client, "x").await.unwrap().new_run().await.unwrap();
    run.add_tags(["x", "it's"]).await.unwrap();
    for (sql, parameters) in [
        ("SELECT id FROM runs WHERE tags ? 'x'", Parameters::from(())),
        ("SELECT id FROM runs WHERE tags ? $1", ("it's",).into()),
        ("SELECT id FROM runs WHERE tags ? :tag", Parameters::named([("tag", "x")])),
        ("SELECT id FROM runs WHERE tags ?| ARRAY['y', 'x'] AND NOT tags ?& ARRAY['y', 'x']", ().into()),
        ("SELECT id FROM runs WHERE tags @> :tags::jsonb", Parameters::named([("tags", json!({"x": true}))])),
    ] {
        assert_eq!(client.first_values::<i64>(sql, parameters).await.unwrap(), [run.id().0], "{sql}");
    }
}

async fn stored_values_are_read_as_declared(db: &Database) {
    let client = db.set_up().await;
    let script = "CREATE TABLE t (b BOOLEAN, n, d DATE, at TIMESTAMP WITH TIME ZONE, j JSON, r REAL);
        INSERT INTO t VALUES (1, 2.5, '2024-05-07', '2024-05-07 14:30:00+02:00', '{\"a\": 1}', 1);
        INSERT INTO t VALUES ('yes', x'00ff', 'no date', 7, 'no json', 'no number');";
    client.executescript(script).await.unwrap();
    let rows = client.query("SELECT *, d || '' FROM t", ()).await.unwrap();
    let values: Vec<_> = rows.into_iter().map(sqltrack_core::Row::into_values).collect();
    let declared: [Value; 7] = [
        true.into(),
        2.5.into(),
        date!(2024 - 05 - 07).into(),
        datetime!(2024-05-07 12:30 UTC).into(),
        json!({"a": 1}).into(),
        1.0.into(),
        "2024-05-07".into(),
    ];
    assert_eq!(values[0], declared);
    let others: [Value; 6] =
        ["yes".into(), b"\0\xff".into(), "no date".into(), 7.into(), "no json".into(), "no number".into()];
    assert_eq!(values[1][..6], others);
}

async fn new_types_are_met_inside_of_a_transaction(db: &Database) {
    let script = "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE t (m mood);";
    db.connect().await.executescript(script).await.unwrap();
    // The driver looks up a type when a connection meets it first.
    for alone in [true, false] {
        let client = db.connect().await;
        let sql = "INSERT INTO t VALUES ($1::text::mood) RETURNING m";
        let tx = client.begin().await.unwrap();
        let used = if alone { &client } else { &*tx };
        let found: Option<String> = used.first_value(sql, ("sad",)).await.unwrap();
        assert_eq!(found.as_deref(), Some("sad"));
        used.executemany(sql, [("ok",), ("sad",)]).await.unwrap();
        tx.commit().await.unwrap();
    }
    let client = db.connect().await;
    let tx = client.begin().await.unwrap();
    tx.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", ()).await.unwrap();
    assert_eq!(tx.first_values::<String>("SELECT m FROM t", ()).await.unwrap().len(), 6);
    tx.commit().await.unwrap();
}
