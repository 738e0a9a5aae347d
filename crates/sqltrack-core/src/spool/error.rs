//! What a spool fails with.

use std::io;
use std::path::{Path, PathBuf};

/// What keeps an entry from being spooled, or a spool from being read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpoolError {
    /// The entry is not in the spool: the disk is full or fails. Nothing of it was kept, and those before it are.
    #[error("the spool `{}` takes no more: {source}; free some disk space, or set another `spool`", .path.display())]
    NotOnDisk {
        /// The segment.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The entry holds a value that cannot be written down.
    #[error("cannot spool {0}")]
    Unspoolable(String),
    /// A file or folder of the spool cannot be used.
    #[error("cannot {doing} `{}`: {source}", .path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// A file of the spool does not hold what it should.
    #[error("`{}` is not what SQLTrack writes: {reason}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A segment was written by a later version of SQLTrack.
    #[error("`{}` was written by a newer SQLTrack (format {version}); deliver it with that", .path.display())]
    Newer {
        /// The segment.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
}

/// Says what failed with which file.
pub(super) fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SpoolError {
    move |source| SpoolError::Io { doing, path: path.to_owned(), source }
}
