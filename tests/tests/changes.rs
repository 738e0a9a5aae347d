//! Chained changes: made in their order, all in one transaction.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRng, TestRunner};
use serde_json::{Value as Json, json};
use sqltrack_core::{
    Client, Comment, Error, Experiment, Fields, Object, Row, Run, RunEdit, Stamp, Status, Value,
};
use sqltrack_tests::{Database, on_both_engines};
use time::OffsetDateTime;
use time::macros::datetime;

on_both_engines!(
    chained_changes_are_one_transaction,
    a_bad_text_in_a_chain_leaves_nothing_of_it,
    any_sequence_of_changes_is_what_the_model_says,
    null_is_told_from_empty,
    timestamps_are_set_kept_or_taken_from_the_clock,
    starting_and_stopping_set_status_and_times,
    concurrent_additions_are_all_kept,
);

async fn run(db: &Database) -> (Client, Run) {
    let client = db.set_up().await;
    let run = Experiment::open(&client, "changes").await.unwrap().new_run().await.unwrap();
    (client, run)
}

async fn row(client: &Client, run: &Run) -> Row {
    client.first_row("SELECT * FROM runs WHERE id = $1", (run.id(),)).await.unwrap().unwrap()
}

async fn chained_changes_are_one_transaction(db: &Database) {
    let (client, run) = run(db).await;
    let experiment = run.experiment().await.unwrap();
    run.set_comment("before").add_tags(["a"]).await.unwrap();
    let before = row(&client, &run).await;
    let changed = run
        .set_comment("after")
        .add_tags(["b"])
        .set_status("X")
        .add_link("to", run.id())
        .add_link("to", 404)
        .await;
    assert!(matches!(changed, Err(Error::Engine(_))), "{changed:?}");
    assert_eq!(row(&client, &run).await, before);
    let changed = experiment.set_name("after").add_tags(["b"]).add_link("to", 404).await;
    assert!(matches!(changed, Err(Error::Engine(_))), "{changed:?}");
    assert_eq!(experiment.name().await.unwrap(), "changes");
    for table in ["run_links", "experiment_links"] {
        assert!(client.query(&format!("SELECT * FROM {table}"), ()).await.unwrap().is_empty());
    }
}

async fn a_bad_text_in_a_chain_leaves_nothing_of_it(db: &Database) {
    let (client, run) = run(db).await;
    let before = row(&client, &run).await;
    let bad: [RunEdit; 4] = [
        run.set_comment("after").set_status(""),
        run.set_comment("after").add_tags(["\0"]).add_tags(["b"]),
        run.set_status("X").add_args([("a", json!({"b": ["\0"]}))]),
        run.set_extras(json!([1])).set_comment("after"),
    ];
    for edit in bad {
        let err = edit.await.unwrap_err();
        assert!(matches!(err, Error::BadText { .. } | Error::Fields { .. }), "{err:?}");
    }
    assert_eq!(row(&client, &run).await, before);
}

#[derive(Debug, Clone)]
enum Change {
    Set(Option<Object>),
    Add(Object),
    Remove(Vec<String>),
    Tags(Vec<String>),
    AddTags(Vec<String>),
    RemoveTags(Vec<String>),
    Link(String, bool),
    Comment(Option<String>),
}

fn change() -> impl Strategy<Value = Change> {
    let key = || prop::sample::select(vec!["a", "b", "it's", "\"q\"", "$.x", ""]).prop_map(str::to_owned);
    let tag = || prop::sample::select(vec!["a", "b", "it's", "\"q\"", "%"]).prop_map(str::to_owned);
    let value = prop_oneof![
        Just(json!(null)),
        (0..5_i64).prop_map(|n| json!(n)),
        Just(json!({"a": null, "b": [1]})),
        Just(json!("x"))
    ];
    let object =
        prop::collection::vec((key(), value), 0..4).prop_map(|pairs| pairs.into_iter().collect::<Object>());
    let tags = || prop::collection::vec(tag(), 0..4);
    prop_oneof![
        prop::option::of(object.clone()).prop_map(Change::Set),
        object.prop_map(Change::Add),
        prop::collection::vec(key(), 0..3).prop_map(Change::Remove),
        tags().prop_map(Change::Tags),
        tags().prop_map(Change::AddTags),
        tags().prop_map(Change::RemoveTags),
        (tag(), any::<bool>()).prop_map(|(kind, is_added)| Change::Link(kind, is_added)),
        prop::option::of("[a-z']{0,4}").prop_map(Change::Comment),
    ]
}

