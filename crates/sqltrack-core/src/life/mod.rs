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

use sqltrack_engines::RunId;

pub use guard::TrackGuard;
pub(crate) use heart::Heart;
pub use reap::Reap;
pub use tracking::Tracking;

use crate::Error;

/// The environment variable by which a tracker makes a process that it starts a part of itself: `RUN:LEASE`.
const LEASE_VARIABLE: &str = "SQLTRACK_RUN_LEASE";

/// The lease on `run` of the tracker that has started this process; `None` if there is none, or one of another run.
pub(crate) fn lease_from_env(run: RunId) -> Result<Option<i64>, Error> {
    let Some(value) = std::env::var_os(LEASE_VARIABLE).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let parsed = value.to_str().and_then(|value| value.split_once(':'));
    let parsed = parsed.and_then(|(run, lease)| Some((run.parse::<RunId>().ok()?, lease.parse().ok()?)));
    let (of, lease) = parsed.ok_or_else(|| Error::Variable {
        name: LEASE_VARIABLE.to_owned(),
        problem: format!(
            "is {value:?}; expected RUN:LEASE, as a tracker sets it for what it starts; unset it"
        ),
    })?;
    Ok((of == run).then_some(lease))
}
