//! Looking into the database whether what was delivered is there.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use sqltrack_engines::{RunId, Value};

use super::Verified;
use super::apply::find;
use super::deliver::Batch;
use crate::spool::{Item, SpooledRun};
use crate::{Client, Error};

/// How many rows are looked for at once.
const AT_ONCE: usize = 100;

/// Counts the rows that a batch has come to, without the entries that were refused, and those of them that are there.
pub(super) async fn count(client: &Client, batch: &Batch, refused: &[i64]) -> Result<Verified, Error> {
    let mut keys = BTreeSet::new();
    let mut runs = HashMap::new();
    for (seq, item) in batch {
        let Item::Metrics(entry) = item else { continue };
        // A value that is none makes no row.
        if refused.contains(seq) || entry.values.iter().all(Value::is_null) {
            continue;
        }
        let run = match runs.entry(entry.run) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => *new.insert(resolve(client, entry.run).await?),
        };
        let Some(run) = run else { continue };
        keys.insert((run, entry.step, (entry.progress + 0.0).to_bits()));
    }
    let keys: Vec<_> = keys.into_iter().collect();
    let mut found = 0;
    for chunk in keys.chunks(AT_ONCE) {
        found += rows(client, chunk).await?;
    }
    Ok(Verified { expected: keys.len() as u64, found })
}

/// The run of the database that an entry is about.
pub(super) async fn resolve(client: &Client, run: SpooledRun) -> Result<Option<RunId>, Error> {
    match run {
        SpooledRun::Run(run) => Ok(Some(run)),
        SpooledRun::Offline(id) => find(client, id).await,
    }
}

async fn rows(client: &Client, keys: &[(RunId, i64, u64)]) -> Result<u64, Error> {
    let mut places = Vec::with_capacity(keys.len());
    let mut values = Vec::with_capacity(3 * keys.len());
    for (run, step, progress) in keys {
        let at = values.len();
        places.push(format!(
            "SELECT CAST(${} AS BIGINT) AS run_id, CAST(${} AS BIGINT) AS step, CAST(${} AS DOUBLE PRECISION) AS progress",
            at + 1,
            at + 2,
            at + 3
        ));
        values.extend([Value::from(*run), Value::Int(*step), Value::Float(f64::from_bits(*progress))]);
    }
    // A value beyond the columns may be all there is of a row.
    let exists = |table| {
        format!(
            "EXISTS (SELECT 1 FROM {table} AS t WHERE t.run_id = k.run_id AND t.step = k.step AND t.progress = k.progress)"
        )
    };
    let sql = format!(
        "SELECT count(*) AS found FROM ({}) AS k WHERE {} OR {}",
        places.join(" UNION ALL "),
        exists("metrics"),
        exists("metrics_overflow")
    );
    let found: i64 = client.first_value(&sql, values).await?.unwrap_or(0);
    Ok(found.unsigned_abs())
}
