//! The clock that heartbeats are measured on. SQLite has none of its own; that of the file system is the same for all
//! processes that use a file, also for one whose own clock is set otherwise.

use std::path::Path;
use std::time::SystemTime;

use time::OffsetDateTime;

/// The time by which the file system dates a new file beside the database. Where none can be made, that of the process.
pub(crate) fn now(database: &Path) -> OffsetDateTime {
    let folder = database.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let dated = tempfile::tempfile_in(folder).and_then(|file| file.metadata()?.modified());
    dated.unwrap_or_else(|_| SystemTime::now()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_goes_and_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let difference = now(&folder.path().join("x.db")) - OffsetDateTime::now_utc();
        assert!(difference.abs() < time::Duration::minutes(1), "{difference}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
