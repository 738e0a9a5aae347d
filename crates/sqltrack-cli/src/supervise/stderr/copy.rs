//! Standard error that passes through us: every byte is written as it comes, and the last lines are kept.

use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, read, retry_on_intr, write};
use rustix::stdio::stderr;
use tokio::sync::oneshot;

use super::tail::Tail;

/// How long to wait for more when the command has ended. All of its own is there by then, but a terminal may take a
/// moment, and a process that it left behind may hold the other end for ever.
const PATIENCE: Duration = Duration::from_millis(100);
/// More than the kernel keeps: what comes after it was written by somebody else.
const MOST: usize = 1024 * 1024;

/// The copying of what a command writes, by a thread of its own.
#[derive(Debug)]
pub(crate) struct Copying {
    tail: Arc<Mutex<Tail>>,
    /// The thread is told that the command has ended by the end of this.
    running: Option<PipeWriter>,
    done: oneshot::Receiver<()>,
}

impl Copying {
    /// Starts to copy from `from` to our standard error.
    pub(super) fn start(from: Arc<OwnedFd>) -> io::Result<Self> {
        let (ended, running) = io::pipe()?;
        let (sender, done) = oneshot::channel();
        let tail = Arc::<Mutex<Tail>>::default();
        let kept = tail.clone();
        std::thread::Builder::new().name("stderr".to_owned()).spawn(move || {
            copy(&from, &ended, &kept);
            // Closed as soon as nothing is read any more: then the command gets to know that its reader is gone.
            drop(from);
            let _ = sender.send(());
        })?;
        Ok(Self { tail, running: Some(running), done })
    }

    /// Waits until all that the ended command wrote has been written on. Whoever reads it may take his time.
    pub(super) async fn finish(&mut self) {
        self.running = None;
        if !self.done.is_terminated() {
            let _ = (&mut self.done).await;
        }
    }

    /// The last lines until now.
    pub(super) fn lines(&self) -> Vec<String> {
        lock(&self.tail).lines()
    }
}

fn lock(tail: &Mutex<Tail>) -> MutexGuard<'_, Tail> {
    tail.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Copies until nobody writes any more, nobody reads any more, or the command has ended and said all.
fn copy(from: &OwnedFd, ended: &PipeReader, tail: &Mutex<Tail>) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(Wake::Written) = wait(from, ended) {
        if pass_on(from, &mut buffer, tail).is_none() {
            return;
        }
    }
    let mut rest = Rest { bytes: MOST, patience: PATIENCE };
    while rest.is_there(from) {
        let Some(length) = pass_on(from, &mut buffer, tail) else { return };
        rest.bytes = rest.bytes.saturating_sub(length);
    }
}

/// Copies what is there. `None` is the end, of those who write or of those who read.
fn pass_on(from: &OwnedFd, buffer: &mut [u8], tail: &Mutex<Tail>) -> Option<usize> {
    // The error is that of a terminal whose other end is closed.
    let length = retry_on_intr(|| read(from, &mut *buffer)).ok().filter(|length| *length > 0)?;
    lock(tail).push(&buffer[..length]);
    write_on(&buffer[..length]).ok()?;
    Some(length)
}

enum Wake {
    Written,
    Ended,
}

/// Waits for bytes, or for the end of the command.
fn wait(from: &OwnedFd, ended: &PipeReader) -> Result<Wake, Errno> {
    let mut ends = [PollFd::new(from, PollFlags::IN), PollFd::new(ended, PollFlags::IN)];
    retry_on_intr(|| poll(&mut ends, None))?;
    Ok(if ends[1].revents().is_empty() { Wake::Written } else { Wake::Ended })
}

/// What may still be read after the end of the command.
struct Rest {
    bytes: usize,
    patience: Duration,
}

impl Rest {
    /// Whether there is more to read.
    fn is_there(&mut self, from: &OwnedFd) -> bool {
        if self.bytes == 0 {
            return false;
        }
        let start = Instant::now();
        let mut end = [PollFd::new(from, PollFlags::IN)];
        let limit = Timespec::try_from(self.patience).unwrap_or_default();
        let found = retry_on_intr(|| poll(&mut end, Some(&limit)));
        self.patience = self.patience.saturating_sub(start.elapsed());
        found.is_ok_and(|found| found > 0)
    }
}

/// Writes all of it, whether or not our standard error blocks.
fn write_on(mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match write(stderr(), bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                let stderr = stderr();
                let mut end = [PollFd::new(&stderr, PollFlags::OUT)];
                retry_on_intr(|| poll(&mut end, None))?;
            }
            Err(err) => return Err(err),
        }
    }
    Ok(())
}
