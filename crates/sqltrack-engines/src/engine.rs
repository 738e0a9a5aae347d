//! The contract: what SQLTrack asks of a database. No driver is named here.
//!
//! Only statements live behind it. What decides, checks or merges is written once, above the engines.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::Rows;
use crate::{
    Dialect, EngineError, ExperimentChanges, ExperimentId, Heartbeat, MetricColumn, MetricType, MetricsBatch,
    OfflineRunId, ReapedRun, Reaping, RunChanges, RunId, RunLife, RunLifeChange, Value, WriterId,
};

/// A database that can hold experiments, as a pool of connections to it.
#[async_trait]
pub trait Engine: Send + Sync + fmt::Debug {
    /// Whose SQL it speaks.
    fn dialect(&self) -> Dialect;

    /// Which database it is, for messages: `postgres://alice@db:5432/alice`, `sqltrack.db`. Never a password.
    fn target(&self) -> &str;

    /// The SQL type of the columns that hold metrics of type `metric_type`.
    fn sql_type(&self, metric_type: MetricType) -> &'static str;

    /// Whether a column of `metrics` gives `value` back as it is. What it does not goes to `metrics_overflow`.
    fn holds(&self, value: &Value) -> bool;

    /// Checks that the database can keep `value`, before anything is done for it.
    ///
    /// # Errors
    ///
    /// [`EngineError::BadValue`] if it is out of the range of its SQL type.
    fn check(&self, value: &Value) -> Result<(), EngineError>;

    /// Whether a transaction that writes is the only one there is, so that it may change tables, too.
    fn has_single_writer(&self) -> bool;

    /// The schema scripts of SQLTrack itself, by name and in order; the first is `base.sql`.
    fn base_scripts(&self) -> &'static [(&'static str, &'static str)];

    /// Creates the database, where it is but a file that may not be there yet.
    ///
    /// # Errors
    ///
    /// [`EngineError::CannotOpen`] if the file cannot be created.
    async fn create(&self) -> Result<(), EngineError> {
        Ok(())
    }

    /// Takes a connection from the pool, or makes one.
    ///
    /// # Errors
    ///
    /// [`EngineError::Unreachable`], [`EngineError::LoginRefused`] or another error that says why there is none.
    async fn connect(&self) -> Result<Box<dyn Connection>, EngineError>;

    /// Closes all connections; those in use when they are given back.
    async fn close(&self);
}

/// What a transaction will do, for databases that want to know when it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It only reads, and sees one moment: what others change meanwhile is not seen.
    Read,
    /// It may write.
    Write,
}

/// An experiment, by id and name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExperimentRecord {
    /// Its id.
    pub id: ExperimentId,
    /// Its name.
    pub name: String,
}

/// How much belongs to a run or an experiment, and goes with it when it is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Belongings {
    /// The runs of an experiment; none for a run.
    pub runs: u64,
    /// The rows of `metrics`, one for each step and progress; what they have in `metrics_overflow` is part of them.
    pub metric_rows: u64,
    /// The links from and to it, and to and from the runs of an experiment.
    pub links: u64,
}

/// A schema script that was applied, as the tracking table knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedScript {
    /// Its place in the order in which scripts were applied.
    pub version: i64,
    /// Its base file name.
    pub name: String,
    /// The checksum of its text.
    pub checksum: Vec<u8>,
    /// False from the start to the end of a script that runs outside of a transaction.
    pub finished: bool,
}

/// Takes the rows of [`Connection::query_parts`].
#[async_trait]
pub trait RowSink: Send {
    /// Takes some rows, and tells whether more are wanted.
    async fn take(&mut self, rows: Rows) -> bool;
}

/// One connection, inside a transaction or not. It goes back to its pool when it is dropped.
///
/// Every method but the transaction controls is atomic: it happens whole or not at all, in the open
/// transaction or else in one of its own. A future that is dropped before it is done leaves the
/// connection unusable; whoever may be cancelled runs it in a task of its own.
#[async_trait]
pub trait Connection: Send {
    /// Begins a transaction.
    async fn begin(&mut self, access: Access) -> Result<(), EngineError>;

