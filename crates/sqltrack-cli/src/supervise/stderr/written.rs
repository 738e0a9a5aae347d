//! Standard error that is a file: the command writes to it directly, and its last lines are read back.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};

use rustix::fs::{OFlags, fcntl_getfl};
use rustix::stdio::stderr;

use super::tail::Tail;

/// As much as a tail can need.
const MOST: u64 = 512 * 1024;

/// A place in the file that our standard error is.
#[derive(Debug)]
pub(crate) struct Written {
    start: u64,
}

impl Written {
    /// The place that the next line will be written to, if there is a file.
    pub(super) fn now() -> Option<Self> {
        let stat = rustix::fs::fstat(stderr()).ok()?;
        if !rustix::fs::FileType::from_raw_mode(stat.st_mode).is_file() {
            return None;
        }
        let appends = fcntl_getfl(stderr()).ok()?.contains(OFlags::APPEND);
        let start = if appends {
            u64::try_from(stat.st_size).ok()?
        } else {
            rustix::fs::seek(stderr(), rustix::fs::SeekFrom::Current(0)).ok()?
        };
        Some(Self { start })
    }

    /// The last lines of what was written since. It may be a file that must not be read: then there are none.
    pub(super) fn lines(&self) -> Vec<String> {
        self.read().unwrap_or_default()
    }

    fn read(&self) -> io::Result<Vec<String>> {
        // Our own may be open for writing only. It is found by its link also if its name is gone.
        let mut file = File::open("/proc/self/fd/2")?;
        let end = file.metadata()?.len();
        let start = self.start.max(end.saturating_sub(MOST));
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.take(end.saturating_sub(start)).read_to_end(&mut bytes)?;
        let mut tail = Tail::default();
        // Not the middle of a line.
        let skipped = match start > self.start {
            true => bytes.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1),
            false => 0,
        };
        tail.push(&bytes[skipped..]);
        Ok(tail.lines())
    }
}
