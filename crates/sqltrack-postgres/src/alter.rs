//! Changes to the columns of `metrics`, which get in the way of everybody who uses the table: one client at a time makes
//! them, and it waits for its lock only for moments.

use std::time::Duration;

use sqltrack_engines::{Access, EngineError, MetricType, jittered, sql::Identifier};
use tokio::time::Instant;

use crate::dynamic;
use crate::error::{has_code, translate};
use crate::metrics::sql_type;
use crate::session::Session;

/// How long an `ALTER TABLE` waits for its lock: every other user of the table waits behind it.
const LOCK_TIMEOUT: Duration = Duration::from_millis(300);
/// The shortest and the longest pause after that, in which the others get on.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
/// How often those who wait for their turn look whether it has come, or somebody else has made the columns.
const LOOK: Duration = Duration::from_millis(150);
/// The largest integer below which every integer equals a double.
const EXACT_LIMIT: i64 = 1 << 53;

const LOCK_NOT_AVAILABLE: &str = "55P03";
const OUT_OF_RANGE: &str = "22003";
/// The object id of `DOUBLE PRECISION` in `pg_type`.
const FLOAT8: i64 = 701;

/// A change, and what is there once it is made.
struct Change {
    statements: Vec<String>,
    names: Vec<String>,
    /// The type of the columns, if it matters.
    oid: Option<i64>,
}

/// Adds columns. For `patience` the lock is tried, or in the transaction of a user, which has none, once.
pub(crate) async fn add_columns(
    conn: &mut Session,
    target: &str,
    columns: &[(String, MetricType)],
    patience: Option<Duration>,
) -> Result<(), EngineError> {
    let mut additions = Vec::with_capacity(columns.len());
    for (name, metric_type) in columns {
        additions.push(format!("ADD COLUMN IF NOT EXISTS {} {}", quoted(name)?, sql_type(*metric_type)));
    }
    let statements = vec![format!("ALTER TABLE metrics {}", additions.join(", "))];
    let names = columns.iter().map(|(name, _)| name.clone()).collect();
    alter(conn, target, &Change { statements, names, oid: None }, patience).await
}

/// Makes an integer column a float column; `patience` is as for [`add_columns`].
pub(crate) async fn widen_column(
    conn: &mut Session,
    target: &str,
    name: &str,
    patience: Option<Duration>,
) -> Result<(), EngineError> {
    let column = quoted(name)?;
    let inexact = format!(
        "DO $check$ BEGIN
            IF EXISTS (SELECT FROM metrics WHERE {column} > {EXACT_LIMIT} OR {column} < -{EXACT_LIMIT}) THEN
                RAISE numeric_value_out_of_range;
            END IF;
        END $check$"
    );
    let statements = vec![
        "LOCK TABLE metrics IN ACCESS EXCLUSIVE MODE".to_owned(),
        inexact,
        format!("ALTER TABLE metrics ALTER COLUMN {column} TYPE DOUBLE PRECISION"),
    ];
    let change = Change { statements, names: vec![name.to_owned()], oid: Some(FLOAT8) };
    alter(conn, target, &change, patience).await.map_err(|err| match err {
        EngineError::Database { code: Some(code), .. } if code == OUT_OF_RANGE => {
            EngineError::BadValue(format!(
                "metric `{name}`: the integer column cannot become a float column, since it holds integers beyond 2^53"
            ))
        }
        other => other,
    })
}

async fn alter(
    conn: &mut Session,
    target: &str,
    change: &Change,
    patience: Option<Duration>,
) -> Result<(), EngineError> {
    let failed = |err| translate(target, err);
    let Some(patience) = patience else { return alter_within(conn, change).await.map_err(failed) };
    let deadline = Instant::now() + patience;
    loop {
        conn.begin(Access::Write).await.map_err(failed)?;
        match alter_in_turn(conn, change, deadline).await {
            Ok(true) => return conn.commit().await.map_err(failed),
            Ok(false) => conn.rollback().await.map_err(failed)?,
            Err(err) => {
                conn.rollback().await.map_err(failed)?;
                return Err(failed(err));
            }
        }
        if is_made(conn, change).await.map_err(failed)? {
            return Ok(());
        }
        if Instant::now() >= deadline {
            let message = "others are changing the columns of `metrics`".to_owned();
            return Err(EngineError::Busy { target: target.to_owned(), message });
        }
        tokio::time::sleep(jittered(LOOK)).await;
    }
}

