//! Changes to experiments and runs, collected first and applied as one.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};
use time::OffsetDateTime;

/// A JSON object, such as the tags of a run.
pub type Object = Map<String, Json>;

/// A point in time to write down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The time at which the database makes the change, on the database's clock.
    Now,
    /// This time.
    At(OffsetDateTime),
}

/// What to do to a JSON object that is stored in a column: any sequence of changes, folded.
///
/// ```
/// use sqltrack_engines::{ObjectPatch, tags};
///
/// let mut patch = ObjectPatch::default();
/// patch.add(tags(["a", "b"]));
/// patch.remove(["b".to_owned()]);
/// assert_eq!(patch.apply(None), Some(tags(["a"])));
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ObjectPatch {
    /// The new object (`Some(None)`: NULL) when the old one does not matter.
    pub replace: Option<Option<Object>>,
    /// Keys to take out. Empty when `replace` is given.
    pub remove: BTreeSet<String>,
    /// Keys to put in, over those that exist. Empty when `replace` is given.
    pub add: Object,
}

impl ObjectPatch {
    /// Puts `object` in the place of whatever there is; `None` is NULL.
    pub fn set(&mut self, object: Option<Object>) {
        *self = Self { replace: Some(object), ..Self::default() };
    }

    /// Adds the keys of `object`, over those that exist.
    pub fn add(&mut self, object: Object) {
        if object.is_empty() {
            return;
        }
        if let Some(replace) = &mut self.replace {
            replace.get_or_insert_default().extend(object);
            return;
        }
        for key in object.keys() {
            self.remove.remove(key);
        }
        self.add.extend(object);
    }

    /// Removes `keys`, those that exist.
    pub fn remove(&mut self, keys: impl IntoIterator<Item = String>) {
        for key in keys {
            match &mut self.replace {
                Some(Some(object)) => drop(object.shift_remove(&key)),
                Some(None) => {}
                None => {
                    self.add.shift_remove(&key);
                    self.remove.insert(key);
                }
            }
        }
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.replace.is_none() && self.remove.is_empty() && self.add.is_empty()
    }

    /// The object that comes of `old`.
    #[must_use]
    pub fn apply(&self, old: Option<Object>) -> Option<Object> {
        if let Some(new) = &self.replace {
            return new.clone();
        }
        if old.is_none() && self.add.is_empty() {
            return None;
        }
        let mut object = old.unwrap_or_default();
        object.retain(|key, _| !self.remove.contains(key));
        object.extend(self.add.clone());
        Some(object)
    }
}

/// The object that stands for tags: `{"tag": true}` for every tag.
#[must_use]
pub fn tags<T: Into<String>>(tags: impl IntoIterator<Item = T>) -> Object {
    tags.into_iter().map(|tag| (tag.into(), Json::Bool(true))).collect()
}

/// Links to add (`true`) and to remove (`false`), by kind and target.
pub type LinkChanges = BTreeMap<(String, i64), bool>;

/// Changes to one experiment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ExperimentChanges {
    /// A new name.
    pub name: Option<String>,
    /// A new comment; `Some(None)` is NULL.
    pub comment: Option<Option<String>>,
    /// Changes to the tags.
    pub tags: ObjectPatch,
    /// Changes to the extras.
    pub extras: ObjectPatch,
    /// Links to add and remove.
    pub links: LinkChanges,
}

/// Changes to one run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunChanges {
    /// A new status.
    pub status: Option<String>,
    /// A new comment; `Some(None)` is NULL.
    pub comment: Option<Option<String>>,
    /// A new `time_created`.
    pub created: Option<Moment>,
    /// A new `time_started`.
    pub started: Option<Moment>,
    /// A new `time_updated`.
    pub updated: Option<Moment>,
    /// Changes to the tags.
    pub tags: ObjectPatch,
    /// Changes to the arguments.
    pub args: ObjectPatch,
    /// Changes to the environment.
    pub env: ObjectPatch,
    /// Changes to the extras.
    pub extras: ObjectPatch,
    /// Links to add and remove.
    pub links: LinkChanges,
}

impl ExperimentChanges {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl RunChanges {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn object(value: Json) -> Object {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn null_stays_null_when_keys_are_removed_or_none_is_added() {
        let mut patch = ObjectPatch::default();
        patch.remove(["a".to_owned()]);
        patch.add(Object::new());
        assert_eq!(patch.apply(None), None);
        patch.set(None);
        patch.remove(["a".to_owned()]);
        patch.add(Object::new());
        assert_eq!(patch.apply(Some(object(json!({"a": 1})))), None);
    }

    #[derive(Debug, Clone)]
    enum Step {
        Set(Option<Object>),
        Add(Object),
        Remove(Vec<String>),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let key = "[abc]";
        let map = prop::collection::btree_map(key, 0..9_i64, 0..3)
            .prop_map(|map| map.into_iter().map(|(key, value)| (key, json!(value))).collect::<Object>());
        prop::collection::vec(
            prop_oneof![
                prop::option::of(map.clone()).prop_map(Step::Set),
                map.prop_map(Step::Add),
                prop::collection::vec(key, 0..3).prop_map(Step::Remove),
            ],
            0..6,
        )
    }

    proptest! {
        /// Folding changes and applying the result is applying them one by one, but that NULL may stay
        /// NULL where keys came and went again.
        #[test]
        fn a_folded_patch_is_its_steps(steps in steps(), old in prop::option::of(Just(object(json!({"a": 10, "b": 11}))))) {
            let mut folded = ObjectPatch::default();
            let mut expected = old.clone();
            for step in steps {
                let mut single = ObjectPatch::default();
                for patch in [&mut folded, &mut single] {
                    match step.clone() {
                        Step::Set(object) => patch.set(object),
                        Step::Add(object) => patch.add(object),
                        Step::Remove(keys) => patch.remove(keys),
                    }
                }
                expected = single.apply(expected);
            }
            prop_assert_eq!(folded.apply(old).unwrap_or_default(), expected.unwrap_or_default());
        }
    }
}