/// What a run should be.
#[derive(Debug, Clone, Default, PartialEq)]
struct Model {
    fields: Option<Object>,
    tags: Option<Object>,
    links: std::collections::BTreeSet<String>,
    comment: Option<String>,
}

impl Model {
    fn change(&mut self, change: &Change) {
        let tagged = |tags: &[String]| tags.iter().map(|tag| (tag.clone(), json!(true))).collect::<Object>();
        let add = |object: &mut Option<Object>, new: Object| {
            if object.is_some() || !new.is_empty() {
                object.get_or_insert_default().extend(new);
            }
        };
        let remove = |object: &mut Option<Object>, keys: &[String]| {
            let Some(object) = object else { return };
            keys.iter().for_each(|key| drop(object.shift_remove(key)));
        };
        match change {
            Change::Set(object) => self.fields.clone_from(object),
            Change::Add(object) => add(&mut self.fields, object.clone()),
            Change::Remove(keys) => remove(&mut self.fields, keys),
            Change::Tags(tags) => self.tags = Some(tagged(tags)),
            Change::AddTags(tags) => add(&mut self.tags, tagged(tags)),
            Change::RemoveTags(tags) => remove(&mut self.tags, tags),
            Change::Link(kind, true) => drop(self.links.insert(kind.clone())),
            Change::Link(kind, false) => drop(self.links.remove(kind)),
            Change::Comment(comment) => self.comment.clone_from(comment),
        }
    }

    /// NULL and empty are the same where keys came and went in one chain.
    fn normal(mut self) -> Self {
        self.fields = self.fields.filter(|object| !object.is_empty());
        self.tags = self.tags.filter(|object| !object.is_empty());
        self
    }
}

fn apply(edit: RunEdit, change: &Change, run: &Run) -> RunEdit {
    match change.clone() {
        Change::Set(object) => edit.set_args(object.clone()).set_env(object.clone()).set_extras(object),
        Change::Add(object) => edit.add_args(object.clone()).add_env(object.clone()).add_extras(object),
        Change::Remove(keys) => edit.remove_args(keys.clone()).remove_env(keys.clone()).remove_extras(keys),
        Change::Tags(tags) => edit.set_tags(tags),
        Change::AddTags(tags) => edit.add_tags(tags),
        Change::RemoveTags(tags) => edit.remove_tags(tags),
        Change::Link(kind, true) => edit.add_link(kind, run.id()),
        Change::Link(kind, false) => edit.remove_link(kind, run.id()),
        Change::Comment(comment) => edit.set_comment(comment),
    }
}

async fn stored(client: &Client, run: &Run) -> Model {
    let sql = "SELECT args, env, extras, tags, comment FROM runs WHERE id = $1";
    let row: Row = client.first_row(sql, (run.id(),)).await.unwrap().unwrap();
    let object = |column: &str| row.get::<Option<Object>>(column).unwrap();
    let [args, env, extras, tags] = ["args", "env", "extras", "tags"].map(object);
    let comment: Option<String> = row.get("comment").unwrap();
    assert_eq!((&args, &args), (&env, &extras));
    let links: Vec<String> =
        client.first_values("SELECT kind FROM run_links WHERE from_id = $1", (run.id(),)).await.unwrap();
    Model { fields: args, tags, links: links.into_iter().collect(), comment }
}

async fn any_sequence_of_changes_is_what_the_model_says(db: &Database) {
    let (client, first) = run(db).await;
    let experiment = first.experiment().await.unwrap();
    let config = Config::default();
    let rng = TestRng::deterministic_rng(config.rng_algorithm);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let chains = prop::collection::vec(prop::collection::vec(change(), 1..6), 1..4);
    for _ in 0..60 {
        let chains = chains.new_tree(&mut runner).unwrap().current();
        let run = experiment.new_run().await.unwrap();
        let mut model = Model::default();
        for chain in &chains {
            let edit = run.set_created(Stamp::Keep);
            chain.iter().fold(edit, |edit, change| apply(edit, change, &run)).await.unwrap();
            chain.iter().for_each(|change| model.change(change));
        }
        assert_eq!(stored(&client, &run).await.normal(), model.normal(), "{chains:?}");
    }
}

