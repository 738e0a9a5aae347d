//! Single rows: awaited one after the other, as a training loop does it.

use anyhow::Result;

use super::prepared::PreparedRows;
use super::rows::{LibraryRows, RawRows};
use super::{LIBRARY, RAW, SPAN, Setting};
use crate::report::{Figure, Goal, Unit};
use crate::timing::Duel;

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
    let outcome = Duel::default()
        .side(RAW, RawRows::new(database.raw(width).await?, width, SPAN))
        .side(LIBRARY, LibraryRows::new(database.client().await?, width, SPAN).await?)
        .side(PREPARED, PreparedRows::new(database.client().await?, width, SPAN).await?)
        .fight(setting.scale.rounds(200))
        .await?;
    database.remove().await?;
    let figure = |what: &str, side| {
        Ok::<_, anyhow::Error>(
            setting
                .figure(format!("awaited row of {width} metrics{what}"))
                .raw(1.0 / outcome.seconds(RAW)?, Unit::RowsPerSecond)
                .library(1.0 / outcome.seconds(side)?, Unit::RowsPerSecond)
                .ratio(outcome.speed(side, RAW)?)
                .goal(Goal::RatioAtLeast(setting.engine.choose(0.95, 0.5))),
        )
    };
    Ok(vec![figure("", LIBRARY)?, figure(", names prepared", PREPARED)?])
}
