//! The life of a run as its row keeps it: who tracks it, and when it was last heard of.

use std::time::Duration;

use time::OffsetDateTime;

use crate::{ExperimentId, Moment, RunId};

/// How many heartbeats a tracker may miss until nobody counts on it any more.
pub const MISSED_HEARTBEATS: u32 = 3;

/// What the row of a run says of its life.
#[derive(Debug, Clone, PartialEq)]
pub struct RunLife {
    /// The status.
    pub status: String,
    /// Whether the run was ever started.
    pub is_started: bool,
    /// The number that a tracker must know to write; `None` if the run was never tracked.
    pub lease: Option<i64>,
    /// Who took the lease.
    pub holder: Option<String>,
    /// How many trackers share the lease and have not ended.
    pub trackers: i64,
    /// The time since the last heartbeat, on the database's clock.
    pub silence: Option<Duration>,
    /// The time from one heartbeat to the next.
    pub interval: Option<Duration>,
}

impl RunLife {
    /// Whether somebody tracks the run: one that has not ended, and whose heartbeats come.
    ///
    /// ```
    /// use std::time::Duration;
    /// use sqltrack_engines::RunLife;
    ///
    /// let mut life = RunLife {
    ///     status: "RUNNING".to_owned(),
    ///     is_started: true,
    ///     lease: Some(4711),
    ///     holder: Some("node1:17".to_owned()),
    ///     trackers: 1,
    ///     silence: Some(Duration::from_secs(80)),
    ///     interval: Some(Duration::from_secs(30)),
    /// };
    /// assert!(life.is_live());
    /// life.silence = Some(Duration::from_secs(100));
    /// assert!(!life.is_live());
    /// ```
    #[must_use]
    pub fn is_live(&self) -> bool {
        match (self.silence, self.interval) {
            (Some(silence), Some(interval)) => self.trackers > 0 && silence <= MISSED_HEARTBEATS * interval,
            _ => false,
        }
    }
}

/// What to write over the life of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunLifeChange {
    /// A new status.
    pub status: Option<String>,
    /// A new `time_started`.
    pub started: Option<Moment>,
    /// A new `time_updated`.
    pub updated: Option<Moment>,
    /// The lease.
    pub lease: i64,
    /// Who took it.
    pub holder: Option<String>,
    /// How many trackers share it.
    pub trackers: i64,
    /// The time from one heartbeat to the next.
    pub interval: Duration,
    /// Whether this is a heartbeat; if not, there are to be no more.
    pub beats: bool,
}

/// A heartbeat of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heartbeat {
    /// The run.
    pub run: RunId,
    /// The lease that its tracker holds.
    pub lease: i64,
    /// Whether the run's `time_updated` is set, too.
    pub touches: bool,
}

/// Which runs are given up.
#[derive(Debug, Clone, PartialEq)]
pub struct Reaping {
    /// The status that they get.
    pub status: String,
    /// For how long nothing must have been heard of them; three heartbeats at least.
    pub stale: Duration,
    /// Whether runs that were started without tracking are judged, by their `time_updated`.
    pub untracked: bool,
}

/// A run that was given up.
#[derive(Debug, Clone, PartialEq)]
pub struct ReapedRun {
    /// The run.
    pub run: RunId,
    /// Its experiment.
    pub experiment: ExperimentId,
    /// Who tracked it.
    pub holder: Option<String>,
    /// When it was last heard of.
    pub last_heard: OffsetDateTime,
}