async fn null_is_told_from_empty(db: &Database) {
    let (client, run) = run(db).await;
    let columns = async || -> (Value, Value, Value) {
        client
            .first_row("SELECT tags, args, comment FROM runs WHERE id = $1", (run.id(),))
            .await
            .unwrap()
            .unwrap()
    };
    let null = || Value::Null;
    assert_eq!(columns().await, (null(), null(), null()));
    run.remove_tags(["a"]).remove_args(["a"]).await.unwrap();
    assert_eq!(columns().await, (null(), null(), null()));
    run.set_tags([] as [&str; 0]).set_args(Object::new()).set_comment("").await.unwrap();
    assert_eq!(columns().await, (Value::Json(json!({})), Value::Json(json!({})), Value::from("")));
    run.add_tags(["a"]).add_args([("a", Json::Null)]).await.unwrap();
    assert_eq!(
        columns().await,
        (Value::Json(json!({"a": true})), Value::Json(json!({"a": null})), Value::from(""))
    );
    run.remove_tags(["a"])
        .set_args(Fields::Object(None))
        .set_comment(Comment::from(None::<&str>))
        .await
        .unwrap();
    assert_eq!(columns().await, (Value::Json(json!({})), null(), null()));
}

async fn times(client: &Client, run: &Run) -> [Option<OffsetDateTime>; 3] {
    let sql = "SELECT time_created, time_started, time_updated FROM runs WHERE id = $1";
    let (created, started, updated) = client.first_row(sql, (run.id(),)).await.unwrap().unwrap();
    [created, started, updated]
}

async fn timestamps_are_set_kept_or_taken_from_the_clock(db: &Database) {
    let (client, run) = run(db).await;
    let [created, started, updated] = times(&client, &run).await;
    assert_eq!((started, updated), (None, None));
    let now = OffsetDateTime::now_utc();
    assert!((now - created.unwrap()).abs() < time::Duration::seconds(60));
    let fixed = datetime!(1999-12-31 23:59:59.999_999_999 -5);
    let kept = datetime!(2000-01-01 04:59:59.999_999 UTC);
    run.set_created(fixed).set_started(Some(fixed)).set_updated(Stamp::At(fixed)).await.unwrap();
    assert_eq!(times(&client, &run).await, [Some(kept); 3]);
    run.set_created(None).set_started(Stamp::Keep).set_updated(None).await.unwrap();
    assert_eq!(times(&client, &run).await, [Some(kept); 3]);
    run.set_created(Stamp::Auto).set_started(Stamp::Auto).set_updated(Stamp::Auto).await.unwrap();
    for time in times(&client, &run).await {
        assert!((now..now + time::Duration::minutes(5)).contains(&time.unwrap()), "{time:?}");
    }
    // The later stamp of a chain wins, also one that keeps what was there.
    run.set_started(fixed).await.unwrap();
    run.set_started(Stamp::Auto).set_started(Stamp::Keep).await.unwrap();
    assert_eq!(times(&client, &run).await[1], Some(kept));
    run.add_metrics([("loss", 0.5)]).updated(fixed).await.unwrap();
    assert_eq!(times(&client, &run).await[2], Some(kept));
    run.add_metrics([("loss", 0.5)]).updated(Stamp::Keep).await.unwrap();
    assert_eq!(times(&client, &run).await[2], Some(kept));
    run.add_metrics([("loss", 0.5)]).await.unwrap();
    assert!(times(&client, &run).await[2].unwrap() > now);
}

async fn starting_and_stopping_set_status_and_times(db: &Database) {
    let (client, run) = run(db).await;
    let status = async || -> String { row(&client, &run).await.get("status").unwrap() };
    assert_eq!(status().await, "PLANNED");
    run.start().await.unwrap();
    let [_, started, updated] = times(&client, &run).await;
    assert_eq!((status().await.as_str(), started.is_some(), updated.is_some()), ("RUNNING", true, true));
    run.stop().await.unwrap();
    assert_eq!((status().await.as_str(), times(&client, &run).await[1]), ("COMPLETED", started));
    run.stop_with(Status::Failed).await.unwrap();
    assert_eq!(status().await, "FAILED");
    for known in Status::KNOWN {
        run.set_status(known.clone()).await.unwrap();
        assert_eq!(Status::from(status().await.as_str()), *known);
    }
}

async fn concurrent_additions_are_all_kept(db: &Database) {
    let (client, run) = run(db).await;
    let tasks: Vec<_> = (0..30)
        .map(|task| {
            let run = run.clone();
            tokio::spawn(async move {
                run.add_tags([format!("t{task}")]).add_args([(format!("a{task}"), task)]).await.map(drop)
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let stored = stored_objects(&client, &run).await;
    assert_eq!(stored, (30, 30));
}

async fn stored_objects(client: &Client, run: &Run) -> (usize, usize) {
    let row: (Object, Object) =
        client.first_row("SELECT tags, args FROM runs WHERE id = $1", (run.id(),)).await.unwrap().unwrap();
    (row.0.len(), row.1.len())
}
