//! The writer's thread: it takes what is queued, delivers it in parts, and tells those who wait.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sqltrack_engines::{Engine, EngineError, jittered};

use super::calls::Calls;
use super::deliver::{Delivery, Outcome};
use super::queue::{Counters, Queue};
use super::shape::Place;
use crate::metrics::Ack;
use crate::{Error, create_engine};

/// How long calls that nobody waits for wait for others.
const NAP: Duration = Duration::from_millis(10);
/// How many rows are written together, and how many values. SQLite, for which others wait meanwhile, writes a thousand rows as
/// one statement.
const MAX_ROWS: usize = 2_000;
const MAX_ROWS_OF_SINGLE_WRITER: usize = 1_000;
const MAX_VALUES: usize = 40_000;
/// The shortest and the longest pause before a try that failed is made again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// For how long those are waited for who wrote together just before.
const GATHERING: Duration = Duration::from_micros(300);

/// Starts the thread of a writer.
pub(super) fn start(queue: Arc<Queue>) -> Result<(), Error> {
    let stopped = |err: std::io::Error| Error::Stopped(format!("no thread for writing metrics: {err}"));
    let engine = create_engine(&queue.config)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(stopped)?;
    let thread = std::thread::Builder::new().name("sqltrack-writer".to_owned());
    thread
        .spawn(move || {
            let worker = Worker::new(queue, engine);
            runtime.block_on(worker.run());
        })
        .map(drop)
        .map_err(stopped)
}

struct Worker {
    queue: Arc<Queue>,
    engine: Arc<dyn Engine>,
    delivery: Delivery,
    /// Whether what is left is left to the spool.
    is_given_up: bool,
}

/// Calls that are being written: their places.
type Places = Vec<usize>;

impl Worker {
    fn new(queue: Arc<Queue>, engine: Arc<dyn Engine>) -> Self {
        let mut delivery = Delivery::new(engine.clone(), &queue.config, Place::Own(queue.rest.clone()));
        delivery.set_writer(queue.spool_writer());
        Self { queue, engine, delivery, is_given_up: false }
    }

    async fn run(mut self) {
        let mut work = Calls::default();
        while !self.is_given_up && self.queue.take(&mut work, NAP).await {
            let awaited = self.write_all(&mut work).await;
            work.clear();
            if awaited > 1 {
                self.gather(awaited);
            }
        }
        if let Some(writer) = self.queue.close_spool() {
            self.delivery.finish_writer(writer).await;
        }
        drop(self.delivery);
        self.engine.close().await;
        self.queue.progress.send_modify(|progress| progress.has_ended = true);
    }

    /// Waits a moment for those who have just been answered together, and will mostly write again: else the first one of
    /// them would have a transaction of its own, and all others the next one.
    fn gather(&self, awaited: usize) {
        let start = Instant::now();
        while self.queue.waiting() < awaited && start.elapsed() < GATHERING {
            std::thread::yield_now();
        }
    }

    /// Writes all calls in parts. Returns how many of them were waited for.
    async fn write_all(&mut self, work: &mut Calls) -> usize {
        let awaited = work.iter().filter(|call| call.waiter.is_some()).count();
        let max_rows = if self.engine.has_single_writer() { MAX_ROWS_OF_SINGLE_WRITER } else { MAX_ROWS };
        let mut first = 0;
        while first < work.len() {
            let mut end = first + 1;
            while end < work.len()
                && end - first < max_rows
                && work.count_values(first..end + 1) <= MAX_VALUES
            {
                end += 1;
            }
            self.write_part(work, (first..end).collect()).await;
            if self.is_given_up {
                return awaited;
            }
            self.queue.finish(work.slice(first..end), work.bytes_of(first..end));
            first = end;
        }
        awaited
    }

