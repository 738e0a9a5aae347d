//! The options known so far, found by name.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use super::descriptions::OptionSpec;

/// Options in the order in which they were met, with their names looked up instead of searched for: help
/// texts may have thousands.
#[derive(Debug, Clone, Default)]
pub(crate) struct OptionTable {
    all: Vec<OptionSpec>,
    short: HashMap<String, Vec<usize>>,
    long: BTreeMap<String, Vec<usize>>,
}

/// What a name stands for.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    None,
    One(&'a OptionSpec),
    /// Described this many times.
    Many(usize),
}

impl OptionTable {
    pub(crate) fn add(&mut self, option: OptionSpec) {
        let index = self.all.len();
        if let Some(short) = &option.short {
            self.short.entry(short.clone()).or_default().push(index);
        }
        if let Some(long) = &option.long {
            self.long.entry(long.clone()).or_default().push(index);
        }
        self.all.push(option);
    }

    pub(crate) fn all(&self) -> &[OptionSpec] {
        &self.all
    }

    pub(crate) fn short(&self, name: &str) -> Found<'_> {
        self.found(self.short.get(name))
    }

    pub(crate) fn long(&self, name: &str) -> Found<'_> {
        self.found(self.long.get(name))
    }

    /// The one option whose long name begins with `prefix`, if there is no second.
    pub(crate) fn long_by_prefix(&self, prefix: &str) -> Found<'_> {
        let mut matches = self
            .long
            .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
            .take_while(|(name, _)| name.starts_with(prefix))
            .flat_map(|(_, indices)| indices);
        match (matches.next(), matches.next()) {
            (Some(&index), None) => Found::One(&self.all[index]),
            _ => Found::None,
        }
    }

    fn found(&self, indices: Option<&Vec<usize>>) -> Found<'_> {
        match indices.map(Vec::as_slice) {
            None | Some([]) => Found::None,
            Some([index]) => Found::One(&self.all[*index]),
            Some(many) => Found::Many(many.len()),
        }
    }
}

impl FromIterator<OptionSpec> for OptionTable {
    fn from_iter<I: IntoIterator<Item = OptionSpec>>(options: I) -> Self {
        let mut table = Self::default();
        options.into_iter().for_each(|option| table.add(option));
        table
    }
}
