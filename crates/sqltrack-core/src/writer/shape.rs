//! The columns that calls need: what is known of those there are, and how further ones are made.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqltrack_engines::{Connection, Dialect, Engine, EngineError, MetricType, Value};

use super::batch::{self, Built, Item};
use super::layout::Columns;
use super::touches::Touches;

/// How often columns may turn out to be others than thought before that is an error.
pub(super) const TRIES: u32 = 8;
/// What says that the database takes no further column: PostgreSQL's SQLSTATE, and SQLite's message.
const TOO_MANY_COLUMNS: (&str, &str) = ("54011", "too many columns");
/// A row of PostgreSQL has to fit a page of 8 KiB, in which even what is kept elsewhere takes 18 bytes
/// (<https://www.postgresql.org/docs/current/storage-toast.html>).
const SURELY_FIT: usize = 400;
/// For how long the lock on `metrics` is tried beside a transaction, which may hold a lock on it itself.
const BESIDE: Duration = Duration::from_secs(1);

/// For how long the writer tries to get the lock that a column takes; then the values go to the overflow.
pub(super) const COLUMN_PATIENCE: Duration = Duration::from_secs(10);
/// For how long it does not try that again.
const REST: Duration = Duration::from_secs(20);

/// Where columns are changed.
#[derive(Debug)]
pub(super) enum Place {
    /// On the writer's connection, which is in no transaction and may wait.
    Own(Arc<Rest>),
    /// On the short way, which waits for nothing: what cannot be at once is left to the writer.
    Short(Arc<Rest>),
    /// In a transaction of the user's.
    Transaction,
}

/// Whether a column could not be had just now, so that the next call need not wait for it as long as the one before.
#[derive(Debug, Default)]
pub(super) struct Rest(Mutex<Option<Instant>>);

impl Rest {
    fn begin(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + REST);
    }

    fn is_on(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|end| Instant::now() < end)
    }
}

