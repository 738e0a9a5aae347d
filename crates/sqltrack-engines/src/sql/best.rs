//! The statement that finds the best value of a metric in each of many runs.
//!
//! NULL, NaN and infinities never win; of equal values, the one at the smallest step and progress does. PostgreSQL takes NaN
//! for the largest number and puts NULL first in descending order, so that neither `max(loss)` nor
//! `ORDER BY loss DESC LIMIT 1` does that.

use super::{Composable as _, Identifier, Literal, SqlError};
use crate::Dialect;

/// Which value is the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// The largest.
    Max,
    /// The smallest.
    Min,
}

/// Where the values of a metric stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BestOf<'a> {
    /// In a column of floats.
    Floats(&'a str),
    /// In a column of integers.
    Integers(&'a str),
    /// In `metrics_overflow`, under this name.
    Overflow(&'a str),
}

/// Which runs are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BestIn {
    /// All of them.
    All,
    /// Those of the experiment `$1`.
    Experiment,
    /// Those whose ids are in the list `$1`.
    Runs,
}

/// The parts that the statement is made of.
struct Parts {
    table: &'static str,
    /// The value.
    value: String,
    /// The same as an integer; NULL for what is a float.
    exact: String,
    /// Whether there is a value.
    has: String,
    is_nan: String,
    /// The value as a float.
    number: String,
    /// The order in which the best one comes first, if all are finite.
    order: String,
    goal: Goal,
    chosen: String,
}

/// The statement. Its rows, one for each run that has the metric, in the order of their ids: `run_id`, the best value as
/// `value` or, if it is an integer, as `exact`, its `step` and `progress`, all NULL if no value is finite; how many are not
/// (`non_finite`), and the first step with NaN (`first_nan_step`).
///
/// ```
/// use sqltrack_engines::Dialect;
/// use sqltrack_engines::sql::{BestIn, BestOf, Goal, best};
///
/// let sql = best(BestOf::Floats("loss"), Goal::Min, BestIn::Experiment, Dialect::Sqlite)?;
/// assert!(sql.contains("min("));
/// # Ok::<(), sqltrack_engines::sql::SqlError>(())
/// ```
///
/// # Errors
///
/// [`SqlError`] if the name can be none of a metric.
pub fn best(of: BestOf<'_>, goal: Goal, among: BestIn, dialect: Dialect) -> Result<String, SqlError> {
    let parts = Parts::new(of, goal, among, dialect)?;
    Ok(match dialect {
        Dialect::Postgres => parts.postgres(),
        Dialect::Sqlite if matches!(of, BestOf::Overflow(_)) => parts.sqlite_overflow(),
        Dialect::Sqlite => parts.sqlite(),
    })
}

/// A statement that reads each row once, if [`best`] does not. Its rows are those of [`best`], but where `non_finite` is NULL, that
/// has to be asked.
///
/// # Errors
///
/// As [`best`].
pub fn best_at_once(
    of: BestOf<'_>,
    goal: Goal,
    among: BestIn,
    dialect: Dialect,
) -> Result<Option<String>, SqlError> {
    Ok(match dialect {
        Dialect::Postgres => Some(Parts::new(of, goal, among, dialect)?.postgres_once()),
        Dialect::Sqlite => None,
    })
}

impl Parts {
    fn new(of: BestOf<'_>, goal: Goal, among: BestIn, dialect: Dialect) -> Result<Self, SqlError> {
        let (is_postgres, none) = match dialect {
            Dialect::Postgres => (true, "CAST(NULL AS BIGINT)"),
            Dialect::Sqlite => (false, "NULL"),
        };
        let choose = |postgres: &str, sqlite: &str| (if is_postgres { postgres } else { sqlite }).to_owned();
        let (table, value, exact, has, is_nan) = match of {
            BestOf::Floats(name) => {
                let column = Identifier::new(name).quoted()?;
                let is_nan = choose(&format!("{column} = 'NaN'"), "FALSE");
                ("metrics", column.clone(), none.to_owned(), format!("{column} IS NOT NULL"), is_nan)
            }
            BestOf::Integers(name) => {
                let column = Identifier::new(name).quoted()?;
                let has = format!("{column} IS NOT NULL");
                ("metrics", column.clone(), column, has, "FALSE".to_owned())
            }
            BestOf::Overflow(name) => {
                let name = Literal::from(name).to_string_for(dialect)?;
                let is_nan = choose("value = 'NaN'", "other = '{\"float\":\"NaN\"}'");
                let exact = choose(
                    "CASE jsonb_typeof(other) WHEN 'number' THEN CAST(other #>> '{}' AS BIGINT) END",
                    "CASE json_type(other) WHEN 'integer' THEN CAST(other AS INTEGER) END",
                );
                let has = format!("name = {name} AND (value IS NOT NULL OR {is_nan})");
                ("metrics_overflow", "value".to_owned(), exact, has, is_nan)
            }
        };
        // As a float, whose difference to itself is zero, or if it is not finite NaN (NULL on SQLite).
        let number = match of {
            BestOf::Integers(_) => format!("CAST({value} AS DOUBLE PRECISION)"),
            _ => value.clone(),
        };
        let direction = if goal == Goal::Max { "DESC" } else { "ASC" };
        let rest = match of {
            BestOf::Overflow(_) => format!("{exact} {direction} NULLS LAST, step, progress"),
            _ => "step, progress".to_owned(),
        };
        let order = format!("{value} {direction}, {rest}");
        let chosen = match among {
            BestIn::All => "SELECT id FROM runs".to_owned(),
            BestIn::Experiment => "SELECT id FROM runs WHERE experiment_id = $1".to_owned(),
            BestIn::Runs => format!("SELECT id FROM runs WHERE {}", dialect.is_among("id", 1)),
        };
        Ok(Self { table, value, number, exact, has, is_nan, order, goal, chosen })
    }

    fn aggregate(&self) -> &'static str {
        if self.goal == Goal::Max { "max" } else { "min" }
    }

    /// One look at each run for its best value, and one for what is not finite.
    fn postgres(&self) -> String {
        let Self { table, number, exact, has, is_nan, order, chosen, .. } = self;
        format!(
            "SELECT r.id AS run_id, b.value, b.exact, b.step, b.progress, n.non_finite, n.first_nan_step
FROM ({chosen}) AS r
CROSS JOIN LATERAL (
    SELECT count(*) AS total, count(*) FILTER (WHERE {number} - {number} = 'NaN') AS non_finite,
        min(step) FILTER (WHERE {is_nan}) AS first_nan_step
    FROM {table}
    WHERE run_id = r.id AND {has}
) AS n
LEFT JOIN LATERAL (
    SELECT CAST({number} AS DOUBLE PRECISION) AS value, {exact} AS exact, step, progress
    FROM {table}
    WHERE run_id = r.id AND {has} AND {number} - {number} = 0
    ORDER BY {order}
    LIMIT 1
) AS b ON TRUE
WHERE n.total > 0
ORDER BY r.id"
        )
    }

    /// The best of arrays, whose floats are compared one after the other: the value, whether it is an integer, and its step and
    /// progress, of which the smallest ones win. PostgreSQL's processes share this work, and do not sort for it, since it knows
    /// how many values are between the infinities (NaN is above them). Floats hold integers below 2^53 exactly; whoever is best
    /// with larger ones is not told apart here.
    fn postgres_once(&self) -> String {
        let Self { table, number, exact, has, is_nan, chosen, .. } = self;
        let (aggregate, integer, later) = match self.goal {
            Goal::Max => ("max", 1, "-"),
            Goal::Min => ("min", -1, ""),
        };
        let is_finite = format!("{number} > '-Infinity' AND {number} < 'Infinity'");
        let is_exact = "abs(best[3]) < 9007199254740992 AND (best[2] = 0 OR abs(best[1]) < 9007199254740992)";
        format!(
            "SELECT run_id, best[1] AS value, CASE WHEN best[2] <> 0 AND {is_exact} THEN CAST(best[1] AS BIGINT) END AS exact,
    CASE WHEN {is_exact} THEN CAST({later}best[3] AS BIGINT) END AS step, {later}best[4] AS progress,
    CASE WHEN best IS NULL OR ({is_exact}) THEN non_finite END AS non_finite, first_nan_step
FROM (
    SELECT run_id, {aggregate}(ARRAY[
            CAST({number} AS DOUBLE PRECISION), CASE WHEN {exact} IS NULL THEN 0 ELSE {integer} END,
            {later}CAST(step AS DOUBLE PRECISION), {later}progress
        ]) FILTER (WHERE {is_finite}) AS best,
        count(*) FILTER (WHERE NOT ({is_finite})) AS non_finite, min(step) FILTER (WHERE {is_nan}) AS first_nan_step
    FROM {table}
    WHERE run_id IN ({chosen}) AND {has}
    GROUP BY run_id
) AS g
ORDER BY run_id"
        )
    }

    /// The extreme of each run, if all are finite, as they mostly are, and one look at the run until its step is found.
    fn sqlite(&self) -> String {
        let Self { table, value, exact, has, chosen, .. } = self;
        let (aggregate, is_finite) = (self.aggregate(), format!("{value} - {value} = 0"));
        let of_run = |what: &str| format!("SELECT {what} FROM {table} WHERE run_id = g.run_id AND {has}");
        let (finite, all, place) =
            (of_run(&format!("{aggregate}({value})")), of_run("count(*)"), of_run("rowid"));
        let exact = if exact == "NULL" { "NULL" } else { "g.best" };
        format!(
            "SELECT g.run_id, g.best AS value, {exact} AS exact, b.step, b.progress, g.non_finite, NULL AS first_nan_step
FROM (
    SELECT run_id, CASE WHEN is_finite THEN extreme ELSE ({finite} AND {is_finite}) END AS best,
        CASE WHEN is_finite THEN 0 ELSE ({all} AND ({is_finite}) IS NOT TRUE) END AS non_finite
    FROM (
        SELECT run_id, {aggregate}({value}) AS extreme, total({value}) - total({value}) = 0 AS is_finite
        FROM {table}
        WHERE run_id IN ({chosen}) AND {has}
        GROUP BY run_id
    ) AS g
) AS g
LEFT JOIN {table} AS b ON b.rowid = ({place} AND {value} = g.best ORDER BY step, progress LIMIT 1)
ORDER BY g.run_id"
        )
    }

    /// The best value of each run, as a float and as the integer that it may be, and one look until its step is found.
    fn sqlite_overflow(&self) -> String {
        let Self { table, value, exact, has, is_nan, chosen, .. } = self;
        let aggregate = self.aggregate();
        let of_run = |what: &str| format!("SELECT {what} FROM {table} WHERE run_id = g.run_id AND {has}");
        // Integers that are the same float.
        let exact_of = format!("({} AND {value} = g.best)", of_run(&format!("{aggregate}({exact})")));
        let is_it = format!("{value} = g.best AND {exact} IS g.exact");
        let at = |what: &str| format!("({} AND {is_it} ORDER BY step, progress LIMIT 1)", of_run(what));
        let (step, progress) = (at("step"), at("progress"));
        format!(
            "SELECT run_id, best AS value, exact, {step} AS step, {progress} AS progress, non_finite, first_nan_step
FROM (
    SELECT g.*, {exact_of} AS exact
    FROM (
        SELECT run_id, {aggregate}(CASE WHEN {value} - {value} = 0 THEN {value} END) AS best,
            count(*) - count({value} - {value}) AS non_finite, min(CASE WHEN {is_nan} THEN step END) AS first_nan_step
        FROM {table}
        WHERE run_id IN ({chosen}) AND {has}
        GROUP BY run_id
    ) AS g
) AS g
ORDER BY run_id"
        )
    }
}
