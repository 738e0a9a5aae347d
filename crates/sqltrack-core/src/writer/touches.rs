//! When each run's `time_updated` was last written. In a loop of many calls a second it is written once a second: every
//! time would cost more than the metrics.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use sqltrack_engines::{Moment, RunId, RunWrite};

/// How old the time may be.
const INTERVAL: Duration = Duration::from_secs(1);
/// How many runs are remembered.
const KEPT: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Touches(HashMap<RunId, Instant>);

impl Touches {
    /// What to write to the run's time after another call, with what was to be written before it.
    pub(super) fn due(
        &self,
        run: RunId,
        before: Option<Moment>,
        call: Option<Moment>,
        now: Instant,
    ) -> Option<Moment> {
        match call {
            None => before,
            Some(Moment::At(_)) => call,
            Some(Moment::Now) if before.is_some() => call,
            Some(Moment::Now) => {
                let is_recent =
                    self.0.get(&run).is_some_and(|last| now.saturating_duration_since(*last) < INTERVAL);
                if is_recent { None } else { call }
            }
        }
    }

    /// Notes what was written.
    pub(super) fn note(&mut self, runs: &[RunWrite]) {
        if self.0.len() >= KEPT {
            self.0.clear();
        }
        for run in runs {
            match run.updated {
                Some(Moment::Now) => drop(self.0.insert(run.run, Instant::now())),
                // A time of the caller's own says nothing of now.
                Some(Moment::At(_)) => drop(self.0.remove(&run.run)),
                None => {}
            }
        }
    }
}
