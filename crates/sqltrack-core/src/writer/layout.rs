//! Which column each metric of a set of names goes to, worked out once for all calls that have these names.

use std::collections::HashMap;
use std::sync::Arc;

use sqltrack_engines::{ColumnKind, ColumnSet, Dialect, MetricColumn, MetricType};

use crate::metrics::NameSet;

/// How many sets of names are kept.
const KEPT: usize = 1_000;

/// The columns of `metrics` as they were last seen, and what follows from them.
#[derive(Debug)]
pub(super) struct Columns {
    columns: Vec<MetricColumn>,
    by_name: HashMap<String, usize>,
    /// The same in small letters, for SQLite, which takes names for the same that differ in the case of ASCII letters.
    by_folded: HashMap<String, usize>,
    layouts: HashMap<u64, Arc<Layout>>,
    dialect: Dialect,
    /// How many columns there may be.
    budget: usize,
}

/// Where the values of a set of names go.
#[derive(Debug)]
pub(super) struct Layout {
    /// The columns that values go to, in the order of the names.
    pub(super) columns: Arc<ColumnSet>,
    /// One for each name.
    pub(super) targets: Vec<Target>,
}

/// Where the value of a metric goes.
#[derive(Debug)]
pub(super) enum Target {
    /// To this column.
    Column(MetricColumn),
    /// To the overflow, as there are too many columns.
    Overflow,
    /// To a column that is to be made.
    Missing,
    /// Nowhere: a column has the name in other letters, which SQLite takes for the same.
    SameCase(String),
}

/// The type of the values that a column is given.
fn value_type(kind: ColumnKind) -> MetricType {
    match kind {
        ColumnKind::Metric(metric_type) => metric_type,
        ColumnKind::Int16 | ColumnKind::Int32 => MetricType::Int,
        ColumnKind::Float32 => MetricType::Float,
        _ => MetricType::Text,
    }
}

impl Columns {
    pub(super) fn new(dialect: Dialect, budget: usize) -> Self {
        Self {
            columns: Vec::new(),
            by_name: HashMap::new(),
            by_folded: HashMap::new(),
            layouts: HashMap::new(),
            dialect,
            budget,
        }
    }

    /// Takes note of the columns as they are.
    pub(super) fn set(&mut self, columns: Vec<MetricColumn>) {
        if columns != self.columns {
            let names = || columns.iter().enumerate().map(|(place, column)| (place, &column.name));
            self.by_name = names().map(|(place, name)| (name.clone(), place)).collect();
            if self.dialect == Dialect::Sqlite {
                self.by_folded = names().map(|(place, name)| (name.to_ascii_lowercase(), place)).collect();
            }
            self.columns = columns;
            self.layouts.clear();
        }
    }

    /// How many columns there are.
    pub(super) fn len(&self) -> usize {
        self.columns.len()
    }

    /// How many columns may still be made.
    pub(super) fn room(&self) -> usize {
        self.budget.saturating_sub(self.columns.len())
    }

    /// Notes that the database takes no further column.
    pub(super) fn close(&mut self) {
        self.budget = self.budget.min(self.columns.len());
        self.layouts.clear();
    }

    /// The layout of a set of names.
    pub(super) fn layout(&mut self, names: &NameSet) -> Arc<Layout> {
        if let Some(layout) = self.layouts.get(&names.id) {
            return layout.clone();
        }
        if self.layouts.len() >= KEPT {
            self.layouts.clear();
        }
        let targets: Vec<Target> = names.names.iter().map(|name| self.target(name)).collect();
        let columns = targets.iter().filter_map(|target| match target {
            Target::Column(column) => Some((column.name.clone(), value_type(column.kind))),
            _ => None,
        });
        let layout = Arc::new(Layout { columns: Arc::new(ColumnSet::new(columns.collect())), targets });
        self.layouts.insert(names.id, layout.clone());
        layout
    }

    fn target(&self, name: &str) -> Target {
        if let Some(place) = self.by_name.get(name) {
            return Target::Column(self.columns[*place].clone());
        }
        match self.by_folded.get(&name.to_ascii_lowercase()) {
            Some(place) => Target::SameCase(self.columns[*place].name.clone()),
            None if self.room() == 0 => Target::Overflow,
            None => Target::Missing,
        }
    }
}
