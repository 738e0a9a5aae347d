//! Which database the entries of a spool are for.

use std::path::Path;

use serde_json::{Value as Json, json};
use sqltrack_engines::Dialect;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::SpoolError;
use super::error::failed;

/// A database in words, without password or user: enough for a person, and to notice that another one is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The engine.
    pub engine: Dialect,
    /// The database: a path, or name and server.
    pub database: String,
    /// The schemas in it, if they are configured.
    pub schema: Option<String>,
}

impl Target {
    /// The database that `engine` describes as `description`, with the parameter `schema`.
    #[must_use]
    pub fn new(engine: Dialect, description: &str, schema: Option<&str>) -> Self {
        let database = match engine {
            Dialect::Sqlite => absolute(Path::new(description)),
            // "database `runs` on db:5432 as `alice`": anybody may deliver.
            _ => description.split(" as `").next().unwrap_or(description).to_owned(),
        };
        Self { engine, database, schema: schema.map(str::to_owned) }
    }

    /// What is written to a file, with what else tells a person where the entries come from.
    pub(super) fn to_json(&self) -> Json {
        json!({
            "version": 1,
            "engine": self.engine.name(),
            "database": self.database,
            "schema": self.schema,
            "host": whoami::hostname().ok(),
            "process": std::process::id(),
            "begun": OffsetDateTime::now_utc().format(&Rfc3339).ok(),
        })
    }

    /// Reads what was written to a file.
    pub(super) fn read(path: &Path) -> Result<Self, SpoolError> {
        let text = std::fs::read_to_string(path).map_err(failed("read", path))?;
        let damaged = |reason: String| SpoolError::Damaged { path: path.to_owned(), reason };
        let json: Json = serde_json::from_str(&text).map_err(|err| damaged(err.to_string()))?;
        let member =
            |name: &str| json[name].as_str().ok_or_else(|| damaged(format!("it has no text `{name}`")));
        let engine = member("engine")?.parse().map_err(|err| damaged(format!("{err}")))?;
        let schema = json["schema"].as_str().map(str::to_owned);
        Ok(Self { engine, database: member("database")?.to_owned(), schema })
    }
}

/// When the writer of the folder with this file began; `None` if the file does not say.
pub(super) fn begun(path: &Path) -> Option<OffsetDateTime> {
    let json: Json = serde_json::from_str(&std::fs::read_to_string(path).ok()?).ok()?;
    OffsetDateTime::parse(json["begun"].as_str()?, &Rfc3339).ok()
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.database)?;
        self.schema.as_ref().map_or(Ok(()), |schema| write!(f, ", schema {schema}"))
    }
}

/// The same text for the same file, whether it exists yet or not.
fn absolute(path: &Path) -> String {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let parent = absolute.parent().and_then(|parent| parent.canonicalize().ok());
    match (parent, absolute.file_name()) {
        (Some(parent), Some(name)) => parent.join(name).display().to_string(),
        _ => absolute.display().to_string(),
    }
}
