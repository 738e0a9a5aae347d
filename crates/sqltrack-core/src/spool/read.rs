//! Reading entries in order, with no more than a piece of a segment in memory.

use std::path::PathBuf;
use std::sync::Arc;

use super::append::Inner;
use super::codec::Record;
use super::entry::Item;
use super::folder::segments;
use super::segment::SegmentReader;
use super::{Folder, SpoolError};

/// Reads the entries of a spool in order, from [`Spool::reader`](super::Spool::reader).
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    /// Whoever still appends.
    writer: Option<Arc<Inner>>,
    after: i64,
    /// The segment that is read, and its number.
    segment: Option<(u32, SegmentReader)>,
    /// The bytes that were read of the segments before, and what was damaged in them.
    read: u64,
    damaged: u64,
    damaged_segments: Vec<u32>,
}

impl Reader {
    pub(super) fn of_writer(writer: Arc<Inner>, after: i64) -> Self {
        let path = writer.folder.path().to_owned();
        Self {
            path,
            writer: Some(writer),
            after,
            segment: None,
            read: 0,
            damaged: 0,
            damaged_segments: Vec::new(),
        }
    }

    /// Reads what a writer has left behind that has ended.
    pub(crate) fn of_folder(folder: &Folder, after: i64) -> Self {
        let path = folder.path().to_owned();
        Self { path, writer: None, after, segment: None, read: 0, damaged: 0, damaged_segments: Vec::new() }
    }

    /// The next entry and its number; `None` if there is none, or none yet.
    ///
    /// # Errors
    ///
    /// [`SpoolError`] if a file cannot be read. What is damaged is no error: it is passed over and counted.
    #[expect(clippy::should_implement_trait, reason = "it may go on after it has ended")]
    pub fn next(&mut self) -> Result<Option<(i64, Item)>, SpoolError> {
        loop {
            let tail = self.writer.as_ref().map(|writer| writer.tail());
            if tail.is_some_and(|tail| tail.last <= self.after) {
                return Ok(None);
            }
            if self.segment.is_none() && !self.go_on()? {
                return Ok(None);
            }
            let Some((number, segment)) = &mut self.segment else { return Ok(None) };
            let end = match tail {
                Some(tail) if tail.segment == *number => tail.length,
                _ => segment.length()?,
            };
            match segment.next(end)? {
                Some(Record::Item(seq, item)) if seq > self.after => {
                    self.after = seq;
                    return Ok(Some((seq, item)));
                }
                Some(_) => {}
                None if self.go_on()? => {}
                None => return Ok(None),
            }
        }
    }

    /// Goes on to the next segment, and tells whether there is one.
    fn go_on(&mut self) -> Result<bool, SpoolError> {
        let done = self.segment.as_ref().map_or(0, |(number, _)| *number);
        let Some(next) = segments(&self.path)?.into_iter().find(|segment| segment.number > done) else {
            return Ok(false);
        };
        if let Some((number, segment)) = &self.segment {
            self.read += segment.position();
            self.damaged += segment.damaged();
            if segment.damaged() > 0 {
                self.damaged_segments.push(*number);
            }
        }
        self.segment = Some((next.number, SegmentReader::open(&next.path)?));
        Ok(true)
    }

    /// How many bytes were passed over, since they hold no entry.
    #[must_use]
    pub fn damaged(&self) -> u64 {
        self.damaged + self.segment.as_ref().map_or(0, |(_, segment)| segment.damaged())
    }

    /// The segments in which bytes were passed over.
    pub(crate) fn damaged_segments(&self) -> Vec<u32> {
        let current =
            self.segment.iter().filter(|(_, segment)| segment.damaged() > 0).map(|(number, _)| *number);
        self.damaged_segments.iter().copied().chain(current).collect()
    }

    /// How many bytes were read.
    pub(crate) fn position(&self) -> u64 {
        self.read + self.segment.as_ref().map_or(0, |(_, segment)| segment.position())
    }
}
