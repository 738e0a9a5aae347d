//! One connection of the driver, and what a pooler between it and the server asks of every statement.
//!
//! A pooler in transaction mode may give each transaction another connection of the server. The driver parses a
//! statement in one exchange and runs it in the next, so that both have to be in one transaction; and no statement
//! may have a name, since the name would stay with a connection that the next client gets. All statements of this
//! crate go through the [`Executor`] here, which sees to that.

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use sqltrack_engines::Access;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgQueryResult, PgRow, PgStatement, PgTypeInfo};
use sqlx::{Connection as _, Describe, Either, Error, Execute, Executor, PgConnection, Postgres, SqlStr};

/// A connection that knows whether it is in a transaction, and what is between it and the server.
#[derive(Debug)]
pub(crate) struct Session {
    driver: PgConnection,
    /// Whether a pooler chooses the server's connection for each transaction.
    is_pooled: bool,
    in_transaction: bool,
}

impl Session {
    pub(crate) fn new(driver: PgConnection, is_pooled: bool) -> Self {
        Self { driver, is_pooled, in_transaction: false }
    }

    /// The connection itself, for what is sent whole and without parameters: such text is parsed and run at once.
    pub(crate) fn driver(&mut self) -> &mut PgConnection {
        &mut self.driver
    }

    /// Whether every statement that takes parameters runs in a transaction.
    pub(crate) fn is_pooled(&self) -> bool {
        self.is_pooled
    }

    /// Whether a transaction is open, or may be, since an answer never came.
    pub(crate) fn is_in_transaction(&self) -> bool {
        self.in_transaction
    }

    pub(crate) async fn begin(&mut self, access: Access) -> Result<(), Error> {
        self.in_transaction = true;
        let begin = match access {
            Access::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ",
            Access::Write => "BEGIN",
        };
        self.driver.execute(begin).await.map(drop)
    }

    pub(crate) async fn commit(&mut self) -> Result<(), Error> {
        self.driver.execute("COMMIT").await?;
        self.in_transaction = false;
        Ok(())
    }

    pub(crate) async fn rollback(&mut self) -> Result<(), Error> {
        self.driver.execute("ROLLBACK").await?;
        self.in_transaction = false;
        Ok(())
    }

    /// Drops the statements that the server keeps for this connection.
    pub(crate) async fn clear_cached_statements(&mut self) -> Result<(), Error> {
        self.driver.clear_cached_statements().await
    }

    /// Ends the transaction that was begun for one statement.
    async fn end<T>(&mut self, result: Result<T, Error>) -> Result<T, Error> {
        match result {
            Ok(done) => self.commit().await.map(|()| done),
            Err(err) => {
                // The error of the statement says more than one of a connection that it has broken.
                let _ = self.rollback().await;
                Err(err)
            }
        }
    }

    /// Everything that a statement without a name answers, in a transaction.
    async fn answers<'q, E>(&mut self, query: E) -> Result<Vec<Either<PgQueryResult, PgRow>>, Error>
    where
        E: 'q + Execute<'q, Postgres>,
    {
        let is_own = !self.in_transaction;
        if is_own {
            self.begin(Access::Write).await?;
        }
        let answers = self.driver.fetch_many(Unnamed(query)).try_collect().await;
        if is_own { self.end(answers).await } else { answers }
    }

    /// A statement that is prepared under a name of its own, which is gone before the transaction ends.
    async fn prepared(&mut self, sql: SqlStr, parameters: &[PgTypeInfo]) -> Result<PgStatement, Error> {
        let is_own = !self.in_transaction;
        if is_own {
            self.begin(Access::Write).await?;
        }
        let prepared = self.driver.prepare_with(sql, parameters).await;
        let cleared = self.driver.clear_cached_statements().await;
        let prepared = prepared.and_then(|statement| cleared.map(|()| statement));
        if is_own { self.end(prepared).await } else { prepared }
    }
}

/// A statement that is not to be kept under a name.
struct Unnamed<E>(E);

impl<'q, E: Execute<'q, Postgres>> Execute<'q, Postgres> for Unnamed<E> {
    fn sql(self) -> SqlStr {
        self.0.sql()
    }

    fn statement(&self) -> Option<&PgStatement> {
        None
    }

    fn take_arguments(&mut self) -> Result<Option<PgArguments>, BoxDynError> {
        self.0.take_arguments()
    }

    fn persistent(&self) -> bool {
        false
    }
}

impl<'c> Executor<'c> for &'c mut Session {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        if !self.is_pooled {
            return self.driver.fetch_many(query);
        }
        let answers = async move {
            let answers = self.answers(query).await;
            stream::iter(
                answers.map_or_else(|err| vec![Err(err)], |found| found.into_iter().map(Ok).collect()),
            )
        };
        stream::once(answers).flatten().boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        if !self.is_pooled {
            return self.driver.fetch_optional(query);
        }
        Box::pin(async move {
            let answers = self.answers(query).await?;
            Ok(answers.into_iter().find_map(Either::right))
        })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, Result<PgStatement, Error>>
    where
        'c: 'e,
    {
        if !self.is_pooled {
            return self.driver.prepare_with(sql, parameters);
        }
        Box::pin(self.prepared(sql, parameters))
    }

    /// Asked by the macros of the driver when they are compiled, and not through a pooler.
    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, Error>>
    where
        'c: 'e,
    {
        self.driver.describe(sql)
    }
}
