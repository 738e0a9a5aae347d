//! The writer of a client: a thread with a runtime and a connection of its own that writes the metrics of all its runs.
//!
//! Callers only hand over rows, and wait for them if they want to: a future that is dropped leaves no connection in the
//! middle of a reply, and a training may block its runtime for as long as it likes. Calls that are under way
//! together are committed together.

mod batch;
mod calls;
mod deliver;
mod direct;
mod layout;
mod ongoing;
mod queue;
mod shape;
mod spooling;
mod touches;
mod within;
mod worker;

use std::sync::Arc;
use std::time::{Duration, Instant};

use sqltrack_engines::{Engine, Value};
use tokio::sync::oneshot;
use tracing::Instrument as _;

pub(crate) use calls::Call;
use calls::Waiter;
use direct::{Direct, Short};
use ongoing::Ongoing;
pub(crate) use queue::Queue;
use queue::Taken;
pub(crate) use within::{Together, Within};

use crate::client::join;
use crate::metrics::Ack;
use crate::spool::{Spool, Target};
use crate::{Config, Error};

/// For how long the end of the last client waits for what was recorded.
const DROP_PATIENCE: Duration = Duration::from_secs(2);

/// How much longer an answer is waited for than the writer has time for it.
const MARGIN: Duration = Duration::from_millis(250);

/// How long a call that is awaited waits before it looks for room again.
const ROOM_PAUSE: Duration = Duration::from_millis(20);

/// What the writer of a client has done, see [`Client::stats`](crate::Client::stats). A row is what one call adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Rows that were accepted and are not written yet.
    pub queued_rows: u64,
    /// What they take in memory, about.
    pub queued_bytes: u64,
    /// Rows that were committed.
    pub written_rows: u64,
    /// Rows of the queued ones that are in the spool, and outlive the process.
    pub spooled_rows: u64,
    /// Rows of the queued ones that are in memory alone, where there is a spool: its disk was full.
    pub unspooled_rows: u64,
    /// Rows that the database refused for good.
    pub refused_rows: u64,
    /// Transactions in which rows were committed.
    pub batches: u64,
    /// Tries that failed and were made again.
    pub retries: u64,
}

/// The way to a writer's thread, which ends with it once everything is written.
#[derive(Debug)]
pub(crate) struct Writer {
    queue: Arc<Queue>,
    engine: Arc<dyn Engine>,
    direct: Direct,
}

impl Writer {
    /// Starts a writer.
    ///
    /// # Errors
    ///
    /// [`Error::Stopped`] if the system gives no thread for it.
    pub(crate) fn start(
        config: Arc<Config>,
        engine: Arc<dyn Engine>,
        target: &Target,
    ) -> Result<Self, Error> {
        let queue = Arc::new(Queue::new(config.clone(), open_spool(&config, target)));
        worker::start(queue.clone())?;
        Ok(Self { queue, engine, direct: Direct::new() })
    }

