//! Appending: from any thread, one system call for each call, and all of it or nothing.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sqltrack_engines::WriterId;

use super::entry::{EntryRef, Item, NewRun, RunUpdate, random};
use super::flush::{Flusher, Fsync};
use super::names::KnownNames;
use super::rejected::Rejected;
use super::segment::{HEADER_LENGTH, MAX_LENGTH, frame, header};
use super::{Folder, Reader, SpoolError, Target, codec, error};

/// The spool of one writer: what it appends here is in the operating system's hands when the call returns, and stays
/// there until it is [`delivered`](Self::delivered).
///
/// ```
/// use sqltrack_core::spool::{Fsync, Item, NewRun, RunUpdate, Spool, Target};
/// use sqltrack_core::Dialect;
///
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// let target = Target::new(Dialect::Sqlite, "runs.db", None);
/// let spool = Spool::open(folder, &target, Fsync::Second)?;
/// let run = NewRun::of_experiment("tuning")?;
/// spool.begin_run(&run)?;
/// spool.update_run(&RunUpdate::end(run.id, "COMPLETED", time::OffsetDateTime::now_utc()))?;
///
/// let mut reader = spool.reader(0);
/// assert_eq!(reader.next()?, Some((1, Item::NewRun(run.into()))));
/// assert!(matches!(reader.next()?, Some((2, Item::Update(_)))));
/// assert_eq!(reader.next()?, None);
/// spool.delivered(2)?;
/// assert!(spool.close()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Spool {
    inner: Arc<Inner>,
    fsync: Fsync,
    flusher: Option<Flusher>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) folder: Folder,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The segment that is appended to, and what is whole of it.
    file: Arc<File>,
    segment: u32,
    length: u64,
    /// Bytes behind `length` may be left of an append that failed.
    has_tail: bool,
    /// What is appended, kept for its room.
    buffer: Vec<u8>,
    names: KnownNames,
    last: i64,
    delivered: i64,
    /// The segments before, with the numbers of their last entries.
    full: VecDeque<(u32, i64)>,
}

/// How far appending has come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tail {
    pub(super) last: i64,
    pub(super) segment: u32,
    pub(super) length: u64,
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn tail(&self) -> Tail {
        let state = self.lock();
        Tail { last: state.last, segment: state.segment, length: state.length }
    }
}

impl Spool {
    /// Makes a new writer in the folder `root`, which is created if it does not exist.
    ///
    /// # Errors
    ///
    /// [`SpoolError`] if the folder cannot be written to.
    pub fn open(root: impl AsRef<Path>, target: &Target, fsync: Fsync) -> Result<Self, SpoolError> {
        // A process may change its working directory.
        let root =
            std::path::absolute(root.as_ref()).map_err(error::failed("find the spool", root.as_ref()))?;
        let folder = Folder::create(&root, WriterId(random()?), target)?;
        let file = match begin_segment(&folder, 1, fsync) {
            Ok(file) => file,
            Err(err) => {
                // On a full disk, say. A folder without a segment harms nobody.
                let _ = folder.remove();
                return Err(err);
            }
        };
        let flusher = (fsync == Fsync::Second).then(|| Flusher::start(file.clone())).transpose();
        let flusher = flusher.map_err(error::failed("start a thread for", folder.path()))?;
        let state = State {
            file,
            segment: 1,
            length: HEADER_LENGTH as u64,
            has_tail: false,
            buffer: Vec::with_capacity(4096),
            names: KnownNames::default(),
            last: 0,
            delivered: 0,
            full: VecDeque::new(),
        };
        Ok(Self { inner: Arc::new(Inner { folder, state: Mutex::new(state) }), fsync, flusher })
    }

    /// The writer's id, under which the database knows what has arrived.
    #[must_use]
    pub fn writer(&self) -> WriterId {
        self.inner.folder.writer()
    }

