//! SIGINT and SIGTERM while a run is tracked: what is on its way is written, the run gets its status, registered functions
//! are called, and the process exits as one that was told to end, in bounded time.
//!
//! Handlers cannot be taken out of a process without `unsafe`. So they are put in once, and while no run is tracked they
//! do what the system would have done without them.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::guard::log_failure;
use super::heart::Heart;
use super::session::Session;
use super::sigterm;
use crate::Status;

/// The parts of the time of grace, in tenths, until which writes are waited for, and statuses.
const WRITES_TENTHS: u32 = 3;
const STATUS_TENTHS: u32 = 7;

/// Signals are caught as long as one of these lives.
#[derive(Debug)]
pub(crate) struct Watch(());

/// How many there are.
static WATCHES: AtomicUsize = AtomicUsize::new(0);
/// The flag that gives the signals back to the system, once they were caught for the first time.
static RELEASED: Mutex<Option<Arc<AtomicBool>>> = Mutex::new(None);

impl Watch {
    /// Begins to catch signals. One that the process ignores, as `nohup` has it, stays ignored.
    pub(crate) fn begin() -> Self {
        let mut released = RELEASED.lock().unwrap_or_else(PoisonError::into_inner);
        WATCHES.fetch_add(1, Ordering::AcqRel);
        match &*released {
            Some(is_released) => is_released.store(false, Ordering::Release),
            None => {
                let is_released = Arc::new(AtomicBool::new(false));
                if let Err(err) = catch(&is_released) {
                    tracing::warn!("cannot catch signals: {err}");
                }
                *released = Some(is_released);
            }
        }
        Self(())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let released = RELEASED.lock().unwrap_or_else(PoisonError::into_inner);
        if WATCHES.fetch_sub(1, Ordering::AcqRel) == 1
            && let Some(is_released) = &*released
        {
            is_released.store(true, Ordering::Release);
        }
    }
}

/// Catches those signals that the process does not ignore, on one thread, so that it ends once.
fn catch(is_released: &Arc<AtomicBool>) -> std::io::Result<()> {
    let mut caught = Vec::new();
    for signal in [SIGINT, SIGTERM] {
        match disposition(signal) {
            Disposition::Ignored => continue,
            // A handler that was there before is still called.
            Disposition::Caught => {}
            Disposition::Default => {
                signal_hook::flag::register_conditional_default(signal, is_released.clone())?;
            }
        }
        caught.push(signal);
    }
    let mut signals = Signals::new(caught)?;
    let thread = std::thread::Builder::new().name("sqltrack-signals".to_owned());
    thread.spawn(move || signals.forever().for_each(received)).map(drop)
}

/// What the process did on a signal before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Disposition {
    Default,
    Ignored,
    /// Someone else catches it, and goes on to do so.
    Caught,
}

fn disposition(signal: i32) -> Disposition {
    // Elsewhere than on Linux, what most processes do is taken for granted.
    std::fs::read_to_string("/proc/self/status").map_or(Disposition::Default, |status| parse(&status, signal))
}

/// Reads the masks of `/proc/self/status`, in which bit 0 is signal 1.
fn parse(status: &str, signal: i32) -> Disposition {
    let is_in = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let mask = line.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
    };
    if is_in("SigIgn:") {
        Disposition::Ignored
    } else if is_in("SigCgt:") {
        Disposition::Caught
    } else {
        Disposition::Default
    }
}

fn received(signal: i32) {
    if WATCHES.load(Ordering::Acquire) > 0 {
        end_process(signal);
    }
}

/// Ends all runs of this process, and the process.
fn end_process(signal: i32) -> ! {
    let start = Instant::now();
    let hearts = Heart::all();
    let sessions: Vec<_> = hearts
        .iter()
        .flat_map(|heart| heart.sessions().into_iter().map(move |session| (heart, session)))
        .collect();
    let graces = sessions.iter().map(|(_, session)| session.grace);
    let grace = graces.max().unwrap_or(Duration::ZERO);
    let left_of = |tenths: u32| (grace * tenths / 10).saturating_sub(start.elapsed());

    for heart in &hearts {
        heart.settle(left_of(WRITES_TENTHS));
    }
    let (answer, answers) = channel();
    for (heart, session) in &sessions {
        if session.claim_end() {
            let answer = answer.clone();
            let run = session.run;
            let done = Box::new(move |result| {
                log_failure(run, result);
                drop(answer);
            });
            heart.end(session, status(session, signal), left_of(STATUS_TENTHS), done);
        }
    }
    drop(answer);
    wait_until_dropped(&answers, left_of(STATUS_TENTHS));
    for (_, session) in &sessions {
        // Some may have been about to end already.
        session.wait_for_end(left_of(STATUS_TENTHS));
    }
    call_functions(left_of(10));
    std::process::exit(128 + signal)
}

fn status(session: &Session, signal: i32) -> Status {
    let status = if signal == SIGINT { &session.interrupted } else { &session.terminated };
    tracing::info!("signal {signal}: run {} is {status}", session.run);
    status.clone()
}

fn wait_until_dropped(answers: &Receiver<()>, patience: Duration) {
    // Nothing is ever sent: it is over when every sender is gone.
    if answers.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
        tracing::error!("the database does not answer; the end of the run is not recorded");
    }
}

fn call_functions(patience: Duration) {
    let (done, is_done) = channel::<()>();
    let called = std::thread::Builder::new().spawn(move || {
        sigterm::call();
        drop(done);
    });
    if called.is_ok() {
        let _ = is_done.recv_timeout(patience);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_are_read_bit_by_bit() {
        let status = "Name:\tx\nSigIgn:\t0000000000000002\nSigCgt:\t0000000000004000\n";
        assert_eq!(parse(status, SIGINT), Disposition::Ignored);
        assert_eq!(parse(status, SIGTERM), Disposition::Caught);
        assert_eq!(parse(status, 1), Disposition::Default);
        assert_eq!(parse("", SIGINT), Disposition::Default);
    }
}
