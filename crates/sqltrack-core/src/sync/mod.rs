//! Delivering what processes have left in a spool that have ended without doing so.

mod apply;
mod deliver;
mod lives;
mod verify;

use std::fmt;
use std::future::IntoFuture;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqltrack_engines::{RunId, WriterId};

use crate::client::BoxFuture;
use crate::spool::{Folder, Taken, Target};
use crate::{Client, Error};
use deliver::{Delivery, Left};

/// How often a writer's folder is tried to be locked, and how long the pauses are.
const LOCK_TRIES: u32 = 5;
const LOCK_PAUSE: Duration = Duration::from_millis(5);

/// What came of a [`Client::sync`], or would come of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SyncReport {
    /// How many entries were delivered.
    pub delivered: u64,
    /// How many were in the spool that had arrived before.
    pub already_there: u64,
    /// How many the database has refused for good; they stand in `rejected.jsonl` with the reason.
    pub rejected: u64,
    /// How many bytes hold no entry any more. The segments that they are in are kept, with the ending `.damaged`.
    pub damaged_bytes: u64,
    /// How many writers still live, or are being delivered by another process; they are left alone.
    pub writers_alive: u64,
    /// How many writers wait for a run that was begun without a database by another one, whose spool was not delivered yet.
    pub writers_waiting: u64,
    /// How many writers have nothing left to deliver.
    pub writers_done: u64,
    /// The runs that were begun without a database, and are in it now.
    pub runs_created: Vec<RunId>,
    /// The runs that were tracked without a database until their process died without a word. They have the status
    /// NODE_FAIL now.
    pub runs_lost: Vec<RunId>,
    /// The writers whose entries are for another database; they are left alone.
    pub for_others: Vec<ForAnother>,
    /// What a look into the database has shown, if that was asked for.
    pub verified: Option<Verified>,
}

impl SyncReport {
    /// Whether all that was left is in the database now.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        let is_verified = self.verified.is_none_or(|verified| verified.found == verified.expected);
        let is_complete = self.rejected == 0 && self.damaged_bytes == 0 && self.writers_waiting == 0;
        is_complete && self.for_others.is_empty() && is_verified
    }
}

/// A writer whose entries are for another database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForAnother {
    /// Its folder.
    pub path: PathBuf,
    /// The database that its entries are for.
    pub target: Target,
}

/// What a look into the database has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Verified {
    /// How many rows of metrics the delivered entries are.
    pub expected: u64,
    /// How many of them are in the database.
    pub found: u64,
}

/// How far a [`Client::sync`] has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SyncProgress {
    /// How many bytes of the spool are done.
    pub done: u64,
    /// How many there are.
    pub total: u64,
    /// How many entries were delivered.
    pub delivered: u64,
}

/// A delivery to be made, see [`Client::sync`]. Await it.
#[must_use = "nothing is delivered until it is awaited"]
pub struct SpoolSync {
    client: Client,
    root: PathBuf,
    is_forced: bool,
    is_dry: bool,
    verifies: bool,
    progress: Option<Progress>,
}

type Progress = Box<dyn FnMut(SyncProgress) + Send>;

impl fmt::Debug for SpoolSync {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpoolSync")
            .field("client", &self.client)
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}

impl SpoolSync {
    /// Delivers also entries that are for another database, such as one that has moved to another server.
    pub fn force(mut self) -> Self {
        self.is_forced = true;
        self
    }

    /// Only counts what there is to deliver, and asks no database.
    pub fn dry_run(mut self) -> Self {
        self.is_dry = true;
        self
    }

    /// Looks into the database, after each delivery, whether the rows are there.
    pub fn verify(mut self, verifies: bool) -> Self {
        self.verifies = verifies;
        self
    }

    /// Calls `progress` now and then.
    pub fn progress(mut self, progress: impl FnMut(SyncProgress) + Send + 'static) -> Self {
        self.progress = Some(Box::new(progress));
        self
    }

