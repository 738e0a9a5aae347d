//! Whether a row costs the same in a large table as in a small one.

use anyhow::Result;

use super::rows::{LibraryRows, RawRows};
use super::{SPAN, Setting};
use crate::database::{Database, EXPERIMENT};
use crate::raw::BATCH;
use crate::report::{Figure, Goal, Unit};
use crate::timing::Duel;

const WIDTH: usize = 5;
/// How many steps each run has that is there.
const STEPS: usize = 10_000;

/// A size of the table, and what its sides are called.
struct Size {
    rows: usize,
    shown: &'static str,
    raw: &'static str,
    library: &'static str,
}

const SMALL: Size = Size {
    rows: 100_000,
    shown: "10^5",
    raw: "the driver at 10^5 rows",
    library: "the library at 10^5 rows",
};
const MIDDLE: Size = Size {
    rows: 1_000_000,
    shown: "10^6",
    raw: "the driver at 10^6 rows",
    library: "the library at 10^6 rows",
};
const LARGE: Size = Size {
    rows: 10_000_000,
    shown: "10^7",
    raw: "the driver at 10^7 rows",
    library: "the library at 10^7 rows",
};

pub(super) async fn measure(setting: &Setting) -> Result<Vec<Figure>> {
    let sizes = setting.scale.choose(&[SMALL, MIDDLE, LARGE][..], &[SMALL][..]);
    let mut duel = Duel::default();
    let mut databases = Vec::new();
    for size in sizes {
        let database = setting.database(WIDTH).await?;
        fill(&database, size.rows).await?;
        duel = duel
            .side(size.raw, RawRows::new(database.raw(WIDTH).await?, WIDTH, SPAN))
            .side(size.library, LibraryRows::new(database.client().await?, WIDTH, SPAN).await?);
        databases.push(database);
    }
    let outcome = duel.fight(setting.scale.rounds(200)).await?;
    let mut figures = Vec::new();
    for Size { shown, raw, library, .. } in sizes {
        figures.push(
            setting
                .figure(format!("awaited row of 5 metrics in a table of {shown} rows"))
                .raw(1.0 / outcome.seconds(raw)?, Unit::RowsPerSecond)
                .library(1.0 / outcome.seconds(library)?, Unit::RowsPerSecond)
                .ratio(outcome.speed(library, raw)?),
        );
    }
    for Size { shown, raw, library, .. } in &sizes[1..] {
        let driver = outcome.cost(raw, SMALL.raw)?;
        figures.push(
            setting
                .figure(format!("cost of a row at {shown} rows to one at 10^5, both of the library"))
                .ratio(outcome.cost(library, SMALL.library)?)
                .goal(Goal::RatioAtMost(1.1))
                .note(format!("of the driver: {:.2}", driver.median)),
        );
    }
    for database in databases {
        database.remove().await?;
    }
    Ok(figures)
}

/// Fills the table with finished runs.
async fn fill(database: &Database, rows: usize) -> Result<()> {
    let mut raw = database.raw(WIDTH).await?;
    for _ in 0..rows / STEPS {
        let run = raw.new_run(EXPERIMENT).await?;
        for step in (0..STEPS).step_by(BATCH) {
            raw.batch(run, i64::try_from(step)?, &[0.5; WIDTH]).await?;
        }
    }
    raw.settle().await?;
    raw.close().await
}
