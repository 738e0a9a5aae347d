//! The short way for a call that comes alone: on the caller's own runtime, without the writer's thread in between, which
//! would cost as much as a commit to memory.
//!
//! It is only a short way: whatever does not work there at once is handed over to the writer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sqltrack_engines::Engine;
use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::calls::{Call, Calls};
use super::deliver::{Delivery, Outcome};
use super::queue::{Counters, Queue};
use super::shape::Place;
use crate::metrics::Ack;
use crate::{Config, Error};

/// A connection for calls that come alone, used by one of them at a time.
#[derive(Debug)]
pub(super) struct Direct(Arc<Mutex<Option<Held>>>);

/// What is kept from one call to the next.
#[derive(Debug)]
pub(super) struct Held {
    delivery: Delivery,
    /// The runtime that the connection is bound to.
    runtime: tokio::runtime::Id,
}

/// What came of the short way.
pub(super) enum Short {
    Done(Result<Ack, Error>),
    /// Nothing is written, or at least it is not known: it is the writer's turn.
    Not(Call, Vec<sqltrack_engines::Value>),
}

impl Direct {
    pub(super) fn new() -> Self {
        Self(Arc::default())
    }

    /// The short way, if it is free.
    pub(super) fn claim(&self) -> Option<OwnedMutexGuard<Option<Held>>> {
        self.0.clone().try_lock_owned().ok()
    }

    /// Closes the connection, once it is free.
    pub(super) async fn close(&self) {
        drop(self.0.lock().await.take());
    }
}

/// Writes one call. It goes on to its end also if nobody waits for it any more.
pub(super) async fn write(
    mut held: OwnedMutexGuard<Option<Held>>,
    queue: &Queue,
    engine: &Arc<dyn Engine>,
    config: &Config,
    call: Call,
    values: Vec<sqltrack_engines::Value>,
) -> Short {
    let runtime = Handle::current().id();
    if held.as_ref().is_none_or(|held| held.runtime != runtime) {
        let place = Place::Short(queue.rest.clone());
        *held = Some(Held { delivery: Delivery::new(engine.clone(), config, place), runtime });
    }
    let Some(Held { delivery, .. }) = &mut *held else { return Short::Not(call, values) };
    let work = Calls::one(call, values);
    // A lock or a silent server is what the writer waits for.
    let deadline = Instant::now() + Duration::from_secs(5);
    let outcome = delivery.attempt(&work, &[0], Some(deadline)).await;
    drop(held);
    match outcome {
        Outcome::Written { refused, .. } => {
            Counters::add(&queue.stats.batches, 1);
            match refused.into_iter().next() {
                Some((_, err)) => refuse(queue, err),
                None => {
                    Counters::add(&queue.stats.written, 1);
                    Short::Done(Ok(Ack::Committed))
                }
            }
        }
        Outcome::Refused(refused) if !refused.is_empty() => {
            refused.into_iter().next().map_or_else(|| work.short(), |(_, err)| refuse(queue, err))
        }
        Outcome::Refused(_) | Outcome::Split | Outcome::Failed(_) => work.short(),
    }
}

fn refuse(queue: &Queue, err: Error) -> Short {
    Counters::add(&queue.stats.refused, 1);
    Short::Done(Err(err))
}

impl Calls {
    /// The one call, back again.
    fn short(self) -> Short {
        match self.into_one() {
            Some((call, values)) => Short::Not(call, values),
            None => Short::Done(Err(Error::Stopped("the call was lost".to_owned()))),
        }
    }
}
