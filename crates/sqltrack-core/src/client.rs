//! The client: configuration, connections, and statements of the user's own.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use sqltrack_engines::script::{Script, StatementKind, split};
use sqltrack_engines::{Access, Connection, Dialect, Engine, ExperimentId, MetricType, Rows, RunId};
use tracing::Instrument as _;

use crate::builder::{ClientBuilder, create_engine};
use crate::life::Heart;
use crate::metrics::Ack;
use crate::offline::Offline;
use crate::spool::Target;
use crate::transaction::Handle;
use crate::writer::{Stats, Within, Writer};
use crate::{Config, Error, Experiment, Parameters, Redactor, Run, Transaction};

/// A future in a box.
pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The way to a database: what experiments and runs are made from.
///
/// A client connects when it is first used, keeps a few connections, and is cheap to clone. Every call is
/// atomic and cancel-safe: it runs in a task of its own, or becomes one when its future is dropped, which leaves nothing
/// half done. What it was doing happens whole or not at all, and the client stays usable.
///
/// Calls must be made inside a Tokio runtime.
///
/// ```no_run
/// # async fn example() -> Result<(), sqltrack_core::Error> {
/// use sqltrack_core::Client;
///
/// let client = Client::builder().set("engine", "sqlite").set("dbpath", "runs.db").connect().await?;
/// client.setup().await?;
/// let runs: Vec<i64> = client.first_values("SELECT id FROM runs", ()).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Arc<dyn Engine>,
    config: Arc<Config>,
    heart: Arc<Heart>,
    /// What writes metrics, from the first ones on.
    writer: OnceLock<Writer>,
    /// What takes everything if there is no database.
    offline: Option<Arc<Offline>>,
    /// The transaction that everything happens in, if this client is one, and what writes metrics in it.
    transaction: Option<(Arc<Handle>, Within)>,
}

impl Client {
    /// A client with the configuration that is found: defaults, file, environment.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if the configuration cannot be used.
    pub async fn connect() -> Result<Self, Error> {
        Self::builder().connect().await
    }

    /// A client to set parameters of.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    /// A client with this configuration.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if the parameters cannot be used, [`Error::EngineNotBuilt`] if the engine was left out.
    pub fn from_config(config: Config) -> Result<Self, Error> {
        let engine = create_engine(&config)?;
        let config = Arc::new(config);
        let heart = Heart::of(&config);
        let target = spool_target(&*engine, &config);
        let offline = config.is_offline().then(|| Arc::new(Offline::new(config.clone(), target)));
        let inner = Inner { engine, config, heart, writer: OnceLock::new(), offline, transaction: None };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// This client, inside of a transaction. What it learns of the tables may be rolled back, so that it starts
    /// with no knowledge of its own.
    pub(crate) fn in_transaction(&self, handle: Arc<Handle>) -> Self {
        let inner = Inner {
            engine: self.inner.engine.clone(),
            config: self.inner.config.clone(),
            heart: self.inner.heart.clone(),
            writer: OnceLock::new(),
            offline: None,
            transaction: Some((handle, Within::new(self.inner.engine.clone(), self.inner.config.columns()))),
        };
        Self { inner: Arc::new(inner) }
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    /// What masks the secrets in all that is recorded without being given: it knows the patterns of the configuration, and
    /// the environment of this process as it is now.
    #[must_use]
    pub fn redactor(&self) -> Redactor {
        Redactor::new(&self.inner.config)
    }

    /// Whose SQL the database speaks.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.inner.engine.dialect()
    }

    /// Which database it is, for messages. Never a password.
    #[must_use]
    pub fn target(&self) -> &str {
        self.inner.engine.target()
    }

    /// The SQL type that the engine gives to columns for metrics of a type.
    #[must_use]
    pub fn map_type(&self, metric_type: MetricType) -> &'static str {
        self.inner.engine.sql_type(metric_type)
    }

    /// The run of this id. Nothing is asked: that the run does not exist shows when it is used.
    #[must_use]
    pub fn run(&self, id: impl Into<RunId>) -> Run {
        Run::handle(self.clone(), id.into())
    }

    /// The run whose id an environment variable holds, such as `SLURM_JOB_ID`. Nothing is asked, as by
    /// [`run`](Self::run).
    ///
    /// # Errors
    ///
    /// [`Error::Variable`] if the variable is not set or holds no id.
    pub fn run_from_variable(&self, name: &str) -> Result<Run, Error> {
        self.run(crate::run::required_id_from_variable(name)?).within_tracker()
    }

    /// The experiment of this id. Nothing is asked: that it does not exist shows when it is used.
    #[must_use]
    pub fn experiment(&self, id: impl Into<ExperimentId>) -> Experiment {
        Experiment::handle(self.clone(), id.into())
    }

    /// Begins a transaction; on a transaction, a nested one that joins it.
    ///
    /// # Errors
    ///
    /// [`Error::Engine`] if the database cannot be reached, or on SQLite if another transaction blocks it for too long.
    pub async fn begin(&self) -> Result<Transaction, Error> {
        self.check_online()?;
        match &self.inner.transaction {
            Some((handle, _)) => handle.begin(self).await,
            None => Transaction::begin(self, self.inner.engine.clone()).await,
        }
    }

