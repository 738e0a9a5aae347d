//! The workspace: where it is, its files, and cargo called on it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::process;

/// The workspace's root folder.
pub(crate) fn root() -> PathBuf {
    // Cargo says at run time where this package is; the built program may come from another checkout that
    // shares the target directory.
    let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&package).parent().unwrap_or(Path::new(".")).to_owned()
}

/// `path` as one names it from the root folder.
pub(crate) fn relative(path: &Path) -> &Path {
    path.strip_prefix(root()).unwrap_or(path)
}

/// Cargo, to be run in the root folder, with nothing of the developer's own databases in its environment.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    isolate(&mut command);
    // Else a `.env` file or a variable could let the macros ask a database instead of the query data.
    command.env("SQLX_OFFLINE", "true");
    command
}

/// Builds all examples, and returns their programs by name.
pub(crate) fn examples() -> Result<BTreeMap<String, PathBuf>> {
    // The whole workspace, as the tests are built: for one package alone, cargo might choose fewer features
    // of the dependencies and compile them once more.
    let arguments = ["build", "--workspace", "--examples", "--message-format=json-render-diagnostics"];
    let messages = process::capture(&mut cargo(&arguments))?;
    let built = messages.lines().filter_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        let program = PathBuf::from(message.get("executable")?.as_str()?);
        Some((message.pointer("/target/name")?.as_str()?.to_owned(), program))
    });
    Ok(built.collect())
}

/// Takes away what would lead SQLTrack, libpq or sqlx to a database of the developer's.
pub(crate) fn isolate(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let foreign = ["SQLTRACK_", "SQLX_", "PG"].iter().any(|prefix| text.starts_with(prefix))
            || text.ends_with("DATABASE_URL");
        if foreign && !text.starts_with("SQLTRACK_TEST_") {
            command.env_remove(&name);
        }
    }
}

/// All files below `folder` with this extension, in order; hidden folders and build output are passed over.
pub(crate) fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        let skipped = name.to_string_lossy().starts_with('.') || name == "target";
        if entry.file_type()?.is_dir() && !skipped {
            files.extend(self::files(&path, extension)?);
        } else if path.extension().is_some_and(|found| found == extension) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
