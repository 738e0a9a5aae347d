//! Sets of metric names: checked once, and known again by what they hold.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash, Hasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use sqltrack_engines::check_metric_name;

use crate::Error;

/// How many sets are known at most; a program that makes up names with every call has no use for them.
const KNOWN: usize = 4096;

/// The names of the metrics of one call: each good for a metric, and none of them twice.
#[derive(Debug)]
pub(crate) struct NameSet {
    /// What tells it from all other sets of the process.
    pub(crate) id: u64,
    pub(crate) names: Arc<[Arc<str>]>,
}

type Table = HashMap<u64, Arc<NameSet>>;
static SETS: LazyLock<(RandomState, RwLock<Table>)> = LazyLock::new(Default::default);

impl NameSet {
    /// The set of these names.
    ///
    /// # Errors
    ///
    /// [`Error::MetricName`] and [`Error::MetricTwice`] if they cannot be one.
    pub(crate) fn of<S: AsRef<str>>(names: &[S]) -> Result<Arc<Self>, Error> {
        let (hashes, table) = &*SETS;
        let mut hasher = hashes.build_hasher();
        names.iter().for_each(|name| name.as_ref().hash(&mut hasher));
        let hash = hasher.finish();
        let is_it =
            |set: &&Arc<Self>| set.names.iter().map(AsRef::as_ref).eq(names.iter().map(AsRef::as_ref));
        if let Some(set) = table.read().unwrap_or_else(PoisonError::into_inner).get(&hash).filter(is_it) {
            return Ok(set.clone());
        }
        let set = Arc::new(Self::new(names)?);
        let mut table = table.write().unwrap_or_else(PoisonError::into_inner);
        if table.len() >= KNOWN {
            table.clear();
        }
        table.insert(hash, set.clone());
        Ok(set)
    }

    fn new<S: AsRef<str>>(names: &[S]) -> Result<Self, Error> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let mut seen = std::collections::HashSet::with_capacity(names.len());
        for name in names.iter().map(AsRef::as_ref) {
            check_metric_name(name)?;
            if !seen.insert(name) {
                return Err(Error::MetricTwice { name: name.to_owned() });
            }
        }
        let names = names.iter().map(|name| Arc::from(name.as_ref())).collect();
        Ok(Self { id: NEXT.fetch_add(1, Ordering::Relaxed), names })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_names_are_one_set() {
        let one = NameSet::of(&["a", "b"]).unwrap();
        assert_eq!(one.id, NameSet::of(&["a".to_owned(), "b".to_owned()]).unwrap().id);
        assert_ne!(one.id, NameSet::of(&["b", "a"]).unwrap().id);
        assert_ne!(one.id, NameSet::of(&["a"]).unwrap().id);
    }

    #[test]
    fn bad_names_are_no_set() {
        assert!(matches!(NameSet::of(&["a", "b", "a"]), Err(Error::MetricTwice { .. })));
        assert!(matches!(NameSet::of(&["step"]), Err(Error::MetricName(_))));
    }
}
