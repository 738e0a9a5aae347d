//! When entries are forced onto the disk. They survive the death of the process in any case; this is about the death of
//! the machine.

use std::fs::File;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// When the entries of a spool are forced onto the disk: the parameter `spool_fsync`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fsync {
    /// When the system sees fit. A power failure may take the entries of about half a minute.
    Never,
    /// Within a second. A power failure may take the entries of a second.
    #[default]
    Second,
    /// Before an append returns.
    Always,
}

impl Fsync {
    /// The word for it in a configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Second => "second",
            Self::Always => "always",
        }
    }
}

/// A text that is none of `never`, `second` and `always`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected `never`, `second` or `always`")]
pub struct UnknownFsync;

impl FromStr for Fsync {
    type Err = UnknownFsync;

    fn from_str(text: &str) -> Result<Self, UnknownFsync> {
        let all = [Self::Never, Self::Second, Self::Always];
        all.into_iter().find(|fsync| fsync.name() == text).ok_or(UnknownFsync)
    }
}

/// The time from an append until it is forced onto the disk.
const DELAY: Duration = Duration::from_secs(1);

/// A thread that forces what was appended onto the disk, a second later.
#[derive(Debug)]
pub(super) struct Flusher {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    is_dirty: AtomicBool,
    work: Mutex<Work>,
    bell: Condvar,
}

#[derive(Debug, Default)]
struct Work {
    /// The files that may have something new, the one that is appended to last.
    files: Vec<Arc<File>>,
    is_over: bool,
}

impl Flusher {
    pub(super) fn start(file: Arc<File>) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        shared.lock().files.push(file);
        let run = shared.clone();
        let thread =
            std::thread::Builder::new().name("sqltrack-spool".to_owned()).spawn(move || run.run())?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Notes that something was appended.
    pub(super) fn note(&self) {
        if !self.shared.is_dirty.swap(true, Ordering::AcqRel) {
            let _work = self.shared.lock();
            self.shared.bell.notify_one();
        }
    }

    /// Notes that appends go to another file from now on.
    pub(super) fn add(&self, file: Arc<File>) {
        self.shared.lock().files.push(file);
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        self.shared.lock().is_over = true;
        self.shared.bell.notify_one();
        if let Some(thread) = self.thread.take() {
            // It cannot panic.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        loop {
            let work = self.lock();
            let idle = |work: &mut Work| !work.is_over && !self.is_dirty.load(Ordering::Acquire);
            let work = self.bell.wait_while(work, idle).unwrap_or_else(PoisonError::into_inner);
            let waited = self.bell.wait_timeout_while(work, DELAY, |work| !work.is_over);
            let (mut work, _) = waited.unwrap_or_else(PoisonError::into_inner);
            let is_over = work.is_over;
            let was_dirty = self.is_dirty.swap(false, Ordering::AcqRel);
            let files = work.files.clone();
            let done = files.len().saturating_sub(1);
            work.files.drain(..done);
            drop(work);
            if was_dirty || done > 0 {
                files.iter().for_each(|file| sync(file));
            }
            if is_over {
                return;
            }
        }
    }
}

fn sync(file: &File) {
    if let Err(err) = file.sync_data() {
        tracing::error!("cannot force the spool onto the disk: {err}");
    }
}
