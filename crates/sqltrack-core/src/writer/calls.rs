//! Calls that wait to be written, with their values and what they take of memory.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use sqltrack_engines::{MetricsKey, Moment, RunId, Value};
use tokio::sync::oneshot;

use crate::metrics::values::check_value;
use crate::metrics::{Ack, At, NameSet};
use crate::spool::Entry;
use crate::{Client, Error};

/// What a call takes besides its values, in bytes.
const CALL_BYTES: usize = 144;

/// One call, without its values: there are as many as names.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) names: Arc<NameSet>,
    pub(crate) key: MetricsKey,
    pub(crate) lease: Option<i64>,
    pub(crate) updated: Option<Moment>,
    /// Who waits for it, if anyone does.
    pub(crate) waiter: Option<Waiter>,
    /// Its number in the spool, if it is there.
    pub(crate) seq: Option<i64>,
}

/// Who waits for a call.
#[derive(Debug)]
pub(crate) struct Waiter {
    pub(crate) answer: oneshot::Sender<Result<Ack, Error>>,
    /// When it will not wait any longer.
    pub(crate) deadline: Instant,
}

impl Call {
    /// What a call was before it came into a spool, on its run in the database.
    ///
    /// # Errors
    ///
    /// [`Error::MetricName`], [`Error::MetricTwice`] and [`Error::ProgressNan`] for what was never a call of ours.
    pub(crate) fn of_entry(run: RunId, entry: Entry) -> Result<(Self, Vec<Value>), Error> {
        let At { step, progress } = At { step: entry.step, progress: entry.progress }.checked()?;
        let key = MetricsKey { run, step, progress };
        let names = NameSet::of(&entry.names)?;
        let call = Self { names, key, lease: entry.lease, updated: entry.updated, waiter: None, seq: None };
        Ok((call, entry.values))
    }

    /// Checks what can be checked of its values without a table, so that none is refused after a column was added for it.
    pub(crate) fn check(&self, values: &[Value], client: &Client) -> Result<(), Error> {
        let mut named = self.names.names.iter().zip(values);
        named.try_for_each(|(name, value)| check_value(name, value, &**client.engine()))
    }

    /// When whoever waits for it will not wait any longer.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.waiter.as_ref().map(|waiter| waiter.deadline)
    }

    /// Tells whoever waits for it what became of it.
    pub(super) fn answer(&mut self, result: Result<Ack, Error>) {
        if let Some(waiter) = self.waiter.take() {
            // Whoever is gone does not want to know.
            let _ = waiter.answer.send(result);
        }
    }
}

/// Calls in order, and their values one behind the other. It keeps its memory when it is emptied.
#[derive(Debug, Default)]
pub(super) struct Calls {
    calls: Vec<Call>,
    values: Vec<Value>,
    ends: Vec<End>,
}

/// Where a call ends: how many values there are up to it, and how many bytes all of that takes.
#[derive(Debug, Clone, Copy, Default)]
struct End {
    values: usize,
    bytes: usize,
}

impl Calls {
    /// Adds a call, with its values, which are taken out of `values`. Returns how many bytes it takes.
    pub(super) fn push(&mut self, call: Call, values: &mut Vec<Value>) -> usize {
        let bytes = CALL_BYTES + values.iter().map(size).sum::<usize>();
        let before = self.end(self.len());
        self.ends.push(End { values: before.values + values.len(), bytes: before.bytes + bytes });
        self.calls.push(call);
        self.values.append(values);
        bytes
    }

    /// One call alone.
    pub(super) fn one(call: Call, values: Vec<Value>) -> Self {
        let ends = vec![End { values: values.len(), bytes: 0 }];
        Self { calls: vec![call], values, ends }
    }

    /// The one call, and its values.
    pub(super) fn into_one(mut self) -> Option<(Call, Vec<Value>)> {
        self.calls.pop().map(|call| (call, self.values))
    }

    pub(super) fn len(&self) -> usize {
        self.calls.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, Call> {
        self.calls.iter()
    }

    pub(super) fn get(&self, place: usize) -> &Call {
        &self.calls[place]
    }

    pub(super) fn get_mut(&mut self, place: usize) -> &mut Call {
        &mut self.calls[place]
    }

    pub(super) fn slice(&self, places: Range<usize>) -> &[Call] {
        &self.calls[places]
    }

    /// The values of a call.
    pub(super) fn values(&self, place: usize) -> &[Value] {
        &self.values[self.end(place).values..self.ends[place].values]
    }

    /// How many values some of the calls have.
    pub(super) fn count_values(&self, places: Range<usize>) -> usize {
        self.end(places.end).values - self.end(places.start).values
    }

    /// How many bytes some of the calls take.
    pub(super) fn bytes_of(&self, places: Range<usize>) -> usize {
        self.end(places.end).bytes - self.end(places.start).bytes
    }

    /// How many bytes all calls take.
    pub(super) fn bytes(&self) -> usize {
        self.end(self.len()).bytes
    }

    /// The end of the calls before a place.
    fn end(&self, place: usize) -> End {
        place.checked_sub(1).map_or_else(End::default, |last| self.ends[last])
    }

    pub(super) fn clear(&mut self) {
        self.calls.clear();
        self.values.clear();
        self.ends.clear();
    }
}

/// What a value takes, in bytes.
fn size(value: &Value) -> usize {
    let held = match value {
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::Json(json) => json_size(json),
        _ => 0,
    };
    size_of::<Value>() + held
}

fn json_size(json: &serde_json::Value) -> usize {
    let held = match json {
        serde_json::Value::String(text) => text.len(),
        serde_json::Value::Array(items) => items.iter().map(json_size).sum(),
        serde_json::Value::Object(fields) => {
            fields.iter().map(|(name, json)| name.len() + json_size(json)).sum()
        }
        _ => 0,
    };
    size_of::<serde_json::Value>() + held
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(names: &[&str]) -> Call {
        let key = MetricsKey { run: RunId(1), step: 0, progress: 0.0 };
        let names = NameSet::of(names).unwrap();
        Call { names, key, lease: None, updated: None, waiter: None, seq: None }
    }

    #[test]
    fn each_call_has_its_own_values_and_bytes() {
        let mut calls = Calls::default();
        for round in 0..2 {
            let first = calls.push(call(&["a", "b"]), &mut vec![Value::Int(1), Value::from("xyz")]);
            let none = calls.push(call(&[]), &mut Vec::new());
            let last = calls.push(call(&["c"]), &mut vec![Value::Json(json!({"k": ["vwx"]}))]);
            assert_eq!(calls.values(0), [Value::Int(1), Value::from("xyz")], "{round}");
            assert_eq!(calls.values(1), [] as [Value; 0]);
            assert_eq!(calls.values(2), [Value::Json(json!({"k": ["vwx"]}))]);
            assert_eq!((calls.count_values(0..2), calls.count_values(1..3)), (2, 1));
            assert_eq!(
                (calls.bytes_of(0..1), calls.bytes_of(1..3), calls.bytes()),
                (first, none + last, first + none + last)
            );
            assert_eq!(first - none, 2 * size_of::<Value>() + 3);
            assert!(last - none > size_of::<Value>() + 3 * size_of::<serde_json::Value>());
            calls.clear();
            assert_eq!((calls.len(), calls.bytes()), (0, 0));
        }
    }
}
