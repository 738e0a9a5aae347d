//! Functions that are called when the process is told to end while it tracks a run, by SIGTERM or SIGINT: the manual's
//! `sqltrack.sigterm`.
//!
//! They are called once the status of the run is recorded, each in turn and in the order in which they were registered,
//! and all of them within the time of grace (see [`Tracking::grace`](crate::Tracking::grace)). The process exits then,
//! with 143 or 130.
//!
//! ```
//! use sqltrack_core::sigterm;
//!
//! sigterm::register("checkpoint", || println!("saving the model"));
//! sigterm::deregister("checkpoint");
//! ```

use std::sync::{Arc, Mutex, PoisonError};

type Function = Arc<dyn Fn() + Send + Sync>;

static FUNCTIONS: Mutex<Vec<(String, Function)>> = Mutex::new(Vec::new());

/// Has `function` called on SIGTERM and SIGINT, in the place of the one that `key` was registered with, if there is one.
///
/// It is called on a thread of its own, not in the handler of the signal, so that it may do anything.
pub fn register(key: impl Into<String>, function: impl Fn() + Send + Sync + 'static) {
    let key = key.into();
    let function: Function = Arc::new(function);
    let mut functions = FUNCTIONS.lock().unwrap_or_else(PoisonError::into_inner);
    match functions.iter_mut().find(|(known, _)| *known == key) {
        Some((_, known)) => *known = function,
        None => functions.push((key, function)),
    }
}

/// Takes the function of `key` back, and tells whether there was one.
pub fn deregister(key: &str) -> bool {
    let mut functions = FUNCTIONS.lock().unwrap_or_else(PoisonError::into_inner);
    let count = functions.len();
    functions.retain(|(known, _)| known != key);
    functions.len() < count
}

/// Calls all of them.
pub(super) fn call() {
    let functions = FUNCTIONS.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for (key, function) in functions {
        // One that panics does not keep the others from being called.
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| function())).is_err() {
            tracing::error!("the function `{key}`, registered for signals, panicked");
        }
    }
}
