//! One connection: where the contract meets the statements, and where each gets the transaction it needs.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deadpool::managed::Object;
use sqltrack_engines::{
    Access, AppliedScript, Belongings, Connection, EngineError, ExperimentChanges, ExperimentId,
    ExperimentRecord, Heartbeat, MetricColumn, MetricType, MetricsBatch, MetricsGroup, OfflineRunId,
    ReapedRun, Reaping, RowSink, Rows, RunChanges, RunId, RunLife, RunLifeChange, RunWrite, Value, WriterId,
};
use sqlx::SqliteConnection;
use tokio::sync::OwnedMutexGuard;

use crate::batch::{self, Statements};
use crate::closing::Closing;
use crate::dynamic::{self, Needs, Outcome};
use crate::engine::{BUSY_TIMEOUT, Pooled};
use crate::error::translate;
use crate::turns::Turns;
use crate::{clock, experiments, life, metrics, runs, setup, views, writers};

/// A connection out of the pool. It is closed, not given back, if a transaction is open when it is dropped.
pub(crate) struct Conn {
    conn: Option<Pooled>,
    target: Arc<str>,
    turns: Turns,
    turn: Option<OwnedMutexGuard<()>>,
    closing: Arc<Closing>,
    in_transaction: bool,
    is_discarded: bool,
    /// The texts of the statements that write metrics.
    statements: Statements,
}

/// Runs a statement that writes: in the open transaction, or else in one of its own.
macro_rules! writing {
    ($self:ident, |$conn:ident, $target:ident| $statement:expr) => {{
        let is_own = $self.enter(Access::Write).await?;
        let result = {
            let ($conn, $target) = $self.parts()?;
            $statement.await
        };
        $self.leave(is_own, result).await
    }};
}

impl Conn {
    pub(crate) fn new(conn: Pooled, target: Arc<str>, turns: Turns, closing: Arc<Closing>) -> Self {
        let conn = Some(conn);
        Self {
            conn,
            target,
            turns,
            turn: None,
            closing,
            in_transaction: false,
            is_discarded: false,
            statements: Statements::default(),
        }
    }

    /// The connection and the name of its database, for a statement.
    fn parts(&mut self) -> Result<(&mut SqliteConnection, &str), EngineError> {
        match &mut self.conn {
            Some(conn) => Ok((conn, &self.target)),
            None => Err(EngineError::BadValue("the connection was given back".to_owned())),
        }
    }

    /// The time on the clock that all processes share which use the file.
    fn now(&self) -> time::OffsetDateTime {
        clock::now(self.target.as_ref().as_ref())
    }

    async fn control(&mut self, sql: &str) -> Result<(), EngineError> {
        let (conn, target) = self.parts()?;
        let done = dynamic::run(conn, sql).await.map_err(|err| translate(target, err));
        self.note(done).map(drop)
    }

    /// Lets a result pass, and keeps the connection out of the pool if it says that the connection is broken.
    fn note<T>(&mut self, result: Result<T, EngineError>) -> Result<T, EngineError> {
        if result.as_ref().is_err_and(EngineError::is_connection_lost) {
            self.is_discarded = true;
        }
        result
    }

    /// Waits until no other transaction of this process writes.
    async fn take_turn(&self) -> Result<OwnedMutexGuard<()>, EngineError> {
        if let Ok(turn) = self.turns.clone().try_lock_owned() {
            return Ok(turn);
        }
        let turn = tokio::time::timeout(BUSY_TIMEOUT, self.turns.clone().lock_owned()).await;
        turn.map_err(|_| EngineError::Busy {
            target: self.target.to_string(),
            message: format!("another transaction of this process wrote for {} s", BUSY_TIMEOUT.as_secs()),
        })
    }

    /// Writes rows of metrics in a transaction of their own, as one text. False if that does not do.
    async fn write_at_once(&mut self, run: &RunWrite, group: &MetricsGroup) -> Result<bool, EngineError> {
        self.turn = Some(self.take_turn().await?);
        self.in_transaction = true;
        let mut statements = std::mem::take(&mut self.statements);
        let written = {
            let (conn, target) = self.parts()?;
            match group.keys.len() {
                1 => batch::write_lone(conn, target, &mut statements, run, group).await.map(|()| true),
                _ => batch::write_whole(conn, target, &mut statements, run, group).await,
            }
        };
        self.statements = statements;
        let written = self.note(written);
        // What failed has begun the transaction or has not; one that cannot be undone was not begun, or else the
        // connection is closed with it.
        if !matches!(written, Ok(true)) && self.control("ROLLBACK").await.is_err() {
            self.is_discarded = true;
        }
        self.in_transaction = false;
        self.turn = None;
        written
    }

    /// Begins a transaction unless one is open, and tells whether it did.
    async fn enter(&mut self, access: Access) -> Result<bool, EngineError> {
        if self.in_transaction {
            return Ok(false);
        }
        self.begin(access).await?;
        Ok(true)
    }

