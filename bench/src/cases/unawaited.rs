//! Rows that are recorded without waiting for them, until all are committed.

use anyhow::Result;

use super::recorded::{Given, LibraryRecords, RawBatches};
use super::{LIBRARY, RAW, Setting};
use crate::report::{Figure, Goal, Unit};
use crate::timing::Duel;

const WIDTH: usize = 5;
const BY_PAIRS: &str = "the library, given names with each row";

pub(super) async fn measure(setting: &Setting) -> Result<Vec<Figure>> {
    let database = setting.database(WIDTH).await?;
    // A tenth of a second on either engine, so that the wait for the last batch does not count for much.
    let rows = setting.engine.choose(20_000, 60_000);
    let library = async || LibraryRecords::new(database.client().await?, WIDTH, rows).await;
    let outcome = Duel::default()
        .side(RAW, RawBatches::new(database.raw(WIDTH).await?, WIDTH, rows))
        .side(LIBRARY, library().await?)
        .side(BY_PAIRS, library().await?.given(Given::Pairs))
        .fight(setting.scale.rounds(30))
        .await?;
    database.remove().await?;
    let goal = Goal::RatioAtLeast(setting.engine.choose(0.8, 0.5));
    let batches = setting.engine.choose("the driver by UNNEST of 1,000", "the driver by 1,000 VALUES");
    let figure = |what: &str, side| {
        Ok::<_, anyhow::Error>(
            setting
                .figure(format!("unawaited rows of {WIDTH} metrics by `{what}`"))
                .raw(1.0 / outcome.seconds(RAW)?, Unit::RowsPerSecond)
                .library(1.0 / outcome.seconds(side)?, Unit::RowsPerSecond)
                .ratio(outcome.speed(side, RAW)?)
                .goal(goal)
                .note(batches),
        )
    };
    Ok(vec![figure("record_values", LIBRARY)?, figure("record_metrics", BY_PAIRS)?])
}
