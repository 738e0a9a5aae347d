//! The links of one kind between runs, and which runs they join.

use std::collections::{BTreeMap, BTreeSet};

use sqltrack_engines::RunId;

use super::{Lineage, LineageRun};

/// Links from runs to those that they continue.
pub(super) struct Links {
    to: BTreeMap<RunId, Vec<RunId>>,
    from: BTreeMap<RunId, Vec<RunId>>,
}

impl Links {
    pub(super) fn new(links: impl Iterator<Item = (RunId, RunId)>) -> Self {
        let mut new = Self { to: BTreeMap::new(), from: BTreeMap::new() };
        for (from, to) in links {
            new.to.entry(from).or_default().push(to);
            new.from.entry(to).or_default().push(from);
        }
        new
    }

    /// The series that a run belongs to, each with its runs in the order of their ids.
    pub(super) fn lineages(&self, run: RunId) -> Vec<Lineage> {
        let before = reach(run, &self.to);
        let firsts: Vec<RunId> = before.iter().copied().filter(|run| !self.to.contains_key(run)).collect();
        let whole = |first: RunId| {
            let runs = reach(first, &self.from);
            Lineage { id: first, cycle: self.cycle(&runs), runs: runs.into_iter().map(alone).collect() }
        };
        if firsts.is_empty() {
            return vec![Lineage { id: run, runs: vec![alone(run)], cycle: self.cycle(&before) }];
        }
        firsts.into_iter().map(whole).collect()
    }

    /// The runs among these that continue themselves.
    fn cycle(&self, runs: &BTreeSet<RunId>) -> Vec<RunId> {
        // Whoever has no neighbour on one side is in no circle, and so not among the neighbours of the others.
        let mut left = runs.clone();
        loop {
            let has_any = |links: &BTreeMap<RunId, Vec<RunId>>, run| {
                links.get(run).is_some_and(|others| others.iter().any(|other| left.contains(other)))
            };
            let inner: BTreeSet<RunId> = left
                .iter()
                .filter(|run| has_any(&self.to, run) && has_any(&self.from, run))
                .copied()
                .collect();
            if inner.len() == left.len() {
                break;
            }
            left = inner;
        }
        // What is left may also lie between two circles.
        let follows_itself = |run: &RunId| {
            let next = self.to.get(run).into_iter().flatten();
            next.into_iter().any(|next| reach(*next, &self.to).contains(run))
        };
        left.into_iter().filter(follows_itself).collect()
    }
}

fn alone(run: RunId) -> LineageRun {
    LineageRun { run, before_step: None }
}

/// A run and all that links lead to from it.
fn reach(run: RunId, links: &BTreeMap<RunId, Vec<RunId>>) -> BTreeSet<RunId> {
    let mut reached = BTreeSet::from([run]);
    let mut next = vec![run];
    while let Some(run) = next.pop() {
        for other in links.get(&run).into_iter().flatten() {
            if reached.insert(*other) {
                next.push(*other);
            }
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(links: &[(i64, i64)], run: i64) -> Vec<(i64, Vec<i64>, Vec<i64>)> {
        let links = Links::new(links.iter().map(|(from, to)| (RunId(*from), RunId(*to))));
        let ids = |runs: &[RunId]| runs.iter().map(|run| run.0).collect();
        let shown = |lineage: Lineage| {
            let runs: Vec<RunId> = lineage.runs.iter().map(|run| run.run).collect();
            (lineage.id.0, ids(&runs), ids(&lineage.cycle))
        };
        links.lineages(RunId(run)).into_iter().map(shown).collect()
    }

    #[test]
    fn a_series_is_the_same_for_all_of_its_runs() {
        let links = [(2, 1), (3, 2), (5, 4)];
        for run in 1..=3 {
            assert_eq!(shown(&links, run), [(1, vec![1, 2, 3], vec![])]);
        }
        assert_eq!(shown(&links, 9), [(9, vec![9], vec![])]);
    }

    #[test]
    fn a_run_may_continue_several_and_be_continued_by_several() {
        let links = [(3, 1), (3, 2), (4, 3), (5, 3)];
        let expected = [(1, vec![1, 3, 4, 5], vec![]), (2, vec![2, 3, 4, 5], vec![])];
        assert_eq!(shown(&links, 4), expected);
    }

    #[test]
    fn circles_are_told() {
        assert_eq!(shown(&[(1, 1)], 1), [(1, vec![1], vec![1])]);
        assert_eq!(shown(&[(1, 2), (2, 1), (3, 2)], 3), [(3, vec![3], vec![1, 2])]);
        let behind = [(2, 1), (3, 2), (2, 3), (4, 3)];
        assert_eq!(shown(&behind, 4), [(1, vec![1, 2, 3, 4], vec![2, 3])]);
        let between = [(1, 2), (2, 1), (3, 1), (4, 3), (5, 4), (4, 5)];
        assert_eq!(shown(&between, 5), [(5, vec![5], vec![1, 2, 4, 5])]);
    }
}
