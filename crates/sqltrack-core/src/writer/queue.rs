//! Calls that wait to be written: what the callers and the writer's thread share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqltrack_engines::{MetricsKey, Moment, Value};
use tokio::sync::{Notify, oneshot, watch};

use super::Stats;
use crate::metrics::{Ack, NameSet};
use crate::{Config, Error};

/// How many calls are worth waking the writer for, of those that nobody waits for.
const MANY: usize = 1_000;
/// For how long after such calls more of them are expected.
const RECENT: Duration = Duration::from_secs(1);
/// What a call takes besides its values, in bytes.
pub(super) const CALL_BYTES: usize = 128;

/// One call, without its values: there are as many as names.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) names: Arc<NameSet>,
    pub(crate) key: MetricsKey,
    pub(crate) lease: Option<i64>,
    pub(crate) updated: Option<Moment>,
    /// Who waits for it, if anyone does.
    pub(crate) waiter: Option<Waiter>,
}

/// Who waits for a call.
#[derive(Debug)]
pub(crate) struct Waiter {
    pub(crate) answer: oneshot::Sender<Result<Ack, Error>>,
    /// When it will not wait any longer.
    pub(crate) deadline: Instant,
}

/// Calls in order, and their values one behind the other. It keeps its memory when it is emptied.
#[derive(Debug, Default)]
pub(super) struct Calls {
    pub(super) calls: Vec<Call>,
    pub(super) values: Vec<Value>,
    bytes: usize,
}

impl Calls {
    fn push(&mut self, call: Call, values: &mut Vec<Value>) -> usize {
        let bytes = CALL_BYTES + values.iter().map(size).sum::<usize>();
        self.calls.push(call);
        self.values.append(values);
        self.bytes += bytes;
        bytes
    }

    pub(super) fn clear(&mut self) {
        self.calls.clear();
        self.values.clear();
        self.bytes = 0;
    }
}

/// What a value takes, in bytes.
pub(super) fn size(value: &Value) -> usize {
    let held = match value {
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        // A guess: what it takes depends on its shape.
        Value::Json(json) => 2 * json.to_string().len(),
        _ => 0,
    };
    size_of::<Value>() + held
}

/// How the writer's thread sleeps, and so what has to wake it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sleep {
    /// Not at all, or it is about to wake: it will look.
    Awake,
    /// For a moment, until which calls may wait that nobody waits for.
    Nap,
    /// Until it is woken.
    Deep,
}

#[derive(Debug)]
struct State {
    calls: Calls,
    sleep: Sleep,
    /// Somebody waits for what is queued.
    is_urgent: bool,
    /// When it was said that no call comes any more.
    closed: Option<Instant>,
    /// Whether a call came that nobody waits for, and when such calls were last taken: looking at the clock for each
    /// call would cost as much as everything else.
    has_records: bool,
    last_record: Option<Instant>,
    /// Bytes of all that was accepted and is not done.
    bytes: usize,
}

/// How far the writer is.
#[derive(Debug, Clone, Default)]
pub(super) struct Progress {
    /// How many of the calls that were accepted are done: written, or refused.
    pub(super) done: u64,
    /// Why it does not get on now, and whether that needs a person.
    pub(super) trouble: Option<(Arc<sqltrack_engines::EngineError>, bool)>,
    /// Whether the writer has ended, and closed its connection.
    pub(super) has_ended: bool,
}

/// What the callers and the writer's thread share.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(super) config: Arc<Config>,
    state: Mutex<State>,
    wake: Notify,
    /// Ends the pause before another try.
    nudge: Notify,
    room: Condvar,
    accepted: AtomicU64,
    pub(super) progress: watch::Sender<Progress>,
    pub(super) stats: Counters,
    /// The message about the first recorded call that was refused since the last flush, and how many there were.
    refused: Mutex<Option<(u64, String)>>,
}

/// What [`Stats`] tells, as it is counted.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) written: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) batches: AtomicU64,
    pub(super) retries: AtomicU64,
}

impl Counters {
    pub(super) fn add(counter: &AtomicU64, count: usize) {
        counter.fetch_add(count as u64, Ordering::Relaxed);
    }
}