    /// Runs one statement and returns how many rows it changed.
    ///
    /// # Errors
    ///
    /// [`Error::Engine`] if the database refuses it, [`Error::TransactionControl`] if it begins or ends a transaction,
    /// [`Error::NotOneStatement`], [`Error::Placeholder`] if the parameters do not fit.
    pub async fn execute(&self, sql: &str, parameters: impl Into<Parameters>) -> Result<u64, Error> {
        let (sql, values) = self.statement(sql, parameters.into())?;
        self.with_connection(move |conn| Box::pin(async move { Ok(conn.execute(&sql, &values).await?) }))
            .await
    }

    /// Runs one statement for each set of parameters, all of them or none, and returns how many rows they changed.
    ///
    /// # Errors
    ///
    /// As [`execute`](Self::execute).
    pub async fn executemany<P: Into<Parameters>>(
        &self,
        sql: &str,
        parameters: impl IntoIterator<Item = P>,
    ) -> Result<u64, Error> {
        let sets = parameters.into_iter().map(|set| self.statement(sql, set.into()));
        let sets = sets.collect::<Result<Vec<_>, _>>()?;
        self.atomically(move |conn| {
            Box::pin(async move {
                let mut changed = 0;
                for (sql, values) in sets {
                    changed += conn.execute(&sql, &values).await?;
                }
                Ok(changed)
            })
        })
        .await
    }

    /// Runs a script of statements: all of it or nothing.
    ///
    /// A script may bring its own `BEGIN; … END;` around everything. One that starts with `-- no-transaction`,
    /// or that holds a statement which cannot run in a transaction (`CREATE DATABASE`), runs statement by statement.
    ///
    /// # Errors
    ///
    /// [`Error::Setup`] with the line of the statement that failed, [`Error::Script`] if the text cannot be taken
    /// apart or controls transactions.
    pub async fn executescript(&self, script: &str) -> Result<(), Error> {
        let parsed = Script::parse("script", script, self.dialect())?;
        let is_split = parsed.no_transaction()
            || parsed.statements().iter().any(|statement| statement.kind().forbidden_in_transaction());
        let steps = crate::setup::steps(&parsed);
        if is_split && self.is_transaction() {
            return Err(Error::NotInTransaction("a script with statements that cannot run in one"));
        }
        if is_split {
            return self.with_connection(move |conn| Box::pin(crate::setup::run_steps(conn, steps))).await;
        }
        self.atomically(move |conn| {
            Box::pin(async move {
                crate::setup::run_steps(conn, steps).await?;
                Ok(conn.refresh_views().await?)
            })
        })
        .await
    }

    /// Runs one statement and returns its rows.
    ///
    /// Any statement is safe while others add columns, `SELECT *` included.
    ///
    /// # Errors
    ///
    /// As [`execute`](Self::execute); [`Error::Engine`] also if a column has a type that cannot be read.
    pub async fn query(&self, sql: &str, parameters: impl Into<Parameters>) -> Result<Rows, Error> {
        let (sql, values) = self.statement(sql, parameters.into())?;
        self.with_connection(move |conn| Box::pin(async move { Ok(conn.query(&sql, &values).await?) })).await
    }

    /// Waits until all metrics that were recorded until now ([`Run::record_metrics`]) are committed.
    ///
    /// Without a database (`offline`) it waits until they are on the disk, and returns [`Ack::Spooled`]; so it does if the
    /// database cannot be reached and the client has a spool.
    ///
    /// A dropped future changes nothing: they are written all the same.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if some of them were refused for good since the last flush; [`Error::Engine`] if the database
    /// cannot be reached for the time that the parameter `retry` says: they are kept, and tried further.
    pub async fn flush(&self) -> Result<Ack, Error> {
        if let Some(offline) = self.offline() {
            offline.flush().await?;
            return Ok(Ack::Spooled);
        }
        match self.inner.writer.get() {
            Some(writer) => writer.flush().await,
            None => Ok(Ack::Committed),
        }
    }

    /// Blocks until what was recorded is written, for `patience` at most.
    pub(crate) fn settle(&self, patience: std::time::Duration) {
        if let Some(writer) = self.inner.writer.get() {
            writer.queue().settle(patience);
        }
    }

    /// What the writer of this client's metrics has done, and what is queued.
    #[must_use]
    pub fn stats(&self) -> Stats {
        if let Some(offline) = self.offline() {
            return offline.stats();
        }
        self.inner.writer.get().map(Writer::stats).unwrap_or_default()
    }

    /// Writes what was recorded, as [`flush`](Self::flush) does, and closes the connections. A later call opens new ones
    /// only on another client.
    pub async fn close(&self) {
        if let Some(offline) = self.offline() {
            offline.close();
        }
        if let Some(writer) = self.inner.writer.get() {
            writer.close().await;
        }
        self.inner.engine.close().await;
    }

