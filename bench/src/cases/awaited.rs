//! Single rows: awaited one after the other, as a training loop does it.

use anyhow::Result;

use super::rows::{LibraryRows, RawRows};
use super::{LIBRARY, RAW, SPAN, Setting};
use crate::report::{Figure, Goal, Unit};
use crate::timing::Duel;

/// The driver, which also writes when the run was updated, as the library does.
const TOUCHING: &str = "the driver alone, with the time of the update";
#[cfg(feature = "unawaited")]
const PREPARED: &str = "the library, with prepared names";

pub(super) async fn measure(setting: &Setting) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for width in [5, 100] {
        figures.extend(measure_width(setting, width).await?);
    }
    Ok(figures)
}

async fn measure_width(setting: &Setting, width: usize) -> Result<Vec<Figure>> {
    let database = setting.database(width).await?;
    let duel = Duel::default()
        .side(RAW, RawRows::new(database.raw(width).await?, width, SPAN))
        .side(TOUCHING, RawRows::new(database.raw(width).await?, width, SPAN).touching())
        .side(LIBRARY, LibraryRows::new(database.client().await?, width, SPAN).await?);
    #[cfg(feature = "unawaited")]
    let duel =
        duel.side(PREPARED, super::prepared::PreparedRows::new(database.client().await?, width, SPAN).await?);
    let outcome = duel.fight(setting.scale.rounds(200)).await?;
    let goal = Goal::RatioAtLeast(setting.engine.choose(0.95, 0.5));
    let figure = |what: &str, side, other| {
        Ok::<_, anyhow::Error>(
            setting
                .figure(format!("awaited row of {width} metrics{what}"))
                .raw(1.0 / outcome.seconds(other)?, Unit::RowsPerSecond)
                .library(1.0 / outcome.seconds(side)?, Unit::RowsPerSecond)
                .ratio(outcome.speed(side, other)?),
        )
    };
    let figures = vec![
        figure("", LIBRARY, RAW)?.goal(goal),
        #[cfg(feature = "unawaited")]
        figure(" by prepared names", PREPARED, RAW)?.goal(goal),
        figure(", the driver writing `time_updated` too", LIBRARY, TOUCHING)?,
    ];
    database.remove().await?;
    Ok(figures)
}
