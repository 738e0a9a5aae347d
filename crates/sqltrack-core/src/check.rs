//! Checks of what users give, the same for every engine and made before anything is sent.

use serde_json::Value as Json;
use sqltrack_engines::Object;

use crate::Error;

/// The longest name or kind of link in bytes. They are keys, and PostgreSQL's keys have a limit.
const MAX_KEY_BYTES: usize = 2_000;

/// Checks a text of any length: PostgreSQL keeps no NUL character.
pub(crate) fn text(what: &str, text: &str) -> Result<(), Error> {
    if text.contains('\0') {
        return Err(bad(what, "holds a NUL character, which databases do not keep; remove it"));
    }
    Ok(())
}

/// Checks a text that is part of a key: the name of an experiment, the kind of a link, a status.
pub(crate) fn key(what: &str, key: &str) -> Result<(), Error> {
    text(what, key)?;
    if key.is_empty() {
        return Err(bad(what, "is empty; give it at least one character"));
    }
    if key.len() > MAX_KEY_BYTES {
        return Err(bad(what, "has more than 2,000 bytes; choose a shorter one"));
    }
    Ok(())
}

/// Checks the texts in a JSON object, its keys included.
pub(crate) fn object(what: &str, object: &Object) -> Result<(), Error> {
    object.iter().try_for_each(|(key, value)| {
        text(what, key)?;
        json(what, value)
    })
}

/// Checks the texts in a JSON document.
pub(crate) fn json(what: &str, value: &Json) -> Result<(), Error> {
    match value {
        Json::String(string) => text(what, string),
        Json::Array(values) => values.iter().try_for_each(|value| json(what, value)),
        Json::Object(members) => object(what, members),
        Json::Null | Json::Bool(_) | Json::Number(_) => Ok(()),
    }
}

fn bad(what: &str, problem: &'static str) -> Error {
    Error::BadText { what: what.to_owned(), problem }
}
