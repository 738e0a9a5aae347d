//! Signals: we survive them, and the command gets those that it does not get by itself.
//!
//! What a terminal sends, it sends to the whole process group, so the command has seen it. What somebody sends to our
//! process id is meant for the command. The kernel tells which is which.

use std::io;
use std::os::fd::OwnedFd;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH, SIGXCPU};
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::WithOrigin;
use tokio::sync::watch;

use super::kernel::{Ignored, leads_session};
use super::stderr;

/// What we catch, unless it is ignored: what ends a process, and what batch systems and terminals send.
const CAUGHT: [i32; 8] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGXCPU, SIGWINCH];
/// What asks us to stop while there is no command that could.
const STOPS: [i32; 4] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM];

/// The signals of this process, caught until it ends.
#[derive(Debug)]
pub(crate) struct Signals {
    target: Arc<Target>,
    stops: watch::Receiver<Option<u8>>,
    /// SIGTERM or SIGINT came. The handler itself says so: a command that dies of the same signal may be faster than
    /// the thread that receives ours.
    interrupted: Arc<AtomicBool>,
}

/// Whom signals are for. The thread that receives them shares it with the one that waits for the command.
#[derive(Debug)]
pub(super) struct Target {
    state: Mutex<State>,
    stops: watch::Sender<Option<u8>>,
}

#[derive(Debug, Default)]
struct State {
    child: Option<Pid>,
    /// The terminal that the command's standard error is, whose size follows that of ours.
    terminal: Weak<OwnedFd>,
}

/// What came of starting a command.
pub(super) enum Start {
    Started(Child),
    /// A signal to stop had come before.
    Stopped(u8),
}

/// Who sent a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sender {
    /// The kernel, as a rule for the terminal.
    Kernel,
    /// The process of this id.
    Process(i32),
}

impl Signals {
    /// Starts to catch signals.
    pub(crate) fn catch() -> anyhow::Result<Self> {
        let ignored = Ignored::now();
        if ignored.contains(SIGCHLD) {
            // Else the kernel throws away how the command ends.
            signal_hook::flag::register(SIGCHLD, Arc::new(AtomicBool::new(false))).map_err(told)?;
        }
        let interrupted = Arc::new(AtomicBool::new(false));
        for signal in [SIGTERM, SIGINT].into_iter().filter(|signal| !ignored.contains(*signal)) {
            signal_hook::flag::register(signal, interrupted.clone()).map_err(told)?;
        }
        let caught = CAUGHT.into_iter().filter(|signal| !ignored.contains(*signal));
        let mut signals = SignalsInfo::<WithOrigin>::new(caught).map_err(told)?;
        let (sender, stops) = watch::channel(None);
        let target = Arc::new(Target { state: Mutex::default(), stops: sender });
        let receiver = target.clone();
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                for origin in signals.forever() {
                    let process = origin.process.map(|process| Sender::Process(process.pid));
                    receiver.received(origin.signal, process.unwrap_or(Sender::Kernel));
                }
            })
            .map_err(told)?;
        Ok(Self { target, stops, interrupted })
    }

    /// The next signal that asks to stop.
    pub(crate) async fn stop(&mut self) -> u8 {
        // The sender lives as long as `self`, and only ever sends a signal.
        while self.stops.changed().await.is_ok() {
            if let Some(signal) = *self.stops.borrow_and_update() {
                return signal;
            }
        }
        std::future::pending().await
    }

    /// Starts a command, which gets the signals from now on, unless one has asked to stop before.
    pub(super) fn start(&self, command: &mut Command, terminal: Weak<OwnedFd>) -> io::Result<Start> {
        // Held from the look at the signals to the note of the child, or a signal in between would be lost.
        let mut state = self.target.state();
        if let Some(signal) = *self.stops.borrow() {
            return Ok(Start::Stopped(signal));
        }
        let child = command.spawn()?;
        *state = State { child: Some(Pid::from_child(&child)), terminal };
        Ok(Start::Started(child))
    }

    pub(super) fn target(&self) -> Arc<Target> {
        self.target.clone()
    }

    /// Forgets the signals to stop that have come until now, which were for the command. Tells whether it was
    /// interrupted.
    pub(super) fn forget(&mut self) -> bool {
        self.stops.mark_unchanged();
        self.interrupted.load(Ordering::SeqCst)
    }
}

impl Target {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets the child, which has ended and whose id is about to be free.
    pub(super) fn ended(&self) {
        self.state().child = None;
    }

    fn received(&self, signal: i32, sender: Sender) {
        let state = self.state();
        if STOPS.contains(&signal) {
            self.stops.send_replace(u8::try_from(signal).ok());
        }
        let resized = signal == SIGWINCH && state.copy_size();
        let Some(child) = state.child else { return };
        // One that was resized may have looked at the size before it was copied.
        if resized || is_missing(signal, sender, child, leads_session) {
            // A child that has just ended needs no signal any more.
            let _ = Signal::from_named_raw(signal).map(|signal| kill_process(child, signal));
        }
    }
}

impl State {
    /// Gives the terminal of the command the size of ours, if it has one.
    fn copy_size(&self) -> bool {
        self.terminal.upgrade().is_some_and(|terminal| stderr::copy_size(&terminal).is_ok())
    }
}

/// Whether the child did not get a signal by itself that we got.
fn is_missing(signal: i32, sender: Sender, child: Pid, leads_session: impl Fn() -> bool) -> bool {
    match sender {
        // A terminal that goes away tells the leader of its session alone.
        Sender::Kernel => signal == SIGHUP && leads_session(),
        // `kill 0` in a script reaches the script itself, and then us.
        Sender::Process(id) => Pid::from_raw(id) != Some(child),
    }
}

fn told(err: io::Error) -> anyhow::Error {
    anyhow::anyhow!("cannot catch signals: {err}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_child_is_sent_what_it_did_not_get() {
        let child = Pid::from_raw(7).unwrap();
        for signal in CAUGHT {
            for sender in [0, 1, 8] {
                assert!(is_missing(signal, Sender::Process(sender), child, || false));
            }
            assert!(!is_missing(signal, Sender::Process(7), child, || false));
            assert!(!is_missing(signal, Sender::Kernel, child, || false));
            assert_eq!(is_missing(signal, Sender::Kernel, child, || true), signal == SIGHUP);
        }
    }

    #[test]
    fn every_signal_that_is_caught_can_be_sent() {
        for signal in CAUGHT {
            assert!(Signal::from_named_raw(signal).is_some(), "{signal}");
        }
    }
}
