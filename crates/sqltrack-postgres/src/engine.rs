//! The pool of connections to one database.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use deadpool::Runtime;
use deadpool::managed::{self, Metrics, PoolError, RecycleError, RecycleResult};
use sqltrack_engines::{Connection, Dialect, Engine, EngineError, MetricType, Value};
use sqlx::{ConnectOptions as _, Connection as _};

use crate::PostgresOptions;
use crate::arguments::arguments;
use crate::connection::PostgresConnection;
use crate::error::translate_connect;
use crate::metrics::sql_type;
use crate::session::Session;

/// How many connections one client holds at most.
const MAX_CONNECTIONS: usize = 8;
/// How long a call waits for a connection while all are in use.
const POOL_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a connection may lie idle before it is tried out ahead of its next use.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);

/// The engine for PostgreSQL, version 12 and later. It connects when it is first used.
pub struct PostgresEngine {
    target: Arc<str>,
    pool: managed::Pool<Manager>,
}

pub(crate) type Pooled = managed::Object<Manager>;

/// Makes connections and checks those that come back.
pub(crate) struct Manager {
    options: PostgresOptions,
    target: Arc<str>,
}

impl PostgresEngine {
    /// An engine for the database that `options` tell.
    ///
    /// # Errors
    ///
    /// [`EngineError::BadValue`] if there can be no pool, which does not happen with the built-in settings.
    pub fn new(options: PostgresOptions) -> Result<Self, EngineError> {
        let target: Arc<str> = options.description.as_str().into();
        let manager = Manager { options, target: target.clone() };
        let pool = managed::Pool::builder(manager)
            .max_size(MAX_CONNECTIONS)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(POOL_TIMEOUT))
            .build();
        let pool = pool.map_err(|err| EngineError::BadValue(err.to_string()))?;
        Ok(Self { target, pool })
    }
}

impl fmt::Debug for PostgresEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresEngine").field("target", &self.target).finish_non_exhaustive()
    }
}

impl managed::Manager for Manager {
    type Type = Session;
    type Error = EngineError;

    #[tracing::instrument(name = "connect", level = "debug", skip_all, fields(target = %self.target))]
    async fn create(&self) -> Result<Session, EngineError> {
        let connect = async {
            let driver = self.options.connect.connect().await?;
            Ok(Session::new(driver, self.options.is_pooled))
        };
        let Some(limit) = self.options.connect_timeout else {
            return connect.await.map_err(|err| translate_connect(&self.target, err));
        };
        match tokio::time::timeout(limit, connect).await {
            Ok(connected) => connected.map_err(|err| translate_connect(&self.target, err)),
            Err(_) => Err(EngineError::Unreachable {
                target: self.target.to_string(),
                reason: format!("no answer within {} s", limit.as_secs()),
                source: None,
            }),
        }
    }

    async fn recycle(&self, conn: &mut Session, metrics: &Metrics) -> RecycleResult<EngineError> {
        let idle = metrics.recycled.unwrap_or(metrics.created);
        if Instant::now().saturating_duration_since(idle) < TRUSTED_IDLE {
            return Ok(());
        }
        conn.driver().ping().await.map_err(|err| RecycleError::Backend(translate_connect(&self.target, err)))
    }
}

#[async_trait]
impl Engine for PostgresEngine {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn target(&self) -> &str {
        &self.target
    }

    fn sql_type(&self, metric_type: MetricType) -> &'static str {
        sql_type(metric_type)
    }

    fn holds(&self, _: &Value) -> bool {
        true
    }

    fn check(&self, value: &Value) -> Result<(), EngineError> {
        arguments(std::slice::from_ref(value)).map(drop)
    }

    fn has_single_writer(&self) -> bool {
        false
    }

    fn base_scripts(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("base.sql", include_str!("../../../migrations/postgres/base.sql")),
            ("base-002-run-life.sql", include_str!("../../../migrations/postgres/base-002-run-life.sql")),
            ("base-003-writers.sql", include_str!("../../../migrations/postgres/base-003-writers.sql")),
            ("base-004-lineage.sql", include_str!("../../../migrations/postgres/base-004-lineage.sql")),
        ]
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
        let schema = self.pool.manager().options.schemas.first().cloned();
        Ok(Box::new(PostgresConnection::new(conn, self.target.clone(), schema)))
    }

    async fn close(&self) {
        self.pool.close();
    }
}
