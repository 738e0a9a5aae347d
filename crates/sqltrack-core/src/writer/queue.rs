//! The queue of calls: what the callers and the writer's thread share.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqltrack_engines::{EngineError, Value, WriterId};
use tokio::sync::{Notify, watch};

use super::Stats;
use super::calls::{Call, Calls};
use super::shape::Rest;
use super::spooling::Spooling;
use crate::metrics::Ack;
use crate::spool::Spool;
use crate::{Config, Error};

/// How many calls are worth waking the writer for, of those that nobody waits for.
const MANY: usize = 1_000;
/// For how long after such calls more of them are expected.
const RECENT: Duration = Duration::from_secs(1);

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
    /// Calls that were accepted, are not done, and are not in the spool although there is one.
    unspooled: usize,
    /// Bytes of all that was accepted and is not done, as far as it is in memory.
    bytes: usize,
    spooling: Option<Spooling>,
}

/// What became of a call that somebody waits for.
pub(super) enum Taken {
    Yes,
    Not(Call, Vec<Value>),
}

impl State {
    /// Whether memory takes another call: it is not full, and no call that is not in memory goes before.
    fn has_room(&self, limit: usize) -> bool {
        self.bytes < limit && self.spooling.as_ref().is_none_or(|spooling| !spooling.has_backlog())
    }

    /// Fetches calls that wait in the spool alone.
    fn read_back(&mut self) {
        let Some(spooling) = self.spooling.as_mut().filter(|spooling| spooling.has_backlog()) else { return };
        if let Err(err) = spooling.read_back(&mut self.calls) {
            tracing::error!("the spool cannot be read: {err}");
        }
        self.bytes += self.calls.bytes();
        self.is_urgent = true;
    }
}

/// How far the writer is.
#[derive(Debug, Clone)]
pub(super) struct Progress {
    /// How many of the calls that were accepted are done: written, or refused.
    pub(super) done: u64,
    /// When it last wrote something.
    got_on: Instant,
    /// Why it does not get on now, and whether that needs a person.
    pub(super) trouble: Option<(EngineError, bool)>,
    /// Whether the writer has ended, and closed its connection.
    pub(super) has_ended: bool,
}

