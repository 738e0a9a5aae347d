//! Transactions: a client whose calls all happen in one transaction.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use sqltrack_engines::{Access, Connection, Engine};
use tokio::sync::{mpsc, oneshot};

use crate::Error;
use crate::client::{BoxFuture, Client};

/// A transaction. It is a [`Client`] itself: whatever takes a client takes it, too, and happens in it.
///
/// Nothing is kept unless [`commit`](Self::commit) is called; dropping the transaction rolls it back. A call
/// that fails, except for a check that was made before anything was sent, makes the whole transaction fail:
/// later calls and `commit` return [`Error::TransactionFailed`]. To go on after a failure, put what may fail
/// into a nested transaction.
///
/// [`begin`](Client::begin) on a transaction begins a nested one (a savepoint) that joins it: what it commits is
/// kept when the outermost one commits. Nested transactions end in the reverse order of their beginnings; one that
/// ends after one that it was begun within makes the whole transaction fail. What happens in the outer one meanwhile
/// is undone, too, if the nested one is.
///
/// On SQLite an open transaction holds the write lock: other writers wait for its end, calls on the client it was
/// begun with included.
///
/// ```no_run
/// # async fn example(client: sqltrack_core::Client) -> Result<(), sqltrack_core::Error> {
/// use sqltrack_core::Experiment;
///
/// let tx = client.begin().await?;
/// let run = Experiment::open(&tx, "tuning").await?.new_run().await?;
/// run.add_tags(["imported"]).await?;
/// tx.commit().await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a transaction that is dropped is rolled back"]
pub struct Transaction {
    client: Client,
    handle: Arc<Handle>,
    depth: u32,
    is_open: bool,
}

/// The way to the task that owns the transaction's connection.
pub(crate) struct Handle {
    commands: mpsc::UnboundedSender<Command>,
    depth: AtomicU32,
}

/// A job on the connection, given why the transaction failed if it did. It answers its caller itself and tells the
/// task why it failed.
type Job = Box<
    dyn for<'c> FnOnce(&'c mut dyn Connection, Option<String>) -> BoxFuture<'c, Result<(), String>> + Send,
>;

enum Command {
    Run(Job),
    Begin { depth: u32, done: oneshot::Sender<Result<(), Error>> },
    Commit { depth: u32, done: oneshot::Sender<Result<(), Error>> },
    Rollback { depth: u32, done: Option<oneshot::Sender<Result<(), Error>>> },
}

impl Handle {
    /// Runs `operation` on the transaction's connection.
    pub(crate) async fn run<T, F>(&self, operation: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut dyn Connection) -> BoxFuture<'c, Result<T, Error>> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |conn, failure| {
            Box::pin(async move {
                let result = match failure {
                    None => operation(conn).await,
                    Some(reason) => Err(Error::TransactionFailed { reason }),
                };
                let failure = result.as_ref().err().map(ToString::to_string);
                // A caller that is gone does not change what happened.
                let _ = answer.send(result);
                failure.map_or(Ok(()), Err)
            })
        });
        self.send(Command::Run(job))?;
        answered.await.map_err(|_| Error::TransactionEnded)?
    }

    /// Runs `operation` whole or not at all, and so that its failure does not make the transaction fail. Nothing else
    /// of the transaction happens in between.
    pub(crate) async fn run_nested<T, F>(&self, operation: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut dyn Connection) -> BoxFuture<'c, Result<T, Error>> + Send + 'static,
    {
        let depth = self.depth.fetch_add(1, Ordering::Relaxed) + 1;
        let whole = self.run(move |conn| {
            Box::pin(async move {
                conn.savepoint(depth).await?;
                let result = operation(conn).await;
                match &result {
                    Ok(_) => conn.release(depth).await?,
                    Err(_) => conn.rollback_to(depth).await?,
                }
                Ok(result)
            })
        });
        whole.await?
    }

    async fn ask(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<(), Error>>) -> Command,
    ) -> Result<(), Error> {
        let (done, answered) = oneshot::channel();
        self.send(command(done))?;
        answered.await.map_err(|_| Error::TransactionEnded)?
    }

    fn send(&self, command: Command) -> Result<(), Error> {
        self.commands.send(command).map_err(|_| Error::TransactionEnded)
    }

    /// Begins a nested transaction.
    pub(crate) async fn begin(self: &Arc<Self>, client: &Client) -> Result<Transaction, Error> {
        let depth = self.depth.fetch_add(1, Ordering::Relaxed) + 1;
        self.ask(|done| Command::Begin { depth, done }).await?;
        // With no knowledge of the tables that the outer one would keep after a rollback of this one.
        let client = client.in_transaction(self.clone());
        Ok(Transaction { client, handle: self.clone(), depth, is_open: true })
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").finish_non_exhaustive()
    }
}