    /// The writer's folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.inner.folder.path()
    }

    /// Appends the metrics of one call, and returns their number. Also if the process is killed now, they are delivered.
    ///
    /// # Errors
    ///
    /// [`SpoolError::NotOnDisk`] if the disk takes no more, [`SpoolError::Unspoolable`] if a value cannot be written down.
    /// Nothing was appended then.
    pub fn append<'a>(&self, entry: impl Into<EntryRef<'a>>) -> Result<i64, SpoolError> {
        self.write(&[Part::Metrics(entry.into())])
    }

    /// Appends the metrics of several calls with one system call: all of them or none. Returns the number of the last one.
    ///
    /// # Errors
    ///
    /// As [`append`](Self::append).
    pub fn append_many<'a>(
        &self,
        entries: impl IntoIterator<Item = impl Into<EntryRef<'a>>>,
    ) -> Result<i64, SpoolError> {
        let parts: Vec<_> = entries.into_iter().map(|entry| Part::Metrics(entry.into())).collect();
        self.write(&parts)
    }

    /// Appends the beginning of a run that has no database yet.
    ///
    /// # Errors
    ///
    /// As [`append`](Self::append).
    pub fn begin_run(&self, run: &NewRun) -> Result<i64, SpoolError> {
        self.write(&[Part::NewRun(run)])
    }

    /// Appends a change to a run, such as its [end](RunUpdate::end).
    ///
    /// # Errors
    ///
    /// As [`append`](Self::append).
    pub fn update_run(&self, update: &RunUpdate) -> Result<i64, SpoolError> {
        self.write(&[Part::Update(update)])
    }

    /// The number of the last entry; 0 if there is none.
    #[must_use]
    pub fn last_seq(&self) -> i64 {
        self.inner.lock().last
    }

    /// Reads the entries after the number `after`, also those that are appended later.
    #[must_use]
    pub fn reader(&self, after: i64) -> Reader {
        Reader::of_writer(self.inner.clone(), after)
    }

    /// Notes that all entries up to the number `seq` are committed, and removes the segments that hold no others.
    ///
    /// # Errors
    ///
    /// [`SpoolError::Io`] if that cannot be written down or removed; nothing depends on it.
    pub fn delivered(&self, seq: i64) -> Result<(), SpoolError> {
        let mut state = self.inner.lock();
        if seq <= state.delivered {
            return Ok(());
        }
        state.delivered = seq;
        // On a full disk it may not be possible before a segment is removed.
        let marked = self.inner.folder.set_mark(seq);
        while let Some((segment, _)) = state.full.pop_front_if(|(_, last)| *last <= seq) {
            self.inner.folder.remove_segment(segment)?;
        }
        marked
    }

    /// Keeps an entry aside that the database has refused for good, in `rejected.jsonl`. It counts as delivered.
    ///
    /// # Errors
    ///
    /// [`SpoolError::Io`] if it cannot be written down.
    pub fn reject(&self, seq: i64, item: &Item, reason: &str) -> Result<(), SpoolError> {
        let _state = self.inner.lock();
        Rejected::open(&self.inner.folder)?.add(seq, item, reason)
    }

    /// Forces everything that was appended onto the disk.
    ///
    /// # Errors
    ///
    /// [`SpoolError::NotOnDisk`] if the disk fails.
    pub fn sync(&self) -> Result<(), SpoolError> {
        let state = self.inner.lock();
        state.file.sync_data().map_err(|source| self.not_on_disk(&state, source))
    }

    /// Ends the writer. If all entries are delivered, its folder is removed, and the row in the database may go
    /// ([`finish_writer`](sqltrack_engines::Connection::finish_writer), after this); if not, both stay for
    /// [`Client::sync`](crate::Client::sync). Returns whether all were.
    ///
    /// # Errors
    ///
    /// [`SpoolError::Io`] if the folder cannot be removed.
    pub fn close(self) -> Result<bool, SpoolError> {
        let is_done = {
            let state = self.inner.lock();
            state.delivered >= state.last && !self.inner.folder.has_rejected()
        };
        drop(self.flusher);
        if is_done {
            self.inner.folder.remove()?;
        }
        Ok(is_done)
    }

    fn write(&self, parts: &[Part<'_>]) -> Result<i64, SpoolError> {
        let mut state = self.inner.lock();
        let state = &mut *state;
        if parts.is_empty() {
            return Ok(state.last);
        }
        self.cut_tail(state)?;
        let mut known = state.names.len();
        let written = state.encode(parts).and_then(|()| {
            let is_full = state.length + state.buffer.len() as u64 > MAX_LENGTH;
            if is_full && state.length > HEADER_LENGTH as u64 {
                self.roll(state)?;
                known = 0;
                state.encode(parts)?;
            }
            self.put(state)
        });
        if let Err(err) = written {
            state.names.truncate(known);
            return Err(err);
        }
        state.length += state.buffer.len() as u64;
        state.last += i64::try_from(parts.len()).unwrap_or(i64::MAX);
        // What a single large call needed is not kept for ever.
        state.buffer.shrink_to(1 << 20);
        if let Some(flusher) = &self.flusher {
            flusher.note();
        }
        Ok(state.last)
    }

    /// Writes the buffer.
    fn put(&self, state: &mut State) -> Result<(), SpoolError> {
        let mut written = append(&state.file, &state.buffer);
        if written.is_ok() && self.fsync == Fsync::Always {
            written = state.file.sync_data();
        }
        written.map_err(|source| {
            state.has_tail = true;
            // If it does not work now, it is tried before the next append; a reader passes over it.
            let _ = self.cut_tail(state);
            self.not_on_disk(state, source)
        })
    }

    /// Cuts off what is left of an append that failed.
    fn cut_tail(&self, state: &mut State) -> Result<(), SpoolError> {
        if state.has_tail {
            state.file.set_len(state.length).map_err(|source| self.not_on_disk(state, source))?;
            state.has_tail = false;
        }
        Ok(())
    }

    fn roll(&self, state: &mut State) -> Result<(), SpoolError> {
        let number = state.segment + 1;
        let file = begin_segment(&self.inner.folder, number, self.fsync)?;
        if let Some(flusher) = &self.flusher {
            flusher.add(file.clone());
        }
        state.full.push_back((state.segment, state.last));
        (state.file, state.segment, state.length) = (file, number, HEADER_LENGTH as u64);
        state.names.clear();
        Ok(())
    }

    fn not_on_disk(&self, state: &State, source: std::io::Error) -> SpoolError {
        SpoolError::NotOnDisk { path: self.inner.folder.segment_path(state.segment), source }
    }
}

