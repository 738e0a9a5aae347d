//! The life of a run: tracked from its beginning to its end whatever that is, with a heartbeat that tells others that it
//! lives, and a lease that keeps two holders from writing to it.
//!
//! `decide` has the rules, `heart` the thread that keeps a process's runs alive and ends them, `signals` what happens on
//! SIGINT and SIGTERM; `tracking`, `guard` and `reap` are what users see.

mod decide;
mod guard;
mod heart;
mod reap;
mod session;
mod signals;
pub mod sigterm;
mod tracking;

pub use guard::TrackGuard;
pub(crate) use heart::Heart;
pub use reap::Reap;
pub use tracking::Tracking;

/// The environment variable by which a tracker makes a process that it starts a part of itself.
pub const LEASE_VARIABLE: &str = "SQLTRACK_RUN_LEASE";