    /// Writes calls until all of them are written or refused.
    async fn write_part(&mut self, work: &mut Calls, places: Places) {
        // Parts of parts, the next one last.
        let mut parts = vec![places];
        let (mut pause, longest) = PAUSES;
        while let Some(mut places) = parts.pop() {
            if places.is_empty() {
                continue;
            }
            let outcome = self.delivery.attempt(work, &places, self.earliest(work, &places)).await;
            match outcome {
                Outcome::Written { taken, refused } => {
                    pause = PAUSES.0;
                    self.queue.note_progress();
                    let rest = places.split_off(taken);
                    parts.push(rest);
                    Counters::add(&self.queue.stats.batches, 1);
                    let is_refused: Vec<usize> = refused.iter().map(|(place, _)| *place).collect();
                    self.refuse(work, refused);
                    places.retain(|place| !is_refused.contains(place));
                    Counters::add(&self.queue.stats.written, places.len());
                    for place in places {
                        work.get_mut(place).answer(Ok(Ack::Committed));
                    }
                }
                Outcome::Refused(refused) => {
                    let is_refused: Vec<usize> = refused.iter().map(|(place, _)| *place).collect();
                    self.refuse(work, refused);
                    places.retain(|place| !is_refused.contains(place));
                    parts.push(places);
                }
                Outcome::Split => {
                    let rest = places.split_off(places.len() / 2);
                    parts.push(rest);
                    parts.push(places);
                }
                Outcome::Failed(err) => {
                    self.give_up_on(work, &mut places, &err);
                    self.note_trouble(&err);
                    if self.queue.closed_for() > self.queue.config.retry() && self.queue.is_spooled() {
                        // They stay where they are.
                        self.is_given_up = true;
                        return;
                    }
                    if self.queue.closed_for() > self.queue.config.retry() {
                        let all = places.drain(..).chain(parts.drain(..).flatten());
                        let lost = all.map(|place| (place, Error::from(err.clone())));
                        self.refuse(work, lost.collect());
                        return;
                    }
                    parts.push(places);
                    Counters::add(&self.queue.stats.retries, 1);
                    tracing::debug!("metrics are not written yet: {err}");
                    let now = Instant::now();
                    let rest: Places = parts.iter().flatten().copied().collect();
                    let until = self.earliest(work, &rest);
                    let left = until.map_or(pause, |until| until.saturating_duration_since(now));
                    self.queue.pause(jittered(pause).min(left.max(Duration::from_millis(1)))).await;
                    pause = (2 * pause).min(longest);
                }
            }
        }
    }

    /// Answers those whose error cannot heal by itself, or who have waited long enough, and drops their calls.
    fn give_up_on(&self, work: &mut Calls, places: &mut Places, err: &EngineError) {
        let now = Instant::now();
        let is_hopeless = !err.is_passing();
        places.retain(|place| {
            match work.get(*place).deadline().map(|deadline| self.queue.extended(deadline)) {
                Some(deadline) if !is_hopeless && deadline <= now && work.get(*place).seq.is_some() => {
                    work.get_mut(*place).answer(Ok(Ack::Spooled));
                    true
                }
                Some(deadline) if is_hopeless || deadline <= now => {
                    work.get_mut(*place).answer(Err(err.clone().into()));
                    false
                }
                _ => true,
            }
        });
    }

    /// When the first of those who wait will not wait any longer.
    fn earliest(&self, work: &Calls, places: &[usize]) -> Option<Instant> {
        let deadline = places.iter().filter_map(|place| work.get(*place).deadline()).min();
        deadline.map(|deadline| self.queue.extended(deadline))
    }

    fn note_trouble(&self, err: &EngineError) {
        let needs_person = !err.is_passing();
        let is_news = self.queue.progress.borrow().trouble.is_none();
        if is_news {
            tracing::warn!("metrics cannot be written now, and are kept: {err}");
        }
        self.queue.progress.send_modify(|progress| {
            progress.trouble = Some((err.clone(), needs_person));
        });
    }

    fn refuse(&self, work: &mut Calls, refused: Vec<(usize, Error)>) {
        Counters::add(&self.queue.stats.refused, refused.len());
        for (place, err) in refused {
            let call = work.get(place);
            if call.waiter.is_none() {
                tracing::error!("recorded metrics of run {} are refused: {err}", call.key.run);
                self.queue.note_refused(err.to_string());
                self.queue.reject(call, work.values(place), &err.to_string());
            }
            work.get_mut(place).answer(Err(err));
        }
    }
}