fn begin_segment(folder: &Folder, number: u32, fsync: Fsync) -> Result<Arc<File>, SpoolError> {
    let file = folder.create_segment(number)?;
    // One of the same number may be left of a try that failed.
    let begun = file.set_len(0).and_then(|()| append(&file, &header(folder.writer())));
    if let Err(source) = begun {
        let _ = folder.remove_segment(number);
        return Err(SpoolError::NotOnDisk { path: folder.segment_path(number), source });
    }
    if fsync != Fsync::Never {
        folder.sync()?;
    }
    Ok(Arc::new(file))
}

/// What one call appends.
enum Part<'a> {
    Metrics(EntryRef<'a>),
    NewRun(&'a NewRun),
    Update(&'a RunUpdate),
}

impl State {
    /// Puts the records of a call into the buffer.
    fn encode(&mut self, parts: &[Part<'_>]) -> Result<(), SpoolError> {
        self.buffer.clear();
        for (seq, part) in (self.last + 1..).zip(parts) {
            match part {
                Part::Metrics(entry) => {
                    let (number, is_new) = self.names.number(entry.names);
                    if is_new {
                        frame(&mut self.buffer, |out| codec::put_names(out, number, entry.names))?;
                    }
                    frame(&mut self.buffer, |out| codec::put_metrics(out, seq, number, *entry))?;
                }
                Part::NewRun(run) => frame(&mut self.buffer, |out| codec::put_new_run(out, seq, run))?,
                Part::Update(update) => frame(&mut self.buffer, |out| codec::put_update(out, seq, update))?,
            }
        }
        Ok(())
    }
}

/// The file was opened to append, so that a write goes to its end, wherever that is.
fn append(mut file: &File, bytes: &[u8]) -> std::io::Result<()> {
    file.write_all(bytes)
}
