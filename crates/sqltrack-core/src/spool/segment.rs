//! Segments: files of records, each with its length and checksum, so that what is damaged is noticed and everything
//! else is still read.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use sqltrack_engines::WriterId;

use super::SpoolError;
use super::codec::{self, MIN_RECORD, NameSets, Record};
use super::error::failed;

/// The largest length of a segment, but for one of a single record.
pub(super) const MAX_LENGTH: u64 = 16 << 20;

const MAGIC: [u8; 8] = *b"SQLTSPL\n";
const VERSION: u32 = 1;
/// Magic, version, writer, checksum.
pub(super) const HEADER_LENGTH: usize = 8 + 4 + 16 + 4;
/// The length and checksum before each record.
const FRAME: usize = 8;
/// How much is read at once.
const CHUNK: usize = 256 << 10;

/// The name of the segment of a number.
pub(super) fn file_name(number: u32) -> String {
    format!("{number:06}.spool")
}

/// The number of the segment of a name.
pub(super) fn number_of(name: &str) -> Option<u32> {
    name.strip_suffix(".spool")?.parse().ok()
}

/// What a segment begins with.
pub(super) fn header(writer: WriterId) -> [u8; HEADER_LENGTH] {
    let mut header = [0; HEADER_LENGTH];
    header[..8].copy_from_slice(&MAGIC);
    header[8..12].copy_from_slice(&VERSION.to_le_bytes());
    header[12..28].copy_from_slice(&writer.0.to_le_bytes());
    let sum = crc32fast::hash(&header[..28]);
    header[28..].copy_from_slice(&sum.to_le_bytes());
    header
}

/// Appends a record that `write` writes, in its frame. If it fails, nothing is appended.
pub(super) fn frame(
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), SpoolError>,
) -> Result<(), SpoolError> {
    let start = out.len();
    out.extend_from_slice(&[0; FRAME]);
    let written = write(out).and_then(|()| {
        let length = out.len() - start - FRAME;
        u32::try_from(length).map_err(|_| SpoolError::Unspoolable("an entry of 4 GiB or more".to_owned()))
    });
    match written {
        Ok(length) => {
            let sum = checksum(length, &out[start + FRAME..]);
            out[start..start + 4].copy_from_slice(&length.to_le_bytes());
            out[start + 4..start + FRAME].copy_from_slice(&sum.to_le_bytes());
            Ok(())
        }
        Err(err) => {
            out.truncate(start);
            Err(err)
        }
    }
}

fn checksum(length: u32, record: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(length);
    hasher.update(record);
    hasher.finalize()
}

/// Reads the records of one segment in order. What is damaged is passed over and counted.
#[derive(Debug)]
pub(super) struct SegmentReader {
    path: PathBuf,
    file: File,
    /// A part of the file, from `offset` on; it is used up to `used`.
    buffer: Vec<u8>,
    offset: u64,
    used: usize,
    sets: NameSets,
    damaged: u64,
    has_header: bool,
    /// How long the file is, once nobody appends to it.
    length: Option<u64>,
}

impl SegmentReader {
    pub(super) fn open(path: &Path) -> Result<Self, SpoolError> {
        let file = File::open(path).map_err(failed("read", path))?;
        Ok(Self {
            path: path.to_owned(),
            file,
            buffer: Vec::new(),
            offset: 0,
            used: 0,
            sets: NameSets::new(),
            damaged: 0,
            has_header: false,
            length: None,
        })
    }

    /// How many bytes were passed over, since they hold no record.
    pub(super) fn damaged(&self) -> u64 {
        self.damaged
    }

    /// Where in the file the next record begins.
    pub(super) fn position(&self) -> u64 {
        self.offset + self.used as u64
    }

    /// How long the file is to which nobody appends any more.
    pub(super) fn length(&mut self) -> Result<u64, SpoolError> {
        match self.length {
            Some(length) => Ok(length),
            None => {
                let length = self.file.metadata().map_err(failed("read", &self.path))?.len();
                self.length = Some(length);
                Ok(length)
            }
        }
    }

