//! Getting the query data out of sqlx's macros, which write it while the crate compiles.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Result;

use super::Engine;
use super::compare::QueryData;
use crate::{process, workspace};

/// Compiles every target of the engine's crate against its database and returns what the macros wrote.
pub(super) fn capture(engine: &Engine, url: &str) -> Result<QueryData> {
    let directory = tempfile::tempdir()?;
    // What cargo holds for fresh is not compiled, and writes nothing.
    let _touched = Touched::all(&engine.folder())?;
    // The other package does nothing here but to ask for the features that the whole workspace asks for;
    // without it sqlx and its macros would be compiled once more for each engine.
    let packages = ["--package", engine.package, "--package", "xtask-sqlite"];
    let mut check = workspace::cargo(&["check", "--all-targets"]);
    check.args(packages).env(engine.variable, url);
    check.env("SQLX_OFFLINE", "false").env("SQLX_OFFLINE_DIR", directory.path());
    process::run(&mut check)?;
    QueryData::read(directory.path())
}

/// Source files that look changed to cargo until this is dropped, so that only one compilation sees them so
/// and the stages after it need not build the crate and all that depends on it again.
struct Touched(Vec<(PathBuf, SystemTime, SystemTime)>);

impl Touched {
    fn all(folder: &Path) -> Result<Self> {
        let now = SystemTime::now();
        let mut touched = Self(Vec::new());
        for path in workspace::files(folder, "rs")? {
            let before = path.metadata()?.modified()?;
            File::open(&path)?.set_modified(now)?;
            // As the file system keeps it, which may be less exact than the clock.
            let after = path.metadata()?.modified()?;
            touched.0.push((path, before, after));
        }
        Ok(touched)
    }
}

impl Drop for Touched {
    fn drop(&mut self) {
        for (path, before, after) in &self.0 {
            // Not if an editor has saved the file meanwhile.
            if fs::metadata(path).and_then(|found| found.modified()).is_ok_and(|found| found == *after) {
                let _ = File::open(path).and_then(|file| file.set_modified(*before));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn touched_files_get_their_time_back_unless_changed_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let [kept, changed] = ["kept.rs", "changed.rs"].map(|name| folder.path().join(name));
        let (old, new) = (SystemTime::UNIX_EPOCH, SystemTime::now() + std::time::Duration::from_secs(60));
        for path in [&kept, &changed] {
            File::create(path).unwrap().set_modified(old).unwrap();
        }
        let touched = Touched::all(folder.path()).unwrap();
        assert_ne!(kept.metadata().unwrap().modified().unwrap(), old);
        File::open(&changed).unwrap().set_modified(new).unwrap();
        drop(touched);
        assert_eq!(kept.metadata().unwrap().modified().unwrap(), old);
        assert_eq!(changed.metadata().unwrap().modified().unwrap(), new);
    }
}