    /// Commits the open transaction.
    async fn commit(&mut self) -> Result<(), EngineError>;

    /// Rolls the open transaction back.
    async fn rollback(&mut self) -> Result<(), EngineError>;

    /// Sets a savepoint in the open transaction.
    async fn savepoint(&mut self, depth: u32) -> Result<(), EngineError>;

    /// Forgets the savepoint `depth`, keeping what happened since.
    async fn release(&mut self, depth: u32) -> Result<(), EngineError>;

    /// Undoes what happened since the savepoint `depth`, and forgets it.
    async fn rollback_to(&mut self, depth: u32) -> Result<(), EngineError>;

    /// Keeps the connection out of the pool: it is closed when it is dropped.
    fn discard(&mut self);

    /// Runs one statement and returns how many rows it changed.
    async fn execute(&mut self, sql: &str, parameters: &[Value]) -> Result<u64, EngineError>;

    /// Runs one statement and returns its rows; complete also while others change the schema.
    async fn query(&mut self, sql: &str, parameters: &[Value]) -> Result<Rows, EngineError>;

    /// Runs one query outside of a transaction and hands its rows over in parts of `size`, of which no more than one is in memory.
    /// There is at least one part, which tells the columns.
    ///
    /// All parts are of one moment: what others change meanwhile is not seen.
    async fn query_parts(
        &mut self,
        sql: &str,
        parameters: &[Value],
        size: usize,
        sink: &mut dyn RowSink,
    ) -> Result<(), EngineError>;

    /// Runs one statement of a script, which has no parameters.
    async fn run_statement(&mut self, sql: &str) -> Result<(), EngineError>;

    /// The experiment of this id.
    async fn experiment(&mut self, id: ExperimentId) -> Result<Option<ExperimentRecord>, EngineError>;

    /// The experiment of this name.
    async fn experiment_named(&mut self, name: &str) -> Result<Option<ExperimentRecord>, EngineError>;

    /// Adds an experiment, under an unused id if none is given. `None` if the name or the id is taken.
    async fn insert_experiment(
        &mut self,
        id: Option<ExperimentId>,
        name: &str,
    ) -> Result<Option<ExperimentId>, EngineError>;

    /// Changes an experiment.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoSuchExperiment`] if it, or the target of a link, does not exist;
    /// [`EngineError::NameTaken`] if its new name is another's.
    async fn update_experiment(
        &mut self,
        id: ExperimentId,
        changes: &ExperimentChanges,
    ) -> Result<(), EngineError>;

    /// What belongs to an experiment; `None` if there is no such experiment.
    async fn experiment_belongings(&mut self, id: ExperimentId) -> Result<Option<Belongings>, EngineError>;

    /// Deletes an experiment, its runs, and all that belongs to them.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoSuchExperiment`] if it does not exist.
    async fn delete_experiment(&mut self, id: ExperimentId) -> Result<(), EngineError>;

    /// The experiment that a run belongs to; `None` if there is no such run.
    async fn experiment_of_run(&mut self, run: RunId) -> Result<Option<ExperimentId>, EngineError>;

    /// Adds a run, under an unused id if none is given. `None` if the id is taken.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoSuchExperiment`] if the experiment does not exist.
    async fn insert_run(
        &mut self,
        experiment: ExperimentId,
        id: Option<RunId>,
    ) -> Result<Option<RunId>, EngineError>;

    /// Changes a run.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoSuchRun`] if it, or the target of a link, does not exist.
    async fn update_run(&mut self, run: RunId, changes: &RunChanges) -> Result<(), EngineError>;

    /// The life of a run, locked until the end of the open transaction; `None` if there is no such run.
    async fn run_life(&mut self, run: RunId) -> Result<Option<RunLife>, EngineError>;

    /// Writes the life of a run that the open transaction has locked.
    async fn set_run_life(&mut self, run: RunId, change: &RunLifeChange) -> Result<(), EngineError>;

    /// Writes heartbeats, all in one statement where the database can, and returns the runs that still have a
    /// tracker under the given lease.
    async fn beat(&mut self, beats: &[Heartbeat]) -> Result<Vec<RunId>, EngineError>;

