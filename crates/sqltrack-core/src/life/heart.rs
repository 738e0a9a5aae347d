//! The thread that keeps the runs of this process alive. A training may block its runtime for as long as it likes, or
//! end it; so heartbeats, and the last word on a run, have a thread, a runtime and connections of their own.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use sqltrack_engines::{Access, Engine, EngineError, Heartbeat, RunId, RunLifeChange};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Instant;

use super::decide;
use super::session::Session;
use crate::careful::Careful;
use crate::writer::Queue;
use crate::{Config, Error, Status, create_engine};

/// The shortest and the longest pause before an end that failed is tried again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// What keeps the runs of one database alive, for all clients of this process with the same configuration.
#[derive(Debug)]
pub(crate) struct Heart {
    config: Arc<Config>,
    state: Mutex<State>,
    writes: Writes,
    /// What writes metrics to the same database.
    writers: Mutex<Vec<Weak<Queue>>>,
}

#[derive(Debug, Default)]
struct State {
    sessions: Vec<Arc<Session>>,
    /// The way to the thread, while it runs.
    inbox: Option<UnboundedSender<Message>>,
}

/// How many writes to tracked runs are on their way.
#[derive(Debug, Default)]
struct Writes {
    count: AtomicUsize,
    lock: Mutex<()>,
    settled: Condvar,
}

/// A write to a tracked run on its way to the database, until this is dropped.
pub(crate) struct PendingWrite(Arc<Heart>);

/// Told what came of the end of a session.
type Done = Box<dyn FnOnce(Result<(), Error>) + Send>;

enum Message {
    /// There is another session.
    Wake,
    End(Box<Order>),
    /// What came of a heartbeat: the runs that still have their tracker, if the database answered.
    Beaten(Vec<Heartbeat>, Result<Vec<RunId>, EngineError>),
    Ended(Arc<Session>),
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Message")
    }
}

/// The end of a session, to be recorded.
struct Order {
    session: Arc<Session>,
    status: Status,
    patience: Duration,
    done: Done,
}

static HEARTS: Mutex<Vec<Weak<Heart>>> = Mutex::new(Vec::new());

impl Heart {
    /// The heart of the database that `config` leads to.
    pub(crate) fn of(config: &Arc<Config>) -> Arc<Self> {
        let mut hearts = HEARTS.lock().unwrap_or_else(PoisonError::into_inner);
        hearts.retain(|heart| heart.strong_count() > 0);
        let known = hearts.iter().filter_map(Weak::upgrade);
        if let Some(heart) = known.into_iter().find(|heart| is_same(&heart.config, config)) {
            return heart;
        }
        let heart = Arc::new(Self {
            config: config.clone(),
            state: Mutex::default(),
            writes: Writes::default(),
            writers: Mutex::default(),
        });
        hearts.push(Arc::downgrade(&heart));
        heart
    }

