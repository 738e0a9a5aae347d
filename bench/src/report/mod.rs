//! What was measured, as a table to read and as JSON to compare.

mod page;
mod quantity;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Serialize;

use crate::database::Engine;
use crate::place::Fsync;
use crate::timing::Spread;

pub(crate) use page::insert;
pub(crate) use quantity::{Quantity, Unit, shown_time};

/// One line of the table.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Figure {
    pub(crate) case: String,
    pub(crate) what: String,
    pub(crate) engine: Engine,
    pub(crate) place: String,
    /// What the disk did just before, in seconds.
    pub(crate) fsync: Fsync,
    pub(crate) raw: Option<Quantity>,
    pub(crate) library: Option<Quantity>,
    pub(crate) ratio: Option<Spread>,
    pub(crate) goal: Option<Goal>,
    pub(crate) note: Option<String>,
}

/// What a figure should be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Goal {
    RatioAtLeast(f64),
    RatioAtMost(f64),
    LibraryBelow(Quantity),
    LibraryAtLeast(Quantity),
}

/// All that is known of a run of the benchmarks.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) date: String,
    pub(crate) machine: String,
    pub(crate) servers: Vec<String>,
    pub(crate) quick: bool,
    pub(crate) figures: Vec<Figure>,
    /// Cases that failed, with the reason.
    pub(crate) failures: Vec<String>,
}

impl Figure {
    pub(crate) fn raw(mut self, value: f64, unit: Unit) -> Self {
        self.raw = Some(Quantity { value, unit });
        self
    }

    pub(crate) fn library(mut self, value: f64, unit: Unit) -> Self {
        self.library = Some(Quantity { value, unit });
        self
    }

    pub(crate) fn ratio(mut self, ratio: Spread) -> Self {
        self.ratio = Some(ratio);
        self
    }

    pub(crate) fn goal(mut self, goal: impl Into<Option<Goal>>) -> Self {
        self.goal = goal.into();
        self
    }

    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }

    /// Whether the goal is reached; `None` if there is none, or if the figure has no such number.
    pub(crate) fn is_reached(&self) -> Option<bool> {
        match self.goal? {
            Goal::RatioAtLeast(least) => Some(self.ratio?.median >= least),
            Goal::RatioAtMost(most) => Some(self.ratio?.median <= most),
            Goal::LibraryBelow(limit) => Some(self.library?.value < limit.value),
            Goal::LibraryAtLeast(least) => Some(self.library?.value >= least.value),
        }
    }

    /// The cells of the table.
    fn cells(&self) -> [String; 8] {
        let shown = |quantity: Option<Quantity>| quantity.map_or_else(String::new, |it| it.to_string());
        let ratio = |it: Spread| format!("{:.2} ({:.2} … {:.2})", it.median, it.low, it.high);
        let what = match &self.note {
            Some(note) => format!("{} ({note})", self.what),
            None => self.what.clone(),
        };
        [
            what,
            self.engine.name().to_owned(),
            format!("{}, {}", self.place, shown_time(self.fsync.median)),
            shown(self.raw),
            shown(self.library),
            self.ratio.map_or_else(String::new, ratio),
            self.goal.map_or_else(String::new, Goal::shown),
            self.is_reached().map_or("", |is_reached| if is_reached { "yes" } else { "**no**" }).to_owned(),
        ]
    }

    /// The same on one line, for the terminal.
    pub(crate) fn line(&self) -> String {
        let [what, _, _, raw, library, ratio, goal, reached] = self.cells();
        let part = |name: &str, text: String| {
            if text.is_empty() { String::new() } else { format!("  {name} {text}") }
        };
        let parts = [
            part("raw", raw),
            part("SQLTrack", library),
            part("ratio", ratio),
            part("goal", goal),
            part("reached:", reached.replace('*', "")),
        ];
        format!("    {what}:{}", parts.concat())
    }
}

impl Goal {
    fn shown(self) -> String {
        match self {
            Self::RatioAtLeast(ratio) => format!("≥ {ratio}"),
            Self::RatioAtMost(ratio) => format!("≤ {ratio}"),
            Self::LibraryBelow(limit) => format!("< {limit}"),
            Self::LibraryAtLeast(least) => format!("≥ {least}"),
        }
    }
}

