//! The states of a run.

use std::borrow::Cow;
use std::fmt;

macro_rules! statuses {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// The status of a run: [`Status::Planned`], a state of Slurm's, or any other text.
        ///
        /// ```
        /// use sqltrack_core::Status;
        ///
        /// assert_eq!(Status::from("RUNNING"), Status::Running);
        /// assert_eq!(Status::from("half done").as_str(), "half done");
        /// ```
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Status {
            $($(#[$doc])* $variant,)*
            /// A status that is none of the known ones.
            Other(String),
        }

        impl Status {
            /// The known statuses.
            pub const KNOWN: &[Self] = &[$(Self::$variant),*];

            /// Whether it is that of a run which has ended, and not well.
            #[must_use]
            pub fn is_failure(&self) -> bool {
                matches!(
                    self,
                    Self::BootFail
                        | Self::Cancelled
                        | Self::Deadline
                        | Self::Failed
                        | Self::NodeFail
                        | Self::OutOfMemory
                        | Self::Preempted
                        | Self::Revoked
                        | Self::Timeout
                )
            }

            /// The text that is stored.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::Other(text) => text,
                }
            }
        }

        impl From<&str> for Status {
            fn from(text: &str) -> Self {
                match text {
                    $($name => Self::$variant,)*
                    other => Self::Other(other.to_owned()),
                }
            }
        }
    };
}

statuses! {
    /// The run is recorded and has not started.
    Planned = "PLANNED",
    /// The job failed to start on its node.
    BootFail = "BOOT_FAIL",
    /// The run was cancelled.
    Cancelled = "CANCELLED",
    /// The run ended well.
    Completed = "COMPLETED",
    /// The job has its resources and waits for them to be ready.
    Configuring = "CONFIGURING",
    /// The job is about to end.
    Completing = "COMPLETING",
    /// The job ran into its deadline.
    Deadline = "DEADLINE",
    /// The run failed.
    Failed = "FAILED",
    /// The run's machine died, or the run without a word.
    NodeFail = "NODE_FAIL",
    /// The run took more memory than there was.
    OutOfMemory = "OUT_OF_MEMORY",
    /// The job waits for its resources.
    Pending = "PENDING",
    /// The job was stopped in favour of another.
    Preempted = "PREEMPTED",
    /// The run runs.
    Running = "RUNNING",
    /// The job is held since its reservation was deleted.
    ResvDelHold = "RESV_DEL_HOLD",
    /// The job is requeued by a federation.
    RequeueFed = "REQUEUE_FED",
    /// The requeued job is held.
    RequeueHold = "REQUEUE_HOLD",
    /// The job is requeued.
    Requeued = "REQUEUED",
    /// The job changes its size.
    Resizing = "RESIZING",
    /// The job runs on a sibling cluster.
    Revoked = "REVOKED",
    /// The job is being signalled.
    Signaling = "SIGNALING",
    /// The job is held after a special exit.
    SpecialExit = "SPECIAL_EXIT",
    /// The job copies its results.
    StageOut = "STAGE_OUT",
    /// The job is stopped, with its resources.
    Stopped = "STOPPED",
    /// The job is suspended.
    Suspended = "SUSPENDED",
    /// The run took more time than it had.
    Timeout = "TIMEOUT",
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl From<String> for Status {
    fn from(text: String) -> Self {
        match Self::from(text.as_str()) {
            Self::Other(_) => Self::Other(text),
            known => known,
        }
    }
}

impl From<Cow<'_, str>> for Status {
    fn from(text: Cow<'_, str>) -> Self {
        Self::from(text.as_ref())
    }
}

impl sqltrack_engines::Decode for Status {
    fn decode(value: sqltrack_engines::Value) -> Result<Self, sqltrack_engines::DecodeError> {
        String::decode(value).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_status_is_its_text() {
        for status in Status::KNOWN {
            assert_eq!(&Status::from(status.as_str()), status);
        }
        assert_eq!(Status::KNOWN.len(), 25);
    }
}
