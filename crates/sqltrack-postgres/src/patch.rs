//! Changes to JSON columns and to links as the parameters of one statement.

use serde_json::Value as Json;
use sqltrack_engines::{LinkChanges, ObjectPatch};

/// A patch as three parameters: how to apply it, the object to set or add, the keys to remove.
pub(crate) struct PatchArguments {
    /// 0: leave the column as it is; 1: set it to `object`; 2: remove, then add.
    pub(crate) mode: i16,
    pub(crate) object: Option<Json>,
    pub(crate) remove: Vec<String>,
}

impl PatchArguments {
    pub(crate) fn new(patch: &ObjectPatch) -> Self {
        let remove = patch.remove.iter().cloned().collect();
        match &patch.replace {
            Some(object) => Self { mode: 1, object: object.clone().map(Json::Object), remove },
            None if patch.is_empty() => Self { mode: 0, object: None, remove },
            None => Self { mode: 2, object: Some(Json::Object(patch.add.clone())), remove },
        }
    }
}

/// Changes to links as three arrays.
pub(crate) struct Links {
    pub(crate) kinds: Vec<String>,
    pub(crate) to_ids: Vec<i64>,
    pub(crate) is_added: Vec<bool>,
}

impl Links {
    pub(crate) fn new(changes: &LinkChanges) -> Self {
        Self {
            kinds: changes.keys().map(|(kind, _)| kind.clone()).collect(),
            to_ids: changes.keys().map(|(_, to_id)| *to_id).collect(),
            is_added: changes.values().copied().collect(),
        }
    }
}

/// The key that a violated foreign key does not find, from the detail `Key (to_id)=(7) is not present …`.
pub(crate) fn missing_key(err: &sqlx::Error) -> Option<i64> {
    let db = err.as_database_error()?.try_downcast_ref::<sqlx::postgres::PgDatabaseError>()?;
    let (_, key) = db.detail()?.split_once("=(")?;
    key.split(')').next()?.parse().ok()
}
