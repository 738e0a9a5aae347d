//! The spool of a writer: what is accepted is appended first, so that it outlives the process, and what does not fit the
//! memory waits there alone.

use sqltrack_engines::{Value, WriterId};

use super::calls::{Call, Calls};
use crate::spool::{Entry, EntryRef, Item, Reader, Spool, SpoolError, SpooledRun};

/// How many calls are read back at once.
const READ: usize = 2_000;

/// A spool that calls are appended to as they are accepted.
#[derive(Debug)]
pub(super) struct Spooling {
    spool: Spool,
    /// The number of the last call that went to memory, too. Those behind it wait in the spool alone.
    in_memory: i64,
    /// Reads what waits in the spool alone.
    reader: Option<Reader>,
    /// Whether somebody was told that the disk is full.
    has_warned: bool,
}

impl Spooling {
    pub(super) fn new(spool: Spool) -> Self {
        Self { spool, in_memory: 0, reader: None, has_warned: false }
    }

    pub(super) fn writer(&self) -> WriterId {
        self.spool.writer()
    }

    /// Whether calls wait that are not in memory; then the later ones have to follow them there.
    pub(super) fn has_backlog(&self) -> bool {
        self.spool.last_seq() > self.in_memory
    }

    /// Appends a call. A disk that is full does not stop a training: the call is in memory then, and nowhere else.
    pub(super) fn append(&mut self, call: &Call, values: &[Value]) -> Option<i64> {
        let entry = EntryRef {
            run: SpooledRun::Run(call.key.run),
            lease: call.lease,
            step: call.key.step,
            progress: call.key.progress,
            updated: call.updated,
            names: &call.names.names,
            values,
        };
        match self.spool.append(entry) {
            Ok(seq) => {
                self.has_warned = false;
                Some(seq)
            }
            Err(err) => {
                if !std::mem::replace(&mut self.has_warned, true) {
                    tracing::error!("metrics are kept in memory alone: {err}");
                }
                None
            }
        }
    }

    /// Notes that a call went to memory, too.
    pub(super) fn keep(&mut self, seq: i64) {
        self.in_memory = seq;
        self.reader = None;
    }

    /// Reads the next calls that are in the spool alone.
    pub(super) fn read_back(&mut self, calls: &mut Calls) -> Result<(), SpoolError> {
        let after = self.in_memory;
        let reader = self.reader.get_or_insert_with(|| self.spool.reader(after));
        while calls.len() < READ {
            let Some((seq, item)) = reader.next()? else { break };
            self.in_memory = seq;
            let Item::Metrics(entry) = item else { continue };
            let SpooledRun::Run(run) = entry.run else { continue };
            // It was checked when the call was made.
            if let Ok((call, mut values)) = Call::of_entry(run, entry) {
                calls.push(Call { seq: Some(seq), ..call }, &mut values);
            }
        }
        if reader.damaged() > 0 {
            tracing::error!("{} bytes of the spool cannot be read back", reader.damaged());
        }
        Ok(())
    }

    /// Notes that all calls up to a number are done.
    pub(super) fn delivered(&self, seq: i64) {
        if let Err(err) = self.spool.delivered(seq) {
            // The database knows it, too.
            tracing::debug!("{err}");
        }
    }

    /// Keeps a call aside that the database has refused.
    pub(super) fn reject(&self, seq: i64, call: &Call, values: &[Value], reason: &str) {
        let entry = Entry {
            run: SpooledRun::Run(call.key.run),
            lease: call.lease,
            step: call.key.step,
            progress: call.key.progress,
            updated: call.updated,
            names: call.names.names.clone(),
            values: values.to_vec(),
        };
        if let Err(err) = self.spool.reject(seq, &Item::Metrics(entry), reason) {
            tracing::error!("a refused row is not kept aside: {err}");
        }
    }

    /// Ends the spool, and tells whether nothing is left in it.
    pub(super) fn close(self) -> bool {
        self.spool.close().unwrap_or_else(|err| {
            tracing::warn!("{err}");
            false
        })
    }
}
