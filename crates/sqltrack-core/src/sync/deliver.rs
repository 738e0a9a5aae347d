//! The delivery of one writer's entries: batch by batch, each in a transaction with the number of its last entry.

use std::time::Duration;

use sqltrack_engines::EngineError;

use super::lives::Lives;
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

/// What one writer has left.
#[derive(Debug)]
pub(super) struct Left {
    pub(super) folder: Folder,
    /// The number of the entry after which the delivery begins, or goes on.
    pub(super) after: i64,
    lives: Lives,
    /// How many damaged bytes are counted already.
    damaged: u64,
}

impl Left {
    pub(super) fn new(folder: Folder, after: i64) -> Self {
        Self { folder, after, lives: Lives::default(), damaged: 0 }
    }

    /// Counts the bytes that a reader has found damaged.
    fn count_damage(&mut self, reader: &Reader, report: &mut SyncReport) {
        report.damaged_bytes += reader.damaged().saturating_sub(self.damaged);
        self.damaged = self.damaged.max(reader.damaged());
    }
}

/// The delivery of what one writer has left.
pub(super) struct Delivery<'a> {
    pub(super) client: &'a Client,
    pub(super) left: &'a mut Left,
    pub(super) report: &'a mut SyncReport,
}

impl Delivery<'_> {
    /// Counts the entries, and returns how many bytes they are.
    pub(super) fn count(self, tell: &mut dyn FnMut(u64, u64)) -> Result<u64, Error> {
        let mut reader = Reader::of_folder(&self.left.folder, self.left.after);
        loop {
            let batch = next_batch(&mut reader)?;
            if batch.is_empty() {
                self.left.count_damage(&reader, self.report);
                return Ok(reader.position());
            }
            self.report.delivered += batch.len() as u64;
            tell(reader.position(), self.report.delivered);
        }
    }

    /// Delivers the entries, and returns how many bytes they were; `None` if they wait for a run that another writer has to
    /// bring.
    pub(super) async fn run(self, tell: &mut (dyn FnMut(u64, u64) + Send)) -> Result<Option<u64>, Error> {
        let mut reader = Reader::of_folder(&self.left.folder, self.left.after);
        let mut rejected = Rejected::open(&self.left.folder)?;
        loop {
            let batch = next_batch(&mut reader)?;
            self.left.count_damage(&reader, self.report);
            if batch.is_empty() {
                break;
            }
            let done = self.deliver(&batch, &mut rejected).await?;
            let is_whole = done.taken == batch.len();
            let batch = &batch[..done.taken];
            let Some((last, _)) = batch.last() else { return Ok(None) };
            self.left.lives.note(batch);
            self.left.after = *last;
            self.report.delivered += done.delivered;
            self.report.already_there += done.already_there;
            self.report.rejected += done.rejected;
            self.report.runs_created.extend(done.created);
            if let Some(verified) = &mut self.report.verified {
                let counted = verify::count(self.client, batch, &done.refused).await?;
                verified.expected += counted.expected;
                verified.found += counted.found;
            }
            // The database knows. A full disk must not keep what is on it from leaving.
            if let Err(err) = self.left.folder.set_mark(*last) {
                tracing::debug!("{err}");
            }
            tell(reader.position(), self.report.delivered);
            if !is_whole {
                return Ok(None);
            }
        }
        self.report.runs_lost.extend(std::mem::take(&mut self.left.lives).bury(self.client).await?);
        clear(&self.left.folder, &reader)?;
        self.report.writers_done += 1;
        Ok(Some(reader.position()))
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
        let writer = self.left.folder.writer();
        let tx = self.client.begin().await?;
        let arrived = tx
            .with_connection(move |conn| Box::pin(async move { Ok(conn.delivered(writer).await?) }))
            .await?;
        let fresh = &batch[batch.partition_point(|(seq, _)| *seq <= arrived)..];
        let before = batch.len() - fresh.len();
        let already_there = before as u64;
        if fresh.is_empty() {
            tx.rollback().await?;
            return Ok(Done { taken: batch.len(), already_there, ..Done::default() });
        }
        let applied = apply::apply(&tx, fresh, rejected.runs()).await?;
        let fresh = &fresh[..applied.taken];
        let taken = before + applied.taken;
        let Some((last, _)) = fresh.last() else {
            tx.rollback().await?;
            return Ok(Done { taken, already_there, ..Done::default() });
        };
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
        Ok(Done { taken, delivered, already_there, rejected, refused, created: applied.created })
    }
}

/// Removes what is done. What is damaged, or was refused, is kept.
fn clear(folder: &Folder, reader: &Reader) -> Result<(), Error> {
    let damaged = reader.damaged_segments();
    for segment in folder.segments()? {
        if damaged.contains(&segment.number) {
            folder.set_aside(&segment)?;
        } else {
            folder.remove_segment(segment.number)?;
        }
    }
    if damaged.is_empty() && !folder.has_kept() {
        folder.remove()?;
    }
    Ok(())
}

/// What came of a batch.
#[derive(Debug, Default)]
struct Done {
    /// How many entries, from the first one on, are dealt with; the next one waits for another writer.
    taken: usize,
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
