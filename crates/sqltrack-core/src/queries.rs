//! Short ways to the first row, the first value, or the first column of a query.

use sqltrack_engines::{Decode, DecodeError, FromRow};

use crate::{Client, Error, Parameters};

impl Client {
    /// The first row of a query, if any, as a tuple or a [`Row`](crate::Row).
    ///
    /// # Errors
    ///
    /// As [`query`](Self::query); [`Error::Decode`] if the row is not of this type.
    ///
    /// ```no_run
    /// # async fn example(client: sqltrack_core::Client) -> Result<(), sqltrack_core::Error> {
    /// let best: Option<(i64, f64)> = client
    ///     .first_row("SELECT step, loss FROM metrics WHERE run_id = $1 ORDER BY loss NULLS LAST", (7,))
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn first_row<T: FromRow>(
        &self,
        sql: &str,
        parameters: impl Into<Parameters>,
    ) -> Result<Option<T>, Error> {
        let first = self.query(sql, parameters).await?.into_iter().next();
        Ok(first.map(T::from_row).transpose()?)
    }

    /// The first value of the first row of a query, if any. To take NULL, ask for an `Option` of the type.
    ///
    /// # Errors
    ///
    /// As [`first_row`](Self::first_row).
    pub async fn first_value<T: Decode>(
        &self,
        sql: &str,
        parameters: impl Into<Parameters>,
    ) -> Result<Option<T>, Error> {
        let first = self.query(sql, parameters).await?.into_iter().next();
        Ok(first.map(|row| row.get(0)).transpose()?)
    }

    /// The first value of every row of a query.
    ///
    /// # Errors
    ///
    /// As [`first_row`](Self::first_row).
    pub async fn first_values<T: Decode>(
        &self,
        sql: &str,
        parameters: impl Into<Parameters>,
    ) -> Result<Vec<T>, Error> {
        let rows = self.query(sql, parameters).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect::<Result<_, DecodeError>>()?)
    }
}
