//! The statements that write metrics, whose columns are known at run time only.

use super::{Identifier, SqlError};

/// The statement that writes rows of metrics which come from `source`: the SQL that gives run, step, progress and the
/// values of the columns. Columns that it does not name keep what they hold; without columns, a row that is there stays as
/// it is.
///
/// ```
/// assert_eq!(
///     sqltrack_engines::sql::upsert_metrics(&["loss"], "SELECT * FROM unnest($1, $2, $3, $4)")?,
///     "INSERT INTO metrics (run_id, step, progress, \"loss\") SELECT * FROM unnest($1, $2, $3, $4) \
///      ON CONFLICT (run_id, step, progress) DO UPDATE SET \"loss\" = excluded.\"loss\"",
/// );
/// # Ok::<(), sqltrack_engines::sql::SqlError>(())
/// ```
///
/// # Errors
///
/// [`SqlError::EmptyIdentifier`] or [`SqlError::Nul`] if a name can be no column's. Whether the names are good for metrics
/// is the caller's to know.
pub fn upsert_metrics(columns: &[&str], source: &str) -> Result<String, SqlError> {
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
