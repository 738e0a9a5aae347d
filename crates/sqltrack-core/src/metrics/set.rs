//! Names of metrics that are prepared once, for a loop that gives them new values again and again.

use std::sync::Arc;

use sqltrack_engines::Value;

use super::names::NameSet;
use crate::{Error, Metrics};

/// The names of metrics that are measured together, checked and prepared once.
///
/// Writing values to a set neither copies nor checks its names again. It is cheap to clone.
///
/// ```no_run
/// # async fn example(run: sqltrack_core::Run) -> Result<(), sqltrack_core::Error> {
/// use sqltrack_core::MetricSet;
///
/// let set = MetricSet::new(["loss", "accuracy"])?;
/// for step in 0..1_000_000 {
///     let (loss, accuracy) = (0.5, 0.9);
///     run.record_values(step, &set, [loss, accuracy])?;
/// }
/// run.client().flush().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct MetricSet {
    names: Arc<NameSet>,
}

impl MetricSet {
    /// A set of these names.
    ///
    /// # Errors
    ///
    /// [`Error::MetricName`] if one cannot be that of a metric, [`Error::MetricTwice`] if one comes twice.
    pub fn new<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> Result<Self, Error> {
        let names: Vec<S> = names.into_iter().collect();
        Ok(Self { names: NameSet::of(&names)? })
    }

    /// The names in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.names.iter().map(AsRef::as_ref)
    }

    /// Metrics of these names with values in the same order, as [`Run::add_metrics`](crate::Run::add_metrics) takes
    /// them.
    ///
    /// # Errors
    ///
    /// [`Error::Metrics`] if there are not as many values as names.
    pub fn metrics<V: Into<Value>>(&self, values: impl IntoIterator<Item = V>) -> Result<Metrics, Error> {
        let values: Vec<Value> = values.into_iter().map(Into::into).collect();
        self.check_count(values.len())?;
        Ok(Metrics::of_set(self.names.clone(), values))
    }

    pub(crate) fn name_set(&self) -> &Arc<NameSet> {
        &self.names
    }

    pub(crate) fn check_count(&self, values: usize) -> Result<(), Error> {
        let names = self.names.names.len();
        if values == names {
            return Ok(());
        }
        Err(Error::Metrics(format!("the set has {names} names, but there are {values} values")))
    }
}
