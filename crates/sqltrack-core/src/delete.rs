//! Deleting runs and experiments, with all that belongs to them.

use sqltrack_engines::{Belongings, EngineError};

use crate::{Error, Experiment, Run};

impl Run {
    /// What belongs to the run, and goes with it when it is deleted.
    ///
    /// # Errors
    ///
    /// [`Error::Engine`] with `NoSuchRun` if the run does not exist.
    pub async fn belongings(&self) -> Result<Belongings, Error> {
        let id = self.id();
        let find = self.client().with_connection(move |conn| {
            Box::pin(async move { Ok(conn.run_belongings(id).await?.ok_or(EngineError::NoSuchRun(id))?) })
        });
        find.await
    }

    /// Deletes the run with its metrics and the links from and to it. To delete several at once, do it on a
    /// [transaction](crate::Client::begin).
    ///
    /// # Errors
    ///
    /// [`Error::Engine`] with `NoSuchRun` if the run does not exist.
    ///
    /// ```no_run
    /// # async fn example(client: sqltrack_core::Client) -> Result<(), sqltrack_core::Error> {
    /// let tx = client.begin().await?;
    /// for id in [523_459, 523_473] {
    ///     tx.run(id).delete().await?;
    /// }
    /// tx.commit().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete(&self) -> Result<(), Error> {
        let id = self.id();
        let delete = self
            .client()
            .with_connection(move |conn| Box::pin(async move { Ok(conn.delete_run(id).await?) }));
        delete.await
    }
}

impl Experiment {
    /// What belongs to the experiment, and goes with it when it is deleted.
    ///
    /// # Errors
    ///
    /// [`Error::Engine`] with `NoSuchExperiment` if the experiment does not exist.
    pub async fn belongings(&self) -> Result<Belongings, Error> {
        let id = self.id();
        let find = self.client().with_connection(move |conn| {
            Box::pin(async move {
                let found = conn.experiment_belongings(id).await?;
                Ok(found.ok_or(EngineError::NoSuchExperiment(id))?)
            })
        });
        find.await
    }

    /// Deletes the experiment with its runs, their metrics, and all links from and to them.
    ///
    /// # Errors
    ///
    /// [`Error::Engine`] with `NoSuchExperiment` if the experiment does not exist.
    pub async fn delete(&self) -> Result<(), Error> {
        let id = self.id();
        let delete = self
            .client()
            .with_connection(move |conn| Box::pin(async move { Ok(conn.delete_experiment(id).await?) }));
        delete.await
    }
}
