//! Where a run comes from: the command, the machine, the state of the code. What cannot be found out is left out, and
//! is never a reason not to run.

mod git;
mod slurm;

use std::ffi::OsString;

use serde_json::{Map, Value as Json};
use sqltrack_core::Redactor;
use sqltrack_core::config::Environment;

/// All that is known about a command that is about to run here, with secrets masked.
pub(crate) fn gather(words: &[OsString], redact: &Redactor) -> Map<String, Json> {
    let environment = Environment::process();
    let words: Vec<String> = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let directory = std::env::current_dir().ok();
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let found = [
        ("command", Some(redact.arguments(&words).into())),
        ("directory", directory.as_ref().map(|folder| redact.text(&folder.to_string_lossy()).into())),
        ("host", Some(host.into())),
        ("user", environment.login_name().map(Json::from)),
        ("git", directory.as_ref().and_then(|folder| git::describe(folder, redact)).map(Json::Object)),
        ("slurm", slurm::describe(&environment).map(Json::Object)),
        ("sqltrack_version", Some(env!("CARGO_PKG_VERSION").into())),
    ];
    found.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// Text that a database keeps, out of bytes that may be anything.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace('\0', "\u{fffd}")
}
