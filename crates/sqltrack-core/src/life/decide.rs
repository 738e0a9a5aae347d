//! The rules: who may track a run, and which status its end leaves. No database, no clock.

use std::time::Duration;

use sqltrack_engines::{RunId, RunLife};

use crate::{Error, Status};

/// How a tracker meets others that track the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// There must be none.
    Alone,
    /// They are shut out.
    Resume,
    /// It is one of them.
    Join,
}

/// What a tracker is to its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// One of those that the run waits for: it has ended when all of them have.
    Tracker,
    /// A part of another tracker, which started this process and outlives it.
    Part,
}

/// Who a new tracker is, in case it takes the run over.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) lease: i64,
    pub(crate) holder: String,
    pub(crate) interval: Duration,
}

/// How tracking begins.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Beginning {
    pub(crate) role: Role,
    pub(crate) lease: i64,
    pub(crate) holder: Option<String>,
    pub(crate) trackers: i64,
    pub(crate) interval: Duration,
    /// Whether the run goes on rather than starts anew, so that the time of its start stays.
    pub(crate) continues: bool,
}

/// Decides on a new tracker of `run`, which may have been given a lease by the tracker that it is a part of.
pub(crate) fn begin(
    run: RunId,
    life: &RunLife,
    mode: Mode,
    given: Option<i64>,
    candidate: Candidate,
) -> Result<Beginning, Error> {
    if let Some(lease) = given {
        if life.lease != Some(lease) {
            return Err(sqltrack_engines::EngineError::LeaseLost { run, holder: life.holder.clone() }.into());
        }
        let interval = life.interval.unwrap_or(candidate.interval);
        return Ok(beside(life, lease, Role::Part, life.trackers, interval));
    }
    match (mode, life.lease) {
        (Mode::Join, Some(lease)) if life.is_live() => {
            // The run is given up by the slowest heart, not by the fastest.
            let interval = life.interval.map_or(candidate.interval, |other| other.max(candidate.interval));
            Ok(beside(life, lease, Role::Tracker, life.trackers + 1, interval))
        }
        (Mode::Alone, _) if life.is_live() => {
            Err(Error::RunIsTracked { run, holder: life.holder.clone().unwrap_or_default() })
        }
        _ => Ok(Beginning {
            role: Role::Tracker,
            lease: candidate.lease,
            holder: Some(candidate.holder),
            trackers: 1,
            interval: candidate.interval,
            continues: mode != Mode::Alone && life.is_started,
        }),
    }
}

/// A tracker that shares the lease of others.
fn beside(life: &RunLife, lease: i64, role: Role, trackers: i64, interval: Duration) -> Beginning {
    let holder = life.holder.clone();
    Beginning { role, lease, holder, trackers, interval, continues: life.is_started }
}

/// How tracking ends.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct End {
    pub(crate) status: Option<Status>,
    pub(crate) trackers: i64,
}

