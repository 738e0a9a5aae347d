//! The pool of connections to one file.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deadpool::Runtime;
use deadpool::managed::{self, Metrics, PoolError, RecycleResult};
use sqltrack_engines::{Connection, Dialect, Engine, EngineError, MetricType, Value};
use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};

use crate::arguments::{arguments, holds};
use crate::closing::Closing;
use crate::connection::Conn;
use crate::error::{is_busy, translate};
use crate::metrics::sql_type;
use crate::turns::{self, Turns};

/// How many connections one client holds at most; one of them writes at a time.
const MAX_CONNECTIONS: usize = 8;
/// How long a call waits for a connection while all are in use.
const POOL_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a statement waits for the lock of another connection before it fails.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(60);

/// The size of a connection's page cache, in KiB below zero. All connections of a process share the sum of them, as the
/// driver builds SQLite, and with its own 2 MiB each, those that write read the same pages again with every row.
const CACHE: &str = "-8192";

/// How many rows the driver's thread may be ahead of the one that takes them: with its own 50, both mostly wait for each other.
const ROWS_AHEAD: usize = 1_024;

/// The engine for SQLite: one file on this machine, in WAL mode, with foreign keys on. A commit reaches the
/// disk before it returns (`synchronous = FULL`).
pub struct SqliteEngine {
    target: Arc<str>,
    path: PathBuf,
    pool: managed::Pool<Manager>,
    turns: Turns,
    closing: Arc<Closing>,
}

pub(crate) type Pooled = managed::Object<Manager>;

/// Makes connections.
pub(crate) struct Manager {
    path: PathBuf,
    target: Arc<str>,
}

impl SqliteEngine {
    /// An engine for the database in the file `path`, which is not touched before it is used.
    ///
    /// # Errors
    ///
    /// [`EngineError::BadValue`] if there can be no pool, which does not happen with the built-in settings.
    pub fn new(path: impl Into<PathBuf>) -> Result<Self, EngineError> {
        let path = path.into();
        let target: Arc<str> = path.display().to_string().into();
        let manager = Manager { path: path.clone(), target: target.clone() };
        let pool = managed::Pool::builder(manager)
            .max_size(MAX_CONNECTIONS)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(POOL_TIMEOUT))
            .build();
        let pool = pool.map_err(|err| EngineError::BadValue(err.to_string()))?;
        let turns = turns::of(&path);
        Ok(Self { target, path, pool, turns, closing: Arc::default() })
    }
}

impl fmt::Debug for SqliteEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteEngine").field("target", &self.target).finish_non_exhaustive()
    }
}

/// Opens `path`. SQLite does not wait for the lock that turns a new database to WAL, so this tries again.
async fn open(path: &Path, target: &str, create: bool) -> Result<SqliteConnection, EngineError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(create)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .pragma("cache_size", CACHE)
        .row_buffer_size(ROWS_AHEAD)
        .busy_timeout(BUSY_TIMEOUT);
    let deadline = tokio::time::Instant::now() + BUSY_TIMEOUT;
    loop {
        match options.connect().await {
            Err(err) if is_busy(&err) && tokio::time::Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(10 + u64::from(std::process::id() % 20))).await;
            }
            opened => return opened.map_err(|err| explain(path, target, create, err)),
        }
    }
}

/// What SQLite only calls "unable to open database file".
fn explain(path: &Path, target: &str, create: bool, err: sqlx::Error) -> EngineError {
    let target = target.to_owned();
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent
        && !parent.is_dir()
    {
        let reason = format!("there is no folder `{}`; create it, or set `dbpath`", parent.display());
        return EngineError::CannotOpen { target, reason };
    }
    if path.is_dir() {
        return EngineError::CannotOpen {
            target,
            reason: "it is a folder; set `dbpath` to a file".to_owned(),
        };
    }
    match translate(&target, err) {
        EngineError::CannotOpen { target, .. } if !create && !path.exists() => {
            EngineError::NotSetUp { target }
        }
        EngineError::CannotOpen { target, reason } => EngineError::CannotOpen {
            target,
            reason: format!("{reason}; check that you may read and write it and its folder"),
        },
        other => other,
    }
}

impl managed::Manager for Manager {
    type Type = SqliteConnection;
    type Error = EngineError;

    #[tracing::instrument(name = "connect", level = "debug", skip_all, fields(target = %self.target))]
    async fn create(&self) -> Result<SqliteConnection, EngineError> {
        open(&self.path, &self.target, false).await
    }

    async fn recycle(&self, _: &mut SqliteConnection, _: &Metrics) -> RecycleResult<EngineError> {
        Ok(())
    }
}

#[async_trait]
impl Engine for SqliteEngine {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn target(&self) -> &str {
        &self.target
    }

    fn sql_type(&self, metric_type: MetricType) -> &'static str {
        sql_type(metric_type)
    }

    fn holds(&self, value: &Value) -> bool {
        holds(value)
    }

    fn check(&self, value: &Value) -> Result<(), EngineError> {
        if holds(value) { arguments([value]).map(drop) } else { Ok(()) }
    }

    fn has_single_writer(&self) -> bool {
        true
    }

    fn base_scripts(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("base.sql", include_str!("../../../migrations/sqlite/base.sql")),
            ("base-002-run-life.sql", include_str!("../../../migrations/sqlite/base-002-run-life.sql")),
            ("base-003-writers.sql", include_str!("../../../migrations/sqlite/base-003-writers.sql")),
            ("base-004-lineage.sql", include_str!("../../../migrations/sqlite/base-004-lineage.sql")),
        ]
    }

    async fn create(&self) -> Result<(), EngineError> {
        if !self.path.exists() {
            let conn = open(&self.path, &self.target, true).await?;
            sqlx::Connection::close(conn).await.map_err(|err| translate(&self.target, err))?;
        }
        Ok(())
    }

    async fn connect(&self) -> Result<Box<dyn Connection>, EngineError> {
        let conn = self.pool.get().await.map_err(|err| match err {
            PoolError::Backend(err) => err,
            PoolError::Timeout(_) => EngineError::Busy {
                target: self.target.to_string(),
                message: format!("all {MAX_CONNECTIONS} connections of this client are in open transactions"),
            },
            err => EngineError::Unreachable {
                target: self.target.to_string(),
                reason: err.to_string(),
                source: None,
            },
        })?;
        Ok(Box::new(Conn::new(conn, self.target.clone(), self.turns.clone(), self.closing.clone())))
    }

    async fn close(&self) {
        for conn in self.pool.retain(|_, _| false).removed {
            self.closing.start(conn);
        }
        self.pool.close();
        self.closing.finish().await;
    }
}
