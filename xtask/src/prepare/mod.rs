//! sqlx's offline query data: what lets a fresh clone build with no database (`.sqlx` of each engine).

mod capture;
mod compare;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use crate::postgres::Postgres;
use crate::workspace;
use compare::QueryData;

/// A crate whose SQL sqlx checks against a database.
struct Engine {
    package: &'static str,
    /// The folder of its scripts in `migrations/`.
    migrations: &'static str,
    /// The variable in which its sqlx.toml expects the database's URL.
    variable: &'static str,
}

const POSTGRES: Engine =
    Engine { package: "sqltrack-postgres", migrations: "postgres", variable: "DATABASE_URL" };
const SQLITE: Engine =
    Engine { package: "sqltrack-sqlite", migrations: "sqlite", variable: "SQLITE_DATABASE_URL" };

/// The name of the throwaway database on the test server.
const DATABASE: &str = "sqltrack_prepare";

/// Whether to bring the query data up to date or to report where it is not.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Write,
    Check,
}

/// Compares the query data of both engines with what their databases say, and in [`Mode::Write`] replaces it.
pub(crate) fn prepare(postgres: &Postgres, mode: Mode) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let mut differences = Vec::new();
    for engine in [&POSTGRES, &SQLITE] {
        let url = engine.database(postgres, &directory)?;
        let captured = capture::capture(engine, &url)?;
        let folder = engine.folder().join(".sqlx");
        let kept = QueryData::read(&folder)?;
        match mode {
            Mode::Check => differences.extend(captured.differences(&kept, workspace::relative(&folder))),
            Mode::Write => captured.replace(&kept, &folder)?,
        }
        println!("{}: {}", engine.package, captured.size());
    }
    if !differences.is_empty() {
        differences.iter().for_each(|difference| println!("  {difference}"));
        bail!("the query data is not current; run `cargo xtask prepare` and commit its changes");
    }
    Ok(())
}

impl Engine {
    fn folder(&self) -> PathBuf {
        workspace::root().join("crates").join(self.package)
    }

    /// Makes a database with the engine's schema and returns its URL.
    fn database(&self, postgres: &Postgres, directory: &TempDir) -> Result<String> {
        let scripts = scripts(&workspace::root().join("migrations").join(self.migrations))?;
        if self.migrations == POSTGRES.migrations {
            postgres.create_database(DATABASE)?;
            scripts.iter().try_for_each(|script| postgres.apply(DATABASE, script))?;
            return Ok(postgres.address().url(DATABASE));
        }
        let file = directory.path().join("sqltrack.db");
        let mut command = workspace::cargo(&["run", "--package", "xtask-sqlite", "--"]);
        crate::process::run(command.arg(&file).args(scripts))?;
        Ok(format!("sqlite:{}", file.display()))
    }
}

/// The engine's scripts in the order in which `setup` runs them: `base.sql`, then by name.
fn scripts(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut scripts = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "sql") {
            scripts.push(path);
        }
    }
    let base = folder.join("base.sql");
    if !scripts.contains(&base) {
        bail!("there is no {}", base.display());
    }
    scripts.sort_by_key(|script| (*script != base, script.clone()));
    Ok(scripts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_comes_before_all_other_scripts() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["v002.sql", "base.sql", "a001.sql", "notes.md"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let expected = ["base.sql", "a001.sql", "v002.sql"].map(|name| folder.path().join(name));
        assert_eq!(scripts(folder.path()).unwrap(), expected);
    }

    #[test]
    fn a_folder_without_a_base_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("v001.sql"), "").unwrap();
        assert!(scripts(folder.path()).is_err());
    }
}
