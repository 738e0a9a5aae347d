//! One connection: where the contract meets the statements.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deadpool::managed::Object;
use sqltrack_engines::script::StatementKind;
use sqltrack_engines::{
    Access, AppliedScript, Belongings, Connection, Dialect, EngineError, ExperimentChanges, ExperimentId,
    ExperimentRecord, Heartbeat, MetricColumn, MetricType, MetricsBatch, OfflineRunId, ReapedRun, Reaping,
    RowSink, Rows, RunChanges, RunId, RunLife, RunLifeChange, Value, WriterId,
};

use crate::batch::{self, Statements};
use crate::dynamic::{self, Place};
use crate::engine::Pooled;
use crate::error::translate;
use crate::session::Session;
use crate::{alter, experiments, life, metrics, runs, setup, writers};

/// A connection out of the pool. It is closed, not given back, if a transaction is open when it is dropped.
pub(crate) struct PostgresConnection {
    conn: Option<Pooled>,
    target: Arc<str>,
    /// The first schema of the search path, if one is configured.
    schema: Option<String>,
    in_transaction: bool,
    /// The statement of the user's that ran last in a transaction.
    last_statement: Option<String>,
    is_discarded: bool,
    /// The texts of the statements that write metrics.
    statements: Statements,
}

impl PostgresConnection {
    pub(crate) fn new(conn: Pooled, target: Arc<str>, schema: Option<String>) -> Self {
        Self {
            conn: Some(conn),
            target,
            schema,
            in_transaction: false,
            last_statement: None,
            is_discarded: false,
            statements: Statements::default(),
        }
    }

    /// The connection and the name of its database, for a statement.
    fn parts(&mut self) -> Result<(&mut Session, &str), EngineError> {
        match &mut self.conn {
            Some(conn) => Ok((conn, &self.target)),
            None => Err(EngineError::BadValue("the connection was given back".to_owned())),
        }
    }

    /// Where the statement `sql` of the user's runs, which is remembered.
    fn place(&mut self, sql: &str) -> Place {
        if !self.in_transaction {
            return Place::Alone;
        }
        let is_setting = StatementKind::of(sql, Dialect::Postgres).keyword().eq_ignore_ascii_case("SET");
        if is_setting || self.last_statement.as_deref() == Some(sql) {
            return Place::Once;
        }
        self.last_statement = Some(sql.to_owned());
        Place::Within
    }

    async fn control(&mut self, sql: &str) -> Result<(), EngineError> {
        let (conn, target) = self.parts()?;
        let done = dynamic::run(conn, sql).await.map_err(|err| translate(target, err));
        self.controlled(done.map(drop))
    }

    fn controlled(&mut self, done: Result<(), EngineError>) -> Result<(), EngineError> {
        if done.as_ref().is_err_and(EngineError::is_connection_lost) {
            self.is_discarded = true;
        }
        done
    }
}

impl Drop for PostgresConnection {
    fn drop(&mut self) {
        if let Some(conn) = self.conn.take()
            && (self.in_transaction || self.is_discarded || conn.is_in_transaction())
        {
            drop(Object::take(conn));
        }
    }
}

impl PostgresConnection {
    /// Fetches the rows of a query by a cursor, which the transaction ends. No other process helps the server with such a query,
    /// so that this is for what cannot be streamed.
    async fn fetch_parts(
        &mut self,
        sql: &str,
        parameters: &[Value],
        size: usize,
        sink: &mut dyn RowSink,
    ) -> Result<(), EngineError> {
        let (conn, target) = self.parts()?;
        // All rows are wanted, and not the first ones soonest.
        let all = dynamic::run(conn, "SET LOCAL cursor_tuple_fraction = 1").await;
        all.map_err(|err| translate(target, err))?;
        let declare = format!("DECLARE sqltrack_rows NO SCROLL CURSOR FOR {sql}");
        dynamic::execute(conn, target, &declare, parameters, Place::Within).await?;
        let fetch = format!("FETCH FORWARD {size} FROM sqltrack_rows");
        let mut is_first = true;
        loop {
            let rows = dynamic::query(conn, target, &fetch, &[], Place::Once).await?;
            let is_last = rows.len() < size;
            if rows.is_empty() && !is_first {
                return Ok(());
            }
            is_first = false;
            if !sink.take(rows).await || is_last {
                return Ok(());
            }
        }
    }
}

#[async_trait]
impl Connection for PostgresConnection {
    async fn begin(&mut self, access: Access) -> Result<(), EngineError> {
        // From here on a drop closes the connection, also if the answer never comes.
        self.in_transaction = true;
        let (conn, target) = self.parts()?;
        let begun = conn.begin(access).await.map_err(|err| translate(target, err));
        self.controlled(begun)
    }

