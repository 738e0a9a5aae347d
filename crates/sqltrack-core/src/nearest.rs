//! What a name or an id that does not exist may have meant.

use sqltrack_engines::{RunId, Value};

use crate::{Client, Error};

/// Of fewer digits, almost every id is one slip away from another.
const DIGITS: usize = 3;

/// The name that is most like `name`, unless none is like it at all.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let lower = name.to_lowercase();
    let likeness = |other: &str| strsim::jaro_winkler(&lower, &other.to_lowercase());
    let best = known.map(|other| (likeness(other), other)).max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(likeness, _)| *likeness > 0.7).map(|(_, other)| other.to_owned())
}

impl Client {
    /// The run that may have been meant by an id that does not exist: one whose id is a single slip away, that is a wrong digit, one
    /// too many or too few, or two that changed places. Of several, the newest one. `None` for ids of less than three digits.
    ///
    /// # Errors
    ///
    /// [`Error::Engine`] if the database fails.
    ///
    /// ```no_run
    /// # async fn example(client: sqltrack_core::Client) -> Result<(), sqltrack_core::Error> {
    /// if let Some(run) = client.nearest_run(52304).await? {
    ///     println!("did you mean {run}?");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn nearest_run(&self, id: impl Into<RunId>) -> Result<Option<RunId>, Error> {
        let candidates = slips(id.into());
        if candidates.is_empty() {
            return Ok(None);
        }
        let sql = format!("SELECT max(id) FROM runs WHERE {}", self.dialect().is_among("id", 1));
        let candidates = candidates.into_iter().map(Value::Int).collect();
        Ok(self.first_value::<Option<i64>>(&sql, vec![Value::List(candidates)]).await?.flatten().map(RunId))
    }
}

/// All ids that are one slip away.
fn slips(id: RunId) -> Vec<i64> {
    let text = id.0.to_string();
    if id.0 < 0 || text.len() < DIGITS {
        return Vec::new();
    }
    let mut slips = Vec::new();
    for place in 0..=text.len() {
        let (before, after) = text.split_at(place);
        for digit in '0'..='9' {
            slips.push(format!("{before}{digit}{after}"));
            if let Some(rest) = after.get(1..) {
                slips.push(format!("{before}{digit}{rest}"));
            }
        }
        if let Some(rest) = after.get(1..) {
            slips.push(format!("{before}{rest}"));
        }
        if let (Some(first), Some(second), Some(rest)) = (after.get(..1), after.get(1..2), after.get(2..)) {
            slips.push(format!("{before}{second}{first}{rest}"));
        }
    }
    // What is too long to be an id is none.
    let mut ids: Vec<i64> = slips.iter().filter_map(|text| text.parse().ok()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.retain(|other| *other != id.0);
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_changes_adds_leaves_out_or_swaps_digits() {
        let slips = slips(RunId(5234));
        for slip in [5235, 1234, 52_341, 15_234, 52_034, 534, 523, 234, 2534, 5324, 5243] {
            assert!(slips.contains(&slip), "{slip}");
        }
        for other in [5234, 5345, 34, 4325, 523_412] {
            assert!(!slips.contains(&other), "{other}");
        }
    }

    #[test]
    fn short_and_extreme_ids_have_few_or_none() {
        assert_eq!(slips(RunId(12)), [] as [i64; 0]);
        assert_eq!(slips(RunId(-523)), [] as [i64; 0]);
        assert!(slips(RunId(i64::MAX)).iter().all(|slip| *slip > 0));
    }
}
