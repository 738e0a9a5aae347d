//! Runs whose tracker has died without a word, and without a database: only the spool knows of it.

use std::collections::HashMap;

use sqltrack_engines::{Connection, RunChanges, RunId};

use super::deliver::Batch;
use super::verify;
use crate::spool::{Item, SpooledRun};
use crate::{Client, Error, Status};

/// The runs that a writer has tracked, and whether it still did when it ended.
#[derive(Debug, Default)]
pub(super) struct Lives(HashMap<SpooledRun, bool>);

impl Lives {
    /// Takes note of what entries say.
    pub(super) fn note(&mut self, batch: &Batch) {
        for (_, item) in batch {
            if let Item::Update(update) = item
                && let Some(lives) = update.lives
            {
                self.0.insert(update.run, lives);
            }
        }
    }

    /// Gives the runs up that nobody has ended, once their writer has. Returns which they are.
    pub(super) async fn bury(self, client: &Client) -> Result<Vec<RunId>, Error> {
        let mut buried = Vec::new();
        for run in self.0.into_iter().filter_map(|(run, lives)| lives.then_some(run)) {
            let Some(run) = verify::resolve(client, run).await? else { continue };
            if client.atomically(move |conn| Box::pin(give_up(conn, run))).await? {
                buried.push(run);
            }
        }
        buried.sort();
        Ok(buried)
    }
}

/// Writes down that a run is dead, unless it has ended or lives again: with a database, another tracker may have gone on.
async fn give_up(conn: &mut dyn Connection, run: RunId) -> Result<bool, Error> {
    let Some(life) = conn.run_life(run).await? else { return Ok(false) };
    let is_dead = life.status == Status::Running.as_str() && !life.is_live();
    if is_dead {
        let status = Some(Status::NodeFail.as_str().to_owned());
        conn.update_run(run, &RunChanges { status, ..RunChanges::default() }).await?;
    }
    Ok(is_dead)
}
