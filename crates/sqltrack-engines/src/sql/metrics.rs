//! The statements that write metrics, whose columns are known at run time only.

use super::{Identifier, SqlError};

/// The statement that writes one row of metrics, the same on both databases. `run` is the SQL of the run's id,
/// mostly `$1`; it takes step and progress as `$2` and `$3`, and the columns' values from `$4` on, each cast to a type
/// where one is given. Columns that it does not name keep what they hold; without columns, a row that is
/// there stays as it is.
///
/// ```
/// assert_eq!(
///     sqltrack_engines::sql::upsert_metrics("$1", &[("loss", None)])?,
///     "INSERT INTO metrics (run_id, step, progress, \"loss\") VALUES ($1, $2, $3, $4) \
///      ON CONFLICT (run_id, step, progress) DO UPDATE SET \"loss\" = excluded.\"loss\"",
/// );
/// # Ok::<(), sqltrack_engines::sql::SqlError>(())
/// ```
///
/// # Errors
///
/// [`SqlError::EmptyIdentifier`] or [`SqlError::Nul`] if a name can be no column's. Whether the names are
/// good for metrics is the caller's to know.
pub fn upsert_metrics(run: &str, columns: &[(&str, Option<&str>)]) -> Result<String, SqlError> {
    let values: String =
        (4..).zip(columns).map(|(number, (_, sql_type))| parameter(number, *sql_type)).collect();
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    upsert_metrics_from(&names, &format!("VALUES ({run}, $2, $3{values})"))
}

/// The statement that writes rows of metrics which come from `source`: the SQL that gives run, step, progress and the
/// values of the columns.
///
/// ```
/// assert_eq!(
///     sqltrack_engines::sql::upsert_metrics_from(&["loss"], "SELECT * FROM unnest($1, $2, $3, $4)")?,
///     "INSERT INTO metrics (run_id, step, progress, \"loss\") SELECT * FROM unnest($1, $2, $3, $4) \
///      ON CONFLICT (run_id, step, progress) DO UPDATE SET \"loss\" = excluded.\"loss\"",
/// );
/// # Ok::<(), sqltrack_engines::sql::SqlError>(())
/// ```
///
/// # Errors
///
/// As [`upsert_metrics`].
pub fn upsert_metrics_from(columns: &[&str], source: &str) -> Result<String, SqlError> {
    let columns =
        columns.iter().map(|name| Identifier::new(*name).quoted()).collect::<Result<Vec<_>, _>>()?;
    let names: String = columns.iter().map(|column| format!(", {column}")).collect();
    let insert = format!("INSERT INTO metrics (run_id, step, progress{names}) {source}");
    if columns.is_empty() {
        return Ok(insert + " ON CONFLICT DO NOTHING");
    }
    let changes: Vec<_> = columns.iter().map(|column| format!("{column} = excluded.{column}")).collect();
    Ok(format!("{insert} ON CONFLICT (run_id, step, progress) DO UPDATE SET {}", changes.join(", ")))
}

fn parameter(number: usize, sql_type: Option<&str>) -> String {
    sql_type.map_or_else(|| format!(", ${number}"), |sql_type| format!(", ${number}::{sql_type}"))
}
