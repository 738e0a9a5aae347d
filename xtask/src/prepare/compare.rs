//! Two sets of query data side by side.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context as _, Result};

/// The files of one `.sqlx` folder, by name.
pub(super) struct QueryData(BTreeMap<String, Vec<u8>>);

impl QueryData {
    /// Reads all files of `folder`; a folder that does not exist holds none.
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let entries = match fs::read_dir(folder) {
            Err(err) if err.kind() == ErrorKind::NotFound => return Ok(Self(BTreeMap::new())),
            entries => entries.with_context(|| format!("cannot read {}", folder.display()))?,
        };
        let mut files = BTreeMap::new();
        for entry in entries {
            let entry = entry?;
            files.insert(entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path())?);
        }
        Ok(Self(files))
    }

    /// How many queries there are, in words.
    pub(super) fn size(&self) -> String {
        let queries = if self.0.len() == 1 { "query" } else { "queries" };
        format!("{} {queries}", self.0.len())
    }

    /// One line for each file of `folder`, which holds `kept`, that is not as it is here.
    pub(super) fn differences(&self, kept: &Self, folder: &Path) -> Vec<String> {
        let told = |what: &str, name: &String, content: &[u8]| {
            format!("{what}: {}: {}", folder.join(name).display(), query(content))
        };
        let current = self.0.iter().filter_map(|(name, content)| match kept.0.get(name) {
            None => Some(told("missing", name, content)),
            Some(other) if other != content => Some(told("changed", name, content)),
            Some(_) => None,
        });
        let left_over = kept.0.iter().filter(|(name, _)| !self.0.contains_key(*name));
        current.chain(left_over.map(|(name, content)| told("left over", name, content))).collect()
    }

    /// Makes `folder`, which holds `kept`, hold this, and leaves the files alone that do already.
    pub(super) fn replace(&self, kept: &Self, folder: &Path) -> Result<()> {
        for name in kept.0.keys().filter(|name| !self.0.contains_key(*name)) {
            fs::remove_file(folder.join(name))?;
        }
        if self.0.is_empty() {
            return Ok(());
        }
        fs::create_dir_all(folder)?;
        for (name, content) in self.0.iter().filter(|(name, content)| kept.0.get(*name) != Some(*content)) {
            fs::write(folder.join(name), content)?;
        }
        Ok(())
    }
}

/// The beginning of the query that a file describes, on one line.
fn query(content: &[u8]) -> String {
    let data: Option<serde_json::Value> = serde_json::from_slice(content).ok();
    let Some(sql) = data.as_ref().and_then(|data| data.get("query")?.as_str()) else {
        return "(not query data)".to_owned();
    };
    let mut line = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(100) {
        line.replace_range(end.., "…");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(files: &[(&str, &str)]) -> QueryData {
        QueryData(files.iter().map(|(name, content)| (name.to_string(), content.as_bytes().into())).collect())
    }

    #[test]
    fn what_is_missing_changed_or_left_over_is_named_with_its_query() {
        let current = data(&[
            ("query-1.json", r#"{"query": "SELECT 1"}"#),
            ("query-2.json", r#"{"query": "SELECT\n  2"}"#),
            ("query-3.json", r#"{"query": "SELECT 3"}"#),
        ]);
        let kept = data(&[
            ("query-1.json", r#"{"query": "SELECT 1"}"#),
            ("query-2.json", r#"{"query": "SELECT\n  2", "hash": ""}"#),
            ("query-4.json", r#"{"query": "SELECT 4"}"#),
            ("stray", ""),
        ]);
        let expected = [
            "changed: .sqlx/query-2.json: SELECT 2",
            "missing: .sqlx/query-3.json: SELECT 3",
            "left over: .sqlx/query-4.json: SELECT 4",
            "left over: .sqlx/stray: (not query data)",
        ];
        assert_eq!(current.differences(&kept, Path::new(".sqlx")), expected);
    }

    #[test]
    fn a_long_query_is_cut_between_characters() {
        for (length, expected) in [(100, "ö".repeat(100)), (101, "ö".repeat(100) + "…")] {
            let data = serde_json::json!({ "query": "ö".repeat(length) }).to_string();
            assert_eq!(query(data.as_bytes()), expected);
        }
    }

    #[test]
    fn after_a_replacement_nothing_differs() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join(".sqlx");
        let first = data(&[("query-1.json", "1"), ("query-2.json", "2")]);
        first.replace(&QueryData::read(&folder).unwrap(), &folder).unwrap();
        let second = data(&[("query-2.json", "2b"), ("query-3.json", "3")]);
        second.replace(&QueryData::read(&folder).unwrap(), &folder).unwrap();
        assert_eq!(QueryData::read(&folder).unwrap().0, second.0);
        assert_eq!(first.differences(&second, &folder).len(), 3);
    }

    #[test]
    fn a_crate_without_queries_needs_no_folder() {
        let folder = tempfile::tempdir().unwrap();
        let absent = folder.path().join("absent");
        let none = QueryData::read(&absent).unwrap();
        none.replace(&none, &absent).unwrap();
        assert!(!absent.exists());
        assert_eq!(none.differences(&none, &absent), Vec::<String>::new());
    }
}
