//! Entries that the database has refused for good: kept with the reason, for a person to decide.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;

use serde_json::{Map, Value as Json, json};
use sqltrack_engines::{Moment, OfflineRunId, Value, overflow};
use time::format_description::well_known::Rfc3339;

use super::entry::{Entry, Item, SpooledRun};
use super::error::failed;
use super::files::private;
use super::{Folder, SpoolError, changes};

/// The file of refused entries of one writer.
#[derive(Debug)]
pub(crate) struct Rejected {
    path: PathBuf,
    file: Option<File>,
    /// The numbers of the entries in the file: a delivery that is repeated adds none twice. They need not come in order.
    known: HashSet<i64>,
    /// The runs among them that were begun without a database.
    runs: HashSet<OfflineRunId>,
}

impl Rejected {
    pub(crate) fn open(folder: &Folder) -> Result<Self, SpoolError> {
        let path = folder.rejected_path();
        let text = if path.exists() {
            fs::read_to_string(&path).map_err(failed("read", &path))?
        } else {
            String::new()
        };
        let documents = || text.lines().filter_map(|line| serde_json::from_str::<Json>(line).ok());
        let known = documents().filter_map(|document| document["seq"].as_i64()).collect();
        let runs = documents().filter_map(|document| document["new_run"].as_str()?.parse().ok()).collect();
        Ok(Self { path, file: None, known, runs })
    }

    /// The runs that were begun without a database and were refused, so that nobody brings them any more.
    pub(crate) fn runs(&self) -> &HashSet<OfflineRunId> {
        &self.runs
    }

    /// Adds an entry, and forces it onto the disk, since it is about to leave its segment.
    pub(crate) fn add(&mut self, seq: i64, item: &Item, reason: &str) -> Result<(), SpoolError> {
        if self.known.contains(&seq) {
            return Ok(());
        }
        let line = format!("{}\n", document(seq, item, reason));
        let failed = |err| failed("write", &self.path)(err);
        if self.file.is_none() {
            self.file = Some(private().append(true).open(&self.path).map_err(failed)?);
        }
        if let Some(file) = &mut self.file {
            file.write_all(line.as_bytes()).and_then(|()| file.sync_data()).map_err(failed)?;
        }
        self.known.insert(seq);
        if let Item::NewRun(new) = item {
            self.runs.insert(new.id);
        }
        Ok(())
    }
}

fn document(seq: i64, item: &Item, reason: &str) -> Json {
    let mut document = Map::new();
    document.insert("seq".to_owned(), json!(seq));
    document.insert("reason".to_owned(), json!(reason));
    match item {
        Item::Metrics(entry) => document.extend(metrics(entry)),
        Item::NewRun(new) => {
            document.insert("new_run".to_owned(), json!(new.id.to_string()));
            document.insert("experiment".to_owned(), json!([new.experiment, new.experiment_name]));
            document.insert("run".to_owned(), json!(new.run));
            document.insert("changes".to_owned(), changes_of(&new.changes));
        }
        Item::Update(update) => {
            document.insert("run".to_owned(), run(update.run));
            document.insert("changes".to_owned(), changes_of(&update.changes));
        }
    }
    Json::Object(document)
}

fn metrics(entry: &Entry) -> Map<String, Json> {
    let updated = match entry.updated {
        Some(Moment::At(time)) => time.format(&Rfc3339).ok(),
        _ => None,
    };
    let named = entry.names.iter().zip(&entry.values);
    let values: Map<String, Json> = named.map(|(name, value)| (name.to_string(), of(value))).collect();
    let members = [
        ("run", run(entry.run)),
        ("lease", json!(entry.lease)),
        ("step", json!(entry.step)),
        ("progress", of(&Value::Float(entry.progress))),
        ("updated", json!(updated)),
        ("metrics", Json::Object(values)),
    ];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A value as it stands in `metrics_overflow`, which is all of it in one place.
fn of(value: &Value) -> Json {
    match overflow::encode(value) {
        Some((_, Some(other))) => other,
        Some((Some(number), None)) if number.is_finite() => json!(number),
        Some((Some(number), None)) => json!({ "float": crate::text::float(number) }),
        _ if value.is_null() => Json::Null,
        _ => json!(crate::text::of(value)),
    }
}

fn run(run: SpooledRun) -> Json {
    match run {
        SpooledRun::Run(id) => json!(id.0),
        SpooledRun::Offline(id) => json!(id.to_string()),
    }
}

fn changes_of(changes: &sqltrack_engines::RunChanges) -> Json {
    changes::to_json(changes, time::OffsetDateTime::now_utc()).unwrap_or(Json::Null)
}
