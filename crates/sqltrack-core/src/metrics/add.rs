//! Adding metrics to a run.

use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use sqltrack_engines::{
    Connection, Engine, EngineError, MetricColumn, MetricType, MetricsRow, Moment, RunChanges, RunId, Value,
};

use super::plan::{self, Plan};
use super::{At, Catalog, Metrics};
use crate::client::BoxFuture;
use crate::{Error, Run, Stamp};

/// For how long the lock on `metrics` is tried that a new column takes.
const PATIENCE: Duration = Duration::from_secs(60);
/// The same inside of a transaction, which may hold a lock on `metrics` itself.
const PATIENCE_IN_TRANSACTION: Duration = Duration::from_secs(1);

/// Metrics on their way to a run, see [`Run::add_metrics`]. Await it.
#[derive(Debug, Clone)]
#[must_use = "nothing is written until it is awaited"]
pub struct AddMetrics {
    run: Run,
    metrics: Metrics,
    step: i64,
    progress: f64,
    updated: Stamp,
}

impl AddMetrics {
    pub(crate) fn new(run: Run, metrics: Metrics) -> Self {
        Self { run, metrics, step: 0, progress: 0.0, updated: Stamp::Auto }
    }

    /// The step that the metrics were measured at: an absolute number such as iterations. Zero by default.
    pub fn step(mut self, step: i64) -> Self {
        self.step = step;
        self
    }

    /// The progress that the metrics were measured at: by convention the part of the run that is done, from 0 to 1.
    /// Zero by default; any number but NaN.
    pub fn progress(mut self, progress: f64) -> Self {
        self.progress = progress;
        self
    }

    /// What happens to the run's `time_updated`: set to now by default.
    pub fn updated(mut self, updated: impl Into<Stamp>) -> Self {
        self.updated = updated.into();
        self
    }

    /// Hands the metrics over to be written in the background, as [`Run::record_metrics`] does.
    ///
    /// # Errors
    ///
    /// As [`Run::record_metrics`].
    pub fn record(self) -> Result<(), Error> {
        let at = At { step: self.step, progress: self.progress };
        self.run.record_updating(at, self.metrics, self.updated.moment())
    }

    async fn write(self) -> Result<Ack, Error> {
        let client = self.run.client().clone();
        let at = At { step: self.step, progress: self.progress };
        let (names, values) = self.metrics.prepared()?;
        for (name, value) in names.names.iter().zip(&values) {
            plan::check_value(name, value, &**client.engine())?;
        }
        let call = self.run.call(at, names, self.updated.moment())?;
        if !client.is_transaction() {
            return client.writer()?.write(call, values).await;
        }
        let write = Write {
            engine: client.engine().clone(),
            catalog: client.catalog().clone(),
            budget: client.config().columns(),
            run: call.key.run,
            lease: call.lease,
            step: call.key.step,
            progress: call.key.progress,
            updated: call.updated,
            metrics: Metrics::of_set(call.names, values),
        };
        client.with_connection(move |conn| Box::pin(async move { write.run(conn).await })).await?;
        Ok(Ack::Committed)
    }
}

/// What became of metrics that were added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ack {
    /// They are committed; in a transaction, when it is.
    Committed,
    /// They are in the spool, and come to the database when that can be reached again: by themselves as long as this
    /// process lives, and by `sqltrack-cli sync` after it.
    Spooled,
}

impl IntoFuture for AddMetrics {
    type Output = Result<Ack, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.write())
    }
}

/// One call in a transaction, on its connection.
struct Write {
    engine: Arc<dyn Engine>,
    catalog: Arc<Catalog>,
    budget: usize,
    run: RunId,
    lease: Option<i64>,
    step: i64,
    progress: f64,
    updated: Option<Moment>,
    metrics: Metrics,
}

impl Write {
    async fn run(self, conn: &mut dyn Connection) -> Result<(), Error> {
        // An integer that no float equals must not meet a column that has become a float column meanwhile.
        let is_delicate = |value: &Value| matches!(value, Value::Int(number) if sqltrack_engines::exact_f64(*number).is_none());
        let mut columns = match self.metrics.iter().any(|(_, value)| is_delicate(value)) {
            true => self.catalog.refresh(conn).await?,
            false => self.catalog.columns(conn).await?,
        };
        let plan = self.plan(conn, &mut columns).await?;
        Ok(self.write(conn, plan).await?)
    }

