//! Recording metrics without waiting for them.

use std::cell::Cell;
use std::sync::Arc;

use sqltrack_engines::{MetricsKey, Moment, Value};

use super::{At, MetricSet, Metrics, NameSet};
use crate::writer::Call;
use crate::{Error, Run};

impl Run {
    /// Records metrics at a step, or at a step and progress, and returns at once: they are written in the background, in
    /// order and with others together. [`Client::flush`](crate::Client::flush) waits for all of them, and so do the end
    /// of a tracked run and [`stop`](Self::stop).
    ///
    /// What the call took is never dropped in silence: while the database is away it waits in a queue whose size is
    /// bounded (parameter `queue`). When the queue is full, the call blocks the thread until there is room, for as long as
    /// the parameter `retry` says, or is refused (`queue_full`); with a spool only if the disk is full as well. Metrics
    /// that the database refuses for good, as those of a run that does not exist, are logged, counted by
    /// [`Client::stats`](crate::Client::stats), and reported by the next flush.
    ///
    /// Without a database (`offline`), the call appends to the spool, which is all that is done.
    ///
    /// It may be called anywhere, also outside of a runtime and where the runtime is blocked.
    ///
    /// # Errors
    ///
    /// As [`add_metrics`](Self::add_metrics) for names and values that no database would take;
    /// [`Error::QueueFull`]; without a database, [`Error::Spool`] if the disk is full; [`Error::NotInTransaction`] for the run of a transaction, which nothing in the background
    /// can be part of.
    ///
    /// ```no_run
    /// # async fn example(run: sqltrack_core::Run) -> Result<(), sqltrack_core::Error> {
    /// for step in 0..10_000 {
    ///     run.record_metrics(step, [("loss", 7_f64.powf(1.0 / f64::from(step + 1)))])?;
    /// }
    /// run.client().flush().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn record_metrics(&self, at: impl Into<At>, metrics: impl Into<Metrics>) -> Result<(), Error> {
        self.record_updating(at.into(), metrics.into(), Some(Moment::Now))
    }

    pub(super) fn record_updating(
        &self,
        at: At,
        metrics: Metrics,
        updated: Option<Moment>,
    ) -> Result<(), Error> {
        let (names, mut values) = metrics.prepared()?;
        self.record(at, &names, &mut values, updated)
    }

    /// Records values of prepared metrics, as [`record_metrics`](Self::record_metrics) does and faster: nothing is
    /// allocated once the loop has run for a while.
    ///
    /// # Errors
    ///
    /// As [`record_metrics`](Self::record_metrics); [`Error::Metrics`] if there are not as many values as names.
    pub fn record_values<V: Into<Value>>(
        &self,
        at: impl Into<At>,
        set: &MetricSet,
        values: impl IntoIterator<Item = V>,
    ) -> Result<(), Error> {
        thread_local!(static SCRATCH: Cell<Vec<Value>> = const { Cell::new(Vec::new()) });
        let mut scratch = SCRATCH.take();
        scratch.clear();
        scratch.extend(values.into_iter().map(Into::into));
        let recorded = set
            .check_count(scratch.len())
            .and_then(|()| self.record(at.into(), set.name_set(), &mut scratch, Some(Moment::Now)));
        SCRATCH.set(scratch);
        recorded
    }

    fn record(
        &self,
        at: At,
        names: &Arc<NameSet>,
        values: &mut Vec<Value>,
        updated: Option<Moment>,
    ) -> Result<(), Error> {
        let client = self.client();
        if client.is_transaction() {
            return Err(Error::NotInTransaction("recording metrics in the background"));
        }
        let call = self.call(at, names.clone(), updated)?;
        call.check(values, client)?;
        match client.offline() {
            Some(offline) => offline.write(&call, values),
            None => client.writer()?.record(call, values),
        }
    }

    /// The call without its values.
    pub(super) fn call(&self, at: At, names: Arc<NameSet>, updated: Option<Moment>) -> Result<Call, Error> {
        let At { step, progress } = at.checked()?;
        Ok(Call {
            names,
            key: MetricsKey { run: self.id(), step, progress },
            lease: self.fence(),
            updated,
            waiter: None,
            seq: None,
        })
    }
}