    /// The next record before `end`, where the file, or what is known to be whole of it, ends.
    pub(super) fn next(&mut self, end: u64) -> Result<Option<Record>, SpoolError> {
        if !self.has_header {
            self.read_header(end)?;
        }
        loop {
            match self.whole(0, end)? {
                Some(length) => {
                    let record = &self.buffer[self.used + FRAME..self.used + FRAME + length];
                    let read = codec::read(record, &self.sets);
                    self.used += FRAME + length;
                    match read {
                        Ok(Record::Names(number, names)) => {
                            self.sets.insert(number, names);
                        }
                        Ok(item) => return Ok(Some(item)),
                        // Its names were in what is damaged.
                        Err(_) => self.damaged += (FRAME + length) as u64,
                    }
                }
                None if self.position() >= end => return Ok(None),
                None => self.pass_over(end)?,
            }
        }
    }

    fn read_header(&mut self, end: u64) -> Result<(), SpoolError> {
        self.has_header = true;
        if !self.fill(HEADER_LENGTH, end)? {
            return Ok(());
        }
        let header = &self.buffer[..HEADER_LENGTH];
        let sum = crc32fast::hash(&header[..28]).to_le_bytes();
        let is_whole = header[..8] == MAGIC && header[28..] == sum;
        let version = u32_at(header, 8);
        if is_whole && version != VERSION {
            return Err(SpoolError::Newer { path: self.path.clone(), version });
        }
        if !is_whole {
            self.damaged += HEADER_LENGTH as u64;
        }
        self.used = HEADER_LENGTH;
        Ok(())
    }

    /// The length of the record `ahead` of what is used, if there is one and it is whole.
    fn whole(&mut self, ahead: usize, end: u64) -> Result<Option<usize>, SpoolError> {
        if !self.fill(ahead + FRAME + MIN_RECORD, end)? {
            return Ok(None);
        }
        let start = self.used + ahead;
        let length = u32_at(&self.buffer, start);
        let (kind, flags) = (self.buffer[start + FRAME], self.buffer[start + FRAME + 1]);
        let size = length as usize;
        let is_possible = size >= MIN_RECORD && codec::is_plausible(kind, flags);
        if !is_possible || !self.fill(ahead + FRAME + size, end)? {
            return Ok(None);
        }
        let start = self.used + ahead;
        let record = &self.buffer[start + FRAME..start + FRAME + size];
        let sum = u32_at(&self.buffer, start + 4);
        Ok((sum == checksum(length, record)).then_some(size))
    }

    /// Goes on to the next whole record, or to the end.
    fn pass_over(&mut self, end: u64) -> Result<(), SpoolError> {
        let rest = end - self.position();
        let mut ahead = 1;
        while (ahead as u64) < rest {
            if self.whole(ahead, end)?.is_some() {
                break;
            }
            ahead += 1;
        }
        tracing::warn!(
            "{}: {ahead} damaged bytes at {}; what they held is lost",
            self.path.display(),
            self.position()
        );
        self.damaged += ahead as u64;
        // Up to here at least the buffer was filled, or there is nothing more to read.
        self.fill(ahead, end)?;
        self.used += ahead;
        Ok(())
    }

    /// Sees to it that the buffer has `count` unused bytes, and tells whether there are that many before `end`.
    fn fill(&mut self, count: usize, end: u64) -> Result<bool, SpoolError> {
        if end.saturating_sub(self.position()) < count as u64 {
            return Ok(false);
        }
        if self.buffer.len() - self.used >= count {
            return Ok(true);
        }
        self.buffer.drain(..self.used);
        self.offset += self.used as u64;
        self.used = 0;
        let have = self.buffer.len();
        let available = end - self.offset - have as u64;
        let want = (count - have).max(CHUNK).min(usize::try_from(available).unwrap_or(usize::MAX));
        self.buffer.resize(have + want, 0);
        let read = self.read_at(self.offset + have as u64, have);
        match read {
            Ok(()) => Ok(true),
            Err(err) => {
                self.buffer.truncate(have);
                Err(failed("read", &self.path)(err))
            }
        }
    }

    fn read_at(&mut self, position: u64, into: usize) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(position))?;
        self.file.read_exact(&mut self.buffer[into..])
    }
}

fn u32_at(bytes: &[u8], start: usize) -> u32 {
    u32::from_le_bytes([bytes[start], bytes[start + 1], bytes[start + 2], bytes[start + 3]])
}
