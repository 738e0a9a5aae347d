//! What a spool holds: metrics of one call, and the beginnings, changes and ends of runs that have no database yet.

use std::sync::Arc;

use sqltrack_engines::{ExperimentId, Moment, OfflineRunId, RunChanges, RunId, Value, to_microseconds};
use time::OffsetDateTime;

use super::SpoolError;

/// The run that an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SpooledRun {
    /// A run of the database.
    Run(RunId),
    /// A run that was begun without a database.
    Offline(OfflineRunId),
}

impl From<RunId> for SpooledRun {
    fn from(run: RunId) -> Self {
        Self::Run(run)
    }
}

impl From<OfflineRunId> for SpooledRun {
    fn from(run: OfflineRunId) -> Self {
        Self::Offline(run)
    }
}

/// The metrics of one call.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The run that they belong to.
    pub run: SpooledRun,
    /// The lease that the run must have for them to be written.
    pub lease: Option<i64>,
    /// The step.
    pub step: i64,
    /// The progress.
    pub progress: f64,
    /// What to write to the run's `time_updated`, if anything. `Now` comes back as the time of the append.
    pub updated: Option<Moment>,
    /// The metrics' names.
    pub names: Arc<[Arc<str>]>,
    /// Their values, one for each name.
    pub values: Vec<Value>,
}

/// An [`Entry`] that is borrowed from elsewhere.
#[derive(Debug, Clone, Copy)]
pub struct EntryRef<'a> {
    /// See [`Entry::run`].
    pub run: SpooledRun,
    /// See [`Entry::lease`].
    pub lease: Option<i64>,
    /// See [`Entry::step`].
    pub step: i64,
    /// See [`Entry::progress`].
    pub progress: f64,
    /// See [`Entry::updated`].
    pub updated: Option<Moment>,
    /// See [`Entry::names`]. A set that is given again as the same `Arc` is found faster.
    pub names: &'a Arc<[Arc<str>]>,
    /// See [`Entry::values`].
    pub values: &'a [Value],
}

impl<'a> From<&'a Entry> for EntryRef<'a> {
    fn from(entry: &'a Entry) -> Self {
        let Entry { run, lease, step, progress, updated, names, values } = entry;
        Self { run: *run, lease: *lease, step: *step, progress: *progress, updated: *updated, names, values }
    }
}

/// A run that is begun without a database.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRun {
    /// What it is called until it is in the database.
    pub id: OfflineRunId,
    /// The id of its experiment; this, the name or both must be given.
    pub experiment: Option<ExperimentId>,
    /// The name of its experiment, which is created if there is none.
    pub experiment_name: Option<String>,
    /// The id that it is to have in the database, such as that of a batch job; the run is created if there is none. Its time
    /// of creation is that of `changes` only then.
    pub run: Option<RunId>,
    /// Whether a run that has this id is taken whatever experiment it belongs to; otherwise it must belong to that one.
    pub is_taken: bool,
    /// All that is known of it, such as its time of creation, arguments and environment.
    pub changes: RunChanges,
}

impl NewRun {
    /// A run of the experiment `name` that begins to exist now, under a new random id.
    ///
    /// # Errors
    ///
    /// [`SpoolError::Unspoolable`] if the system gives no random numbers.
    pub fn of_experiment(name: impl Into<String>) -> Result<Self, SpoolError> {
        let created = Some(Moment::At(to_microseconds(OffsetDateTime::now_utc())));
        Ok(Self {
            id: OfflineRunId(random()?),
            experiment: None,
            experiment_name: Some(name.into()),
            run: None,
            is_taken: false,
            changes: RunChanges { created, ..RunChanges::default() },
        })
    }
}

/// A change to a run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunUpdate {
    /// The run.
    pub run: SpooledRun,
    /// What changes. `Now` comes back as the time of the append.
    pub changes: RunChanges,
    /// Whether the writer tracks the run from now on, or not any more; `None` if that stays as it is. A run that its writer
    /// tracked to its own end has died with it.
    pub lives: Option<bool>,
}

impl RunUpdate {
    /// The end of a run, with the status that it has then.
    pub fn end(run: impl Into<SpooledRun>, status: impl Into<String>, time: OffsetDateTime) -> Self {
        let updated = Some(Moment::At(to_microseconds(time)));
        let changes = RunChanges { status: Some(status.into()), updated, ..RunChanges::default() };
        Self { run: run.into(), changes, lives: None }
    }
}

/// One entry of a spool.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Item {
    /// Metrics.
    Metrics(Entry),
    /// A new run.
    NewRun(Box<NewRun>),
    /// A change to a run.
    Update(Box<RunUpdate>),
}

/// 128 random bits.
pub(super) fn random() -> Result<u128, SpoolError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|err| SpoolError::Unspoolable(format!("without random numbers: {err}")))?;
    Ok(u128::from_le_bytes(bytes))
}
