//! Calls as what the engines write: rows that name the same columns together, each key once.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use sqltrack_engines::{
    ColumnSet, Engine, Fit, MetricType, MetricsBatch, MetricsGroup, MetricsKey, OverflowValue, RunId,
    RunWrite, Value,
};

use super::calls::Call;
use super::layout::{Columns, Layout, Target};
use super::touches::Touches;
use crate::Error;
use crate::metrics::values as metric_values;

/// With more groups, looking for a key in all of them costs more than another batch.
const MAX_GROUPS: usize = 16;

/// A call to be written, with its values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item<'a> {
    pub(super) call: &'a Call,
    pub(super) values: &'a [Value],
    /// Whether all of its values go to the overflow, since together they are too big a row.
    pub(super) is_spilled: bool,
}

/// What calls come to.
#[derive(Debug, Default)]
pub(super) struct Built {
    /// What to write, one after the other in one transaction.
    pub(super) batches: Vec<MetricsBatch>,
    /// Columns to make first; then all is built anew.
    pub(super) missing: Vec<(String, MetricType)>,
    /// Integer columns that must become float columns first.
    pub(super) widen: Vec<String>,
    /// The calls that cannot be written, by their places among the items.
    pub(super) refused: Vec<(usize, Error)>,
    /// How many of the items, from the first one on, this is about: those behind hold their run by another lease.
    pub(super) taken: usize,
}

impl Built {
    /// Whether it can be written with the columns that there are.
    pub(super) fn is_settled(&self) -> bool {
        self.missing.is_empty() && self.widen.is_empty()
    }
}

/// A key by its bits: progress is no NaN, and zero has no sign.
type KeyBits = (i64, i64, u64);

fn bits(key: &MetricsKey) -> KeyBits {
    (key.run.0, key.step, key.progress.to_bits())
}

#[derive(Default)]
struct Stage {
    batch: MetricsBatch,
    /// The row of each key in each group. Made only once a key comes that may be there already: mostly, steps only grow.
    rows: Option<HashMap<(usize, KeyBits), usize>>,
    /// Whether any row has a value in the overflow.
    has_overflow: bool,
}

/// Where a row goes.
enum Place {
    New(usize),
    Over { group: usize, row: usize },
    NextStage,
}

/// What the calls do to their runs.
#[derive(Default)]
struct Runs {
    writes: Vec<RunWrite>,
    /// The largest step and progress of each.
    tops: Vec<(i64, f64)>,
    places: HashMap<RunId, usize>,
    /// The place of the last one.
    last: usize,
}

impl Runs {
    /// The place of a run.
    fn find(&mut self, run: RunId) -> Option<usize> {
        if self.writes.get(self.last).is_none_or(|write| write.run != run) {
            self.last = *self.places.get(&run)?;
        }
        Some(self.last)
    }

    /// Whether the run is held by another lease than this call's.
    fn is_held_otherwise(&mut self, call: &Call) -> bool {
        self.find(call.key.run).is_some_and(|place| self.writes[place].lease != call.lease)
    }

    /// Takes note of a call, and tells whether its key is surely none of those before.
    fn note(&mut self, call: &Call, touches: &Touches, now: Instant) -> bool {
        let at = (call.key.step, call.key.progress);
        let found = self.find(call.key.run);
        let place = found.unwrap_or_else(|| {
            self.last = self.writes.len();
            self.places.insert(call.key.run, self.last);
            self.writes.push(RunWrite { run: call.key.run, lease: call.lease, updated: None });
            self.tops.push(at);
            self.last
        });
        let write = &mut self.writes[place];
        write.updated = touches.due(call.key.run, write.updated, call.updated, now);
        let top = &mut self.tops[place];
        let is_new = found.is_none() || at > *top;
        if is_new {
            *top = at;
        }
        is_new
    }
}

pub(super) fn build<'a>(
    items: impl Iterator<Item = Item<'a>>,
    columns: &mut Columns,
    engine: &dyn Engine,
    touches: &Touches,
    may_add: bool,
) -> Built {
    let now = Instant::now();
    let mut built = Built::default();
    let mut stage = Stage::default();
    let mut runs = Runs::default();
    let mut values = Vec::new();
    let mut spilled = Vec::new();
    for (place, item) in items.enumerate() {
        let call = item.call;
        if runs.is_held_otherwise(call) {
            break;
        }
        built.taken = place + 1;
        values.clear();
        spilled.clear();
        let layout = columns.layout(&call.names);
        let mut row =
            RowBuilder { engine, values: &mut values, spilled: &mut spilled, may_add, room: columns.room() };
        let (missing, widen) = (built.missing.len(), built.widen.len());
        if let Err(err) = row.fill(&item, &layout, &mut built) {
            // Nothing is made for values that are refused.
            built.missing.truncate(missing);
            built.widen.truncate(widen);
            built.refused.push((place, err));
            continue;
        }
        let is_new = runs.note(call, touches, now);
        if layout.columns.is_empty() && spilled.is_empty() {
            continue;
        }
        let is_over = !spilled.is_empty();
        match stage.place(&call.key, &layout.columns, is_over, is_new) {
            Place::NextStage => {
                built.batches.push(std::mem::take(&mut stage).batch);
                let group = stage.group(&layout.columns);
                stage.add(group, &call.key, &mut values);
            }
            Place::New(group) => stage.add(group, &call.key, &mut values),
            Place::Over { group, row } => {
                let width = layout.columns.len();
                let old = &mut stage.batch.groups[group].values[row * width..][..width];
                old.iter_mut().zip(values.drain(..)).for_each(|(old, new)| *old = new);
            }
        }
        stage.has_overflow |= is_over;
        let of_key = |(name, value)| OverflowValue { key: call.key, name, value };
        stage.batch.overflow.extend(spilled.drain(..).map(of_key));
    }
    built.batches.push(stage.batch);
    runs.writes.sort_by_key(|run| run.run);
    spread_runs(&mut built.batches, runs.writes);
    built
}

