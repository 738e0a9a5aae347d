//! Writing entries to the database, in an open transaction.

use std::collections::{HashMap, HashSet};

use sqltrack_engines::{EngineError, OfflineRunId, RunChanges, RunId};

use super::deliver::Batch;
use crate::spool::{Item, NewRun, SpooledRun};
use crate::writer::{Call, Together};
use crate::{Client, Error, Experiment, ExperimentKey, offline};

/// What came of the entries.
#[derive(Debug, Default)]
pub(super) struct Applied {
    /// How many of them, from the first one on, are dealt with. The next one is about a run that another writer may bring.
    pub(super) taken: usize,
    /// The numbers of those that were refused for good, with the reason.
    pub(super) refused: Vec<(i64, String)>,
    /// The runs that were created.
    pub(super) created: Vec<RunId>,
}

/// Writes the entries of a batch in the transaction `tx`, in order: all of them, but for those that are refused for good,
/// until one is about a run that another writer may bring. The runs whose beginnings were refused before, `lost`, are
/// brought by nobody.
///
/// # Errors
///
/// Whatever is no fault of an entry. The transaction must not be committed then.
pub(super) async fn apply(
    tx: &Client,
    batch: &Batch,
    lost: &HashSet<OfflineRunId>,
) -> Result<Applied, Error> {
    // Nearly always all are written, so that they need no savepoint each.
    let all = tx.begin().await?;
    let mut writing = Writing::new(lost);
    match writing.write_all(&all, batch).await {
        Ok(()) => {
            all.commit().await?;
            Ok(Applied { taken: batch.len(), refused: Vec::new(), created: writing.created })
        }
        Err(err) if is_refusal(&err) => {
            all.rollback().await?;
            one_by_one(tx, batch, lost).await
        }
        Err(err) => Err(err),
    }
}

async fn one_by_one(tx: &Client, batch: &Batch, lost: &HashSet<OfflineRunId>) -> Result<Applied, Error> {
    let mut writing = Writing::new(lost);
    let mut refused = Vec::new();
    let mut taken = 0;
    for entry in batch {
        let one = tx.begin().await?;
        match writing.write_all(&one, std::slice::from_ref(entry)).await {
            Ok(()) => one.commit().await?,
            Err(Error::OfflineRun { id }) if !writing.lost.contains(&id) => {
                one.rollback().await?;
                break;
            }
            Err(err) if is_refusal(&err) => {
                one.rollback().await?;
                if let Item::NewRun(new) = &entry.1 {
                    writing.lost.insert(new.id);
                }
                refused.push((entry.0, err.to_string()));
            }
            Err(err) => return Err(err),
        }
        taken += 1;
    }
    Ok(Applied { taken, refused, created: writing.created })
}

/// Whether an error is one of the entry, whatever else is written.
fn is_refusal(err: &Error) -> bool {
    match err {
        Error::Engine(err) => is_refused_by_database(err),
        Error::MetricName(_)
        | Error::MetricTwice { .. }
        | Error::MetricCase { .. }
        | Error::MetricValue { .. }
        | Error::ProgressNan
        | Error::BadText { .. }
        | Error::ExperimentConflict { .. }
        | Error::ExperimentNameConflict { .. }
        | Error::RunConflict { .. }
        | Error::OfflineRun { .. } => true,
        _ => false,
    }
}

fn is_refused_by_database(err: &EngineError) -> bool {
    match err {
        EngineError::NoSuchRun(_)
        | EngineError::NoSuchExperiment(_)
        | EngineError::NameTaken { .. }
        | EngineError::LeaseLost { .. }
        | EngineError::RowTooBig { .. }
        | EngineError::BadValue(_) => true,
        // Data exceptions, violated constraints, and what is too big.
        EngineError::Database { code: Some(code), .. } if code.len() == 5 => {
            ["22", "23", "54"].iter().any(|class| code.starts_with(class))
        }
        _ => false,
    }
}

/// What is known while entries are written.
#[derive(Debug, Default)]
struct Writing {
    runs: HashMap<OfflineRunId, RunId>,
    created: Vec<RunId>,
    /// Runs whose beginnings were refused.
    lost: HashSet<OfflineRunId>,
}

impl Writing {
    fn new(lost: &HashSet<OfflineRunId>) -> Self {
        Self { lost: lost.clone(), ..Self::default() }
    }

