//! Standard error of the command: it sees what it would see without us, and its last lines are kept.

mod copy;
mod tail;
mod terminal;
mod written;

use std::io;
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::sync::{Arc, Weak};
use std::time::Duration;

use copy::Copying;
pub(super) use terminal::copy_size;
use written::Written;

/// How long the last lines are waited for, if whoever reads our standard error does not read on.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether the last lines of standard error are to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LastLines {
    /// They are kept, if there is a way.
    Kept,
    /// The command has our standard error itself.
    Unknown,
}

/// What becomes of the standard error of a command.
#[derive(Debug)]
pub(super) enum Stderr {
    /// The command has ours, and nothing is kept.
    Direct,
    /// The command has ours, a file that can be read afterwards.
    File(Written),
    /// The command writes to us.
    Through(Copying),
}

/// What a command is started with.
pub(super) struct End {
    pub(super) stderr: Stdio,
    /// The terminal that it is, whose size is to be that of ours.
    pub(super) terminal: Weak<OwnedFd>,
}

impl Stderr {
    /// Does what our standard error calls for.
    pub(super) fn open(last_lines: LastLines) -> (Self, End) {
        let ours = || End { stderr: Stdio::inherit(), terminal: Weak::new() };
        if last_lines == LastLines::Unknown {
            return (Self::Direct, ours());
        }
        if let Some(written) = Written::now() {
            return (Self::File(written), ours());
        }
        Self::through().unwrap_or_else(|err| {
            // Better no lines than no command.
            tracing::warn!("cannot keep the last lines of standard error: {err}");
            (Self::Direct, ours())
        })
    }

    fn through() -> io::Result<(Self, End)> {
        let is_terminal = terminal::is_terminal();
        let (ours, theirs) = if is_terminal { terminal::open()? } else { pipe()? };
        let ours = Arc::new(ours);
        let terminal = if is_terminal { Arc::downgrade(&ours) } else { Weak::new() };
        Ok((Self::Through(Copying::start(ours)?), End { stderr: theirs.into(), terminal }))
    }

    /// The last lines of the command, which has ended.
    pub(super) async fn last_lines(&mut self) -> Vec<String> {
        match self {
            Self::Direct => Vec::new(),
            Self::File(written) => written.lines(),
            Self::Through(copying) => {
                // What is late is missing among the lines, and still written.
                let _ = tokio::time::timeout(PATIENCE, copying.finish()).await;
                copying.lines()
            }
        }
    }

    /// Waits until all that the command wrote is where it belongs.
    pub(super) async fn finish(&mut self) {
        if let Self::Through(copying) = self {
            copying.finish().await;
        }
    }
}

fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (ours, theirs) = io::pipe()?;
    Ok((ours.into(), theirs.into()))
}
