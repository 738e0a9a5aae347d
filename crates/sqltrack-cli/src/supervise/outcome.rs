//! How a command ended, and what that says about its run.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use signal_hook::consts::{SIGINT, SIGKILL, SIGTERM};
use sqltrack_core::Status;

/// Shells add the number of the signal to this.
const SIGNALLED: u8 = 128;

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It exited with this code.
    Exited(u8),
    /// This signal killed it.
    Killed(u8),
}

/// What happened while the command ran, beside its end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Circumstances {
    /// SIGTERM or SIGINT was sent, to the command or to us for it.
    pub(crate) interrupted: bool,
    /// The kernel killed a process of our memory cgroup for its memory.
    pub(crate) out_of_memory: bool,
}

impl Ending {
    pub(super) fn of(status: ExitStatus) -> Self {
        // An exit code has eight bits, a signal fewer.
        let byte = |number: i32| u8::try_from(number).unwrap_or(u8::MAX);
        match status.signal() {
            Some(signal) => Self::Killed(byte(signal)),
            None => Self::Exited(byte(status.code().unwrap_or_default())),
        }
    }

    pub(crate) fn is_success(self) -> bool {
        self == Self::Exited(0)
    }

    /// The exit code by which a shell would tell it.
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::Exited(code) => code,
            Self::Killed(signal) => SIGNALLED.saturating_add(signal),
        }
    }

    /// Whether this signal killed it, or a process that it waited for and tells about as shells do.
    fn is_by(self, signal: i32) -> bool {
        i32::from(self.exit_code()) == i32::from(SIGNALLED) + signal
    }

    /// The status of a run that ended like this.
    pub(crate) fn status(self, circumstances: Circumstances) -> Status {
        match self {
            Self::Exited(0) => Status::Completed,
            _ if self.is_by(SIGKILL) && circumstances.out_of_memory => Status::OutOfMemory,
            _ if self.is_by(SIGTERM) || self.is_by(SIGINT) => Status::Cancelled,
            _ if circumstances.interrupted => Status::Cancelled,
            _ => Status::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Ending::{Exited, Killed};
    use super::*;

    const CALM: Circumstances = Circumstances { interrupted: false, out_of_memory: false };
    const INTERRUPTED: Circumstances = Circumstances { interrupted: true, ..CALM };
    const OUT_OF_MEMORY: Circumstances = Circumstances { out_of_memory: true, ..CALM };

    #[track_caller]
    fn check(ending: Ending, circumstances: Circumstances, expected: Status) {
        assert_eq!(ending.status(circumstances), expected, "{ending:?} {circumstances:?}");
    }

    #[test]
    fn success_is_completed_whatever_happened() {
        for circumstances in [CALM, INTERRUPTED, OUT_OF_MEMORY] {
            check(Exited(0), circumstances, Status::Completed);
        }
    }

    #[test]
    fn failures_are_failed() {
        for ending in [Exited(1), Exited(127), Exited(129), Exited(137), Killed(9), Killed(11), Killed(1)] {
            check(ending, CALM, Status::Failed);
        }
    }

    #[test]
    fn interrupts_are_cancelled() {
        for ending in [Killed(2), Killed(15), Exited(130), Exited(143)] {
            check(ending, CALM, Status::Cancelled);
        }
        for ending in [Exited(1), Killed(9), Killed(11)] {
            check(ending, INTERRUPTED, Status::Cancelled);
        }
    }

    #[test]
    fn a_kill_for_memory_is_told_apart() {
        let both = Circumstances { interrupted: true, out_of_memory: true };
        for ending in [Killed(9), Exited(137)] {
            check(ending, OUT_OF_MEMORY, Status::OutOfMemory);
            check(ending, both, Status::OutOfMemory);
        }
        check(Exited(1), OUT_OF_MEMORY, Status::Failed);
        check(Killed(15), OUT_OF_MEMORY, Status::Cancelled);
    }

    #[test]
    fn exit_codes_are_those_of_a_shell() {
        assert_eq!(Ending::of(ExitStatus::from_raw(7 << 8)), Exited(7));
        assert_eq!(Ending::of(ExitStatus::from_raw(9)), Killed(9));
        // With a core dump.
        assert_eq!(Ending::of(ExitStatus::from_raw(0x80 | 11)), Killed(11));
        assert_eq!((Exited(7).exit_code(), Killed(9).exit_code(), Killed(11).exit_code()), (7, 137, 139));
    }
}
