//! The delivery of one writer's entries: batch by batch, each in a transaction with the number of its last entry.

use std::time::Duration;

use sqltrack_engines::EngineError;

use super::{SyncReport, apply, verify};
use crate::spool::{Folder, Item, Reader, Rejected};
use crate::{Client, Error};

/// How many entries are delivered at once, and about how many bytes.
const BATCH: usize = 500;
const BATCH_BYTES: u64 = 4 << 20;
/// How often a batch is tried while what fails may pass.
const TRIES: u32 = 5;

/// Entries with their numbers.
pub(super) type Batch = [(i64, Item)];

/// The delivery of what one writer has left.
pub(super) struct Delivery<'a> {
    pub(super) client: &'a Client,
    pub(super) folder: &'a Folder,
    /// The number of the entry after which it begins.
    pub(super) after: i64,
    pub(super) report: &'a mut SyncReport,
}

impl Delivery<'_> {
    /// Counts the entries, and returns how many bytes they are.
    pub(super) fn count(self, tell: &mut dyn FnMut(u64, u64)) -> Result<u64, Error> {
        let mut reader = Reader::of_folder(self.folder, self.after);
        loop {
            let batch = next_batch(&mut reader)?;
            if batch.is_empty() {
                self.report.damaged_bytes += reader.damaged();
                return Ok(reader.position());
            }
            self.report.delivered += batch.len() as u64;
            tell(reader.position(), self.report.delivered);
        }
    }

    /// Delivers the entries, and returns how many bytes they were.
    pub(super) async fn run(self, tell: &mut (dyn FnMut(u64, u64) + Send)) -> Result<u64, Error> {
        let mut reader = Reader::of_folder(self.folder, self.after);
        let mut rejected = Rejected::open(self.folder)?;
        loop {
            let damaged = reader.damaged();
            let batch = next_batch(&mut reader)?;
            if reader.damaged() > damaged {
                self.report.damaged_bytes += reader.damaged() - damaged;
            }
            let Some((last, _)) = batch.last() else { break };
            let done = self.deliver(&batch, &mut rejected).await?;
            self.report.delivered += done.delivered;
            self.report.already_there += done.already_there;
            self.report.rejected += done.rejected;
            self.report.runs_created.extend(done.created);
            if let Some(verified) = &mut self.report.verified {
                let counted = verify::count(self.client, &batch, &done.refused).await?;
                verified.expected += counted.expected;
                verified.found += counted.found;
            }
            // The database knows. A full disk must not keep what is on it from leaving.
            if let Err(err) = self.folder.set_mark(*last) {
                tracing::debug!("{err}");
            }
            tell(reader.position(), self.report.delivered);
        }
        self.clear(&reader)?;
        self.report.writers_done += 1;
        Ok(reader.position())
    }

    /// Delivers a batch: all that has not arrived yet, or nothing.
    async fn deliver(&self, batch: &Batch, rejected: &mut Rejected) -> Result<Done, Error> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.attempt(batch, rejected).await {
                // Also a commit whose outcome is not known: the next try asks what has arrived.
                Err(err) if tries < TRIES && may_pass(&err) => {
                    tracing::debug!("a batch is delivered again: {err}");
                    tokio::time::sleep(Duration::from_millis(100) * tries).await;
                }
                done => return done,
            }
        }
    }

    async fn attempt(&self, batch: &Batch, rejected: &mut Rejected) -> Result<Done, Error> {
        let writer = self.folder.writer();
        let tx = self.client.begin().await?;
        let arrived = tx
            .with_connection(move |conn| Box::pin(async move { Ok(conn.delivered(writer).await?) }))
            .await?;
        let fresh = &batch[batch.partition_point(|(seq, _)| *seq <= arrived)..];
        let already_there = (batch.len() - fresh.len()) as u64;
        let Some((last, _)) = fresh.last() else {
            tx.rollback().await?;
            return Ok(Done { already_there, ..Done::default() });
        };
        let applied = apply::apply(&tx, fresh).await?;
        for (seq, reason) in &applied.refused {
            if let Ok(index) = fresh.binary_search_by_key(seq, |(seq, _)| *seq) {
                rejected.add(*seq, &fresh[index].1, reason)?;
            }
        }
        let last = *last;
        tx.with_connection(move |conn| Box::pin(async move { Ok(conn.note_delivered(writer, last).await?) }))
            .await?;
        tx.commit().await?;
        let refused: Vec<i64> = applied.refused.into_iter().map(|(seq, _)| seq).collect();
        let rejected = refused.len() as u64;
        let delivered = fresh.len() as u64 - rejected;
        Ok(Done { delivered, already_there, rejected, refused, created: applied.created })
    }

    /// Removes what is done. What is damaged, or was refused, is kept.
    fn clear(&self, reader: &Reader) -> Result<(), Error> {
        let damaged = reader.damaged_segments();
        for segment in self.folder.segments()? {
            if damaged.contains(&segment.number) {
                self.folder.set_aside(&segment)?;
            } else {
                self.folder.remove_segment(segment.number)?;
            }
        }
        if damaged.is_empty() && !self.folder.has_kept() {
            self.folder.remove()?;
        }
        Ok(())
    }
}

/// What came of a batch.
#[derive(Debug, Default)]
struct Done {
    delivered: u64,
    already_there: u64,
    rejected: u64,
    /// The numbers of the entries that were refused.
    refused: Vec<i64>,
    created: Vec<sqltrack_engines::RunId>,
}

/// The next entries, none at the end.
fn next_batch(reader: &mut Reader) -> Result<Vec<(i64, Item)>, Error> {
    let mut batch = Vec::new();
    let start = reader.position();
    while batch.len() < BATCH && reader.position() - start < BATCH_BYTES {
        match reader.next()? {
            Some(entry) => batch.push(entry),
            None => break,
        }
    }
    Ok(batch)
}

/// Whether the same may work in a moment. A database that is not there is not waited for.
fn may_pass(err: &Error) -> bool {
    match err {
        Error::Engine(EngineError::Unreachable { .. } | EngineError::DiskFull { .. }) => false,
        Error::Engine(EngineError::NoSuchColumn { .. }) => true,
        Error::Engine(err) => err.is_passing(),
        _ => false,
    }
}
