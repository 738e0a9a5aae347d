//! Writing calls in a transaction of the user's, on its connection.

use std::sync::Arc;

use sqltrack_engines::{Connection, Engine, EngineError, Value};
use tokio::sync::Mutex;

use super::batch::Item;
use super::calls::{Call, Calls};
use super::shape::{Place, Shape};
use super::touches::Touches;
use crate::{Client, Error};

/// What a transaction knows of the columns of `metrics`. It begins with nothing, since what the one around it learns may be
/// rolled back.
#[derive(Debug, Clone)]
pub(crate) struct Within(Arc<Mutex<Shape>>);

/// Calls that are written together, in order.
#[derive(Debug, Default)]
pub(crate) struct Together(Calls);

impl Together {
    pub(crate) fn push(&mut self, call: Call, mut values: Vec<Value>) {
        self.0.push(call, &mut values);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Within {
    pub(crate) fn new(engine: Arc<dyn Engine>, budget: usize) -> Self {
        Self(Arc::new(Mutex::new(Shape::new(engine, budget, Place::Transaction))))
    }

    /// Writes calls in the transaction that `client` is: all of them, or none.
    ///
    /// # Errors
    ///
    /// Why one of them cannot be written. After an error of the database the transaction has failed.
    pub(crate) async fn write(&self, client: &Client, calls: Together) -> Result<(), Error> {
        let job = Job { shape: self.0.clone(), calls: Arc::new(calls.0), is_spilled: false };
        let first = job.clone();
        if client.with_connection(move |conn| Box::pin(first.run_unless_big(conn))).await? {
            return Ok(());
        }
        // Whether it is shows when it is tried, which must not make the transaction fail.
        let (first, second) = (job.clone(), Job { is_spilled: true, ..job });
        match client.atomically(move |conn| Box::pin(first.run(conn))).await {
            Err(Error::Engine(EngineError::RowTooBig { .. })) if second.calls.len() == 1 => {
                client.with_connection(move |conn| Box::pin(second.run(conn))).await
            }
            written => written,
        }
    }
}

/// Calls to be written.
#[derive(Clone)]
struct Job {
    shape: Arc<Mutex<Shape>>,
    calls: Arc<Calls>,
    /// Whether all values go to the overflow.
    is_spilled: bool,
}

impl Job {
    /// Writes the calls, unless a row of them may be too big for the database. Tells whether it did.
    async fn run_unless_big(self, conn: &mut dyn Connection) -> Result<bool, Error> {
        let widest = self.calls.iter().map(|call| call.names.names.len()).max().unwrap_or_default();
        let may_be_too_big = {
            let mut shape = self.shape.lock().await;
            shape.look(conn, std::iter::empty()).await?;
            shape.may_be_too_big(widest)
        };
        if !may_be_too_big {
            self.run(conn).await?;
        }
        Ok(!may_be_too_big)
    }

    async fn run(self, conn: &mut dyn Connection) -> Result<(), Error> {
        let calls = &*self.calls;
        let item =
            |place| Item { call: calls.get(place), values: calls.values(place), is_spilled: self.is_spilled };
        let mut shape = self.shape.lock().await;
        let mut first = 0;
        while first < calls.len() {
            let items = || (first..calls.len()).map(item);
            shape.look(conn, items()).await?;
            let built = shape.build(conn, &Touches::default(), items).await?;
            if let Some((_, err)) = built.refused.into_iter().next() {
                return Err(err);
            }
            for batch in built.batches.iter().filter(|batch| !batch.runs.is_empty()) {
                conn.write_metrics_batch(batch).await?;
            }
            first += built.taken;
        }
        Ok(())
    }
}