/// A change to the columns.
#[derive(Clone, Copy)]
enum Change<'a> {
    Add(&'a [(String, MetricType)]),
    Widen(&'a str),
}

/// What is known of the columns of `metrics`, for one connection.
#[derive(Debug)]
pub(super) struct Shape {
    engine: Arc<dyn Engine>,
    columns: Columns,
    is_known: bool,
    place: Place,
}

impl Shape {
    pub(super) fn new(engine: Arc<dyn Engine>, budget: usize, place: Place) -> Self {
        let columns = Columns::new(engine.dialect(), budget);
        Self { engine, columns, is_known: false, place }
    }

    /// Looks at the columns, if that was not done before, or if the calls have values for which it has to be done again: an
    /// integer that no float equals must not meet a column that has become a float column meanwhile.
    pub(super) async fn look<'a>(
        &mut self,
        conn: &mut dyn Connection,
        mut items: impl Iterator<Item = Item<'a>>,
    ) -> Result<(), EngineError> {
        if !self.is_known || items.any(|item| item.values.iter().any(has_no_float)) {
            self.refresh(conn).await?;
        }
        Ok(())
    }

    pub(super) async fn refresh(&mut self, conn: &mut dyn Connection) -> Result<(), EngineError> {
        self.columns.set(conn.metric_columns().await?);
        self.is_known = true;
        Ok(())
    }

    /// The batches of calls, with all columns there that they need.
    ///
    /// # Errors
    ///
    /// [`EngineError::BadValue`] if a column cannot become a float column for the sake of these calls, since it holds
    /// integers that no float equals.
    pub(super) async fn build<'a, I>(
        &mut self,
        conn: &mut dyn Connection,
        touches: &Touches,
        items: impl Fn() -> I,
    ) -> Result<Built, EngineError>
    where
        I: Iterator<Item = Item<'a>>,
    {
        let mut may_add = !self.is_resting();
        for _ in 0..TRIES {
            let built = batch::build(items(), &mut self.columns, &*self.engine, touches, may_add);
            if built.is_settled() && built.refused.is_empty() {
                return Ok(built);
            }
            // What is known of the columns may be old.
            self.refresh(conn).await?;
            let built = batch::build(items(), &mut self.columns, &*self.engine, touches, may_add);
            if built.is_settled() {
                return Ok(built);
            }
            for name in &built.widen {
                tracing::debug!(metric = name, "making an integer column a float column");
                self.change(conn, Change::Widen(name)).await?;
            }
            if !built.missing.is_empty() {
                may_add = self.add_columns(conn, &built.missing).await?;
            }
            self.refresh(conn).await?;
        }
        Err(self.restless())
    }

    fn is_resting(&self) -> bool {
        matches!(&self.place, Place::Own(rest) | Place::Short(rest) if rest.is_on())
    }

    /// Whether a row that a call of so many metrics writes, or adds to, may be too big for the database.
    pub(super) fn may_be_too_big(&self, metrics: usize) -> bool {
        self.engine.dialect() == Dialect::Postgres && self.columns.len() + metrics > SURELY_FIT
    }

    /// That the columns do not stay as they are.
    pub(super) fn restless(&self) -> EngineError {
        EngineError::Busy {
            target: self.engine.target().to_owned(),
            message: "the columns of `metrics` are being changed by others".to_owned(),
        }
    }

    /// Makes columns; false if that cannot be now, so that their values have to go elsewhere.
    async fn add_columns(
        &mut self,
        conn: &mut dyn Connection,
        missing: &[(String, MetricType)],
    ) -> Result<bool, EngineError> {
        tracing::debug!(columns = ?missing, "adding metric columns");
        match (self.change(conn, Change::Add(missing)).await, &self.place) {
            (Err(err @ EngineError::Busy { .. }), Place::Short(_)) => Err(err),
            (Err(EngineError::Busy { .. }), place) => {
                if let Place::Own(rest) = place {
                    tracing::debug!(columns = ?missing, "not added, since others use the table");
                    rest.begin();
                }
                Ok(false)
            }
            (Err(EngineError::Database { code, message, .. }), _)
                if code.as_deref() == Some(TOO_MANY_COLUMNS.0) || message.contains(TOO_MANY_COLUMNS.1) =>
            {
                self.refresh(conn).await?;
                self.columns.close();
                Ok(true)
            }
            (done, _) => done.map(|()| true),
        }
    }

    /// Changes columns. For a transaction of PostgreSQL that happens beside it, so that the lock is not held until its end;
    /// if the transaction itself is in the way, in it.
    async fn change(&self, conn: &mut dyn Connection, change: Change<'_>) -> Result<(), EngineError> {
        match &self.place {
            Place::Own(_) => change.make(conn, COLUMN_PATIENCE).await,
            Place::Short(_) => change.make(conn, Duration::ZERO).await,
            // It holds the only lock that there is.
            Place::Transaction if self.engine.has_single_writer() => change.make(conn, BESIDE).await,
            Place::Transaction => {
                let beside = async { change.make(&mut *self.engine.connect().await?, BESIDE).await };
                // Without an answer there was not even a connection: all of them may be in transactions that want one more.
                match tokio::time::timeout(2 * BESIDE, beside).await {
                    Ok(Err(EngineError::Busy { .. })) | Err(_) => change.make(conn, Duration::ZERO).await,
                    Ok(made) => made,
                }
            }
        }
    }
}

impl Change<'_> {
    async fn make(self, conn: &mut dyn Connection, patience: Duration) -> Result<(), EngineError> {
        match self {
            Self::Add(columns) => conn.add_metric_columns(columns, patience).await,
            Self::Widen(name) => conn.widen_metric_column(name, patience).await,
        }
    }
}

fn has_no_float(value: &Value) -> bool {
    matches!(value, Value::Int(number) if sqltrack_engines::exact_f64(*number).is_none())
}
