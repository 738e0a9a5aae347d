//! Values that stand under a name: the members of JSON objects, and options on a command line.

use serde_json::Value as Json;
use sqltrack_engines::Object;

use super::names::{Names, Secrecy};
use super::values::Values;
use super::{MASK, Redactor};

/// An object that stands where `secrecy` is secret, its names included.
pub(super) fn object(redactor: &Redactor, object: &Object, secrecy: Secrecy) -> Object {
    let member = |(name, member): (&String, &Json)| {
        let secrecy = redactor.inner.names.secrecy(name).max(secrecy);
        (redactor.text(name), value(redactor, member, secrecy))
    };
    object.iter().map(member).collect()
}

/// A value that stands where `secrecy` is secret.
pub(super) fn value(redactor: &Redactor, json: &Json, secrecy: Secrecy) -> Json {
    match json {
        Json::Number(_) if secrecy == Secrecy::Everything => MASK.into(),
        Json::Null | Json::Bool(_) | Json::Number(_) => json.clone(),
        Json::String(text) => under(redactor, text, secrecy).into(),
        Json::Object(members) => object(redactor, members, secrecy).into(),
        Json::Array(values) => {
            let mut words = Words::new(redactor);
            values.iter().map(|json| words.next_json(json, secrecy)).collect()
        }
    }
}

/// Adds what is secret in an object that stands where `secrecy` is secret.
pub(super) fn add_secrets(object: &Object, secrecy: Secrecy, names: &Names, values: &mut Values) {
    for (name, member) in object {
        add_secret(member, names.secrecy(name).max(secrecy), names, values);
    }
}

fn add_secret(json: &Json, secrecy: Secrecy, names: &Names, values: &mut Values) {
    match json {
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
        Json::String(text) if secrecy.covers(text) => values.add(text),
        Json::String(text) => values.add_passwords(text),
        Json::Array(members) => members.iter().for_each(|json| add_secret(json, secrecy, names, values)),
        Json::Object(members) => add_secrets(members, secrecy, names, values),
    }
}

/// A text that stands where `secrecy` is secret.
pub(super) fn under(redactor: &Redactor, text: &str, secrecy: Secrecy) -> String {
    match secrecy {
        Secrecy::Nothing => redactor.text(text),
        _ if secrecy.covers(text) => MASK.to_owned(),
        _ => text.to_owned(),
    }
}

/// The arguments of a command line.
pub(super) fn arguments<'a>(redactor: &Redactor, arguments: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut words = Words::new(redactor);
    arguments.map(|argument| words.next(argument)).collect()
}

/// The words of a command line, of which one may be the name of the next.
struct Words<'a> {
    redactor: &'a Redactor,
    /// What is secret in the next word.
    next: Secrecy,
}

impl<'a> Words<'a> {
    fn new(redactor: &'a Redactor) -> Self {
        Self { redactor, next: Secrecy::Nothing }
    }

    fn next(&mut self, word: &str) -> String {
        let next = self.secrecy_of_option(word);
        let secrecy = std::mem::replace(&mut self.next, next);
        match secrecy {
            Secrecy::Nothing => self.word(word),
            _ if is_option(word) => self.word(word),
            secrecy => under(self.redactor, word, secrecy),
        }
    }

    fn next_json(&mut self, json: &Json, secrecy: Secrecy) -> Json {
        match json {
            Json::String(word) if secrecy == Secrecy::Nothing => self.next(word).into(),
            json => {
                value(self.redactor, json, secrecy.max(std::mem::replace(&mut self.next, Secrecy::Nothing)))
            }
        }
    }

    /// A word that is no value of the one before: `--password=hunter2`, or any text.
    fn word(&self, word: &str) -> String {
        let assigned = word.split_once('=').filter(|(name, _)| is_name(name.trim_start_matches('-')));
        if let Some((name, value)) = assigned {
            let secrecy = self.redactor.inner.names.secrecy(name);
            if secrecy != Secrecy::Nothing {
                return format!("{name}={}", under(self.redactor, value, secrecy));
            }
        }
        self.redactor.text(word)
    }

    /// What is secret in the word after this one.
    fn secrecy_of_option(&self, word: &str) -> Secrecy {
        let name = word.trim_start_matches('-');
        if name.len() == word.len() || !is_name(name) || name.starts_with("no-") {
            return Secrecy::Nothing;
        }
        self.redactor.inner.names.secrecy(name)
    }
}

/// Whether a word is surely an option, though a value is awaited: `--verbose`, `-v`.
fn is_option(word: &str) -> bool {
    word.starts_with("--")
        || (word.len() == 2 && word.starts_with('-') && !word.ends_with(|c: char| c.is_ascii_digit()))
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
}
