//! A client without a database: what it would write goes to the spool alone, until somebody delivers it.
//!
//! A run that is begun here has no id of the database yet. Its handle has a random negative one, which is its id in the
//! spool, so that other processes can be told of it in the usual way.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sqltrack_engines::{Moment, OfflineRunId, RunChanges, RunId, Value, to_microseconds};
use time::OffsetDateTime;

use crate::experiment::ExperimentKey;
use crate::spool::{EntryRef, Fsync, NewRun, RunUpdate, Spool, SpoolError, SpooledRun, Target};
use crate::writer::{Call, Stats};
use crate::{Config, Error};

/// What a client without a database has.
#[derive(Debug)]
pub(crate) struct Offline {
    config: Arc<Config>,
    target: Target,
    state: Mutex<State>,
    spooled: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    spool: Writing,
    /// The runs that were begun or taken here.
    runs: HashMap<RunId, Begun>,
}

/// The spool, made for the first entry: who writes nothing leaves nothing.
#[derive(Debug, Default)]
enum Writing {
    #[default]
    NotYet,
    Open(Arc<Spool>),
    Closed,
}

#[derive(Debug)]
struct Begun {
    id: OfflineRunId,
    experiment: ExperimentKey,
}

/// How a run is begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beginning {
    /// It is a new one.
    New,
    /// It has this id, which belongs to the experiment or is free.
    Of(RunId),
    /// It has this id, whatever experiment that belongs to.
    Whatever(RunId),
}

impl Offline {
    pub(crate) fn new(config: Arc<Config>, target: Target) -> Self {
        Self { config, target, state: Mutex::default(), spooled: AtomicU64::new(0) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a run, and returns the id of its handle.
    pub(crate) fn begin(&self, experiment: &ExperimentKey, beginning: Beginning) -> Result<RunId, Error> {
        let (given, is_taken) = match beginning {
            Beginning::New => (None, false),
            Beginning::Of(run) => (Some(run), false),
            Beginning::Whatever(run) => (Some(run), true),
        };
        let mut state = self.state();
        if let Some(run) = given
            && (run.0 < 0 || state.runs.contains_key(&run))
        {
            // Begun before, here or by another process.
            return Ok(run);
        }
        let handle = new_handle()?;
        let created = Some(Moment::At(to_microseconds(OffsetDateTime::now_utc())));
        let new = NewRun {
            id: offline_id(handle),
            experiment: experiment.known_id(),
            experiment_name: experiment.name().map(str::to_owned),
            run: given,
            is_taken,
            changes: RunChanges { created, ..RunChanges::default() },
        };
        self.spool(&mut state)?.begin_run(&new)?;
        let run = given.unwrap_or(handle);
        state.runs.insert(run, Begun { id: new.id, experiment: experiment.clone() });
        Ok(run)
    }

    /// The experiment of a run that was begun here.
    pub(crate) fn experiment_of(&self, run: RunId) -> Option<ExperimentKey> {
        self.state().runs.get(&run).map(|begun| begun.experiment.clone())
    }

    /// Changes a run.
    pub(crate) fn change(&self, run: RunId, changes: RunChanges, lives: Option<bool>) -> Result<(), Error> {
        let (spool, run) = self.spool_for(run)?;
        spool.update_run(&RunUpdate { run, changes, lives })?;
        Ok(())
    }

    /// Takes a call with its values.
    pub(crate) fn write(&self, call: &Call, values: &[Value]) -> Result<(), Error> {
        let (spool, run) = self.spool_for(call.key.run)?;
        spool.append(EntryRef {
            run,
            lease: None,
            step: call.key.step,
            progress: call.key.progress,
            updated: call.updated,
            names: &call.names.names,
            values,
        })?;
        self.spooled.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// The spool, and what it knows the run of a handle by. The disk is not waited for under the lock of all callers.
    fn spool_for(&self, run: RunId) -> Result<(Arc<Spool>, SpooledRun), Error> {
        let mut state = self.state();
        Ok((self.spool(&mut state)?, state.spooled(run)))
    }

    /// Has everything on the disk, as far as the configuration wants that.
    pub(crate) async fn flush(&self) -> Result<(), Error> {
        if self.config.spool_fsync() == Fsync::Never {
            return Ok(());
        }
        let spool = match &self.state().spool {
            Writing::Open(spool) => spool.clone(),
            _ => return Ok(()),
        };
        let synced = tokio::task::spawn_blocking(move || spool.sync()).await;
        Ok(synced.map_err(|err| Error::Stopped(err.to_string()))??)
    }

    /// Takes nothing any more, and gives the spool free for whoever delivers it.
    pub(crate) fn close(&self) {
        self.state().spool = Writing::Closed;
    }

    pub(crate) fn stats(&self) -> Stats {
        let rows = self.spooled.load(Ordering::Relaxed);
        Stats { queued_rows: rows, spooled_rows: rows, ..Stats::default() }
    }

    fn spool(&self, state: &mut State) -> Result<Arc<Spool>, Error> {
        match &state.spool {
            Writing::Open(spool) => Ok(spool.clone()),
            Writing::Closed => Err(Error::Stopped("the client was closed".to_owned())),
            Writing::NotYet => {
                let folder = self.config.spool_or_default().ok_or_else(no_folder)?;
                let spool = Arc::new(Spool::open(folder, &self.target, self.config.spool_fsync())?);
                state.spool = Writing::Open(spool.clone());
                Ok(spool)
            }
        }
    }
}

impl State {
    /// What the spool knows the run of a handle by.
    fn spooled(&self, run: RunId) -> SpooledRun {
        match self.runs.get(&run) {
            Some(begun) => SpooledRun::Offline(begun.id),
            None => spooled(run),
        }
    }
}

/// What a spool knows the run of a handle by that was not begun by the same process.
pub(crate) fn spooled(run: RunId) -> SpooledRun {
    if run.0 < 0 { SpooledRun::Offline(offline_id(run)) } else { SpooledRun::Run(run) }
}

fn offline_id(handle: RunId) -> OfflineRunId {
    OfflineRunId(u128::from(handle.0.cast_unsigned()))
}

/// A random negative number.
fn new_handle() -> Result<RunId, Error> {
    let random = getrandom::u64().map_err(|err| Error::Stopped(format!("no random number: {err}")))?;
    Ok(RunId((random | 1 << 63).cast_signed()))
}

fn no_folder() -> Error {
    let problem = "without a folder: there is no home directory; set `spool`";
    SpoolError::Unspoolable(problem.to_owned()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_its_id_in_the_spool() {
        let handle = new_handle().unwrap();
        assert!(handle.0 < 0);
        let SpooledRun::Offline(id) = spooled(handle) else { panic!("{handle}") };
        assert_eq!(u64::try_from(id.0).unwrap().cast_signed(), handle.0);
        assert_eq!(spooled(RunId(7)), SpooledRun::Run(RunId(7)));
        assert_ne!(handle, new_handle().unwrap());
    }
}
