//! The folder of one writer: its lock, its segments, and what it remembers beside them.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use sqltrack_engines::WriterId;
use time::OffsetDateTime;

use super::error::failed;
use super::files::{create_folder, private, sync_folder};
use super::segment::{file_name, number_of};
use super::{SpoolError, Target, target};

const LOCK: &str = "lock";
const TARGET: &str = "target.json";
const DELIVERED: &str = "delivered";
const REJECTED: &str = "rejected.jsonl";
/// What the name of a folder begins with that is not whole yet.
const UNFINISHED: &str = ".new-";

/// A segment as a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) number: u32,
    pub(crate) path: PathBuf,
    pub(crate) length: u64,
}

/// The folder of a writer, locked.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    writer: WriterId,
    /// Locked as long as it is open.
    _lock: File,
}

/// Whether a folder could be locked.
#[derive(Debug)]
pub(crate) enum Taken {
    /// It is.
    Free(Folder),
    /// Its writer lives, or another process delivers what it has left.
    InUse,
    /// It is gone.
    Gone,
}

impl Folder {
    /// Makes the folder of a new writer in the folder `root`. It gets its name when it is locked, so that nobody takes it
    /// for one that was left behind.
    pub(crate) fn create(root: &Path, writer: WriterId, target: &Target) -> Result<Self, SpoolError> {
        create_folder(root).map_err(failed("create the spool", root))?;
        let unfinished = root.join(format!("{UNFINISHED}{writer}"));
        create_folder(&unfinished).map_err(failed("create", &unfinished))?;
        let made = Self::fill(&unfinished, target).and_then(|lock| {
            let path = root.join(writer.to_string());
            fs::rename(&unfinished, &path).map_err(failed("create", &path))?;
            Ok(Self { path, writer, _lock: lock })
        });
        if made.is_err() {
            // On a full disk, say. What is left of it harms nobody.
            let _ = fs::remove_dir_all(&unfinished);
        }
        made
    }

