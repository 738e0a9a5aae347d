//! The sets of names that a segment has defined, for whoever appends to it.

use std::collections::HashMap;
use std::sync::Arc;

use super::codec::Names;

/// The sets by their names, and the one that was used last: a loop gives the same one again and again.
#[derive(Debug, Default)]
pub(super) struct KnownNames {
    numbers: HashMap<Names, u32>,
    last: Option<(Names, u32)>,
}

impl KnownNames {
    /// The number of a set, and whether it has yet to be defined.
    pub(super) fn number(&mut self, names: &Names) -> (u32, bool) {
        if let Some((last, number)) = &self.last
            && Arc::ptr_eq(last, names)
        {
            return (*number, false);
        }
        let next = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
        let number = *self.numbers.entry(names.clone()).or_insert(next);
        self.last = Some((names.clone(), number));
        (number, number == next)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Forgets those that came after the first `count`, since their definitions are not in the segment.
    pub(super) fn truncate(&mut self, count: usize) {
        self.last = None;
        self.numbers.retain(|_, number| (*number as usize) < count);
    }

    /// Forgets all, since a new segment defines its own.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
