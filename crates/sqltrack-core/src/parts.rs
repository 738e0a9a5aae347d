//! The rows of a query part by part, for results that are larger than memory.

use async_trait::async_trait;
use sqltrack_engines::script::StatementKind;
use sqltrack_engines::{RowSink, Rows};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::client::join;
use crate::{Client, Error, Parameters};

/// How many rows a part has at most.
const SIZE: usize = 4_096;

/// The rows of a query, see [`Client::query_parts`].
#[derive(Debug)]
pub struct RowParts {
    parts: mpsc::Receiver<Rows>,
    query: Option<JoinHandle<Result<(), Error>>>,
}

struct Sender(mpsc::Sender<Rows>);

#[async_trait]
impl RowSink for Sender {
    async fn take(&mut self, rows: Rows) -> bool {
        self.0.send(rows).await.is_ok()
    }
}

impl Client {
    /// Runs one statement whose rows are taken part by part, some thousand each: whatever the size of the result, only a few
    /// parts are in memory. There is at least one part, which may be empty, and tells the columns. All rows are of one
    /// moment; until the last part is taken, or the result is dropped, a connection is kept and so is what the database has
    /// to remember of that moment.
    ///
    /// Statements that may change something, and those of a [`Transaction`](crate::Transaction), come in one part.
    ///
    /// # Errors
    ///
    /// [`Error::NotOneStatement`] and what else can be told without the database, as [`query`](Self::query); what the database says comes with
    /// the parts.
    ///
    /// ```no_run
    /// # async fn example(client: sqltrack_core::Client) -> Result<(), sqltrack_core::Error> {
    /// let mut parts = client.query_parts("SELECT * FROM metrics", ())?;
    /// while let Some(rows) = parts.next().await? {
    ///     println!("{} rows more", rows.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn query_parts(&self, sql: &str, parameters: impl Into<Parameters>) -> Result<RowParts, Error> {
        let (sql, values) = self.statement(sql, parameters.into())?;
        // Only a query can be left in the middle, or run beside something else.
        let is_whole = self.is_transaction() || !StatementKind::of(&sql, self.dialect()).is_query();
        // One is being read while another one is worked on.
        let (sender, parts) = mpsc::channel(1);
        let client = self.clone();
        let query = tokio::spawn(async move {
            let mut sink = Sender(sender);
            let run = client.with_connection(move |conn| {
                Box::pin(async move {
                    if is_whole {
                        sink.take(conn.query(&sql, &values).await?).await;
                        return Ok(());
                    }
                    Ok(conn.query_parts(&sql, &values, SIZE, &mut sink).await?)
                })
            });
            run.await
        });
        Ok(RowParts { parts, query: Some(query) })
    }
}

impl RowParts {
    /// The next rows; none after the last ones. Cancel-safe: a part that was not returned comes again.
    ///
    /// # Errors
    ///
    /// [`Error::Engine`] if the database fails.
    pub async fn next(&mut self) -> Result<Option<Rows>, Error> {
        if let Some(rows) = self.parts.recv().await {
            return Ok(Some(rows));
        }
        let Some(query) = &mut self.query else { return Ok(None) };
        let ended = join(query).await;
        self.query = None;
        ended.map(|()| None)
    }
}