    fn fill(path: &Path, target: &Target) -> Result<File, SpoolError> {
        let name = path.join(LOCK);
        let lock = private().write(true).open(&name).map_err(failed("create", &name))?;
        lock.try_lock().map_err(io::Error::from).map_err(failed("lock", &name))?;
        let name = path.join(TARGET);
        let mut file = private().write(true).open(&name).map_err(failed("create", &name))?;
        let text = format!("{:#}\n", target.to_json());
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed("write", &name))?;
        Ok(lock)
    }

    /// Takes the folder of a writer that has ended.
    pub(crate) fn take(path: &Path, writer: WriterId) -> Result<Taken, SpoolError> {
        let name = path.join(LOCK);
        let lock = match File::options().write(true).open(&name) {
            Ok(lock) => lock,
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(Taken::Gone),
            Err(err) => return Err(failed("open", &name)(err)),
        };
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(Taken::InUse),
            Err(TryLockError::Error(err)) => return Err(failed("lock", &name)(err)),
        }
        // Whoever had the lock before may have removed the folder.
        if !path.join(TARGET).exists() {
            return Ok(Taken::Gone);
        }
        Ok(Taken::Free(Self { path: path.to_owned(), writer, _lock: lock }))
    }

    /// The folders of all writers in the folder `root`, or `root` itself if it is one of a writer.
    pub(crate) fn list(root: &Path) -> Result<Vec<(WriterId, PathBuf)>, SpoolError> {
        let root = &root.canonicalize().map_err(failed("read the spool", root))?;
        if let Some(writer) = writer_of(root)
            && root.join(TARGET).exists()
        {
            return Ok(vec![(writer, root.clone())]);
        }
        let mut found = Vec::new();
        for file in fs::read_dir(root).map_err(failed("read the spool", root))? {
            let path = file.map_err(failed("read the spool", root))?.path();
            sweep(&path);
            found.extend(writer_of(&path).map(|writer| (writer, path)));
        }
        found.sort();
        Ok(found)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn writer(&self) -> WriterId {
        self.writer
    }

    pub(crate) fn target(&self) -> Result<Target, SpoolError> {
        Target::read(&self.path.join(TARGET))
    }

    /// When its writer began, as far as that is known.
    pub(crate) fn begun(&self) -> Option<OffsetDateTime> {
        target::begun(&self.path.join(TARGET))
    }

    /// The segments in order.
    pub(crate) fn segments(&self) -> Result<Vec<Segment>, SpoolError> {
        segments(&self.path)
    }

    pub(super) fn segment_path(&self, number: u32) -> PathBuf {
        self.path.join(file_name(number))
    }

    /// Opens a new segment to append to.
    pub(super) fn create_segment(&self, number: u32) -> Result<File, SpoolError> {
        let path = self.segment_path(number);
        private().append(true).open(&path).map_err(|source| SpoolError::NotOnDisk { path, source })
    }

    /// Makes the names of the folder and its files survive a power failure.
    pub(super) fn sync(&self) -> Result<(), SpoolError> {
        sync_folder(&self.path).map_err(failed("write", &self.path))?;
        let root = self.path.parent().unwrap_or(&self.path);
        sync_folder(root).map_err(failed("write", root))
    }

    /// The number of the last entry that is known to have arrived. The database knows it for sure.
    pub(crate) fn mark(&self) -> i64 {
        let mut bytes = [0; 12];
        let read = File::open(self.path.join(DELIVERED)).and_then(|mut file| file.read_exact(&mut bytes));
        let (seq, sum) = bytes.split_at(8);
        let is_whole = read.is_ok() && crc32fast::hash(seq).to_le_bytes() == sum;
        if is_whole { i64::from_le_bytes(seq.try_into().unwrap_or_default()) } else { 0 }
    }

    /// Writes down the number of the last entry that has arrived.
    pub(crate) fn set_mark(&self, seq: i64) -> Result<(), SpoolError> {
        let path = self.path.join(DELIVERED);
        let mut bytes = [0; 12];
        bytes[..8].copy_from_slice(&seq.to_le_bytes());
        let sum = crc32fast::hash(&bytes[..8]);
        bytes[8..].copy_from_slice(&sum.to_le_bytes());
        let mut file = private().write(true).truncate(false).open(&path).map_err(failed("write", &path))?;
        file.seek(SeekFrom::Start(0)).and_then(|_| file.write_all(&bytes)).map_err(failed("write", &path))
    }

    /// Removes a segment.
    pub(crate) fn remove_segment(&self, number: u32) -> Result<(), SpoolError> {
        let path = self.segment_path(number);
        match fs::remove_file(&path) {
            Err(err) if err.kind() != io::ErrorKind::NotFound => Err(failed("remove", &path)(err)),
            _ => Ok(()),
        }
    }

    /// Takes a segment with damage out of what is delivered, and keeps it for whoever wants to look into it.
    pub(crate) fn set_aside(&self, segment: &Segment) -> Result<(), SpoolError> {
        let aside = segment.path.with_extension("damaged");
        fs::rename(&segment.path, &aside).map_err(failed("rename", &segment.path))
    }

    /// Whether there are entries that were refused.
    pub(crate) fn has_rejected(&self) -> bool {
        self.rejected_path().exists()
    }

    /// Whether there is something in the folder for a person to look at.
    pub(crate) fn has_kept(&self) -> bool {
        let mut files = fs::read_dir(&self.path).into_iter().flatten().flatten();
        self.has_rejected() || files.any(|file| file.path().extension().is_some_and(|end| end == "damaged"))
    }

    /// The file of entries that were refused, one JSON document a line.
    pub(crate) fn rejected_path(&self) -> PathBuf {
        self.path.join(REJECTED)
    }

    /// Removes the folder of a writer that has nothing to keep: first what says that it is one.
    pub(crate) fn remove(&self) -> Result<(), SpoolError> {
        for segment in self.segments()? {
            self.remove_segment(segment.number)?;
        }
        let path = self.path.join(TARGET);
        fs::remove_file(&path).map_err(failed("remove", &path))?;
        fs::remove_dir_all(&self.path).map_err(failed("remove", &self.path))
    }
}

/// Removes a folder whose writer died while it made it.
fn sweep(path: &Path) {
    let is_unfinished =
        path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(UNFINISHED));
    if !is_unfinished {
        return;
    }
    // One without a lock may be about to get it.
    let Ok(lock) = File::options().write(true).open(path.join(LOCK)) else { return };
    if lock.try_lock().is_ok() {
        // Another one may have done so meanwhile.
        let _ = fs::remove_dir_all(path);
    }
}

/// The segments in a folder, in order.
pub(super) fn segments(path: &Path) -> Result<Vec<Segment>, SpoolError> {
    let mut found = Vec::new();
    for file in fs::read_dir(path).map_err(failed("read", path))? {
        let file = file.map_err(failed("read", path))?;
        let Some(number) = file.file_name().to_str().and_then(number_of) else { continue };
        let path = file.path();
        // One that its writer has just removed.
        let Ok(metadata) = file.metadata() else { continue };
        found.push(Segment { number, path, length: metadata.len() });
    }
    found.sort_by_key(|segment| segment.number);
    Ok(found)
}

fn writer_of(path: &Path) -> Option<WriterId> {
    path.file_name()?.to_str()?.parse().ok()
}
