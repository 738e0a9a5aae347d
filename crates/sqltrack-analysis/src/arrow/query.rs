//! Queries whose results are record batches.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use sqltrack_core::{Client, Parameters, RowParts, Rows};

use super::column::{ArrowError, Columns};
use crate::Error;

/// The record batches of a query, see [`query_arrow`].
#[derive(Debug)]
pub struct ArrowParts {
    parts: RowParts,
    columns: Columns,
    /// The rows that told the types.
    first: Option<Rows>,
}

/// Runs one statement whose rows come as Arrow record batches, some thousand rows each: whatever the size of the result, only a few of
/// them are in memory.
///
/// The types of the columns are those that the database names, or those of the first values: see [`crate::arrow`].
///
/// # Errors
///
/// [`Error::Core`] with what the library or the database says of the statement.
///
/// ```no_run
/// # async fn example(client: sqltrack_core::Client) -> Result<(), sqltrack_analysis::Error> {
/// use sqltrack_analysis::arrow::query_arrow;
///
/// let mut batches = query_arrow(&client, "SELECT * FROM metrics WHERE run_id = $1", (7,)).await?;
/// while let Some(batch) = batches.next().await? {
///     println!("{} rows of {} columns", batch.num_rows(), batch.num_columns());
/// }
/// # Ok(())
/// # }
/// ```
pub async fn query_arrow(
    client: &Client,
    sql: &str,
    parameters: impl Into<Parameters>,
) -> Result<ArrowParts, Error> {
    let mut parts = client.query_parts(sql, parameters)?;
    let first = parts.next().await?.unwrap_or_else(|| Rows::new(Vec::new(), Vec::new()));
    Ok(ArrowParts { parts, columns: Columns::of(&first), first: Some(first) })
}

impl ArrowParts {
    /// The names and types of the columns.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        self.columns.schema()
    }

    /// The next rows; none after the last ones.
    ///
    /// # Errors
    ///
    /// [`Error::Core`] if the database fails, [`Error::Arrow`] if a value does not fit its column.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>, Error> {
        let rows = match self.first.take() {
            Some(rows) if !rows.is_empty() => Some(rows),
            _ => self.parts.next().await?,
        };
        let batch = rows.map(|rows| self.columns.batch(&rows)).transpose();
        batch.map_err(|err: ArrowError| err.into())
    }
}