    /// Ends a transaction that [`Self::enter`] began, by what came of it.
    async fn leave<T>(&mut self, is_own: bool, result: Result<T, EngineError>) -> Result<T, EngineError> {
        let result = self.note(result);
        if !is_own {
            return result;
        }
        let result = match result {
            Ok(value) => self.commit().await.map(|()| value),
            Err(err) => Err(err),
        };
        // Also a commit can fail, for a full disk, and leave the transaction open.
        if result.is_err() && self.in_transaction && self.rollback().await.is_err() {
            self.is_discarded = true;
        }
        result
    }

    async fn run_user_statement(&mut self, sql: &str, parameters: &[Value]) -> Result<Outcome, EngineError> {
        let is_own = match dynamic::needs(sql) {
            Needs::Nothing => false,
            Needs::Snapshot => self.enter(Access::Read).await?,
            Needs::WriteLock => self.enter(Access::Write).await?,
        };
        let result = {
            let (conn, target) = self.parts()?;
            dynamic::query(conn, target, sql, parameters).await
        };
        self.leave(is_own, result).await
    }
}

impl Drop for Conn {
    fn drop(&mut self) {
        if let Some(conn) = self.conn.take()
            && (self.in_transaction || self.is_discarded)
        {
            self.closing.start(Object::take(conn));
        }
    }
}

#[async_trait]
impl Connection for Conn {
    async fn begin(&mut self, access: Access) -> Result<(), EngineError> {
        if access == Access::Write && self.turn.is_none() {
            self.turn = Some(self.take_turn().await?);
        }
        // From here on a drop closes the connection, also if the answer never comes.
        self.in_transaction = true;
        let begun = self.control(if access == Access::Write { "BEGIN IMMEDIATE" } else { "BEGIN" }).await;
        if begun.is_err() {
            self.in_transaction = false;
            self.turn = None;
        }
        begun
    }

    async fn commit(&mut self) -> Result<(), EngineError> {
        self.control("COMMIT").await?;
        self.in_transaction = false;
        self.turn = None;
        Ok(())
    }

    async fn rollback(&mut self) -> Result<(), EngineError> {
        self.control("ROLLBACK").await?;
        self.in_transaction = false;
        self.turn = None;
        Ok(())
    }

    async fn savepoint(&mut self, depth: u32) -> Result<(), EngineError> {
        self.control(&format!("SAVEPOINT sqltrack_{depth}")).await
    }

    async fn release(&mut self, depth: u32) -> Result<(), EngineError> {
        self.control(&format!("RELEASE sqltrack_{depth}")).await
    }

    async fn rollback_to(&mut self, depth: u32) -> Result<(), EngineError> {
        self.control(&format!("ROLLBACK TO sqltrack_{depth}; RELEASE sqltrack_{depth}")).await
    }

    fn discard(&mut self) {
        self.is_discarded = true;
    }

    async fn execute(&mut self, sql: &str, parameters: &[Value]) -> Result<u64, EngineError> {
        self.run_user_statement(sql, parameters).await.map(|outcome| outcome.changed)
    }

    async fn query(&mut self, sql: &str, parameters: &[Value]) -> Result<Rows, EngineError> {
        self.run_user_statement(sql, parameters).await.map(|outcome| outcome.rows)
    }

    async fn query_parts(
        &mut self,
        sql: &str,
        parameters: &[Value],
        size: usize,
        sink: &mut dyn RowSink,
    ) -> Result<(), EngineError> {
        let is_own = self.enter(Access::Read).await?;
        let result = {
            let (conn, target) = self.parts()?;
            dynamic::query_parts(conn, target, sql, parameters, size, sink).await
        };
        self.leave(is_own, result).await
    }

    async fn run_statement(&mut self, sql: &str) -> Result<(), EngineError> {
        self.control(sql).await
    }

    async fn experiment(&mut self, id: ExperimentId) -> Result<Option<ExperimentRecord>, EngineError> {
        let (conn, target) = self.parts()?;
        experiments::find(conn, target, id).await
    }

    async fn experiment_named(&mut self, name: &str) -> Result<Option<ExperimentRecord>, EngineError> {
        let (conn, target) = self.parts()?;
        experiments::find_named(conn, target, name).await
    }

    async fn insert_experiment(
        &mut self,
        id: Option<ExperimentId>,
        name: &str,
    ) -> Result<Option<ExperimentId>, EngineError> {
        writing!(self, |conn, target| experiments::insert(conn, target, id, name))
    }

    async fn update_experiment(
        &mut self,
        id: ExperimentId,
        changes: &ExperimentChanges,
    ) -> Result<(), EngineError> {
        writing!(self, |conn, target| experiments::update(conn, target, id, changes))
    }

    async fn experiment_belongings(&mut self, id: ExperimentId) -> Result<Option<Belongings>, EngineError> {
        let (conn, target) = self.parts()?;
        experiments::belongings(conn, target, id).await
    }

    async fn delete_experiment(&mut self, id: ExperimentId) -> Result<(), EngineError> {
        writing!(self, |conn, target| experiments::delete(conn, target, id))
    }

