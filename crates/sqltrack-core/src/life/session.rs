//! One run that this process tracks.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use sqltrack_engines::{Heartbeat, RunChanges, RunId};

use super::decide::Role;
use super::signals::Watch;
use crate::offline::Offline;
use crate::{Error, Stamp, Status};

/// A tracker of a run in this process, from its beginning to its end.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) id: u64,
    pub(crate) run: RunId,
    pub(crate) lease: i64,
    pub(crate) role: Role,
    /// The time between heartbeats that it asked for.
    pub(crate) interval: Duration,
    pub(crate) updated: Stamp,
    /// The status on SIGINT.
    pub(crate) interrupted: Status,
    /// The status on SIGTERM.
    pub(crate) terminated: Status,
    /// How long the process may take to end on a signal.
    pub(crate) grace: Duration,
    /// What its end is written to, if there is no database.
    pub(crate) offline: Option<Arc<Offline>>,
    /// Signals are caught until the end is recorded, if they are.
    watch: Mutex<Option<Watch>>,
    is_ending: AtomicBool,
    is_lost: AtomicBool,
    has_ended: Mutex<bool>,
    ended: Condvar,
}

/// What a session needs to be known of.
pub(crate) struct Terms {
    pub(crate) run: RunId,
    pub(crate) lease: i64,
    pub(crate) role: Role,
    pub(crate) interval: Duration,
    pub(crate) updated: Stamp,
    pub(crate) interrupted: Status,
    pub(crate) terminated: Status,
    pub(crate) grace: Duration,
    pub(crate) offline: Option<Arc<Offline>>,
    pub(crate) watch: Option<Watch>,
}

impl Session {
    pub(crate) fn new(terms: Terms) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let Terms { run, lease, role, interval, updated, interrupted, terminated, grace, offline, watch } =
            terms;
        Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            run,
            lease,
            role,
            interval,
            updated,
            interrupted,
            terminated,
            grace,
            offline,
            watch: Mutex::new(watch),
            is_ending: AtomicBool::new(false),
            is_lost: AtomicBool::new(false),
            has_ended: Mutex::new(false),
            ended: Condvar::new(),
        }
    }

    /// Its heartbeat; none any more once it is about to end, or has lost the run.
    pub(crate) fn heartbeat(&self) -> Option<Heartbeat> {
        let is_over = self.is_ending.load(Ordering::Acquire) || self.is_lost.load(Ordering::Acquire);
        let touches = self.updated == Stamp::Auto;
        (!is_over).then_some(Heartbeat { run: self.run, lease: self.lease, touches })
    }

    /// Claims the right to end it, which only the first one gets.
    pub(crate) fn claim_end(&self) -> bool {
        !self.is_ending.swap(true, Ordering::AcqRel)
    }

    /// Notes that the run has no tracker under this lease any more.
    pub(crate) fn lose(&self) {
        if !self.is_ending.load(Ordering::Acquire) && !self.is_lost.swap(true, Ordering::AcqRel) {
            tracing::warn!("run {} was taken over or given up; its heartbeat ends", self.run);
        }
    }

    /// Writes its end down where there is no database.
    pub(crate) fn end_offline(&self, offline: &Offline, status: &Status) -> Result<(), Error> {
        // A part says only what the tracker that it is a part of may not know.
        let counts = self.role == Role::Tracker || *status != Status::Completed;
        let status = counts.then(|| status.as_str().to_owned());
        let changes = RunChanges { status, updated: self.updated.moment(), ..RunChanges::default() };
        offline.change(self.run, changes, (self.role == Role::Tracker).then_some(false))
    }

    /// Notes that its end is recorded, or given up.
    pub(crate) fn note_end(&self) {
        drop(self.watch.lock().unwrap_or_else(PoisonError::into_inner).take());
        *self.has_ended.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.ended.notify_all();
    }

    /// Blocks until its end is recorded or given up, for `patience` at most, and tells whether it is.
    pub(crate) fn wait_for_end(&self, patience: Duration) -> bool {
        let has_ended = self.has_ended.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.ended.wait_timeout_while(has_ended, patience, |has_ended| !*has_ended);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}
