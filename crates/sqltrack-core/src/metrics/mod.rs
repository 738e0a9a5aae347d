//! Metrics: what is given to a run, how it fits the table, and how it is read back.

mod add;
mod at;
mod best;
mod export;
mod names;
mod read;
mod record;
mod serialize;
mod set;
pub(crate) mod values;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use sqltrack_engines::Value;

pub use add::{Ack, AddMetrics};
pub use at::At;
pub use best::{Best, BestPoint, BestValue, Goal};
pub use export::{ExportedMetrics, MetricExport};
pub(crate) use names::NameSet;
pub use read::MetricPoint;
pub use set::MetricSet;

/// Metrics to add: names with values, from pairs, a map, a struct, or [`metrics!`](crate::metrics!).
///
/// ```
/// use sqltrack_core::{Metrics, metrics};
/// use std::collections::BTreeMap;
///
/// let pairs: Metrics = [("loss", 0.5), ("accuracy", 0.9)].into();
/// let map: Metrics = BTreeMap::from([("loss", 0.5), ("accuracy", 0.9)]).into();
/// let mixed = metrics! { "loss" => 0.5, "epoch" => 3, "phase" => "train" };
///
/// #[derive(serde::Serialize)]
/// struct Epoch {
///     loss: f32,
///     samples: u64,
/// }
/// let fields = Metrics::of(&Epoch { loss: 0.5, samples: 60_000 })?;
/// # drop((pairs, map, mixed, fields));
/// # Ok::<(), sqltrack_core::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    names: Names,
    values: Vec<Value>,
}

/// As many names as there are values.
#[derive(Debug, Clone)]
enum Names {
    Own(Vec<String>),
    Prepared(Arc<NameSet>),
}

impl Default for Names {
    fn default() -> Self {
        Self::Own(Vec::new())
    }
}

impl Names {
    fn get(&self, place: usize) -> &str {
        match self {
            Self::Own(names) => &names[place],
            Self::Prepared(set) => &set.names[place],
        }
    }
}

impl Metrics {
    /// The fields of a struct, or the entries of a map, as metrics.
    ///
    /// Numbers, booleans, texts and bytes are metrics of their types, `None` is no value, and whatever has parts is
    /// a JSON metric.
    ///
    /// # Errors
    ///
    /// [`Error::Metrics`](crate::Error::Metrics) if `fields` is no struct or map with text keys.
    pub fn of<T: serde::Serialize + ?Sized>(fields: &T) -> Result<Self, crate::Error> {
        let fields = serialize::fields(fields).map_err(|err| crate::Error::Metrics(err.to_string()))?;
        Ok(fields.into_iter().collect())
    }

    /// Adds one metric.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        if let Names::Prepared(set) = &self.names {
            self.names = Names::Own(set.names.iter().map(|name| name.as_ref().to_owned()).collect());
        }
        if let Names::Own(names) = &mut self.names {
            names.push(name.into());
            self.values.push(value.into());
        }
    }

    /// The metrics in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.values.iter().enumerate().map(|(place, value)| (self.names.get(place), value))
    }

    /// Metrics whose names are prepared; there are as many values.
    pub(crate) fn of_set(set: Arc<NameSet>, values: Vec<Value>) -> Self {
        Self { names: Names::Prepared(set), values }
    }

    /// The names, checked, and the values.
    pub(crate) fn prepared(self) -> Result<(Arc<NameSet>, Vec<Value>), crate::Error> {
        let set = match self.names {
            Names::Own(names) => NameSet::of(&names)?,
            Names::Prepared(set) => set,
        };
        Ok((set, self.values))
    }
}

impl PartialEq for Metrics {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

/// [`Metrics`] from names and values of any types.
///
/// ```
/// use sqltrack_core::metrics;
///
/// let phase = "validation";
/// let metrics = metrics! { format!("{phase}/loss") => 0.25, "best" => true };
/// assert_eq!(metrics.iter().count(), 2);
/// ```
#[macro_export]
macro_rules! metrics {
    ($($name:expr => $value:expr),* $(,)?) => {{
        #[allow(unused_mut, reason = "no metric is a valid list, too")]
        let mut metrics = $crate::Metrics::default();
        $(metrics.push($name, $value);)*
        metrics
    }};
}

impl<N: Into<String>, V: Into<Value>> FromIterator<(N, V)> for Metrics {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let (names, values) = pairs.into_iter().map(|(name, value)| (name.into(), value.into())).unzip();
        Self { names: Names::Own(names), values }
    }
}

impl<N: Into<String>, V: Into<Value>, const COUNT: usize> From<[(N, V); COUNT]> for Metrics {
    fn from(pairs: [(N, V); COUNT]) -> Self {
        pairs.into_iter().collect()
    }
}

impl<N: Into<String>, V: Into<Value>> From<Vec<(N, V)>> for Metrics {
    fn from(pairs: Vec<(N, V)>) -> Self {
        pairs.into_iter().collect()
    }
}

impl<N: Into<String>, V: Into<Value>> From<BTreeMap<N, V>> for Metrics {
    fn from(map: BTreeMap<N, V>) -> Self {
        map.into_iter().collect()
    }
}

impl<N: Into<String>, V: Into<Value>, S> From<HashMap<N, V, S>> for Metrics {
    fn from(map: HashMap<N, V, S>) -> Self {
        map.into_iter().collect()
    }
}
