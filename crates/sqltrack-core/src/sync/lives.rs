//! Runs whose tracker has died without a word, and without a database: only the spool knows of it.

use std::collections::HashMap;

use sqltrack_engines::{RunChanges, RunId};

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
            let tx = client.begin().await?;
            let sql = "SELECT 1 FROM runs WHERE id = $1 AND status = $2";
            let (running, failed) = (Status::Running, Status::NodeFail);
            let found: Option<i64> = tx.first_value(sql, (run, running.as_str())).await?;
            if found.is_some() {
                let status = Some(failed.as_str().to_owned());
                let changes = RunChanges { status, ..RunChanges::default() };
                super::apply::change(&tx, run, changes).await?;
                buried.push(run);
            }
            tx.commit().await?;
        }
        buried.sort();
        Ok(buried)
    }
}
