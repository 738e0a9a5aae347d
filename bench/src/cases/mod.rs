//! What is measured, a file for each.

mod awaited;
mod awaiters;
mod caller;
mod growth;
mod looking;
mod memory;
mod prepared;
mod processes;
mod reading;
pub(crate) mod recorded;
pub(crate) mod rows;
mod start;
mod unawaited;

use std::time::Duration;

use anyhow::Result;
use clap::ValueEnum;

use crate::database::{Database, Engine};
use crate::place::{Fsync, Place};
use crate::report::Figure;

/// A case, named on the command line as it is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Case {
    /// Rows that are awaited one after the other, of 5 and of 100 metrics.
    Awaited,
    /// 64 tasks of one process that each await their rows.
    Awaiters,
    /// Rows that are recorded without waiting for them.
    Unawaited,
    /// What recording costs the caller.
    Caller,
    /// What the queue takes of memory.
    Memory,
    /// 8 processes, each with a run of its own.
    Processes,
    /// From the start of a process to its first committed metric.
    Start,
    /// The best values of many runs, and one curve of them.
    Reading,
    /// The best values of 10,000 runs, and their metrics as a file, by the program.
    Looking,
    /// The cost of a row in a small and in a large table.
    Growth,
}

/// How much is done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    pub(crate) is_quick: bool,
    /// The number of rounds that was asked for.
    pub(crate) rounds: Option<usize>,
}

/// Where and how a case is measured.
#[derive(Debug, Clone)]
pub(crate) struct Setting {
    pub(crate) case: Case,
    pub(crate) engine: Engine,
    pub(crate) place: Place,
    pub(crate) fsync: Fsync,
    pub(crate) scale: Scale,
}

/// How long a side writes rows in each round. A disk changes its pace within a second, so that many short turns tell
/// more than few long ones.
const SPAN: Duration = Duration::from_millis(20);

/// What the sides are called.
const RAW: &str = "the driver alone";
const LIBRARY: &str = "the library";

impl Case {
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    pub(crate) async fn measure(self, setting: &Setting) -> Result<Vec<Figure>> {
        match self {
            Self::Awaited => awaited::measure(setting).await,
            Self::Awaiters => awaiters::measure(setting).await,
            Self::Unawaited => unawaited::measure(setting).await,
            Self::Caller => caller::measure(setting).await,
            Self::Memory => memory::measure(setting).await,
            Self::Processes => processes::measure(setting).await,
            Self::Start => start::measure(setting).await,
            Self::Reading => reading::measure(setting).await,
            Self::Looking => looking::measure(setting).await,
            Self::Growth => growth::measure(setting).await,
        }
    }
}

impl Scale {
    /// How many rounds a comparison has.
    fn rounds(self, full: usize) -> usize {
        self.rounds.unwrap_or_else(|| self.choose(full, full.div_ceil(8)))
    }

    /// One of two amounts of work.
    fn choose<T>(self, full: T, quick: T) -> T {
        if self.is_quick { quick } else { full }
    }
}

impl Setting {
    async fn database(&self, width: usize) -> Result<Database> {
        Database::create(&self.place, self.engine, width).await
    }

    /// A line of the table with no numbers yet.
    fn figure(&self, what: impl Into<String>) -> Figure {
        Figure {
            case: self.case.name(),
            what: what.into(),
            engine: self.engine,
            place: self.place.name.clone(),
            fsync: self.fsync,
            raw: None,
            library: None,
            ratio: None,
            goal: None,
            note: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quick_run_has_an_eighth_of_the_rounds_unless_told_otherwise() {
        let scale = |is_quick, rounds| Scale { is_quick, rounds };
        assert_eq!(scale(false, None).rounds(40), 40);
        assert_eq!(scale(true, None).rounds(20), 3);
        assert_eq!(scale(true, Some(7)).rounds(40), 7);
    }
}
