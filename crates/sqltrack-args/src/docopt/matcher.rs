//! Which part of a usage takes which part of a command line.
//!
//! The rules are docopt's, and simpler than they look: a pattern is tried from left to right without ever
//! going back, an alternative is chosen by how much it takes, and an element always takes the first thing
//! that it can. So what is left of a command line is known from how often each option was taken, and how many
//! positional arguments, and everything that an abandoned alternative did is undone by counting back, but for
//! one thing: values that docopt changes in place stay changed (a count goes up, a list grows). Results
//! depend on that, so it is kept.

use std::collections::HashMap;

use super::argv::Given;
use super::pattern::{Leaf, LeafId, Pattern, Usage};
use super::raw::RawValue;

/// More steps than any real help text needs, and few enough to stay quick.
const MAX_STEPS: usize = 2_000_000;

/// How many missing elements a message lists.
const MAX_EXPECTED: usize = 6;

/// The end of matching.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Whether the pattern is satisfied.
    pub(crate) matched: bool,
    /// What nothing took.
    pub(crate) left: Vec<Given>,
    /// Names and values, in the order in which they were taken.
    pub(crate) collected: Vec<(String, RawValue)>,
    /// The leaves that were missing where the match got furthest.
    pub(crate) expected: Vec<LeafId>,
}

/// The pattern is so large or so nested that matching it was given up.
#[derive(Debug)]
pub(crate) struct TooManySteps;

/// Matches a command line against a usage.
pub(crate) fn match_usage(usage: &Usage, given: Vec<Given>) -> Result<Outcome, TooManySteps> {
    let mut matcher = Matcher::new(usage, given);
    let matched = matcher.matches(&usage.pattern)?;
    Ok(matcher.outcome(matched))
}

/// The queue of positional arguments. Each option that was given has its own, by name.
const POSITIONAL: usize = 0;

type CellId = usize;
type NameId = usize;

/// What a leaf needs to know while matching.
#[derive(Clone, Copy)]
struct Slot {
    name: NameId,
    /// Where it takes from, if that was given at all.
    queue: Option<usize>,
    counts: bool,
    lists: bool,
}

/// One thing taken from the command line: enough to undo and to repeat it.
#[derive(Clone, Copy)]
struct Taken {
    queue: usize,
    collected: Option<(NameId, CellId)>,
}

struct Matcher<'a> {
    usage: &'a Usage,
    given: Vec<Given>,
    slots: Vec<Slot>,
    shortcut: Vec<LeafId>,
    names: Vec<&'a str>,
    /// For each queue, the places of its elements in `given`.
    queues: Vec<Vec<usize>>,
    /// For each queue, how many of its elements are taken.
    heads: Vec<usize>,
    /// The values of options that were given, then those of taken positional arguments.
    cells: Vec<Cell>,
    /// For each name, what was collected under it.
    by_name: Vec<Vec<CellId>>,
    taken: Vec<Taken>,
    /// How often a value changed that may be seen elsewhere.
    changes: usize,
    steps: usize,
    /// How many optional patterns are around the current one.
    optional: usize,
    furthest: usize,
    expected: Vec<LeafId>,
}

impl<'a> Matcher<'a> {
    fn new(usage: &'a Usage, given: Vec<Given>) -> Self {
        let mut queues = vec![Vec::new()];
        let mut queue_of = HashMap::new();
        for (place, item) in given.iter().enumerate() {
            let queue = item.name().map_or(POSITIONAL, |name| {
                *queue_of.entry(name).or_insert_with(|| {
                    queues.push(Vec::new());
                    queues.len() - 1
                })
            });
            queues[queue].push(place);
        }
        let mut names = Vec::new();
        let mut name_of = HashMap::new();
        let slots: Vec<Slot> = usage
            .leaves
            .iter()
            .zip(&usage.repeats)
            .map(|(leaf, &repeats)| Slot {
                name: *name_of.entry(leaf.name()).or_insert_with(|| {
                    names.push(leaf.name());
                    names.len() - 1
                }),
                queue: match leaf {
                    Leaf::Option(_) => queue_of.get(leaf.name()).copied(),
                    _ => Some(POSITIONAL),
                },
                counts: repeats && !leaf.takes_text(),
                lists: repeats && leaf.takes_text(),
            })
            .collect();
        Self {
            // An option that was not given changes nothing, and there may be thousands.
            shortcut: usage.shortcut.iter().copied().filter(|leaf| slots[*leaf].queue.is_some()).collect(),
            cells: given.iter().enumerate().map(cell_of).collect(),
            heads: vec![0; queues.len()],
            by_name: vec![Vec::new(); names.len()],
            usage,
            given,
            slots,
            names,
            queues,
            taken: Vec::new(),
            changes: 0,
            steps: 0,
            optional: 0,
            furthest: 0,
            expected: Vec::new(),
        }
    }