/// Makes the change in the open transaction, unless another client is at one. Tells whether it is made.
///
/// The turn is kept between tries, so that not the pauses of one client are the tries of all others. A try that fails lets go of
/// its lock, and so of all who wait behind it.
async fn alter_in_turn(conn: &mut Session, change: &Change, deadline: Instant) -> Result<bool, sqlx::Error> {
    if !take_turn(conn).await? {
        return Ok(false);
    }
    if is_made(conn, change).await? {
        return Ok(true);
    }
    dynamic::run(conn, &format!("SET LOCAL lock_timeout = {}", LOCK_TIMEOUT.as_millis())).await?;
    let (mut pause, longest) = PAUSES;
    loop {
        let Err(err) = alter_below_savepoint(conn, &change.statements).await else { return Ok(true) };
        let left = deadline.saturating_duration_since(Instant::now());
        if !has_code(&err, LOCK_NOT_AVAILABLE) || left.is_zero() {
            return Err(err);
        }
        tokio::time::sleep(jittered(pause).min(left)).await;
        pause = (2 * pause).min(longest);
    }
}

/// Makes the change in a transaction of a user's, if that is possible at once: it may hold locks that others wait for, so that
/// waiting in turn might be a deadlock.
async fn alter_within(conn: &mut Session, change: &Change) -> Result<(), sqlx::Error> {
    let lock = "LOCK TABLE metrics IN ACCESS EXCLUSIVE MODE NOWAIT".to_owned();
    let statements: Vec<String> = std::iter::once(lock).chain(change.statements.iter().cloned()).collect();
    alter_below_savepoint(conn, &statements).await
}

/// A failure undoes nothing else of the transaction, and takes no lock with it.
async fn alter_below_savepoint(conn: &mut Session, statements: &[String]) -> Result<(), sqlx::Error> {
    dynamic::run(conn, "SAVEPOINT sqltrack_alter").await?;
    let result = run_all(conn, statements).await;
    let end = match result {
        Ok(()) => "RELEASE SAVEPOINT sqltrack_alter",
        Err(_) => "ROLLBACK TO SAVEPOINT sqltrack_alter; RELEASE SAVEPOINT sqltrack_alter",
    };
    dynamic::run(conn, end).await?;
    result
}

async fn run_all(conn: &mut Session, statements: &[String]) -> Result<(), sqlx::Error> {
    for statement in statements {
        dynamic::run(conn, statement).await?;
    }
    Ok(())
}

/// Whether this is the one client that changes the table, until the end of its transaction.
async fn take_turn(conn: &mut Session) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT pg_try_advisory_xact_lock(hashtext('sqltrack metrics'), 'metrics'::regclass::oid::int) AS "turn!""#
    )
    .fetch_one(conn)
    .await
}

/// Whether nothing is left to do.
async fn is_made(conn: &mut Session, change: &Change) -> Result<bool, sqlx::Error> {
    let there = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM pg_catalog.pg_attribute
        WHERE attrelid = 'metrics'::regclass AND attnum > 0 AND NOT attisdropped
            AND attname::TEXT = ANY($1) AND atttypid::BIGINT = COALESCE($2, atttypid::BIGINT)"#,
        &change.names,
        change.oid
    )
    .fetch_one(conn)
    .await?;
    Ok(usize::try_from(there).is_ok_and(|there| there == change.names.len()))
}

fn quoted(name: &str) -> Result<String, EngineError> {
    Identifier::new(name).quoted().map_err(|err| EngineError::BadValue(err.to_string()))
}
