//! What a usage section means: a tree of patterns whose leaves are arguments, commands and options.

use std::collections::HashMap;

use indexmap::IndexSet;

use super::descriptions::OptionSpec;

/// The place of a leaf in [`Usage::leaves`].
pub(crate) type LeafId = usize;

/// A node of the tree.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Pattern {
    Leaf(LeafId),
    /// All of these, in order: `(a b)`.
    Required(Vec<Pattern>),
    /// Any of these: `[a b]`.
    Optional(Vec<Pattern>),
    /// One of these: `a | b`.
    Either(Vec<Pattern>),
    /// This, at least once: `a...`.
    OneOrMore(Box<Pattern>),
    /// Any option that the usage does not mention: `[options]`.
    Shortcut,
}

/// Something that takes a word of the command line. Equal leaves are one leaf, wherever they stand.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Leaf {
    Argument(String),
    Command(String),
    Option(OptionSpec),
}

impl Leaf {
    /// The name under which results list it.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Argument(name) | Self::Command(name) => name,
            Self::Option(option) => option.name(),
        }
    }

    pub(crate) fn takes_text(&self) -> bool {
        match self {
            Self::Argument(_) => true,
            Self::Command(_) => false,
            Self::Option(option) => option.takes_argument,
        }
    }
}

/// A usage section, understood.
#[derive(Debug)]
pub(crate) struct Usage {
    pub(crate) pattern: Pattern,
    pub(crate) leaves: IndexSet<Leaf>,
    /// The leaves that [`Pattern::Shortcut`] stands for.
    pub(crate) shortcut: Vec<LeafId>,
    /// For each leaf, whether one command line may give it more than once.
    pub(crate) repeats: Vec<bool>,
}

impl Usage {
    pub(crate) fn new(pattern: Pattern, mut leaves: IndexSet<Leaf>, options: &[OptionSpec]) -> Self {
        let mentioned = leaves.len();
        let shortcut = options
            .iter()
            .map(|option| leaves.insert_full(Leaf::Option(option.clone())).0)
            .filter(|id| *id >= mentioned)
            .collect();
        let mut usage = Self { pattern, leaves, shortcut, repeats: Vec::new() };
        usage.repeats = usage.repeating_leaves();
        usage
    }

    /// The leaves in the order of the pattern. A leaf that stands there often may come less often, but its
    /// first and its last place are right: the first decides the order of results, the last their value.
    pub(crate) fn flat(&self) -> Vec<LeafId> {
        let mut places = Vec::new();
        collect_places(&self.pattern, &mut places);
        let first = places.iter().position(Option::is_none);
        let last = places.iter().rposition(Option::is_none);
        let mut flat = Vec::with_capacity(places.len() + self.shortcut.len());
        for (at, place) in places.into_iter().enumerate() {
            match place {
                Some(leaf) => flat.push(leaf),
                None if Some(at) == first || Some(at) == last => flat.extend(&self.shortcut),
                None => {}
            }
        }
        flat
    }

    /// A leaf repeats if one of the ways to satisfy the pattern takes it twice, where `x...` counts as `x x`.
    fn repeating_leaves(&self) -> Vec<bool> {
        let mut repeats = vec![false; self.leaves.len()];
        let Some(mut counts) = counts(&self.pattern) else { return repeats };
        if let Some(times) = counts.remove(&None) {
            for leaf in &self.shortcut {
                *counts.entry(Some(*leaf)).or_default() += times;
            }
        }
        for (leaf, times) in counts {
            if let Some(leaf) = leaf {
                repeats[leaf] = times > 1;
            }
        }
        repeats
    }
}

/// Leaves in order, `None` for the shortcut.
fn collect_places(pattern: &Pattern, places: &mut Vec<Option<LeafId>>) {
    match pattern {
        Pattern::Leaf(leaf) => places.push(Some(*leaf)),
        Pattern::Shortcut => places.push(None),
        Pattern::OneOrMore(child) => collect_places(child, places),
        Pattern::Required(children) | Pattern::Optional(children) | Pattern::Either(children) => {
            children.iter().for_each(|child| collect_places(child, places));
        }
    }
}

/// How often each leaf (`None`: the shortcut) can be needed at most.
type Counts = HashMap<Option<LeafId>, usize>;

/// The counts of a pattern, or `None` where it holds an `Either` without choices, which nothing satisfies.
fn counts(pattern: &Pattern) -> Option<Counts> {
    match pattern {
        Pattern::Leaf(leaf) => Some(Counts::from([(Some(*leaf), 1)])),
        Pattern::Shortcut => Some(Counts::from([(None, 1)])),
        Pattern::OneOrMore(child) => {
            let mut counts = counts(child)?;
            counts.values_mut().for_each(|times| *times = 2);
            Some(counts)
        }
        Pattern::Required(children) | Pattern::Optional(children) => children
            .iter()
            .map(counts)
            .try_fold(Counts::new(), |sum, next| Some(merged(sum, next?, |a, b| a + b))),
        Pattern::Either(children) => {
            children.iter().filter_map(counts).reduce(|best, next| merged(best, next, usize::max))
        }
    }
}

fn merged(a: Counts, b: Counts, join: fn(usize, usize) -> usize) -> Counts {
    let (mut large, small) = if a.len() < b.len() { (b, a) } else { (a, b) };
    for (leaf, times) in small {
        // Twice or more is all that matters, and the sum stays small.
        large.entry(leaf).and_modify(|most| *most = join(*most, times).min(2)).or_insert(times);
    }
    large
}