/// What the callers and the writer's thread share.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(super) config: Arc<Config>,
    /// Whether what is accepted outlives the process.
    pub(super) has_spool: bool,
    state: Mutex<State>,
    wake: Notify,
    /// Ends the pause before another try.
    nudge: Notify,
    room: Condvar,
    accepted: AtomicU64,
    /// Calls on the short way, which are not among the accepted ones.
    short: AtomicUsize,
    pub(super) progress: watch::Sender<Progress>,
    pub(super) rest: Arc<Rest>,
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
    pub(super) fn new(config: Arc<Config>, spool: Option<Spool>) -> Self {
        let has_spool = spool.is_some();
        let state = State {
            calls: Calls::default(),
            sleep: Sleep::Awake,
            is_urgent: false,
            closed: None,
            has_records: false,
            last_record: None,
            unspooled: 0,
            bytes: 0,
            spooling: spool.map(Spooling::new),
        };
        Self {
            config,
            has_spool,
            state: Mutex::new(state),
            wake: Notify::new(),
            nudge: Notify::new(),
            room: Condvar::new(),
            accepted: AtomicU64::new(0),
            short: AtomicUsize::new(0),
            progress: watch::Sender::new(Progress {
                done: 0,
                got_on: Instant::now(),
                trouble: None,
                has_ended: false,
            }),
            rest: Arc::default(),
            stats: Counters::default(),
            refused: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a call that somebody waits for. Whoever waits bounds by that how much there is. Gives it back if there is no
    /// room for it, neither in the spool nor in memory.
    pub(super) fn submit(&self, call: Call, mut values: Vec<Value>) -> Result<Taken, Error> {
        let mut state = self.state();
        let limit = if self.has_spool { self.config.queue() } else { usize::MAX };
        let taken = self.accept(&mut state, call, &mut values, limit)?;
        Ok(match taken {
            Some(call) => Taken::Not(call, values),
            None => {
                state.is_urgent = true;
                self.wake_if(state, |sleep| sleep != Sleep::Awake);
                Taken::Yes
            }
        })
    }

    /// Takes a call that nobody waits for, and its values, or waits for room.
    pub(super) fn record(&self, call: Call, values: &mut Vec<Value>) -> Result<(), Error> {
        let mut state = self.state();
        let mut deadline = None;
        let mut left = Some(call);
        while let Some(call) = left {
            left = self.accept(&mut state, call, values, self.config.queue())?;
            if left.is_some() {
                let patience =
                    if self.config.refuses_when_full() { Duration::ZERO } else { self.config.retry() };
                let deadline = *deadline.get_or_insert_with(|| Instant::now() + patience);
                state = self.wait_for_room(state, deadline)?;
            }
        }
        let is_much = state.calls.len() >= MANY;
        state.has_records = true;
        self.wake_if(state, |sleep| sleep == Sleep::Deep || (is_much && sleep == Sleep::Nap));
        Ok(())
    }

    /// Takes a call, or gives it back if there is no room for it.
    fn accept(
        &self,
        state: &mut State,
        mut call: Call,
        values: &mut Vec<Value>,
        limit: usize,
    ) -> Result<Option<Call>, Error> {
        if state.closed.is_some() {
            return Err(Error::Stopped("the client was closed".to_owned()));
        }
        let has_room = state.has_room(limit);
        call.seq = state.spooling.as_mut().and_then(|spooling| spooling.append(&call, values));
        match (call.seq, &mut state.spooling) {
            // What waits in the spool alone goes first.
            (Some(_), _) if !has_room => {
                values.clear();
                self.accepted.fetch_add(1, Ordering::Release);
                call.answer(Ok(Ack::Spooled));
                return Ok(None);
            }
            (None, _) if !has_room => return Ok(Some(call)),
            (Some(seq), Some(spooling)) => spooling.keep(seq),
            (None, Some(_)) => state.unspooled += 1,
            (_, None) => {}
        }
        let bytes = state.calls.push(call, values);
        state.bytes += bytes;
        self.accepted.fetch_add(1, Ordering::Release);
        Ok(None)
    }

    fn wake_if(&self, mut state: MutexGuard<'_, State>, should: impl Fn(Sleep) -> bool) {
        if should(state.sleep) {
            // The next ones need not wake it again.
            state.sleep = Sleep::Awake;
            drop(state);
            self.wake.notify_one();
        }
    }

    fn wait_for_room<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        deadline: Instant,
    ) -> Result<MutexGuard<'a, State>, Error> {
        let limit = self.config.queue();
        state.is_urgent = true;
        if state.sleep != Sleep::Awake {
            state.sleep = Sleep::Awake;
            self.wake.notify_one();
        }
        let patience = deadline.saturating_duration_since(Instant::now());
        let waited = self.room.wait_timeout_while(state, patience, |state| !state.has_room(limit));
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if state.has_room(limit) { Ok(state) } else { Err(self.full()) }
    }

    /// That there is no room, and why.
    pub(super) fn full(&self) -> Error {
        let reason = self.progress.borrow().trouble.as_ref().map(|(err, _)| err.to_string());
        Error::QueueFull { megabytes: self.config.queue() >> 20, reason }
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
                if state.calls.is_empty() {
                    state.read_back();
                }
                let has_calls = !state.calls.is_empty();
                let is_due = state.is_urgent || state.closed.is_some() || state.calls.len() >= MANY;
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
        self.state().calls.len()
    }

    /// Notes that calls are done.
    pub(super) fn finish(&self, calls: &[Call], bytes: usize) {
        let seq = calls.iter().rev().find_map(|call| call.seq);
        let count = calls.len();
        if count == 0 {
            return;
        }
        {
            let mut state = self.state();
            state.bytes -= bytes;
            if state.spooling.is_some() {
                state.unspooled -= calls.iter().filter(|call| call.seq.is_none()).count();
            }
            if let (Some(seq), Some(spooling)) = (seq, &state.spooling) {
                spooling.delivered(seq);
            }
        }
        self.room.notify_all();
        self.progress.send_modify(|progress| {
            progress.done += count as u64;
            progress.trouble = None;
        });
    }

    /// Notes that something was written, which wakes nobody.
    pub(super) fn note_progress(&self) {
        self.progress.send_if_modified(|progress| {
            progress.got_on = Instant::now();
            false
        });
    }

    /// Until when is waited that would end at `deadline`: as long as the writer gets on, if slowly, what is not in the spool is
    /// waited for.
    pub(super) fn extended(&self, deadline: Instant) -> Instant {
        if self.has_spool {
            return deadline;
        }
        deadline.max(self.progress.borrow().got_on + self.config.retry())
    }

    /// Whether nothing is queued or on its way.
    pub(super) fn is_idle(&self) -> bool {
        self.is_done(self.accepted.load(Ordering::Acquire))
    }

    /// Counts a call on the short way, until what is returned is dropped.
    pub(super) fn enter_short(self: &Arc<Self>) -> ShortWay {
        self.short.fetch_add(1, Ordering::AcqRel);
        ShortWay(self.clone())
    }

    /// Whether no call is on the short way.
    pub(super) fn is_short_free(&self) -> bool {
        self.short.load(Ordering::Acquire) == 0
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state().closed.is_some()
    }

    pub(super) fn is_done(&self, target: u64) -> bool {
        self.progress.borrow().done >= target
    }

    /// Whether everything that is queued outlives the process.
    pub(super) fn is_spooled(&self) -> bool {
        let state = self.state();
        state.spooling.is_some() && state.unspooled == 0
    }

    /// The id under which the database knows what has arrived from the spool.
    pub(super) fn spool_writer(&self) -> Option<WriterId> {
        self.state().spooling.as_ref().map(Spooling::writer)
    }

    /// Keeps a call of the spool aside that the database has refused.
    pub(super) fn reject(&self, call: &Call, values: &[Value], reason: &str) {
        if let (Some(seq), Some(spooling)) = (call.seq, &self.state().spooling) {
            spooling.reject(seq, call, values, reason);
        }
    }

    /// Ends the spool, and returns its writer if nothing is left in it.
    pub(super) fn close_spool(&self) -> Option<WriterId> {
        let spooling = self.state().spooling.take()?;
        let writer = spooling.writer();
        spooling.close().then_some(writer)
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
        let (bytes, unspooled, has_spool) = {
            let state = self.state();
            (state.bytes, state.unspooled as u64, state.spooling.is_some())
        };
        let done = self.progress.borrow().done;
        let queued = self.accepted.load(Ordering::Acquire).saturating_sub(done);
        Stats {
            queued_rows: queued,
            queued_bytes: bytes as u64,
            spooled_rows: if has_spool { queued.saturating_sub(unspooled) } else { 0 },
            unspooled_rows: unspooled,
            written_rows: read(&self.stats.written),
            refused_rows: read(&self.stats.refused),
            batches: read(&self.stats.batches),
            retries: read(&self.stats.retries),
        }
    }
}

/// A call on the short way.
#[derive(Debug)]
pub(super) struct ShortWay(Arc<Queue>);

impl Drop for ShortWay {
    fn drop(&mut self) {
        self.0.short.fetch_sub(1, Ordering::AcqRel);
    }
}