    /// What writes the metrics of this client.
    pub(crate) fn writer(&self) -> Result<&Writer, Error> {
        static START: Mutex<()> = Mutex::new(());
        if let Some(writer) = self.inner.writer.get() {
            return Ok(writer);
        }
        let _one_at_a_time = START.lock().unwrap_or_else(PoisonError::into_inner);
        if self.inner.writer.get().is_none() {
            let writer =
                Writer::start(self.inner.config.clone(), self.inner.engine.clone(), &self.spool_target())?;
            self.inner.heart.add_writer(writer.queue());
            drop(self.inner.writer.set(writer));
        }
        self.inner.writer.get().ok_or_else(|| Error::Stopped("the writer did not start".to_owned()))
    }

    pub(crate) fn engine(&self) -> &Arc<dyn Engine> {
        &self.inner.engine
    }

    /// What writes metrics in the transaction that this client is.
    pub(crate) fn within(&self) -> Option<&Within> {
        self.inner.transaction.as_ref().map(|(_, within)| within)
    }

    /// What keeps the runs alive that this process tracks.
    pub(crate) fn heart(&self) -> &Arc<Heart> {
        &self.inner.heart
    }

    /// What takes everything if there is no database.
    pub(crate) fn offline(&self) -> Option<&Arc<Offline>> {
        self.inner.offline.as_ref()
    }

    /// That there is a database to ask.
    pub(crate) fn check_online(&self) -> Result<(), Error> {
        if self.offline().is_none() {
            return Ok(());
        }
        let origin = self.config().settings().get("offline").map(|setting| setting.source().to_string());
        Err(Error::Offline { origin: origin.unwrap_or_default() })
    }

    /// Which database the entries of this client's spool are for.
    #[must_use]
    pub fn spool_target(&self) -> Target {
        spool_target(&**self.engine(), self.config())
    }

    pub(crate) fn is_transaction(&self) -> bool {
        self.inner.transaction.is_some()
    }

    /// A statement of the user's, checked, with its values by position.
    pub(crate) fn statement(
        &self,
        sql: &str,
        parameters: Parameters,
    ) -> Result<(String, Vec<sqltrack_engines::Value>), Error> {
        let dialect = self.dialect();
        let statements = split(sql, dialect)?;
        let [statement] = statements.as_slice() else { return Err(Error::NotOneStatement(statements.len())) };
        let kind: StatementKind<'_> = statement.kind();
        if kind.controls_transaction() || kind.is_savepoint() {
            return Err(Error::TransactionControl { statement: kind.keyword().to_uppercase() });
        }
        parameters.resolve(statement.text(), dialect)
    }

    /// Runs `operation` in a transaction of its own, or whole or not at all in the one that this client is.
    pub(crate) async fn atomically<T, F>(&self, operation: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut dyn Connection) -> BoxFuture<'c, Result<T, Error>> + Send + 'static,
    {
        if let Some((handle, _)) = &self.inner.transaction {
            return handle.run_nested(operation).await;
        }
        let tx = self.begin().await?;
        let result = tx.with_connection(operation).await?;
        tx.commit().await?;
        Ok(result)
    }

    /// Runs `operation`, which only reads, so that all it reads is of one moment, unless that is in a transaction which sees more.
    pub(crate) async fn at_one_moment<T, F>(&self, operation: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut dyn Connection) -> BoxFuture<'c, Result<T, Error>> + Send + 'static,
    {
        if self.inner.transaction.is_some() {
            return self.with_connection(operation).await;
        }
        let reading = self.with_connection(move |conn| {
            Box::pin(async move {
                conn.begin(Access::Read).await?;
                let result = operation(conn).await;
                conn.rollback().await?;
                result
            })
        });
        reading.await
    }

    /// Runs `operation` on a connection: that of the transaction, or one out of the pool, in a task of its own.
    pub(crate) async fn with_connection<T, F>(&self, operation: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut dyn Connection) -> BoxFuture<'c, Result<T, Error>> + Send + 'static,
    {
        if let Some((handle, _)) = &self.inner.transaction {
            return handle.run(operation).await;
        }
        self.check_online()?;
        let engine = self.inner.engine.clone();
        let task = async move {
            let mut conn = engine.connect().await?;
            let result = operation(&mut *conn).await;
            if let Err(Error::Engine(err)) = &result
                && err.is_connection_lost()
            {
                conn.discard();
            }
            result
        };
        join(tokio::spawn(task.in_current_span())).await
    }
}

fn spool_target(engine: &dyn Engine, config: &Config) -> Target {
    Target::new(engine.dialect(), engine.target(), config.get("schema"))
}

/// The result of a task; its panic goes on here.
pub(crate) async fn join<T>(
    task: impl Future<Output = Result<Result<T, Error>, tokio::task::JoinError>>,
) -> Result<T, Error> {
    match task.await {
        Ok(result) => result,
        Err(err) => match err.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(err) => Err(Error::Stopped(err.to_string())),
        },
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("target", &self.target())
            .field("in_transaction", &self.is_transaction())
            .finish_non_exhaustive()
    }
}