    /// Writes entries in the transaction `tx`, in order; metrics that follow each other together.
    async fn write_all(&mut self, tx: &Client, batch: &Batch) -> Result<(), Error> {
        let mut together = Together::default();
        for (_, item) in batch {
            match item {
                Item::Metrics(entry) => {
                    let run = self.run(tx, entry.run).await?;
                    let (call, values) = Call::of_entry(run, entry.clone())?;
                    call.check(&values, tx)?;
                    together.push(call, values);
                    continue;
                }
                Item::NewRun(new) => self.new_run(tx, new).await?,
                Item::Update(update) => {
                    // What changes in a run may be its lease.
                    write_metrics(tx, &mut together).await?;
                    let run = self.run(tx, update.run).await?;
                    let mut changes = update.changes.clone();
                    self.resolve_links(tx, &mut changes).await?;
                    change(tx, run, changes).await?;
                }
            }
        }
        write_metrics(tx, &mut together).await
    }

    /// The run of the database that an entry is about.
    async fn run(&mut self, tx: &Client, run: SpooledRun) -> Result<RunId, Error> {
        let id = match run {
            SpooledRun::Run(run) => return Ok(run),
            SpooledRun::Offline(id) => id,
        };
        if let Some(run) = self.runs.get(&id) {
            return Ok(*run);
        }
        let found = find(tx, id).await?.ok_or(Error::OfflineRun { id })?;
        self.runs.insert(id, found);
        Ok(found)
    }

    /// Gives the targets of links that were begun without a database the ids that they have now.
    async fn resolve_links(&mut self, tx: &Client, changes: &mut RunChanges) -> Result<(), Error> {
        for ((kind, to), is_added) in std::mem::take(&mut changes.links) {
            let to = self.run(tx, offline::spooled(RunId(to))).await?;
            changes.links.insert((kind, to.0), is_added);
        }
        Ok(())
    }

    async fn new_run(&mut self, tx: &Client, new: &NewRun) -> Result<(), Error> {
        // Another copy of the same spool may have brought it.
        if find(tx, new.id).await?.is_some() {
            return Ok(());
        }
        let known = match new.run {
            Some(run) => exists(tx, run).await?,
            None => false,
        };
        let run = match new.run {
            Some(run) if known && new.is_taken => tx.run(run),
            Some(run) => Experiment::open(tx, key_of(new)).await?.get_run(run).await?,
            None => Experiment::open(tx, key_of(new)).await?.new_run().await?,
        };
        let (id, run) = (new.id, run.id());
        let mut changes = new.changes.clone();
        if known {
            changes.created = None;
        }
        self.resolve_links(tx, &mut changes).await?;
        change(tx, run, changes).await?;
        tx.with_connection(move |conn| Box::pin(async move { Ok(conn.note_offline_run(id, run).await?) }))
            .await?;
        self.runs.insert(id, run);
        if !known {
            self.created.push(run);
        }
        Ok(())
    }
}

fn key_of(new: &NewRun) -> ExperimentKey {
    match (new.experiment, &new.experiment_name) {
        (Some(id), Some(name)) => (id, name.as_str()).into(),
        (Some(id), None) => id.into(),
        (None, name) => name.as_deref().unwrap_or_default().into(),
    }
}

async fn exists(tx: &Client, run: RunId) -> Result<bool, Error> {
    let found =
        tx.with_connection(move |conn| Box::pin(async move { Ok(conn.experiment_of_run(run).await?) }));
    Ok(found.await?.is_some())
}

async fn write_metrics(tx: &Client, together: &mut Together) -> Result<(), Error> {
    match tx.within() {
        Some(within) if !together.is_empty() => within.write(tx, std::mem::take(together)).await,
        _ => Ok(()),
    }
}

/// The run of the database that one which was begun without it has become.
pub(super) async fn find(tx: &Client, id: OfflineRunId) -> Result<Option<RunId>, Error> {
    tx.with_connection(move |conn| Box::pin(async move { Ok(conn.offline_run(id).await?) })).await
}

async fn change(tx: &Client, run: RunId, changes: RunChanges) -> Result<(), Error> {
    tx.with_connection(move |conn| Box::pin(async move { Ok(conn.update_run(run, &changes).await?) })).await
}
