//! Giving up runs that died without a word.

use std::future::IntoFuture;
use std::time::Duration;

use sqltrack_engines::{ReapedRun, Reaping};

use crate::client::BoxFuture;
use crate::{Client, Error, Status, check};

/// For how long nothing must have been heard of a run by default.
const STALE: Duration = Duration::from_secs(10 * 60);

/// Which runs are given up, see [`Client::reap`]. Await it.
#[derive(Debug, Clone)]
#[must_use = "nothing is given up until it is awaited"]
pub struct Reap {
    client: Client,
    stale: Duration,
    status: Status,
    untracked: bool,
    is_dry: bool,
}

impl Client {
    /// Writes down for good that runs are dead: those that are RUNNING, but of which nothing was heard for ten minutes.
    /// They get the status NODE_FAIL, and are returned by their ids.
    ///
    /// A run is never given up while its heartbeats come, and no sooner than after three that did not, whatever
    /// [`stale`](Reap::stale) says. The clock is the database's. A tracker that comes back may still add metrics, and its
    /// end gives the run its true status, unless somebody else has taken the run over.
    ///
    /// ```no_run
    /// # async fn example(client: sqltrack_core::Client) -> Result<(), sqltrack_core::Error> {
    /// for reaped in client.reap().await? {
    ///     println!("run {} of {:?} is dead", reaped.run, reaped.holder);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn reap(&self) -> Reap {
        Reap { client: self.clone(), stale: STALE, status: Status::NodeFail, untracked: false, is_dry: false }
    }
}

impl Reap {
    /// For how long nothing must have been heard of a run.
    pub fn stale(mut self, stale: Duration) -> Self {
        self.stale = stale;
        self
    }

    /// The status that the runs get.
    pub fn status(mut self, status: impl Into<Status>) -> Self {
        self.status = status.into();
        self
    }

    /// Judges also runs that were started without tracking, which have no heartbeat, by their `time_updated`. One that
    /// computes for long without adding metrics looks dead then.
    pub fn untracked(mut self) -> Self {
        self.untracked = true;
        self
    }

    /// Only tells which runs it would be.
    pub fn dry_run(mut self) -> Self {
        self.is_dry = true;
        self
    }

    async fn run(self) -> Result<Vec<ReapedRun>, Error> {
        check::key("the status", self.status.as_str())?;
        let status = self.status.as_str().to_owned();
        let reaping = Reaping { status, stale: self.stale, untracked: self.untracked };
        let tx = self.client.begin().await?;
        let reaped =
            tx.with_connection(move |conn| Box::pin(async move { Ok(conn.reap(&reaping).await?) })).await;
        let mut reaped = reaped?;
        // The verdict of a dry run is that of a real one, which is undone.
        if self.is_dry {
            tx.rollback().await?
        } else {
            tx.commit().await?
        }
        reaped.sort_by_key(|reaped| reaped.run);
        Ok(reaped)
    }
}

impl IntoFuture for Reap {
    type Output = Result<Vec<ReapedRun>, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
