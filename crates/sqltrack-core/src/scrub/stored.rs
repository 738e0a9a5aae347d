//! What is stored of a run or an experiment that may hold secrets, and what is to change of it.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use sqltrack_engines::{
    Dialect, ExperimentChanges, ExperimentId, Object, ObjectPatch, Row, RunChanges, RunId, Value,
};

use crate::redact::{MASK, Redactor};
use crate::{Client, Error};

/// How many values there are in each place.
pub(super) type Places = BTreeMap<String, u64>;

/// A table whose rows have objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Table {
    Runs,
    Experiments,
}

impl Table {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Runs => "runs",
            Self::Experiments => "experiments",
        }
    }

    /// The next rows from an id on. They are few, since one may hold a large diff.
    pub(super) fn page(self) -> &'static str {
        match self {
            Self::Runs => "SELECT id, env, args, extras FROM runs WHERE id >= $1 ORDER BY id LIMIT 16",
            Self::Experiments => "SELECT id, extras FROM experiments WHERE id >= $1 ORDER BY id LIMIT 16",
        }
    }

    /// The row of an id.
    pub(super) fn one(self) -> &'static str {
        match self {
            Self::Runs => "SELECT id, env, args, extras FROM runs WHERE id = $1",
            Self::Experiments => "SELECT id, extras FROM experiments WHERE id = $1",
        }
    }

    /// The row of an id, which then nobody else changes until the end of the transaction. On SQLite nobody does anyway.
    pub(super) fn locked(self, dialect: Dialect) -> &'static str {
        match (dialect, self) {
            (Dialect::Postgres, Self::Runs) => {
                "SELECT id, env, args, extras FROM runs WHERE id = $1 FOR NO KEY UPDATE"
            }
            (Dialect::Postgres, Self::Experiments) => {
                "SELECT id, extras FROM experiments WHERE id = $1 FOR NO KEY UPDATE"
            }
            (_, table) => table.one(),
        }
    }

    fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Runs => &["env", "args", "extras"],
            Self::Experiments => &["extras"],
        }
    }
}

/// The objects of one row, by their columns.
pub(super) struct Stored {
    id: i64,
    objects: Vec<(&'static str, Object)>,
}

impl Stored {
    /// A column that holds something else than an object is left out, with a warning.
    pub(super) fn read(table: Table, row: &Row) -> Result<Self, Error> {
        let id: i64 = row.get("id")?;
        let mut objects = Vec::new();
        for column in table.columns().iter().copied() {
            match row.get::<Value>(column)? {
                Value::Json(Json::Object(object)) => objects.push((column, object)),
                Value::Null => {}
                _ => tracing::warn!(
                    "`{column}` of {id} in `{}` is no JSON object and was left as it is; look at it",
                    table.name()
                ),
            }
        }
        Ok(Self { id, objects })
    }

    pub(super) fn id(&self) -> i64 {
        self.id
    }

    /// What is to be masked.
    pub(super) fn changes(&self, redactor: &Redactor) -> Changes {
        let redactor = redactor.with_secrets_of(self.objects.iter().map(|(_, object)| object));
        let mut changes = Changes::default();
        for (column, object) in &self.objects {
            let masked = match *column {
                "env" => redactor.variables(object),
                _ => redactor.object(object),
            };
            add_differences_of_objects(column, object, &masked, &mut changes.places);
            changes.patches.push((column, patch(object, masked)));
        }
        changes
    }
}

/// What is to change of one row.
#[derive(Default)]
pub(super) struct Changes {
    /// In how many values, by their places.
    pub(super) places: Places,
    patches: Vec<(&'static str, ObjectPatch)>,
}

impl Changes {
    pub(super) async fn write(self, client: &Client, table: Table, id: i64) -> Result<(), Error> {
        let mut changes = RunChanges::default();
        for (column, patch) in self.patches {
            match column {
                "env" => changes.env = patch,
                "args" => changes.args = patch,
                _ => changes.extras = patch,
            }
        }
        client
            .with_connection(move |conn| {
                Box::pin(async move {
                    match table {
                        Table::Runs => conn.update_run(RunId(id), &changes).await?,
                        Table::Experiments => {
                            let changes = ExperimentChanges { extras: changes.extras, ..Default::default() };
                            conn.update_experiment(ExperimentId(id), &changes).await?;
                        }
                    }
                    Ok(())
                })
            })
            .await
    }
}

/// What makes `new` of `old`, and leaves what is the same in both alone.
fn patch(old: &Object, new: Object) -> ObjectPatch {
    let mut patch = ObjectPatch::default();
    patch.remove(old.keys().filter(|key| !new.contains_key(*key)).cloned());
    patch.add(new.into_iter().filter(|(key, value)| old.get(key) != Some(value)).collect());
    patch
}

/// Adds the values of one object that are not the same in another, by the names that lead to them.
fn add_differences_of_objects(place: &str, old: &Object, new: &Object, places: &mut Places) {
    for (name, value) in old {
        match new.get(name) {
            Some(new) => add_differences(&format!("{place}.{name}"), value, new, places),
            // The name itself was masked.
            None => *places.entry(format!("{place}.{MASK}")).or_default() += 1,
        }
    }
}

fn add_differences(place: &str, old: &Json, new: &Json, places: &mut Places) {
    match (old, new) {
        (Json::Object(old), Json::Object(new)) => add_differences_of_objects(place, old, new, places),
        (Json::Array(old), Json::Array(new)) if old.len() == new.len() => {
            old.iter().zip(new).for_each(|(old, new)| add_differences(place, old, new, places));
        }
        (old, new) if old != new => *places.entry(place.to_owned()).or_default() += 1,
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_differs_is_counted_and_nothing_else_is_written() {
        let object = |json: Json| json.as_object().cloned().unwrap();
        let old = object(json!({"a": 1, "b": "x", "c": {"d": ["x", "y", 1.5]}, "e": "x"}));
        let new = object(json!({"a": 1, "b": "****", "c": {"d": ["****", "****", 1.5]}, "****": "x"}));
        let changed = patch(&old, new.clone());
        assert_eq!(changed.add.keys().collect::<Vec<_>>(), ["b", "c", "****"]);
        assert_eq!(changed.remove.iter().collect::<Vec<_>>(), ["e"]);
        assert_eq!(changed.apply(Some(old.clone())), Some(new.clone()));
        assert!(patch(&old, old.clone()).is_empty());
        let mut places = Places::new();
        add_differences_of_objects("args", &old, &new, &mut places);
        let expected = [("args.****", 1), ("args.b", 1), ("args.c.d", 2)];
        assert_eq!(places, expected.map(|(place, count)| (place.to_owned(), count)).into());
        places.clear();
        add_differences_of_objects("args", &old, &old, &mut places);
        assert!(places.is_empty());
    }
}