    /// Takes what `pattern` can take. If it is not satisfied, nothing is taken.
    fn matches(&mut self, pattern: &Pattern) -> Result<bool, TooManySteps> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return Err(TooManySteps);
        }
        match pattern {
            Pattern::Leaf(leaf) => Ok(self.leaf(*leaf)),
            Pattern::Required(children) => self.required(children),
            Pattern::Optional(children) => self.optionally(|matcher| {
                children.iter().try_for_each(|child| matcher.matches(child).map(drop)).map(|()| true)
            }),
            Pattern::Shortcut => {
                self.steps += self.shortcut.len();
                (0..self.shortcut.len()).for_each(|at| {
                    self.take(self.shortcut[at]);
                });
                Ok(true)
            }
            Pattern::Either(choices) => self.either(choices),
            Pattern::OneOrMore(child) => self.one_or_more(child),
        }
    }

    fn required(&mut self, children: &[Pattern]) -> Result<bool, TooManySteps> {
        let mark = self.taken.len();
        for child in children {
            if !self.matches(child)? {
                self.undo(mark);
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The choice that takes most wins; among equals the first.
    fn either(&mut self, choices: &[Pattern]) -> Result<bool, TooManySteps> {
        let mark = self.taken.len();
        let mut best: Option<Vec<Taken>> = None;
        for choice in choices {
            if self.matches(choice)? {
                let taken = self.undo(mark);
                if best.as_ref().is_none_or(|best| taken.len() > best.len()) {
                    best = Some(taken);
                }
            }
        }
        let Some(best) = best else { return Ok(false) };
        best.into_iter().for_each(|taken| self.push(taken));
        Ok(true)
    }

    fn one_or_more(&mut self, child: &Pattern) -> Result<bool, TooManySteps> {
        let before = (self.taken.len(), self.changes);
        if !self.matches(child)? {
            return Ok(false);
        }
        if before == (self.taken.len(), self.changes) {
            // Trying again would do the same, and with nested repetitions double the work at each level.
            return Ok(true);
        }
        self.optionally(|matcher| {
            loop {
                let taken = matcher.taken.len();
                if !matcher.matches(child)? || matcher.taken.len() == taken {
                    return Ok(true);
                }
            }
        })
    }

    /// Runs a part of the match whose failures are no reason for a mismatch.
    fn optionally(
        &mut self,
        part: impl FnOnce(&mut Self) -> Result<bool, TooManySteps>,
    ) -> Result<bool, TooManySteps> {
        self.optional += 1;
        let matched = part(self)?;
        self.optional -= 1;
        Ok(matched)
    }

    fn leaf(&mut self, leaf: LeafId) -> bool {
        if self.take(leaf) {
            return true;
        }
        if self.optional == 0 && self.taken.len() >= self.furthest {
            if self.taken.len() > self.furthest {
                self.furthest = self.taken.len();
                self.expected.clear();
            }
            if self.expected.len() < MAX_EXPECTED && !self.expected.contains(&leaf) {
                self.expected.push(leaf);
            }
        }
        false
    }

    /// Takes the next thing from the leaf's queue, if it fits.
    fn take(&mut self, leaf: LeafId) -> bool {
        let Slot { name, queue, counts, lists } = self.slots[leaf];
        let Some(queue) = queue else { return false };
        let Some(&place) = self.queues[queue].get(self.heads[queue]) else { return false };
        let cell = match &self.usage.leaves[leaf] {
            Leaf::Option(_) => None,
            Leaf::Argument(_) => Some(Cell::Text(place)),
            Leaf::Command(command) if self.is_word(place, command) => Some(Cell::Bool(true)),
            Leaf::Command(_) => return false,
        };
        let first = self.by_name[name].first().copied();
        let collected = match first {
            Some(first) if counts => {
                self.count(first);
                None
            }
            Some(first) if lists => {
                self.append(first, place, cell.as_ref());
                None
            }
            _ => {
                let id = cell.map_or(place, |cell| self.add_cell(cell));
                if counts {
                    self.change(id, Cell::Count(1));
                } else if lists && let Cell::Text(text) = self.cells[id] {
                    self.change(id, Cell::List(vec![text]));
                }
                Some((name, id))
            }
        };
        self.push(Taken { queue, collected });
        true
    }

    fn is_word(&self, place: usize, word: &str) -> bool {
        matches!(&self.given[place], Given::Argument(text) if text == word)
    }

    fn add_cell(&mut self, cell: Cell) -> CellId {
        self.cells.push(cell);
        self.cells.len() - 1
    }

    fn count(&mut self, id: CellId) {
        match self.cells[id] {
            Cell::Bool(given) => self.change(id, Cell::Count(u64::from(given) + 1)),
            Cell::Count(times) => self.change(id, Cell::Count(times + 1)),
            Cell::Text(_) | Cell::List(_) => {}
        }
    }

    /// Appends what stands at `place` to a list, unless an abandoned alternative has made a list of it
    /// already.
    fn append(&mut self, id: CellId, place: usize, cell: Option<&Cell>) {
        let Cell::Text(text) = *cell.unwrap_or(&self.cells[place]) else { return };
        if let Cell::List(list) = &mut self.cells[id] {
            list.push(text);
            self.changes += 1;
        }
    }

    fn change(&mut self, id: CellId, value: Cell) {
        if self.cells[id] != value {
            self.cells[id] = value;
            self.changes += 1;
        }
    }

    fn push(&mut self, taken: Taken) {
        self.heads[taken.queue] += 1;
        if let Some((name, cell)) = taken.collected {
            self.by_name[name].push(cell);
        }
        self.taken.push(taken);
    }

    /// Gives back what was taken since `mark`.
    fn undo(&mut self, mark: usize) -> Vec<Taken> {
        let undone = self.taken.split_off(mark);
        for taken in undone.iter().rev() {
            self.heads[taken.queue] -= 1;
            if let Some((name, _)) = taken.collected {
                self.by_name[name].pop();
            }
        }
        undone
    }

    fn outcome(self, matched: bool) -> Outcome {
        let mut left: Vec<usize> =
            self.queues.iter().zip(&self.heads).flat_map(|(queue, &head)| &queue[head..]).copied().collect();
        left.sort_unstable();
        let collected = self.taken.iter().filter_map(|taken| taken.collected);
        Outcome {
            matched,
            left: left.into_iter().map(|place| self.given_now(place)).collect(),
            collected: collected
                .map(|(name, cell)| (self.names[name].to_owned(), self.value(cell)))
                .collect(),
            expected: self.expected,
        }
    }

    /// What was given at a place, with the value that it has now.
    fn given_now(&self, place: usize) -> Given {
        match &self.given[place] {
            Given::Option { short, long, .. } => {
                Given::Option { short: short.clone(), long: long.clone(), value: self.value(place) }
            }
            argument @ Given::Argument(_) => argument.clone(),
        }
    }

    fn value(&self, id: CellId) -> RawValue {
        match &self.cells[id] {
            Cell::Bool(value) => RawValue::Bool(*value),
            Cell::Count(times) => RawValue::Count(*times),
            Cell::Text(place) => RawValue::Text(self.text(*place)),
            Cell::List(places) => RawValue::List(places.iter().map(|place| self.text(*place)).collect()),
        }
    }

    fn text(&self, place: usize) -> String {
        match &self.given[place] {
            Given::Argument(text) | Given::Option { value: RawValue::Text(text), .. } => text.clone(),
            Given::Option { .. } => String::new(),
        }
    }
}

/// A value that may still change. Texts are places in the command line.
#[derive(Debug, Clone, PartialEq)]
enum Cell {
    Bool(bool),
    Count(u64),
    Text(usize),
    List(Vec<usize>),
}

fn cell_of((place, given): (usize, &Given)) -> Cell {
    match given {
        Given::Option { value: RawValue::Bool(value), .. } => Cell::Bool(*value),
        _ => Cell::Text(place),
    }
}