    async fn run(mut self) -> Result<SyncReport, Error> {
        if self.client.is_transaction() {
            return Err(Error::NotInTransaction("the delivery of a spool"));
        }
        if !self.is_dry {
            self.client.check_online()?;
        }
        let mut report = SyncReport::default();
        let mut state = SyncProgress::default();
        let mut left = self.take(&mut report, &mut state).await?;
        if self.verifies && !self.is_dry {
            report.verified = Some(Verified::default());
        }
        // A run that was begun without a database may be brought by another writer than its metrics.
        loop {
            let (count, mut waiting) = (left.len(), Vec::new());
            for mut one in left {
                if !self.deliver(&mut one, &mut report, &mut state).await? {
                    waiting.push(one);
                }
            }
            if waiting.is_empty() || waiting.len() == count {
                report.writers_waiting = waiting.len() as u64;
                return Ok(report);
            }
            left = waiting;
        }
    }

    /// Takes the folders of all writers that have ended, in the order in which they began.
    async fn take(&mut self, report: &mut SyncReport, state: &mut SyncProgress) -> Result<Vec<Left>, Error> {
        let target = self.client.spool_target();
        let mut left = Vec::new();
        for (writer, path) in Folder::list(&self.root)? {
            let folder = match lock(&path, writer).await? {
                Taken::Free(folder) => folder,
                Taken::InUse => {
                    report.writers_alive += 1;
                    continue;
                }
                Taken::Gone => continue,
            };
            let found = folder.target()?;
            let is_other = found != target;
            if is_other && !self.is_forced {
                report.for_others.push(ForAnother { path, target: found });
                continue;
            }
            state.total += folder.segments()?.iter().map(|segment| segment.length).sum::<u64>();
            // The database knows what has arrived; of another one, only the folder does.
            let after = if is_other || self.is_dry { folder.mark() } else { 0 };
            left.push(Left::new(folder, after));
        }
        left.sort_by_cached_key(|left| left.folder.begun());
        Ok(left)
    }

    /// Delivers what one writer has left; false if that waits for another one.
    async fn deliver(
        &mut self,
        left: &mut Left,
        report: &mut SyncReport,
        state: &mut SyncProgress,
    ) -> Result<bool, Error> {
        let progress = &mut self.progress;
        let (before, total) = (state.done, state.total);
        let mut tell = |read, delivered| {
            if let Some(progress) = progress {
                progress(SyncProgress { done: before + read, total, delivered });
            }
        };
        let delivery = Delivery { client: &self.client, left, report };
        let read =
            if self.is_dry { Some(delivery.count(&mut tell)?) } else { delivery.run(&mut tell).await? };
        state.done += read.unwrap_or_default();
        Ok(read.is_some())
    }
}

/// Takes the folder of a writer that has ended. For a moment, its lock may be held by a child that its process was just
/// starting, which gives it back when it becomes another program.
async fn lock(path: &Path, writer: WriterId) -> Result<Taken, Error> {
    for _ in 0..LOCK_TRIES {
        match Folder::take(path, writer)? {
            Taken::InUse => tokio::time::sleep(LOCK_PAUSE).await,
            taken => return Ok(taken),
        }
    }
    Ok(Taken::InUse)
}

impl IntoFuture for SpoolSync {
    type Output = Result<SyncReport, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl Client {
    /// Delivers what is left in the spool `root`, or in the folder of one writer in it, by processes that have ended.
    ///
    /// Entries are delivered in the order in which they were appended, many in one transaction, together with the number
    /// of the last one: whatever ends this call, a repeated one goes on where it has ended, and nothing arrives twice.
    /// What the database refuses for good is kept in `rejected.jsonl`, and the rest is delivered. The folders of writers
    /// that have nothing left are removed.
    ///
    /// # Errors
    ///
    /// [`Error::Spool`] if the spool cannot be read, [`Error::Engine`] if the database cannot be reached or fails.
    ///
    /// ```no_run
    /// # async fn example(client: sqltrack_core::Client) -> Result<(), sqltrack_core::Error> {
    /// let report = client.sync("/scratch/spool").verify(true).await?;
    /// assert!(report.is_clean());
    /// # Ok(())
    /// # }
    /// ```
    pub fn sync(&self, root: impl Into<PathBuf>) -> SpoolSync {
        SpoolSync {
            client: self.clone(),
            root: root.into(),
            is_forced: false,
            is_dry: false,
            verifies: false,
            progress: None,
        }
    }
}