    /// A plan that needs no other columns than there are.
    async fn plan(
        &self,
        conn: &mut dyn Connection,
        columns: &mut Arc<[MetricColumn]>,
    ) -> Result<Plan, Error> {
        let plan = match Plan::new(&self.metrics, columns, &*self.engine, self.budget) {
            Ok(plan) if plan.missing.is_empty() && plan.widen.is_empty() => return Ok(plan),
            // What is known of the columns may be old.
            _ => {
                *columns = self.catalog.refresh(conn).await?;
                Plan::new(&self.metrics, columns, &*self.engine, self.budget)?
            }
        };
        for name in &plan.widen {
            self.widen(conn, name).await?;
        }
        let mut can_add = true;
        if !plan.missing.is_empty() {
            match self.add_columns(conn, &plan.missing).await {
                Err(EngineError::Busy { .. }) => can_add = false,
                added => added?,
            }
        }
        if plan.widen.is_empty() && !can_add {
            return Ok(plan.without_missing(&self.metrics));
        }
        *columns = self.catalog.refresh(conn).await?;
        let plan = Plan::new(&self.metrics, columns, &*self.engine, self.budget)?;
        Ok(if can_add { plan } else { plan.without_missing(&self.metrics) })
    }

    /// Adds columns. In a transaction of PostgreSQL that happens beside it, so that the lock is not held until
    /// its end; if the transaction itself is in the way, in it; and if that does not work either, not at all.
    async fn add_columns(
        &self,
        conn: &mut dyn Connection,
        missing: &[(String, MetricType)],
    ) -> Result<(), EngineError> {
        tracing::debug!(columns = ?missing, "adding metric columns");
        if self.engine.has_single_writer() {
            return conn.add_metric_columns(missing, PATIENCE).await;
        }
        let beside =
            async { self.engine.connect().await?.add_metric_columns(missing, PATIENCE_IN_TRANSACTION).await };
        match in_time(beside).await {
            Some(added) => added,
            None => conn.add_metric_columns(missing, Duration::ZERO).await,
        }
    }

    async fn widen(&self, conn: &mut dyn Connection, name: &str) -> Result<(), EngineError> {
        tracing::debug!(metric = name, "making an integer column a float column");
        if self.engine.has_single_writer() {
            return conn.widen_metric_column(name, PATIENCE).await;
        }
        let beside =
            async { self.engine.connect().await?.widen_metric_column(name, PATIENCE_IN_TRANSACTION).await };
        match in_time(beside).await {
            Some(widened) => widened,
            None => conn.widen_metric_column(name, Duration::ZERO).await,
        }
    }

    async fn write(&self, conn: &mut dyn Connection, plan: Plan) -> Result<(), EngineError> {
        // Someone took a column away, or changed its type, since it was made: no value may be passed over.
        if !plan.missing.is_empty() || !plan.widen.is_empty() {
            return Err(EngineError::NoSuchColumn {
                message: "the columns of `metrics` are being changed by others; try again".to_owned(),
            });
        }
        if plan.is_empty() {
            return self.touch(conn).await;
        }
        let row = MetricsRow {
            run: self.run,
            step: self.step,
            progress: self.progress,
            columns: plan.columns,
            overflow: plan.overflow,
            updated: self.updated,
            lease: self.lease,
        };
        conn.write_metrics(&row).await
    }

    /// No metric has a value: only the run's time is written.
    async fn touch(&self, conn: &mut dyn Connection) -> Result<(), EngineError> {
        conn.update_run(self.run, &RunChanges { updated: self.updated, ..RunChanges::default() }).await
    }
}

/// What a change beside a transaction came to; `None` if it got no lock, or not even a connection: all of them may be
/// in transactions that want one more.
async fn in_time(change: impl Future<Output = Result<(), EngineError>>) -> Option<Result<(), EngineError>> {
    match tokio::time::timeout(2 * PATIENCE_IN_TRANSACTION, change).await {
        Ok(Err(EngineError::Busy { .. })) | Err(_) => None,
        Ok(result) => Some(result),
    }
}

impl Run {
    /// Adds metrics at a step: await it, or set [`step`](AddMetrics::step), [`progress`](AddMetrics::progress) and
    /// [`updated`](AddMetrics::updated) first. When it returns, they are committed; or, if the database cannot be
    /// reached and the client has a spool, in that: [`Ack`] tells which.
    ///
    /// Metrics of one step and progress are one row: a second call adds to it and overwrites only what it names. A
    /// value of `None` clears a metric. A metric without a column gets one, of its value's type. Nothing is ever
    /// rounded: an integer goes into a float column if a float equals it, the first float of an integer column makes
    /// it a float column, and any other value of another type is an error.
    ///
    /// A dropped future has written everything or nothing.
    ///
    /// # Errors
    ///
    /// [`Error::MetricName`], [`Error::MetricValue`], [`Error::MetricTwice`], [`Error::MetricCase`] and
    /// [`Error::ProgressNan`] for what cannot be kept; [`Error::Engine`] if the run does not exist or the database fails.
    ///
    /// ```no_run
    /// # async fn example(run: sqltrack_core::Run) -> Result<(), sqltrack_core::Error> {
    /// for epoch in 0..90 {
    ///     run.add_metrics([("loss", 7_f64.powf(1.0 / f64::from(epoch + 1)))]).step(epoch.into()).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn add_metrics(&self, metrics: impl Into<Metrics>) -> AddMetrics {
        AddMetrics::new(self.clone(), metrics.into())
    }
}