/// Decides what the end of a tracker with `status` leaves behind.
///
/// The run ends when its last tracker does. A failure counts at once, and the first one stays, unless the run was given
/// up meanwhile: then nobody but this tracker knows what came of it.
pub(crate) fn end(life: &RunLife, role: Role, status: &Status) -> End {
    let trackers = match role {
        Role::Tracker => (life.trackers - 1).max(0),
        Role::Part => life.trackers,
    };
    let has_failed = life.trackers > 0 && Status::from(life.status.as_str()).is_failure();
    let counts = match role {
        _ if status.is_failure() => true,
        Role::Tracker => trackers == 0,
        // The tracker that it is a part of says whether the run is complete.
        Role::Part => *status != Status::Completed,
    };
    End { status: (counts && !has_failed).then(|| status.clone()), trackers }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: RunId = RunId(7);

    fn life(status: &str, trackers: i64, silence: u64) -> RunLife {
        RunLife {
            status: status.to_owned(),
            is_started: true,
            lease: Some(1),
            holder: Some("a:1".to_owned()),
            trackers,
            silence: Some(Duration::from_secs(silence)),
            interval: Some(Duration::from_secs(30)),
        }
    }

    fn planned() -> RunLife {
        let nothing = life("PLANNED", 0, 0);
        RunLife { is_started: false, lease: None, holder: None, silence: None, interval: None, ..nothing }
    }

    fn candidate() -> Candidate {
        Candidate { lease: 2, holder: "b:2".to_owned(), interval: Duration::from_secs(10) }
    }

    fn taken(life: &RunLife, mode: Mode) -> Option<(Role, i64, i64, bool)> {
        let beginning = begin(RUN, life, mode, None, candidate()).ok()?;
        Some((beginning.role, beginning.lease, beginning.trackers, beginning.continues))
    }

    #[test]
    fn a_live_run_is_taken_only_by_those_who_say_how() {
        let live = life("RUNNING", 1, 60);
        assert_eq!(taken(&live, Mode::Alone), None);
        assert_eq!(taken(&live, Mode::Resume), Some((Role::Tracker, 2, 1, true)));
        assert_eq!(taken(&live, Mode::Join), Some((Role::Tracker, 1, 2, true)));
    }

    #[test]
    fn a_run_that_nobody_tracks_is_free() {
        for (free, continues) in [
            (planned(), false),
            (life("RUNNING", 1, 91), true),
            (life("COMPLETED", 0, 1), true),
            (life("NODE_FAIL", 0, 1), true),
        ] {
            assert_eq!(taken(&free, Mode::Alone), Some((Role::Tracker, 2, 1, false)));
            assert_eq!(taken(&free, Mode::Resume), Some((Role::Tracker, 2, 1, continues)));
            assert_eq!(taken(&free, Mode::Join), Some((Role::Tracker, 2, 1, continues)));
        }
    }

    #[test]
    fn a_part_needs_the_lease_that_it_was_given() {
        let live = life("RUNNING", 1, 1);
        for mode in [Mode::Alone, Mode::Resume, Mode::Join] {
            let part = begin(RUN, &live, mode, Some(1), candidate()).unwrap();
            assert_eq!((part.role, part.lease, part.trackers), (Role::Part, 1, 1));
            begin(RUN, &live, mode, Some(3), candidate()).unwrap_err();
        }
    }

    #[track_caller]
    fn check(life: &RunLife, role: Role, status: Status, expected: Option<Status>, trackers: i64) {
        assert_eq!(end(life, role, &status), End { status: expected, trackers });
    }

    #[test]
    fn a_run_is_complete_when_its_last_tracker_is() {
        let completed = Some(Status::Completed);
        check(&life("RUNNING", 1, 1), Role::Tracker, Status::Completed, completed.clone(), 0);
        check(&life("RUNNING", 2, 1), Role::Tracker, Status::Completed, None, 1);
        check(&life("EVALUATING", 1, 1), Role::Tracker, Status::Completed, completed, 0);
        check(&life("RUNNING", 1, 1), Role::Part, Status::Completed, None, 1);
        let own = Status::from("CONVERGED");
        check(&life("RUNNING", 1, 1), Role::Part, own.clone(), Some(own), 1);
    }

    #[test]
    fn the_first_failure_counts_at_once_and_stays() {
        check(&life("RUNNING", 3, 1), Role::Tracker, Status::Failed, Some(Status::Failed), 2);
        check(&life("FAILED", 2, 1), Role::Tracker, Status::Cancelled, None, 1);
        check(&life("FAILED", 1, 1), Role::Tracker, Status::Completed, None, 0);
        check(&life("RUNNING", 1, 1), Role::Part, Status::Failed, Some(Status::Failed), 1);
    }

    #[test]
    fn a_run_that_was_given_up_gets_its_true_end() {
        check(&life("NODE_FAIL", 0, 900), Role::Tracker, Status::Completed, Some(Status::Completed), 0);
    }
}
