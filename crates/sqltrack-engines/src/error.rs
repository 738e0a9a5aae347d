//! The ways in which a database fails, in the words of what a caller can do about it.

use std::sync::Arc;

use crate::{ExperimentId, RunId, WriterId};

/// The cause of an error, as the driver gave it. It is shared by all whom the error concerns.
pub type Cause = Arc<dyn std::error::Error + Send + Sync>;

/// Everything an [`Engine`](crate::Engine) can fail with.
///
/// A `target` describes a database without its password: `postgres://alice@db/alice`, `sqltrack.db`.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// No run has this id.
    #[error("there is no run {0}")]
    NoSuchRun(RunId),
    /// No experiment has this id.
    #[error("there is no experiment {0}")]
    NoSuchExperiment(ExperimentId),
    /// Another experiment has this name.
    #[error("there is another experiment named `{name}`; names are unique")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// The tables are not there.
    #[error("{target} has no SQLTrack tables; run `sqltrack-cli setup`")]
    NotSetUp {
        /// The database.
        target: String,
    },
    /// The tables are those of an older version.
    #[error("the tables of {target} are those of an older SQLTrack; run `sqltrack-cli setup`")]
    Outdated {
        /// The database.
        target: String,
    },
    /// Someone else has taken the run over since this process began to track it.
    #[error(
        "run {run} was taken over{}; this process does not write to it any more",
        .holder.as_ref().map(|holder| format!(" by {holder}")).unwrap_or_default()
    )]
    LeaseLost {
        /// The run.
        run: RunId,
        /// Who tracks it now, as host and process.
        holder: Option<String>,
    },
    /// Someone else has delivered the same entries of a writer.
    #[error("entry {last_seq} of the writer {writer} has arrived already; nothing was written a second time")]
    AlreadyDelivered {
        /// The writer.
        writer: WriterId,
        /// The number of the last of the entries.
        last_seq: i64,
    },
    /// A statement names a column that the table `metrics` does not have.
    #[error("{message}")]
    NoSuchColumn {
        /// The database's message.
        message: String,
    },
    /// A row has more values than fit a page of the database.
    #[error("{message}")]
    RowTooBig {
        /// The database's message.
        message: String,
    },
    /// The database does not answer.
    #[error("cannot reach {target}: {reason}; check that it runs and that host and port are right")]
    Unreachable {
        /// The database.
        target: String,
        /// What happened.
        reason: String,
        /// The driver's error.
        #[source]
        source: Option<Cause>,
    },
    /// The connection broke while it was used.
    #[error("the connection to {target} was lost: {reason}")]
    ConnectionLost {
        /// The database.
        target: String,
        /// What happened.
        reason: String,
        /// The driver's error.
        #[source]
        source: Cause,
    },
    /// The server does not let this user in.
    #[error("{target} refused the login: {message}; check `user`, `password` and the pgpass file")]
    LoginRefused {
        /// The database.
        target: String,
        /// The server's message.
        message: String,
    },
    /// The server has no such database.
    #[error("{target}: {message}; create it, for example with `sqltrack-cli create | psql`, or set `dbname`")]
    NoSuchDatabase {
        /// The database.
        target: String,
        /// The server's message.
        message: String,
    },
    /// A file cannot be opened as a database.
    #[error("cannot open {target}: {reason}")]
    CannotOpen {
        /// The database.
        target: String,
        /// Why, and what to do.
        reason: String,
    },
    /// The user may not do this.
    #[error("{target}: {message}; ask its owner for the right, see `sqltrack-cli grant`")]
    PermissionDenied {
        /// The database.
        target: String,
        /// The database's message.
        message: String,
    },
    /// The database cannot be written to.
    #[error("{target} is read-only: {message}; make it writable, or use another database")]
    ReadOnly {
        /// The database.
        target: String,
        /// The database's message.
        message: String,
    },
    /// There is no room left.
    #[error("{target}: {message}; free some disk space")]
    DiskFull {
        /// The database.
        target: String,
        /// The database's message.
        message: String,
    },
    /// Someone else held a lock for too long.
    #[error("{target} is busy: {message}; end the long transaction that blocks it, or try again")]
    Busy {
        /// The database.
        target: String,
        /// The database's message.
        message: String,
    },
    /// A column of a result has a type that cannot be read.
    #[error("column `{column}` has the type {type_name}, which cannot be read; cast it to text in the query")]
    UnreadableColumn {
        /// The column.
        column: String,
        /// Its type.
        type_name: String,
    },
    /// A value cannot be sent to the database.
    #[error("{0}")]
    BadValue(String),
    /// Anything else that the database or its driver reports.
    #[error("{message}")]
    Database {
        /// The database's message.
        message: String,
        /// SQLSTATE or SQLite's result code, if there is one.
        code: Option<String>,
        /// The place in the statement that the message is about: the number of its character from 1.
        position: Option<usize>,
        /// The driver's error.
        #[source]
        source: Cause,
    },
}

impl EngineError {
    /// Whether the same call may work in a while, as nothing is wrong with what it asks for: the database is away, busy or
    /// full, or chose this transaction to give way to another.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        // Serialization failure, deadlock, and too many of locks, connections or memory.
        const PASSING: [&str; 5] = ["40001", "40P01", "53200", "53300", "53400"];
        match self {
            Self::ConnectionLost { .. }
            | Self::Unreachable { .. }
            | Self::Busy { .. }
            | Self::DiskFull { .. } => true,
            Self::Database { code: Some(code), .. } => PASSING.contains(&code.as_str()),
            _ => false,
        }
    }

    /// Whether the connection that reported this error must not be used again.
    #[must_use]
    pub fn is_connection_lost(&self) -> bool {
        matches!(self, Self::ConnectionLost { .. } | Self::Unreachable { .. })
    }

    /// The place in the statement that the error is about: the number of its character from 1.
    #[must_use]
    pub fn position(&self) -> Option<usize> {
        match self {
            Self::Database { position, .. } => *position,
            _ => None,
        }
    }
}