    async fn commit(&mut self) -> Result<(), EngineError> {
        let (conn, target) = self.parts()?;
        let committed = conn.commit().await.map_err(|err| translate(target, err));
        self.controlled(committed)?;
        self.in_transaction = false;
        Ok(())
    }

    async fn rollback(&mut self) -> Result<(), EngineError> {
        let (conn, target) = self.parts()?;
        let undone = conn.rollback().await.map_err(|err| translate(target, err));
        self.controlled(undone)?;
        self.in_transaction = false;
        Ok(())
    }

    async fn savepoint(&mut self, depth: u32) -> Result<(), EngineError> {
        self.control(&format!("SAVEPOINT sqltrack_{depth}")).await
    }

    async fn release(&mut self, depth: u32) -> Result<(), EngineError> {
        self.control(&format!("RELEASE SAVEPOINT sqltrack_{depth}")).await
    }

    async fn rollback_to(&mut self, depth: u32) -> Result<(), EngineError> {
        let undo = format!("ROLLBACK TO SAVEPOINT sqltrack_{depth}; RELEASE SAVEPOINT sqltrack_{depth}");
        self.control(&undo).await
    }

    fn discard(&mut self) {
        self.is_discarded = true;
    }

    async fn execute(&mut self, sql: &str, parameters: &[Value]) -> Result<u64, EngineError> {
        let place = self.place(sql);
        let (conn, target) = self.parts()?;
        dynamic::execute(conn, target, sql, parameters, place).await
    }

    async fn query(&mut self, sql: &str, parameters: &[Value]) -> Result<Rows, EngineError> {
        let place = self.place(sql);
        let (conn, target) = self.parts()?;
        dynamic::query(conn, target, sql, parameters, place).await
    }

    async fn query_parts(
        &mut self,
        sql: &str,
        parameters: &[Value],
        size: usize,
        sink: &mut dyn RowSink,
    ) -> Result<(), EngineError> {
        let (conn, target) = self.parts()?;
        if !conn.is_pooled()
            && let Some(types) = dynamic::result_types(conn, target, sql).await?
        {
            // Whoever drops this, and a sink that wants no more, leave rows that nobody is going to read.
            let was_discarded = std::mem::replace(&mut self.is_discarded, true);
            let (conn, target) = self.parts()?;
            let is_whole = dynamic::stream_parts(conn, target, sql, parameters, &types, size, sink).await;
            let is_broken = match &is_whole {
                Ok(is_whole) => !is_whole,
                Err(err) => err.is_connection_lost(),
            };
            self.is_discarded = was_discarded || is_broken;
            return is_whole.map(drop);
        }
        self.begin(Access::Read).await?;
        let fetched = self.fetch_parts(sql, parameters, size, sink).await;
        match fetched {
            Ok(()) => self.commit().await,
            Err(err) => {
                self.rollback().await?;
                Err(err)
            }
        }
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
        let (conn, target) = self.parts()?;
        experiments::insert(conn, target, id, name).await
    }

    async fn update_experiment(
        &mut self,
        id: ExperimentId,
        changes: &ExperimentChanges,
    ) -> Result<(), EngineError> {
        let (conn, target) = self.parts()?;
        experiments::update(conn, target, id, changes).await
    }

    async fn experiment_belongings(&mut self, id: ExperimentId) -> Result<Option<Belongings>, EngineError> {
        let (conn, target) = self.parts()?;
        experiments::belongings(conn, target, id).await
    }

    async fn delete_experiment(&mut self, id: ExperimentId) -> Result<(), EngineError> {
        let (conn, target) = self.parts()?;
        experiments::delete(conn, target, id).await
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
        let (conn, target) = self.parts()?;
        runs::insert(conn, target, experiment, id).await
    }

    async fn update_run(&mut self, run: RunId, changes: &RunChanges) -> Result<(), EngineError> {
        let (conn, target) = self.parts()?;
        runs::update(conn, target, run, changes).await
    }

    async fn run_life(&mut self, run: RunId) -> Result<Option<RunLife>, EngineError> {
        let (conn, target) = self.parts()?;
        life::find(conn, target, run).await
    }

    async fn set_run_life(&mut self, run: RunId, change: &RunLifeChange) -> Result<(), EngineError> {
        let (conn, target) = self.parts()?;
        life::set(conn, target, run, change).await
    }

    async fn beat(&mut self, beats: &[Heartbeat]) -> Result<Vec<RunId>, EngineError> {
        let (conn, target) = self.parts()?;
        life::beat(conn, target, beats).await
    }

    async fn reap(&mut self, reaping: &Reaping) -> Result<Vec<ReapedRun>, EngineError> {
        let (conn, target) = self.parts()?;
        life::reap(conn, target, reaping).await
    }

    async fn run_belongings(&mut self, run: RunId) -> Result<Option<Belongings>, EngineError> {
        let (conn, target) = self.parts()?;
        runs::belongings(conn, target, run).await
    }