    /// Gives up the RUNNING runs of which nothing was heard for too long, and returns them.
    async fn reap(&mut self, reaping: &Reaping) -> Result<Vec<ReapedRun>, EngineError>;

    /// What belongs to a run; `None` if there is no such run.
    async fn run_belongings(&mut self, run: RunId) -> Result<Option<Belongings>, EngineError>;

    /// Deletes a run and all that belongs to it.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoSuchRun`] if it does not exist.
    async fn delete_run(&mut self, run: RunId) -> Result<(), EngineError>;

    /// The columns of `metrics`, but for its key, in their order.
    async fn metric_columns(&mut self) -> Result<Vec<MetricColumn>, EngineError>;

    /// Adds the columns that are missing; those that exist stay as they are. For `patience` it tries to get the
    /// lock that this takes; in an open transaction it tries once, and leaves the transaction usable.
    ///
    /// # Errors
    ///
    /// [`EngineError::Busy`] if it did not get the lock.
    async fn add_metric_columns(
        &mut self,
        columns: &[(String, MetricType)],
        patience: Duration,
    ) -> Result<(), EngineError>;

    /// Makes an integer column a float column; `patience` is as for [`Self::add_metric_columns`].
    ///
    /// # Errors
    ///
    /// [`EngineError::BadValue`] if it holds an integer that a float does not equal, [`EngineError::Busy`] if it
    /// did not get the lock.
    async fn widen_metric_column(&mut self, name: &str, patience: Duration) -> Result<(), EngineError>;

    /// Writes rows of metrics, over those of the same keys: in one round trip if they are of one run and name the same columns.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoSuchRun`] if a run does not exist, [`EngineError::NoSuchColumn`] if a column does not,
    /// [`EngineError::LeaseLost`] if a run has another lease than the batch names. Nothing is written then.
    async fn write_metrics_batch(&mut self, batch: &MetricsBatch) -> Result<(), EngineError>;

    /// The number of the last entry that has arrived from a writer, 0 if none has. Until the end of the open transaction
    /// nobody else delivers for it: one whose commit has no known outcome yet is waited for.
    async fn delivered(&mut self, writer: WriterId) -> Result<i64, EngineError>;

    /// Writes down that the entries of a writer have arrived up to the number `last_seq`, in the transaction that writes
    /// them.
    ///
    /// # Errors
    ///
    /// [`EngineError::AlreadyDelivered`] if that one, or a later one, has arrived already.
    async fn note_delivered(&mut self, writer: WriterId, last_seq: i64) -> Result<(), EngineError>;

    /// Forgets a writer that has nothing left to deliver, anywhere.
    async fn finish_writer(&mut self, writer: WriterId) -> Result<(), EngineError>;

    /// The run that one which was begun without a database has become; `None` if it has not arrived yet, or was deleted.
    async fn offline_run(&mut self, id: OfflineRunId) -> Result<Option<RunId>, EngineError>;

    /// Writes down which run one that was begun without a database has become, in the transaction that makes it.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoSuchRun`] if the run does not exist.
    async fn note_offline_run(&mut self, id: OfflineRunId, run: RunId) -> Result<(), EngineError>;

    /// Creates the schema that the tables go to, if it does not exist, and the table that tracks scripts.
    async fn prepare_setup(&mut self) -> Result<(), EngineError>;

    /// Waits until no other setup of this database runs, until the end of the open transaction.
    async fn lock_setup(&mut self) -> Result<(), EngineError>;

    /// The scripts that were applied, in that order; none if nothing was set up yet.
    async fn applied_scripts(&mut self) -> Result<Vec<AppliedScript>, EngineError>;

    /// Writes down `script`, over a record of the same version.
    async fn record_script(&mut self, script: &AppliedScript) -> Result<(), EngineError>;

    /// Takes back the record of a script that did not finish.
    async fn forget_script(&mut self, version: i64) -> Result<(), EngineError>;

    /// Brings views that depend on the columns of `metrics` up to date.
    async fn refresh_views(&mut self) -> Result<(), EngineError>;
}
