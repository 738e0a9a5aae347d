//! Interrupts: end the running child instead of this process, so that what was set up is also torn down.

use std::io::IsTerminal as _;
use std::process::{Child, Command};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// How a child gets to know of an interrupt.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interrupt {
    /// The child leads a process group of its own, all of which is ended.
    Group,
    /// The child shares the terminal, whose Ctrl-C it has already seen; other signals are passed on to it.
    Shared,
}

struct State {
    signal: Option<i32>,
    child: Option<(Pid, Interrupt)>,
}

static STATE: Mutex<State> = Mutex::new(State { signal: None, child: None });
static CHANGED: Condvar = Condvar::new();

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts to catch SIGINT, SIGTERM and SIGHUP.
pub(crate) fn catch() -> Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).context("cannot catch signals")?;
    std::thread::spawn(move || signals.forever().for_each(received));
    Ok(())
}

/// The signal that arrived, if one did.
pub(crate) fn caught() -> Option<i32> {
    state().signal
}

/// Blocks until a signal arrives.
pub(crate) fn wait() {
    let _state =
        CHANGED.wait_while(state(), |state| state.signal.is_none()).unwrap_or_else(PoisonError::into_inner);
}

/// Starts a child that the next interrupt ends, unless an interrupt has already arrived.
pub(crate) fn spawn(command: &mut Command, interrupt: Interrupt) -> Result<Child> {
    // Held from the look at the signal to the note of the child, or a signal in between would be lost.
    let mut state = state();
    if state.signal.is_some() {
        bail!("interrupted");
    }
    let child = command
        .spawn()
        .with_context(|| format!("cannot start `{}`", command.get_program().to_string_lossy()))?;
    state.child = Some((Pid::from_child(&child), interrupt));
    Ok(child)
}

/// Forgets the child, which has ended.
pub(crate) fn ended() {
    state().child = None;
}

fn received(signal: i32) {
    let mut state = state();
    let repeated = state.signal.replace(signal).is_some();
    CHANGED.notify_all();
    // A child that is gone already is what was wanted, so the results do not matter.
    match state.child {
        Some((pid, Interrupt::Group)) => {
            let _ = kill_process_group(pid, if repeated { Signal::KILL } else { Signal::TERM });
        }
        Some((_, Interrupt::Shared)) if signal == SIGINT && std::io::stdin().is_terminal() => {}
        Some((pid, Interrupt::Shared)) => {
            let _ = kill_process(pid, if signal == SIGINT { Signal::INT } else { Signal::TERM });
        }
        None => {}
    }
}