impl Transaction {
    /// Begins an outermost transaction in a task of its own, which alone touches the connection: whatever
    /// future is dropped, the connection stays in a known state.
    pub(crate) async fn begin(client: &Client, engine: Arc<dyn Engine>) -> Result<Self, Error> {
        let (commands, queue) = mpsc::unbounded_channel();
        let (done, begun) = oneshot::channel();
        tokio::spawn(drive(engine, queue, done));
        let handle = Arc::new(Handle { commands, depth: AtomicU32::new(0) });
        begun.await.map_err(|_| Error::TransactionEnded)??;
        Ok(Self { client: client.in_transaction(handle.clone()), handle, depth: 0, is_open: true })
    }

    /// Keeps what happened in the transaction. Of a nested one: leaves it to the outer one to keep.
    ///
    /// A dropped future may or may not have committed; it never commits a part.
    ///
    /// # Errors
    ///
    /// [`Error::TransactionFailed`] if something in it failed; it is rolled back then.
    pub async fn commit(mut self) -> Result<(), Error> {
        self.is_open = false;
        let depth = self.depth;
        self.handle.ask(|done| Command::Commit { depth, done }).await
    }

    /// Undoes what happened in the transaction.
    ///
    /// # Errors
    ///
    /// [`Error::Engine`] if the connection is lost, which undoes it as well.
    pub async fn rollback(mut self) -> Result<(), Error> {
        self.is_open = false;
        let depth = self.depth;
        self.handle.ask(|done| Command::Rollback { depth, done: Some(done) }).await
    }
}

impl Deref for Transaction {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if self.is_open {
            // The task may have ended, which has undone everything.
            let _ = self.handle.send(Command::Rollback { depth: self.depth, done: None });
        }
    }
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").field("depth", &self.depth).finish_non_exhaustive()
    }
}

/// Owns the connection from the beginning of the transaction to its end.
async fn drive(
    engine: Arc<dyn Engine>,
    mut queue: mpsc::UnboundedReceiver<Command>,
    begun: oneshot::Sender<Result<(), Error>>,
) {
    let mut conn = match open(&*engine).await {
        Ok(conn) => conn,
        Err(err) => {
            let _ = begun.send(Err(err));
            return;
        }
    };
    // Whoever waited for this may be gone: then the queue is closed, and what follows is the rollback.
    let _ = begun.send(Ok(()));
    let mut failure = None;
    while let Some(command) = queue.recv().await {
        match command {
            Command::Run(job) => {
                if let Err(reason) = job(&mut *conn, failure.clone()).await {
                    failure.get_or_insert(reason);
                }
            }
            Command::Begin { depth, done } => {
                let result = match failure.clone() {
                    None => conn.savepoint(depth).await.map_err(Error::from),
                    Some(reason) => Err(Error::TransactionFailed { reason }),
                };
                note(&mut failure, &result);
                let _ = done.send(result);
            }
            Command::Commit { depth, done } => {
                let (ended, result) = end(&mut *conn, depth, failure.take()).await;
                note(&mut failure, &ended);
                let _ = done.send(ended.and(result));
                if depth == 0 {
                    return;
                }
            }
            Command::Rollback { depth, done } => {
                failure = None;
                let result = undo(&mut *conn, depth).await;
                note(&mut failure, &result);
                if let Some(done) = done {
                    let _ = done.send(result);
                }
                if depth == 0 {
                    return;
                }
            }
        }
    }
    // A connection that is dropped with its transaction open is closed, so a failure needs no care.
    let _ = conn.rollback().await;
}

async fn open(engine: &dyn Engine) -> Result<Box<dyn Connection>, Error> {
    let mut conn = engine.connect().await?;
    conn.begin(Access::Write).await?;
    Ok(conn)
}

/// Remembers that a savepoint could not be set, kept or undone: what happened since is not what was asked for, and on
/// PostgreSQL it is undone by a `COMMIT` that reports success.
fn note(failure: &mut Option<String>, result: &Result<(), Error>) {
    if let Err(err) = result {
        failure.get_or_insert_with(|| err.to_string());
    }
}

/// Ends a transaction: whether that worked, and what to say if it was undone since it had failed before.
async fn end(
    conn: &mut dyn Connection,
    depth: u32,
    failure: Option<String>,
) -> (Result<(), Error>, Result<(), Error>) {
    if let Some(reason) = failure {
        return (undo(conn, depth).await, Err(Error::TransactionFailed { reason }));
    }
    let ended = if depth == 0 { conn.commit().await } else { conn.release(depth).await };
    (ended.map_err(Error::from), Ok(()))
}

async fn undo(conn: &mut dyn Connection, depth: u32) -> Result<(), Error> {
    if depth == 0 {
        conn.rollback().await?
    } else {
        conn.rollback_to(depth).await?
    }
    Ok(())
}