impl Report {
    /// What stands between the markers of the page.
    pub(crate) fn markdown(&self) -> String {
        let mut text = format!("Measured on {} on {}, {}", self.date, self.machine, self.servers.join(", "));
        text += if self.quick { ", with `--quick`: few and short rounds.\n\n" } else { ".\n\n" };
        text += "| what | engine | place, fsync | raw driver | SQLTrack | ratio (half of the rounds) | goal | reached |\n";
        text += "| --- | --- | --- | --- | --- | --- | --- | --- |\n";
        for figure in &self.figures {
            text += &format!("| {} |\n", figure.cells().join(" | "));
        }
        for failure in &self.failures {
            text += &format!("\nNot measured: {}\n", failure.replace('\n', " "));
        }
        text
    }

    /// Writes `figures.json` and `figures.md` into `folder`.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        fs::write(folder.join("figures.json"), serde_json::to_string_pretty(self)? + "\n")?;
        Ok(fs::write(folder.join("figures.md"), self.markdown())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure() -> Figure {
        Figure {
            case: "awaited".to_owned(),
            what: "awaited row".to_owned(),
            engine: Engine::Sqlite,
            place: "disk".to_owned(),
            fsync: Fsync { median: 0.0003, worst: 0.002 },
            raw: None,
            library: None,
            ratio: None,
            goal: None,
            note: None,
        }
    }

    fn spread(median: f64) -> Spread {
        Spread { low: median - 0.25, median, high: median + 0.25 }
    }

    #[test]
    fn a_goal_is_reached_by_the_number_that_it_is_about() {
        let reached = |goal, ratio| figure().ratio(spread(ratio)).goal(goal).is_reached();
        assert_eq!(reached(Goal::RatioAtLeast(0.5), 0.5), Some(true));
        assert_eq!(reached(Goal::RatioAtLeast(0.5), 0.25), Some(false));
        assert_eq!(reached(Goal::RatioAtMost(2.0), 3.0), Some(false));
        let below = Goal::LibraryBelow(Quantity { value: 1e-6, unit: Unit::Seconds });
        assert_eq!(figure().library(5e-7, Unit::Seconds).goal(below).is_reached(), Some(true));
        assert_eq!(figure().goal(below).is_reached(), None);
        assert_eq!(figure().is_reached(), None);
    }

    #[test]
    fn the_table_has_a_line_for_each_figure() {
        let full = figure()
            .raw(6_700.0, Unit::RowsPerSecond)
            .library(2_000.0, Unit::RowsPerSecond)
            .ratio(spread(0.75))
            .goal(Goal::RatioAtLeast(0.8))
            .note("a note");
        let report = Report {
            date: "2026-11-26".to_owned(),
            machine: "2 cores".to_owned(),
            servers: vec!["SQLite 3".to_owned()],
            quick: false,
            figures: vec![full, figure()],
            failures: vec!["start: no\nway".to_owned()],
        };
        let lines: Vec<_> = report.markdown().lines().skip(4).map(str::to_owned).collect();
        assert_eq!(
            lines,
            [
                "| awaited row (a note) | SQLite | disk, 300 µs | 6.70 k rows/s | 2.00 k rows/s | 0.75 (0.50 … 1.00) | ≥ 0.8 | **no** |",
                "| awaited row | SQLite | disk, 300 µs |  |  |  |  |  |",
                "",
                "Not measured: start: no way",
            ]
        );
    }

    #[test]
    fn the_report_is_written_for_people_and_for_programs() {
        let folder = tempfile::tempdir().unwrap();
        let report = Report {
            date: "2026-11-26".to_owned(),
            machine: "2 cores".to_owned(),
            servers: Vec::new(),
            quick: true,
            figures: vec![figure().ratio(spread(1.0))],
            failures: Vec::new(),
        };
        report.write(&folder.path().join("new")).unwrap();
        let json = fs::read_to_string(folder.path().join("new/figures.json")).unwrap();
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["figures"][0]["ratio"]["median"], 1.0);
        assert_eq!(json["figures"][0]["engine"], "sqlite");
        assert!(fs::read_to_string(folder.path().join("new/figures.md")).unwrap().contains("--quick"));
    }
}