/// Each batch names the runs of its rows; the last one names all, and writes down the times.
fn spread_runs(batches: &mut [MetricsBatch], runs: Vec<RunWrite>) {
    let Some((last, others)) = batches.split_last_mut() else { return };
    for batch in others {
        batch.runs = runs.iter().map(|run| RunWrite { updated: None, ..run.clone() }).collect();
    }
    last.runs = runs;
}

impl Stage {
    fn group(&mut self, columns: &Arc<ColumnSet>) -> usize {
        let groups = &mut self.batch.groups;
        if let Some(group) = groups.iter().position(|group| group.columns.id() == columns.id()) {
            return group;
        }
        groups.push(MetricsGroup { columns: columns.clone(), keys: Vec::new(), values: Vec::new() });
        groups.len() - 1
    }

    fn place(&mut self, key: &MetricsKey, columns: &Arc<ColumnSet>, is_over: bool, is_new: bool) -> Place {
        let own = self.batch.groups.iter().position(|group| group.columns.id() == columns.id());
        if own.is_none() && self.batch.groups.len() >= MAX_GROUPS {
            return Place::NextStage;
        }
        if is_new {
            return Place::New(self.group(columns));
        }
        let bits = bits(key);
        let mut over = None;
        let groups = &self.batch.groups;
        let rows = self.rows.get_or_insert_with(|| known_rows(groups));
        for (number, group) in groups.iter().enumerate() {
            let Some(row) = rows.get(&(number, bits)) else { continue };
            if is_over || self.has_overflow {
                return Place::NextStage;
            }
            if Some(number) == own {
                over = Some(*row);
            } else if have_common(&group.columns, columns) {
                return Place::NextStage;
            }
        }
        let group = self.group(columns);
        over.map_or(Place::New(group), |row| Place::Over { group, row })
    }

    fn add(&mut self, group: usize, key: &MetricsKey, values: &mut Vec<Value>) {
        let rows = &mut self.batch.groups[group];
        if let Some(known) = &mut self.rows {
            known.insert((group, bits(key)), rows.keys.len());
        }
        rows.keys.push(*key);
        rows.values.append(values);
    }
}

/// The row of each key in each group.
fn known_rows(groups: &[MetricsGroup]) -> HashMap<(usize, KeyBits), usize> {
    let keys = |(number, group): (usize, &MetricsGroup)| {
        let rows = group.keys.iter().enumerate();
        rows.map(|(row, key)| ((number, bits(key)), row)).collect::<Vec<_>>()
    };
    groups.iter().enumerate().flat_map(keys).collect()
}

fn have_common(one: &ColumnSet, other: &ColumnSet) -> bool {
    let names: std::collections::HashSet<&str> =
        one.columns().iter().map(|(name, _)| name.as_str()).collect();
    other.columns().iter().any(|(name, _)| names.contains(name.as_str()))
}

/// Makes one row.
struct RowBuilder<'a> {
    engine: &'a dyn Engine,
    values: &'a mut Vec<Value>,
    spilled: &'a mut Vec<(String, Value)>,
    may_add: bool,
    room: usize,
}

impl RowBuilder<'_> {
    fn fill(&mut self, item: &Item<'_>, layout: &Layout, built: &mut Built) -> Result<(), Error> {
        let names = &item.call.names.names;
        for ((name, target), value) in names.iter().zip(&layout.targets).zip(item.values) {
            match target {
                Target::Column(column) => match column.kind.fit(value) {
                    Fit::Exact(value) if !item.is_spilled && self.engine.holds(&value) => {
                        self.values.push(value)
                    }
                    Fit::Exact(value) => {
                        self.values.push(Value::Null);
                        self.spilled.push((name.to_string(), value));
                    }
                    Fit::Widen => {
                        self.values.push(Value::Null);
                        if built.widen.iter().all(|known| **known != **name) {
                            built.widen.push(name.to_string());
                        }
                    }
                    Fit::Refused => return Err(metric_values::refused(name, value, Some(column))),
                },
                Target::SameCase(existing) => {
                    return Err(Error::MetricCase { name: name.to_string(), existing: existing.clone() });
                }
                Target::Missing if self.may_add => self.want(name, value, built)?,
                Target::Overflow | Target::Missing => self.spilled.push((name.to_string(), value.clone())),
            }
        }
        Ok(())
    }

    /// Asks for a column, if there is room for it.
    fn want(&mut self, name: &str, value: &Value, built: &mut Built) -> Result<(), Error> {
        // The overflow may have a value to clear.
        let metric_type = value.metric_type();
        let is_known = built.missing.iter().any(|(known, _)| known == name);
        if let Some(metric_type) = metric_type
            && !is_known
            && built.missing.len() < self.room
        {
            let others = built.missing.iter().map(|(name, _)| name);
            metric_values::refuse_same_case(self.engine.dialect(), name, others)?;
            built.missing.push((name.to_owned(), metric_type));
        }
        self.spilled.push((name.to_owned(), value.clone()));
        Ok(())
    }
}
