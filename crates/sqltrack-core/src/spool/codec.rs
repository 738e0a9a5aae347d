//! The records of a segment: what is in them, byte for byte. All numbers are little endian.
//!
//! A record begins with a byte for its kind, a byte of flags, and a number: of the entry, or of a set of names. A set of
//! names is defined once in each segment, so that a call's metrics are little more than their values.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use sqltrack_engines::{ExperimentId, Moment, OfflineRunId, RunId};
use time::OffsetDateTime;

use super::entry::{Entry, EntryRef, Item, NewRun, RunUpdate, SpooledRun};
use super::value::{self, Cursor, Malformed, put_bytes, put_time};
use super::{SpoolError, changes};

const NAMES: u8 = 1;
const METRICS: u8 = 2;
const NEW_RUN: u8 = 3;
const UPDATE: u8 = 4;

const OFFLINE: u8 = 1;
const LEASE: u8 = 2;
const UPDATED: u8 = 4;

/// Of an update: the writer tracks the run from now on, or not any more.
const BEGINS: u8 = 2;
const ENDS: u8 = 4;

/// The length of what every record begins with.
pub(super) const MIN_RECORD: usize = 10;

/// The names of a call's metrics.
pub(super) type Names = Arc<[Arc<str>]>;

/// The names that a segment has defined so far.
pub(super) type NameSets = HashMap<u32, Names>;

/// What a record says.
#[derive(Debug, PartialEq)]
pub(super) enum Record {
    /// A set of names, and its number.
    Names(u32, Names),
    /// An entry, and its number.
    Item(i64, Item),
}

/// Whether a record may begin so, to find one among bytes that are none.
pub(super) fn is_plausible(kind: u8, flags: u8) -> bool {
    match kind {
        METRICS | UPDATE => flags <= OFFLINE | LEASE | UPDATED,
        NAMES | NEW_RUN => flags == 0,
        _ => false,
    }
}

fn begin(out: &mut Vec<u8>, kind: u8, flags: u8, number: i64) {
    out.extend_from_slice(&[kind, flags]);
    out.extend_from_slice(&number.to_le_bytes());
}

pub(super) fn put_names(out: &mut Vec<u8>, number: u32, names: &[Arc<str>]) -> Result<(), SpoolError> {
    begin(out, NAMES, 0, i64::from(number));
    let count = u32::try_from(names.len()).map_err(|_| unspoolable("so many metrics".to_owned()))?;
    out.extend_from_slice(&count.to_le_bytes());
    names.iter().try_for_each(|name| put_bytes(out, name.as_bytes())).map_err(unspoolable)
}

pub(super) fn put_metrics(
    out: &mut Vec<u8>,
    seq: i64,
    names: u32,
    entry: EntryRef<'_>,
) -> Result<(), SpoolError> {
    if entry.names.len() != entry.values.len() {
        return Err(unspoolable("metrics with as many values as names only".to_owned()));
    }
    let mut flags = run_flag(entry.run);
    flags |= if entry.lease.is_some() { LEASE } else { 0 };
    flags |= if entry.updated.is_some() { UPDATED } else { 0 };
    begin(out, METRICS, flags, seq);
    out.extend_from_slice(&names.to_le_bytes());
    put_run(out, entry.run);
    if let Some(lease) = entry.lease {
        out.extend_from_slice(&lease.to_le_bytes());
    }
    out.extend_from_slice(&entry.step.to_le_bytes());
    out.extend_from_slice(&entry.progress.to_le_bytes());
    if let Some(moment) = entry.updated {
        let time = match moment {
            Moment::Now => OffsetDateTime::now_utc(),
            Moment::At(time) => time,
        };
        put_time(out, time).map_err(unspoolable)?;
    }
    let mut named = entry.names.iter().zip(entry.values);
    named.try_for_each(|(name, value)| {
        value::put(out, value).map_err(|what| unspoolable(format!("metric `{name}`: {what}")))
    })
}

pub(super) fn put_new_run(out: &mut Vec<u8>, seq: i64, new: &NewRun) -> Result<(), SpoolError> {
    begin(out, NEW_RUN, 0, seq);
    out.extend_from_slice(&new.id.0.to_le_bytes());
    let json = json!({
        "experiment": new.experiment,
        "experiment_name": new.experiment_name,
        "run": new.run,
        "is_taken": new.is_taken,
        "changes": changes::to_json(&new.changes, OffsetDateTime::now_utc()).map_err(unspoolable)?,
    });
    put_json(out, json)
}