    pub(crate) fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }

    /// Hands over a call and waits until it is committed.
    pub(crate) async fn write(&self, call: Call, values: Vec<Value>) -> Result<Ack, Error> {
        let start = Instant::now();
        let (call, values) = match self.write_short(call, values).await? {
            Short::Done(result) => return result,
            Short::Not(call, values) => (call, values),
        };
        let (answer, answered) = oneshot::channel();
        let deadline = start + self.queue.config.retry();
        let mut submitted = (Call { waiter: Some(Waiter { answer, deadline }), ..call }, values);
        while let Taken::Not(call, values) = self.queue.submit(submitted.0, submitted.1)? {
            // The disk is full, and memory as well.
            if self.queue.config.refuses_when_full() || Instant::now() >= deadline {
                return Err(self.queue.full());
            }
            submitted = (call, values);
            tokio::time::sleep(ROOM_PAUSE).await;
        }
        // The writer may be busy with what was accepted before, for as long as that cannot be written.
        match self.patiently(deadline + MARGIN, answered).await {
            Some(answer) => {
                answer.map_err(|_| Error::Stopped("the writer of metrics has ended".to_owned()))?
            }
            None if self.queue.is_spooled() => Ok(Ack::Spooled),
            None => Err(self.trouble()),
        }
    }

    /// Tries the short way, if nothing else is on its way: what was accepted before must be there before.
    async fn write_short(&self, call: Call, values: Vec<Value>) -> Result<Short, Error> {
        // What is in the spool is delivered by one connection alone, in order.
        if self.queue.has_spool || !self.queue.is_idle() || self.queue.is_closed() {
            return Ok(Short::Not(call, values));
        }
        let Some(held) = self.direct.claim() else { return Ok(Short::Not(call, values)) };
        let (queue, engine) = (self.queue.clone(), self.engine.clone());
        let short = queue.enter_short();
        let write = async move {
            let _short = short;
            let config = queue.config.clone();
            direct::write(held, &queue, &engine, &config, call, values).await
        };
        let write = write.in_current_span();
        if self.engine.has_single_writer() {
            // Whoever waits may do something else meanwhile, and the lock must not wait for that.
            join(tokio::spawn(async { Ok(write.await) })).await
        } else {
            Ok(Ongoing::new(write).await)
        }
    }

    /// Hands over a call that nobody waits for, with its values, which are taken out of `values`.
    pub(crate) fn record(&self, call: Call, values: &mut Vec<Value>) -> Result<(), Error> {
        self.queue.record(call, values)
    }

    /// Waits until everything that was accepted is written or refused.
    pub(crate) async fn flush(&self) -> Result<Ack, Error> {
        let target = self.queue.hurry();
        let mut progress = self.queue.progress.subscribe();
        let deadline = Instant::now() + self.queue.config.retry();
        let reached = progress.wait_for(|progress| {
            let needs_person = progress.trouble.as_ref().is_some_and(|(_, needs_person)| *needs_person);
            progress.done >= target || needs_person
        });
        let reached =
            self.patiently(deadline, async { reached.await.is_ok_and(|progress| progress.done >= target) });
        let is_done = reached.await.unwrap_or_default();
        if !is_done && self.queue.is_spooled() {
            return Ok(Ack::Spooled);
        }
        if !is_done {
            return Err(self.trouble());
        }
        self.queue.take_refused()?;
        Ok(Ack::Committed)
    }

    /// What is waited for, if it comes until `deadline`, or later while the writer gets on.
    async fn patiently<T>(&self, deadline: Instant, awaited: impl Future<Output = T>) -> Option<T> {
        let mut awaited = std::pin::pin!(awaited);
        let mut until = deadline;
        loop {
            match tokio::time::timeout_at(until.into(), &mut awaited).await {
                Ok(done) => return Some(done),
                Err(_) if self.queue.extended(deadline) <= until => return None,
                Err(_) => until = self.queue.extended(deadline),
            }
        }
    }

    /// Why what was accepted is not written yet.
    fn trouble(&self) -> Error {
        let trouble = self.queue.progress.borrow().trouble.clone();
        trouble.map_or_else(
            || Error::Stopped("metrics are still being written; they are kept, and tried further".to_owned()),
            |(err, _)| err.into(),
        )
    }

    pub(crate) fn stats(&self) -> Stats {
        self.queue.stats()
    }

    /// Writes what was accepted, takes nothing any more, and waits until the connection is closed.
    pub(crate) async fn close(&self) {
        if let Err(err) = self.flush().await {
            tracing::error!("not all recorded metrics are written: {err}");
        }
        self.queue.close();
        self.direct.close().await;
        let mut progress = self.queue.progress.subscribe();
        let ended = progress.wait_for(|progress| progress.has_ended);
        drop(tokio::time::timeout(DROP_PATIENCE, ended).await);
    }
}

/// The spool that the configuration asks for. Without one, metrics are as safe as the memory.
fn open_spool(config: &Config, target: &Target) -> Option<Spool> {
    let folder = config.spool()?;
    match Spool::open(folder, target, config.spool_fsync()) {
        Ok(spool) => Some(spool),
        Err(err) => {
            tracing::error!("metrics are not spooled: {err}");
            None
        }
    }
}

impl Queue {
    /// Blocks until everything that was accepted is written or refused, for `patience` at most, and tells whether it is.
    pub(crate) fn settle(&self, patience: Duration) -> bool {
        let target = self.hurry();
        let deadline = Instant::now() + patience;
        while !self.is_done(target) || !self.is_short_free() {
            if Instant::now() >= deadline {
                return false;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        true
    }
}

impl Drop for Writer {
    /// The process may be about to exit, which would take with it what was recorded. The writer has its own thread, so
    /// that this waits in no circle.
    fn drop(&mut self) {
        if !self.queue.settle(DROP_PATIENCE) {
            let left = self.queue.stats().queued_rows;
            tracing::error!(
                "{left} recorded rows of metrics are not written yet; await `Client::flush` before the end"
            );
        }
        self.queue.close();
    }
}