impl Queue {
    pub(super) fn new(config: Arc<Config>) -> Self {
        let state = State {
            calls: Calls::default(),
            sleep: Sleep::Awake,
            is_urgent: false,
            closed: None,
            has_records: false,
            last_record: None,
            bytes: 0,
        };
        Self {
            config,
            state: Mutex::new(state),
            wake: Notify::new(),
            nudge: Notify::new(),
            room: Condvar::new(),
            accepted: AtomicU64::new(0),
            progress: watch::Sender::new(Progress::default()),
            stats: Counters::default(),
            refused: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a call that somebody waits for. Whoever waits bounds by that how much there is.
    pub(super) fn submit(&self, call: Call, mut values: Vec<Value>) -> Result<(), Error> {
        let mut state = self.state();
        self.accept(&mut state, call, &mut values)?;
        state.is_urgent = true;
        self.wake_if(state, |sleep| sleep != Sleep::Awake);
        Ok(())
    }

    /// Takes a call that nobody waits for, and its values, or waits for room.
    pub(super) fn record(&self, call: Call, values: &mut Vec<Value>) -> Result<(), Error> {
        let mut state = self.state();
        if state.bytes >= self.config.queue() {
            state = self.wait_for_room(state)?;
        }
        self.accept(&mut state, call, values)?;
        let is_much = state.calls.calls.len() >= MANY;
        state.has_records = true;
        self.wake_if(state, |sleep| sleep == Sleep::Deep || (is_much && sleep == Sleep::Nap));
        Ok(())
    }

    fn accept(&self, state: &mut State, call: Call, values: &mut Vec<Value>) -> Result<(), Error> {
        if state.closed.is_some() {
            return Err(Error::Stopped("the client was closed".to_owned()));
        }
        let bytes = state.calls.push(call, values);
        state.bytes += bytes;
        self.accepted.fetch_add(1, Ordering::Release);
        Ok(())
    }

    fn wake_if(&self, mut state: MutexGuard<'_, State>, should: impl Fn(Sleep) -> bool) {
        if should(state.sleep) {
            // The next ones need not wake it again.
            state.sleep = Sleep::Awake;
            drop(state);
            self.wake.notify_one();
        }
    }

    fn wait_for_room<'a>(&'a self, mut state: MutexGuard<'a, State>) -> Result<MutexGuard<'a, State>, Error> {
        let patience = if self.config.refuses_when_full() { Duration::ZERO } else { self.config.retry() };
        let limit = self.config.queue();
        state.is_urgent = true;
        if state.sleep != Sleep::Awake {
            state.sleep = Sleep::Awake;
            self.wake.notify_one();
        }
        let waited = self.room.wait_timeout_while(state, patience, |state| state.bytes >= limit);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if state.bytes < limit {
            return Ok(state);
        }
        let reason = self.progress.borrow().trouble.as_ref().map(|(err, _)| err.to_string());
        Err(Error::QueueFull { megabytes: limit >> 20, reason })
    }

    /// Makes the writer look at once, and returns how far it has to come until all that was accepted so far is done.
    pub(super) fn hurry(&self) -> u64 {
        let mut state = self.state();
        state.is_urgent = true;
        let target = self.accepted.load(Ordering::Acquire);
        self.nudge.notify_one();
        self.wake_if(state, |sleep| sleep != Sleep::Awake);
        target
    }

    /// No call comes any more: the writer ends when everything is done.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.closed.get_or_insert_with(Instant::now);
        self.wake_if(state, |_| true);
    }

    /// Waits for calls, and swaps them for `calls`, which is empty. False once there will be no more.
    pub(super) async fn take(&self, calls: &mut Calls, nap: Duration) -> bool {
        let mut is_rested = false;
        loop {
            let sleep = {
                let mut state = self.state();
                let has_calls = !state.calls.calls.is_empty();
                let is_due = state.is_urgent || state.closed.is_some() || state.calls.calls.len() >= MANY;
                if has_calls && (is_due || is_rested) {
                    std::mem::swap(&mut state.calls, calls);
                    state.is_urgent = false;
                    state.sleep = Sleep::Awake;
                    if std::mem::take(&mut state.has_records) {
                        state.last_record = Some(Instant::now());
                    }
                    return true;
                }
                if state.closed.is_some() {
                    return false;
                }
                // While calls come that nobody waits for, they wait for each other a moment.
                let is_recent = state.last_record.is_some_and(|last| last.elapsed() < RECENT);
                state.sleep = if has_calls || is_recent { Sleep::Nap } else { Sleep::Deep };
                state.sleep
            };
            if sleep == Sleep::Nap {
                is_rested = tokio::time::timeout(nap, self.wake.notified()).await.is_err();
            } else {
                self.wake.notified().await;
            }
        }
    }

    /// Waits before another try, but not while somebody is in a hurry.
    pub(super) async fn pause(&self, pause: Duration) {
        drop(tokio::time::timeout(pause, self.nudge.notified()).await);
    }

    /// For how long no call comes any more.
    pub(super) fn closed_for(&self) -> Duration {
        self.state().closed.map_or(Duration::ZERO, |closed| closed.elapsed())
    }

    /// How many calls wait to be taken.
    pub(super) fn waiting(&self) -> usize {
        self.state().calls.calls.len()
    }

    /// Notes that calls are done.
    pub(super) fn finish(&self, count: usize, bytes: usize) {
        if count == 0 {
            return;
        }
        {
            let mut state = self.state();
            state.bytes -= bytes;
        }
        self.room.notify_all();
        self.progress.send_modify(|progress| {
            progress.done += count as u64;
            progress.trouble = None;
        });
    }

    pub(super) fn is_done(&self, target: u64) -> bool {
        self.progress.borrow().done >= target
    }

    /// Notes that a recorded call was refused, for the next flush to tell.
    pub(super) fn note_refused(&self, message: String) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *refused {
            Some((count, _)) => *count += 1,
            none => *none = Some((1, message)),
        }
    }

    /// What was refused since this was last asked.
    pub(super) fn take_refused(&self) -> Result<(), Error> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner).take();
        refused.map_or(Ok(()), |(count, first)| Err(Error::Refused { count, first }))
    }

    pub(super) fn stats(&self) -> Stats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let bytes = self.state().bytes;
        let done = self.progress.borrow().done;
        Stats {
            queued_rows: self.accepted.load(Ordering::Acquire).saturating_sub(done),
            queued_bytes: bytes as u64,
            written_rows: read(&self.stats.written),
            refused_rows: read(&self.stats.refused),
            batches: read(&self.stats.batches),
            retries: read(&self.stats.retries),
        }
    }
}