pub(super) fn put_update(out: &mut Vec<u8>, seq: i64, update: &RunUpdate) -> Result<(), SpoolError> {
    let life = update.lives.map_or(0, |lives| if lives { BEGINS } else { ENDS });
    begin(out, UPDATE, run_flag(update.run) | life, seq);
    put_run(out, update.run);
    put_json(out, changes::to_json(&update.changes, OffsetDateTime::now_utc()).map_err(unspoolable)?)
}

/// As a value, so that what is nested too deep is refused.
fn put_json(out: &mut Vec<u8>, json: Json) -> Result<(), SpoolError> {
    value::put(out, &sqltrack_engines::Value::Json(json)).map_err(unspoolable)
}

fn run_flag(run: SpooledRun) -> u8 {
    if matches!(run, SpooledRun::Offline(_)) { OFFLINE } else { 0 }
}

fn put_run(out: &mut Vec<u8>, run: SpooledRun) {
    match run {
        SpooledRun::Run(RunId(id)) => out.extend_from_slice(&id.to_le_bytes()),
        SpooledRun::Offline(OfflineRunId(id)) => out.extend_from_slice(&id.to_le_bytes()),
    }
}

fn unspoolable(what: String) -> SpoolError {
    SpoolError::Unspoolable(what)
}

/// Reads a record, given the names that the segment has defined before it.
pub(super) fn read(record: &[u8], sets: &NameSets) -> Result<Record, Malformed> {
    let mut cursor = Cursor(record);
    let [kind, flags] = cursor.array()?;
    let number = cursor.i64()?;
    let read = match kind {
        NAMES => Record::Names(u32::try_from(number).map_err(|_| Malformed)?, names(&mut cursor)?),
        METRICS => Record::Item(number, Item::Metrics(metrics(&mut cursor, flags, sets)?)),
        NEW_RUN => Record::Item(number, Item::NewRun(Box::new(new_run(&mut cursor)?))),
        UPDATE => {
            let run = run(&mut cursor, flags)?;
            let changes = changes::from_json(&json(&mut cursor)?).ok_or(Malformed)?;
            let lives = [(BEGINS, true), (ENDS, false)].into_iter().find(|(flag, _)| flags & flag != 0);
            let lives = lives.map(|(_, lives)| lives);
            Record::Item(number, Item::Update(Box::new(RunUpdate { run, changes, lives })))
        }
        _ => return Err(Malformed),
    };
    if cursor.0.is_empty() { Ok(read) } else { Err(Malformed) }
}

fn names(cursor: &mut Cursor<'_>) -> Result<Names, Malformed> {
    let count = cursor.u32()?;
    (0..count).map(|_| cursor.text().map(Arc::from)).collect::<Result<Vec<_>, _>>().map(Names::from)
}

fn metrics(cursor: &mut Cursor<'_>, flags: u8, sets: &NameSets) -> Result<Entry, Malformed> {
    let number = cursor.u32()?;
    let names = sets.get(&number).ok_or(Malformed)?.clone();
    let run = run(cursor, flags)?;
    let lease = if flags & LEASE == 0 { None } else { Some(cursor.i64()?) };
    let (step, progress) = (cursor.i64()?, cursor.f64()?);
    let updated = if flags & UPDATED == 0 { None } else { Some(Moment::At(cursor.time()?)) };
    let values = names.iter().map(|_| value::take(cursor)).collect::<Result<Vec<_>, _>>()?;
    Ok(Entry { run, lease, step, progress, updated, names, values })
}

fn run(cursor: &mut Cursor<'_>, flags: u8) -> Result<SpooledRun, Malformed> {
    Ok(match flags & OFFLINE {
        0 => SpooledRun::Run(RunId(cursor.i64()?)),
        _ => SpooledRun::Offline(OfflineRunId(u128::from_le_bytes(cursor.array()?))),
    })
}

fn new_run(cursor: &mut Cursor<'_>) -> Result<NewRun, Malformed> {
    let id = OfflineRunId(u128::from_le_bytes(cursor.array()?));
    let json = json(cursor)?;
    let changes = changes::from_json(json.get("changes").ok_or(Malformed)?).ok_or(Malformed)?;
    Ok(NewRun {
        id,
        experiment: json["experiment"].as_i64().map(ExperimentId),
        experiment_name: json["experiment_name"].as_str().map(str::to_owned),
        run: json["run"].as_i64().map(RunId),
        is_taken: json["is_taken"].as_bool().unwrap_or_default(),
        changes,
    })
}

fn json(cursor: &mut Cursor<'_>) -> Result<Json, Malformed> {
    match value::take(cursor)? {
        sqltrack_engines::Value::Json(json) => Ok(json),
        _ => Err(Malformed),
    }
}
