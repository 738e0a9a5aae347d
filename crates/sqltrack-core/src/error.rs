//! Everything that can go wrong, for callers of the library.

use sqltrack_engines::{DecodeError, EngineError, ExperimentId, MetricNameError, RunId};

use crate::ConfigError;

/// What the library's calls fail with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The engine that the configuration asks for was left out when this program was built.
    #[error("this program was built without the engine `{0}`; enable the feature of that name")]
    EngineNotBuilt(sqltrack_engines::Dialect),
    /// A metric's name cannot be used.
    #[error(transparent)]
    MetricName(#[from] MetricNameError),
    /// A metric is given twice in one call.
    #[error("metric `{name}` is given twice; give it one value")]
    MetricTwice {
        /// The metric's name.
        name: String,
    },
    /// A metric's name differs from another's in the case of its letters only, which SQLite takes for the same.
    #[error(
        "metric `{name}` differs from the existing `{existing}` only in case, which SQLite cannot tell apart; \
         use one of the two names"
    )]
    MetricCase {
        /// The metric's name.
        name: String,
        /// The name of the column that exists.
        existing: String,
    },
    /// A metric's value cannot be kept in its column as it is.
    #[error("metric `{name}`: the {value} does not fit the column of type {column_type}; {advice}")]
    MetricValue {
        /// The metric's name.
        name: String,
        /// The value, as its type and text.
        value: String,
        /// The database's name of the column's type.
        column_type: String,
        /// What to do.
        advice: &'static str,
    },
    /// `progress` is NaN.
    #[error("`progress` is NaN; give a number")]
    ProgressNan,
    /// The queue of recorded metrics is full.
    #[error(
        "the queue is full, {megabytes} MiB of metrics wait to be written{}; raise `queue`, or record less",
        .reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default()
    )]
    QueueFull {
        /// The size of the queue.
        megabytes: usize,
        /// Why they were not written yet, if that failed.
        reason: Option<String>,
    },
    /// Metrics that were recorded were refused.
    #[error("{count} recorded rows of metrics were refused, first: {first}")]
    Refused {
        /// How many calls.
        count: u64,
        /// The message about the first of them.
        first: String,
    },
    /// A text is one that cannot be stored.
    #[error("{what} {problem}")]
    BadText {
        /// What the text is: `the comment`, `tag`.
        what: String,
        /// Why it cannot be stored, and what to do.
        problem: &'static str,
    },
    /// An experiment was asked for by an id and a name that are those of different ones.
    #[error("experiment {id} is named `{found}`, not `{name}`; give the id or the name")]
    ExperimentConflict {
        /// The id that was given.
        id: ExperimentId,
        /// The name that was given.
        name: String,
        /// The name of the experiment with this id.
        found: String,
    },
    /// An experiment was asked for by an unused id and a name that is taken.
    #[error("the experiment `{name}` has the id {found}, not {id}; give the id or the name")]
    ExperimentNameConflict {
        /// The id that was given.
        id: ExperimentId,
        /// The name that was given.
        name: String,
        /// The id of the experiment with this name.
        found: ExperimentId,
    },
    /// A run was asked for in an experiment that it does not belong to.
    #[error("run {run} belongs to experiment {found}, not to {experiment}; choose another id")]
    RunConflict {
        /// The run.
        run: RunId,
        /// The experiment that was given.
        experiment: ExperimentId,
        /// The experiment that the run belongs to.
        found: ExperimentId,
    },
    /// Someone tracks the run.
    #[error("run {run} is being tracked by {holder}; resume it to take it over, or join it")]
    RunIsTracked {
        /// The run.
        run: RunId,
        /// Who tracks it, as host and process.
        holder: String,
    },
    /// An environment variable that should hold an id does not.
    #[error("the environment variable `{name}` {problem}")]
    Variable {
        /// The variable.
        name: String,
        /// What is wrong with it, and what to do.
        problem: String,
    },
    /// A transaction is used after its end.
    #[error("the transaction has ended; begin another one")]
    TransactionEnded,
    /// A transaction is used after something in it failed.
    #[error("the transaction failed before: {reason}; roll it back")]
    TransactionFailed {
        /// The first failure.
        reason: String,
    },
    /// A statement begins or ends a transaction by itself.
    #[error("`{statement}` controls transactions; use `Client::begin` and its `commit` and `rollback`")]
    TransactionControl {
        /// The statement's first word.
        statement: String,
    },
    /// A call cannot be part of a transaction.
    #[error("{0} cannot be part of a transaction; call it on the client itself")]
    NotInTransaction(&'static str),
    /// A text that should be one statement is none, or several.
    #[error("expected one statement, found {0}; run scripts with `executescript`")]
    NotOneStatement(usize),
    /// SQL text cannot be taken apart.
    #[error(transparent)]
    Script(#[from] sqltrack_engines::script::ScriptError),
    /// The parameters do not go with the statement.
    #[error(transparent)]
    Placeholder(#[from] sqltrack_engines::placeholders::PlaceholderError),
    /// SQL text cannot be put together.
    #[error(transparent)]
    Sql(#[from] sqltrack_engines::sql::SqlError),
    /// A value of a result is not of the type that was asked for.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// Setup cannot go on.
    #[error(transparent)]
    Setup(#[from] crate::setup::SetupError),
    /// Something that was to be listed is not there.
    #[error(transparent)]
    Listing(#[from] crate::listing::ListingError),
    /// A value cannot become metrics.
    #[error("cannot take metrics from this value: {0}")]
    Metrics(String),
    /// A value cannot become a JSON object of a run or an experiment.
    #[error("{what}: {reason}")]
    Fields {
        /// What the object is for.
        what: String,
        /// Why it cannot be used.
        reason: String,
    },
    /// A pattern of names cannot be used.
    #[error("the pattern `{pattern}` cannot be used: {reason}")]
    Pattern {
        /// The pattern, or several.
        pattern: String,
        /// Why, and what to do.
        reason: String,
    },
    /// The spool cannot be used.
    #[error(transparent)]
    Spool(#[from] crate::spool::SpoolError),
    /// A run that was begun without a database is not in this one.
    #[error("the run {id}, begun without a database, has not arrived or was deleted")]
    OfflineRun {
        /// Its id in the spool.
        id: sqltrack_engines::OfflineRunId,
    },
    /// There is no database, as the configuration says.
    #[error("this needs the database, but `offline` is set ({origin}); unset it")]
    Offline {
        /// Where that is set.
        origin: String,
    },
    /// What cannot be done to a run, or with it, while there is no database.
    #[error("{0} needs the database; `offline` is set, so that there is none")]
    NotOffline(&'static str),
    /// The runtime is shutting down, or the call panicked.
    #[error("the call was stopped: {0}")]
    Stopped(String),
}

impl Error {
    /// Whether the tables of SQLTrack are not there, so that a setup is what helps.
    #[must_use]
    pub fn is_not_set_up(&self) -> bool {
        matches!(self, Self::Engine(EngineError::NotSetUp { .. }))
    }
}