    async fn delete_run(&mut self, run: RunId) -> Result<(), EngineError> {
        let (conn, target) = self.parts()?;
        runs::delete(conn, target, run).await
    }

    async fn metric_columns(&mut self) -> Result<Vec<MetricColumn>, EngineError> {
        let (conn, target) = self.parts()?;
        metrics::columns(conn, target).await
    }

    async fn add_metric_columns(
        &mut self,
        columns: &[(String, MetricType)],
        patience: Duration,
    ) -> Result<(), EngineError> {
        let patience = (!self.in_transaction).then_some(patience);
        // Whoever has less patience than this drops the call, with a transaction open.
        let was_discarded = std::mem::replace(&mut self.is_discarded, true);
        let (conn, target) = self.parts()?;
        let result = alter::add_columns(conn, target, columns, patience).await;
        self.is_discarded = was_discarded || result.as_ref().is_err_and(EngineError::is_connection_lost);
        result
    }

    async fn widen_metric_column(&mut self, name: &str, patience: Duration) -> Result<(), EngineError> {
        let patience = (!self.in_transaction).then_some(patience);
        // Whoever has less patience than this drops the call, with a transaction open.
        let was_discarded = std::mem::replace(&mut self.is_discarded, true);
        let (conn, target) = self.parts()?;
        let result = alter::widen_column(conn, target, name, patience).await;
        self.is_discarded = was_discarded || result.as_ref().is_err_and(EngineError::is_connection_lost);
        result
    }

    async fn write_metrics_batch(&mut self, batch: &MetricsBatch) -> Result<(), EngineError> {
        // A statement alone is its own transaction, and one round trip.
        if let Some(single) = batch::single(batch) {
            let in_transaction = self.in_transaction;
            let mut statements = std::mem::take(&mut self.statements);
            let (conn, target) = self.parts()?;
            let written = batch::write_single(conn, target, &mut statements, single).await;
            let written = match written {
                // A transaction that has failed answers no questions.
                Err(EngineError::LeaseLost { run, .. }) if !in_transaction => {
                    Err(life::explain_loss(conn, target, run).await)
                }
                written => written,
            };
            self.statements = statements;
            return written;
        }
        let is_own = !self.in_transaction;
        if is_own {
            self.begin(Access::Write).await?;
        }
        let mut statements = std::mem::take(&mut self.statements);
        let (conn, target) = self.parts()?;
        let written = batch::write_parts(conn, target, &mut statements, batch).await;
        self.statements = statements;
        match written {
            Ok(()) if is_own => self.commit().await,
            Err(err) if is_own && !err.is_connection_lost() => {
                self.rollback().await?;
                Err(err)
            }
            written => written,
        }
    }

    async fn delivered(&mut self, writer: WriterId) -> Result<i64, EngineError> {
        let (conn, target) = self.parts()?;
        writers::delivered(conn, target, writer).await
    }

    async fn note_delivered(&mut self, writer: WriterId, last_seq: i64) -> Result<(), EngineError> {
        let (conn, target) = self.parts()?;
        writers::note_delivered(conn, target, writer, last_seq).await
    }

    async fn finish_writer(&mut self, writer: WriterId) -> Result<(), EngineError> {
        let (conn, target) = self.parts()?;
        writers::finish(conn, target, writer).await
    }

    async fn offline_run(&mut self, id: OfflineRunId) -> Result<Option<RunId>, EngineError> {
        let (conn, target) = self.parts()?;
        writers::offline_run(conn, target, id).await
    }

    async fn note_offline_run(&mut self, id: OfflineRunId, run: RunId) -> Result<(), EngineError> {
        let (conn, target) = self.parts()?;
        writers::note_offline_run(conn, target, id, run).await
    }

    async fn prepare_setup(&mut self) -> Result<(), EngineError> {
        let schema = self.schema.clone();
        let (conn, target) = self.parts()?;
        setup::prepare(conn, target, schema.as_deref()).await
    }

    async fn lock_setup(&mut self) -> Result<(), EngineError> {
        let schema = self.schema.clone();
        let (conn, target) = self.parts()?;
        setup::lock(conn, target, schema.as_deref()).await
    }

    async fn applied_scripts(&mut self) -> Result<Vec<AppliedScript>, EngineError> {
        let schema = self.schema.clone();
        let (conn, target) = self.parts()?;
        setup::applied(conn, target, schema.as_deref()).await
    }

    async fn record_script(&mut self, script: &AppliedScript) -> Result<(), EngineError> {
        let (conn, target) = self.parts()?;
        setup::record(conn, target, script).await
    }

    async fn forget_script(&mut self, version: i64) -> Result<(), EngineError> {
        let (conn, target) = self.parts()?;
        setup::forget(conn, target, version).await
    }

    async fn refresh_views(&mut self) -> Result<(), EngineError> {
        Ok(())
    }
}