    async fn experiment_of_run(&mut self, run: RunId) -> Result<Option<ExperimentId>, EngineError> {
        let (conn, target) = self.parts()?;
        runs::experiment_of(conn, target, run).await
    }

    async fn insert_run(
        &mut self,
        experiment: ExperimentId,
        id: Option<RunId>,
    ) -> Result<Option<RunId>, EngineError> {
        writing!(self, |conn, target| runs::insert(conn, target, experiment, id))
    }

    async fn update_run(&mut self, run: RunId, changes: &RunChanges) -> Result<(), EngineError> {
        writing!(self, |conn, target| runs::update(conn, target, run, changes))
    }

    async fn run_life(&mut self, run: RunId) -> Result<Option<RunLife>, EngineError> {
        let now = self.now();
        writing!(self, |conn, target| life::find(conn, target, run, now))
    }

    async fn set_run_life(&mut self, run: RunId, change: &RunLifeChange) -> Result<(), EngineError> {
        let now = self.now();
        writing!(self, |conn, target| life::set(conn, target, run, change, now))
    }

    async fn beat(&mut self, beats: &[Heartbeat]) -> Result<Vec<RunId>, EngineError> {
        let now = self.now();
        writing!(self, |conn, target| life::beat(conn, target, beats, now))
    }

    async fn reap(&mut self, reaping: &Reaping) -> Result<Vec<ReapedRun>, EngineError> {
        let now = self.now();
        writing!(self, |conn, target| life::reap(conn, target, reaping, now))
    }

    async fn run_belongings(&mut self, run: RunId) -> Result<Option<Belongings>, EngineError> {
        let (conn, target) = self.parts()?;
        runs::belongings(conn, target, run).await
    }

    async fn delete_run(&mut self, run: RunId) -> Result<(), EngineError> {
        writing!(self, |conn, target| runs::delete(conn, target, run))
    }

    async fn metric_columns(&mut self) -> Result<Vec<MetricColumn>, EngineError> {
        let (conn, target) = self.parts()?;
        metrics::columns(conn, target).await
    }

    async fn add_metric_columns(
        &mut self,
        columns: &[(String, MetricType)],
        _: Duration,
    ) -> Result<(), EngineError> {
        writing!(self, |conn, target| metrics::add_columns(conn, target, columns))
    }

    async fn widen_metric_column(&mut self, name: &str, _: Duration) -> Result<(), EngineError> {
        writing!(self, |conn, target| metrics::widen_column(conn, target, name))
    }

    async fn write_metrics_batch(&mut self, batch: &MetricsBatch) -> Result<(), EngineError> {
        if !self.in_transaction
            && let Some((run, group)) = batch::lone(batch).or_else(|| batch::whole(batch, &self.statements))
            && self.write_at_once(run, group).await?
        {
            return Ok(());
        }
        let mut statements = std::mem::take(&mut self.statements);
        let is_own = self.enter(Access::Write).await?;
        let written = {
            let (conn, target) = self.parts()?;
            batch::write(conn, target, &mut statements, batch).await
        };
        self.statements = statements;
        self.leave(is_own, written).await
    }

    async fn delivered(&mut self, writer: WriterId) -> Result<i64, EngineError> {
        writing!(self, |conn, target| writers::delivered(conn, target, writer))
    }

    async fn note_delivered(&mut self, writer: WriterId, last_seq: i64) -> Result<(), EngineError> {
        writing!(self, |conn, target| writers::note_delivered(conn, target, writer, last_seq))
    }

    async fn finish_writer(&mut self, writer: WriterId) -> Result<(), EngineError> {
        writing!(self, |conn, target| writers::finish(conn, target, writer))
    }

    async fn offline_run(&mut self, id: OfflineRunId) -> Result<Option<RunId>, EngineError> {
        let (conn, target) = self.parts()?;
        writers::offline_run(conn, target, id).await
    }

    async fn note_offline_run(&mut self, id: OfflineRunId, run: RunId) -> Result<(), EngineError> {
        writing!(self, |conn, target| writers::note_offline_run(conn, target, id, run))
    }

    async fn prepare_setup(&mut self) -> Result<(), EngineError> {
        writing!(self, |conn, target| setup::prepare(conn, target))
    }

    async fn lock_setup(&mut self) -> Result<(), EngineError> {
        // The write lock that a transaction for writing begins with is the lock of setup, too.
        Ok(())
    }

    async fn applied_scripts(&mut self) -> Result<Vec<AppliedScript>, EngineError> {
        let (conn, target) = self.parts()?;
        setup::applied(conn, target).await
    }

    async fn record_script(&mut self, script: &AppliedScript) -> Result<(), EngineError> {
        writing!(self, |conn, target| setup::record(conn, target, script))
    }

    async fn forget_script(&mut self, version: i64) -> Result<(), EngineError> {
        writing!(self, |conn, target| setup::forget(conn, target, version))
    }

    async fn refresh_views(&mut self) -> Result<(), EngineError> {
        writing!(self, |conn, target| views::refresh(conn, target))
    }
}
