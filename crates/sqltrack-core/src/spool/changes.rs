//! Changes to a run as JSON, which they are in a spool: they are rare, and a person may want to read them.

use serde_json::{Map, Value as Json, json};
use sqltrack_engines::{Moment, Object, ObjectPatch, RunChanges};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The changes, where the time `now` stands for the time at which they are made.
pub(super) fn to_json(changes: &RunChanges, now: OffsetDateTime) -> Result<Json, String> {
    let mut members = Map::new();
    if let Some(status) = &changes.status {
        members.insert("status".to_owned(), json!(status));
    }
    if let Some(comment) = &changes.comment {
        members.insert("comment".to_owned(), json!(comment));
    }
    let moments = [("created", changes.created), ("started", changes.started), ("updated", changes.updated)];
    for (name, moment) in moments {
        let time = match moment {
            None => continue,
            Some(Moment::Now) => now,
            Some(Moment::At(time)) => time,
        };
        let text = time.format(&Rfc3339).map_err(|err| format!("the time {time}: {err}"))?;
        members.insert(name.to_owned(), json!(text));
    }
    let patches = [
        ("tags", &changes.tags),
        ("args", &changes.args),
        ("env", &changes.env),
        ("extras", &changes.extras),
    ];
    for (name, patch) in patches.into_iter().filter(|(_, patch)| !patch.is_empty()) {
        members.insert(name.to_owned(), patch_to_json(patch));
    }
    if !changes.links.is_empty() {
        let links: Vec<Json> =
            changes.links.iter().map(|((kind, to), is_added)| json!([kind, to, is_added])).collect();
        members.insert("links".to_owned(), Json::Array(links));
    }
    Ok(Json::Object(members))
}

fn patch_to_json(patch: &ObjectPatch) -> Json {
    match &patch.replace {
        Some(object) => json!({ "set": object }),
        None => json!({ "remove": patch.remove, "add": patch.add }),
    }
}

/// The changes that were written; `None` if this is none.
pub(super) fn from_json(json: &Json) -> Option<RunChanges> {
    let mut changes = RunChanges::default();
    for (name, value) in json.as_object()? {
        match name.as_str() {
            "status" => changes.status = Some(value.as_str()?.to_owned()),
            "comment" => changes.comment = Some(text_or_null(value)?),
            "created" => changes.created = Some(moment(value)?),
            "started" => changes.started = Some(moment(value)?),
            "updated" => changes.updated = Some(moment(value)?),
            "tags" => changes.tags = patch(value)?,
            "args" => changes.args = patch(value)?,
            "env" => changes.env = patch(value)?,
            "extras" => changes.extras = patch(value)?,
            "links" => changes.links = value.as_array()?.iter().map(link).collect::<Option<_>>()?,
            _ => return None,
        }
    }
    Some(changes)
}

fn text_or_null(value: &Json) -> Option<Option<String>> {
    if value.is_null() { Some(None) } else { value.as_str().map(|text| Some(text.to_owned())) }
}

fn moment(value: &Json) -> Option<Moment> {
    OffsetDateTime::parse(value.as_str()?, &Rfc3339).ok().map(Moment::At)
}

fn object_or_null(value: &Json) -> Option<Option<Object>> {
    if value.is_null() { Some(None) } else { value.as_object().map(|object| Some(object.clone())) }
}

fn patch(value: &Json) -> Option<ObjectPatch> {
    if let Some(set) = value.get("set") {
        return Some(ObjectPatch { replace: Some(object_or_null(set)?), ..ObjectPatch::default() });
    }
    let keys = value.get("remove")?.as_array()?.iter();
    let remove = keys.map(|key| key.as_str().map(str::to_owned)).collect::<Option<_>>()?;
    Some(ObjectPatch { replace: None, remove, add: value.get("add")?.as_object()?.clone() })
}

fn link(value: &Json) -> Option<((String, i64), bool)> {
    let [kind, to, is_added] = value.as_array()?.as_slice() else { return None };
    Some(((kind.as_str()?.to_owned(), to.as_i64()?), is_added.as_bool()?))
}