    /// All hearts of this process.
    pub(crate) fn all() -> Vec<Arc<Self>> {
        let hearts = HEARTS.lock().unwrap_or_else(PoisonError::into_inner);
        hearts.iter().filter_map(Weak::upgrade).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The sessions that have not ended.
    pub(crate) fn sessions(&self) -> Vec<Arc<Session>> {
        self.state().sessions.clone()
    }

    /// The lease that this process holds on a run while it tracks it.
    pub(crate) fn lease_of(&self, run: RunId) -> Option<i64> {
        self.state().sessions.iter().rev().find(|session| session.run == run).map(|session| session.lease)
    }

    /// Begins to keep a run alive.
    ///
    /// # Errors
    ///
    /// [`Error::Stopped`] if the system gives no thread for it.
    pub(crate) fn add(self: &Arc<Self>, session: Arc<Session>) -> Result<(), Error> {
        let mut state = self.state();
        let is_offline = session.offline.is_some();
        state.sessions.push(session);
        if is_offline {
            return Ok(());
        }
        let sent = self.send(&mut state, Message::Wake);
        if sent.is_err() {
            state.sessions.pop();
        }
        sent
    }

    /// Records the end of a session, for `patience` at most, and tells `done` what came of it.
    pub(crate) fn end(
        self: &Arc<Self>,
        session: &Arc<Session>,
        status: Status,
        patience: Duration,
        done: Done,
    ) {
        if let Some(offline) = &session.offline {
            let ended = session.end_offline(offline, &status);
            session.note_end();
            self.forget(session);
            return done(ended);
        }
        let order = Order { session: session.clone(), status, patience, done };
        // The thread runs as long as there is a session.
        if let Err(err) = self.send(&mut self.state(), Message::End(Box::new(order))) {
            tracing::error!("the end of run {} is not recorded: {err}", session.run);
        }
    }

    /// Counts a write to a tracked run, so that a signal waits for it.
    pub(crate) fn pending_write(self: &Arc<Self>) -> PendingWrite {
        self.writes.count.fetch_add(1, Ordering::AcqRel);
        PendingWrite(self.clone())
    }

    /// Takes note of what writes metrics, so that a signal waits for it.
    pub(crate) fn add_writer(&self, queue: &Arc<Queue>) {
        let mut writers = self.writers.lock().unwrap_or_else(PoisonError::into_inner);
        writers.retain(|writer| writer.strong_count() > 0);
        writers.push(Arc::downgrade(queue));
    }

    /// Blocks until no write is on its way, for `patience` at most.
    pub(crate) fn settle(&self, patience: Duration) {
        let start = std::time::Instant::now();
        let writers: Vec<_> = {
            let writers = self.writers.lock().unwrap_or_else(PoisonError::into_inner);
            writers.iter().filter_map(Weak::upgrade).collect()
        };
        for writer in writers {
            writer.settle(patience.saturating_sub(start.elapsed()));
        }
        let patience = patience.saturating_sub(start.elapsed());
        let lock = self.writes.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let is_busy = |(): &mut ()| self.writes.count.load(Ordering::Acquire) > 0;
        drop(self.writes.settled.wait_timeout_while(lock, patience, is_busy));
    }

    fn send(self: &Arc<Self>, state: &mut State, message: Message) -> Result<(), Error> {
        let inbox = match &state.inbox {
            Some(inbox) => inbox,
            None => state.inbox.insert(self.start()?),
        };
        // The receiver is there: it is given up under the lock that is held here.
        let _ = inbox.send(message);
        Ok(())
    }

    fn start(self: &Arc<Self>) -> Result<UnboundedSender<Message>, Error> {
        let engine = create_engine(&self.config)?;
        let stopped = |err: std::io::Error| Error::Stopped(format!("no thread for heartbeats: {err}"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(stopped)?;
        let (outbox, inbox) = unbounded_channel();
        let beating = Beating { heart: self.clone(), engine, outbox: outbox.clone() };
        let thread = std::thread::Builder::new().name("sqltrack-heart".to_owned());
        thread.spawn(move || runtime.block_on(beating.run(inbox))).map_err(stopped)?;
        Ok(outbox)
    }

    /// Forgets a session that has ended, and gives the thread up if it was the last one.
    fn forget(&self, ended: &Session) -> bool {
        let mut state = self.state();
        state.sessions.retain(|session| session.id != ended.id);
        let is_last = state.sessions.is_empty();
        if is_last {
            state.inbox = None;
        }
        is_last
    }
}

impl Drop for PendingWrite {
    fn drop(&mut self) {
        if self.0.writes.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            let _lock = self.0.writes.lock.lock().unwrap_or_else(PoisonError::into_inner);
            self.0.writes.settled.notify_all();
        }
    }
}

/// Whether two configurations lead to the same database in the same way.
fn is_same(one: &Config, other: &Config) -> bool {
    let values = |config: &Config| -> Vec<(String, String)> {
        let settings = config.settings().iter();
        settings.map(|(name, setting)| (name.to_owned(), setting.value().to_owned())).collect()
    };
    one.engine() == other.engine() && values(one) == values(other)
}

/// The thread of a heart.
struct Beating {
    heart: Arc<Heart>,
    engine: Arc<dyn Engine>,
    outbox: UnboundedSender<Message>,
}

impl Beating {
    async fn run(self, mut inbox: UnboundedReceiver<Message>) {
        let mut next = Instant::now() + self.interval();
        let mut is_beating = false;
        loop {
            let message = tokio::select! {
                message = inbox.recv() => message,
                () = tokio::time::sleep_until(next), if !is_beating => None,
            };
            match message {
                None => {
                    is_beating = true;
                    self.beat();
                }
                Some(Message::Wake) => next = next.min(Instant::now() + self.interval()),
                Some(Message::End(order)) => self.end(*order),
                Some(Message::Beaten(beats, held)) => {
                    is_beating = false;
                    next = Instant::now() + self.pause_after(&beats, held);
                }
                Some(Message::Ended(session)) => {
                    if self.heart.forget(&session) {
                        break;
                    }
                }
            }
        }
        self.engine.close().await;
    }

    /// The time between heartbeats: that of the session that wants the most.
    fn interval(&self) -> Duration {
        let sessions = self.heart.state();
        let intervals = sessions.sessions.iter().map(|session| session.interval);
        intervals.min().unwrap_or(Duration::from_secs(30))
    }

    /// One heartbeat for all sessions.
    fn beat(&self) {
        let sessions = self.heart.sessions();
        let beats: Vec<Heartbeat> = sessions.iter().filter_map(|session| session.heartbeat()).collect();
        let (engine, outbox, patience) = (self.engine.clone(), self.outbox.clone(), self.interval());
        tokio::spawn(async move {
            let held = match tokio::time::timeout(patience, send_beats(&*engine, &beats)).await {
                Ok(held) => held,
                Err(_) => Err(no_answer(&*engine, patience)),
            };
            let _ = outbox.send(Message::Beaten(beats, held));
        });
    }

    /// Notes what a heartbeat told, and says when to send the next one.
    fn pause_after(&self, beats: &[Heartbeat], held: Result<Vec<RunId>, EngineError>) -> Duration {
        let held: HashSet<RunId> = match held {
            Ok(held) => held.into_iter().collect(),
            Err(err) => {
                tracing::warn!("a heartbeat did not arrive: {err}");
                return self.interval() / 4;
            }
        };
        for session in self.heart.sessions() {
            let was_sent = beats.iter().any(|beat| beat.run == session.run && beat.lease == session.lease);
            if was_sent && !held.contains(&session.run) {
                session.lose();
            }
        }
        self.interval()
    }

    fn end(&self, order: Order) {
        let (engine, outbox) = (self.engine.clone(), self.outbox.clone());
        let Order { session, status, patience, done } = order;
        tokio::spawn(async move {
            let result = end_in_time(&*engine, &session, &status, patience).await;
            session.note_end();
            done(result.map_err(Error::from));
            let _ = outbox.send(Message::Ended(session));
        });
    }
}

async fn send_beats(engine: &dyn Engine, beats: &[Heartbeat]) -> Result<Vec<RunId>, EngineError> {
    if beats.is_empty() {
        return Ok(Vec::new());
    }
    let mut careful = Careful::connect(engine).await?;
    let held = careful.work().beat(beats).await?;
    careful.done();
    Ok(held)
}

fn no_answer(engine: &dyn Engine, patience: Duration) -> EngineError {
    let reason = format!("no answer within {} s", patience.as_secs_f64());
    EngineError::Unreachable { target: engine.target().to_owned(), reason, source: None }
}

/// Records an end, again and again while that may help.
async fn end_in_time(
    engine: &dyn Engine,
    session: &Session,
    status: &Status,
    patience: Duration,
) -> Result<(), EngineError> {
    let deadline = Instant::now() + patience;
    let (mut pause, longest) = PAUSES;
    loop {
        let attempt = tokio::time::timeout_at(deadline, end(engine, session, status)).await;
        let Ok(result) = attempt else { return Err(no_answer(engine, patience)) };
        match result {
            Err(err) if err.is_passing() && Instant::now() + pause < deadline => {
                tracing::debug!("the end of run {} is tried again: {err}", session.run);
                tokio::time::sleep(pause).await;
                pause = (2 * pause).min(longest);
            }
            result => return result,
        }
    }
}

async fn end(engine: &dyn Engine, session: &Session, status: &Status) -> Result<(), EngineError> {
    let mut careful = Careful::connect(engine).await?;
    let conn = careful.work();
    conn.begin(Access::Write).await?;
    let life = conn.run_life(session.run).await?.ok_or(EngineError::NoSuchRun(session.run))?;
    if life.lease != Some(session.lease) {
        return Err(EngineError::LeaseLost { run: session.run, holder: life.holder });
    }
    let end = decide::end(&life, session.role, status);
    let change = RunLifeChange {
        status: end.status.map(|status| status.as_str().to_owned()),
        started: None,
        updated: session.updated.moment(),
        lease: session.lease,
        holder: life.holder,
        trackers: end.trackers,
        interval: life.interval.unwrap_or(session.interval),
        beats: end.trackers > 0,
    };
    conn.set_run_life(session.run, &change).await?;
    conn.commit().await?;
    careful.done();
    Ok(())
}
