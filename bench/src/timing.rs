//! Measuring things against each other: all of them in turn, many times over.
//!
//! A disk that others use too may take 25 times as long from one minute to the next. What is compared is therefore
//! done within the same second, and what is reported is the median of the ratios of each round, not the ratio of
//! two medians.

use std::time::Duration;

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use serde::Serialize;

/// How long some work took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turn {
    pub(crate) elapsed: Duration,
    /// How much was done: rows, calls, or 1.
    pub(crate) work: u64,
}

impl Turn {
    /// How long one piece of the work took, in seconds.
    fn seconds(self) -> f64 {
        self.elapsed.as_secs_f64() / as_f64(self.work)
    }
}

/// One way of doing some work.
#[async_trait]
pub(crate) trait Side: Send {
    /// Does the work once. What has to be prepared for it is not part of the time.
    async fn turn(&mut self) -> Result<Turn>;
}

/// Several ways of doing the same work, to be compared.
#[derive(Default)]
pub(crate) struct Duel {
    sides: Vec<(&'static str, Box<dyn Side>)>,
}

impl Duel {
    pub(crate) fn side(mut self, name: &'static str, side: impl Side + 'static) -> Self {
        self.sides.push((name, Box::new(side)));
        self
    }

    /// Gives every side a turn in each round. A round that is not counted comes first: it connects, prepares
    /// statements and fills caches.
    pub(crate) async fn fight(mut self, rounds: usize) -> Result<Outcome> {
        let mut turns = vec![Vec::with_capacity(rounds); self.sides.len()];
        for round in 0..=rounds {
            for at in order(self.sides.len(), round) {
                let (name, side) = &mut self.sides[at];
                let turn = side.turn().await.with_context(|| format!("{name} failed"))?;
                if round > 0 {
                    turns[at].push(turn);
                }
            }
        }
        let names = self.sides.into_iter().map(|(name, _)| name);
        Ok(Outcome { sides: names.zip(turns).collect() })
    }
}

/// The order of the sides in a round: forwards and backwards, so that none always profits from what another left.
fn order(sides: usize, round: usize) -> Vec<usize> {
    let forwards = 0..sides;
    if round.is_multiple_of(2) { forwards.collect() } else { forwards.rev().collect() }
}

/// What came of a duel.
#[derive(Debug)]
pub(crate) struct Outcome {
    sides: Vec<(&'static str, Vec<Turn>)>,
}

impl Outcome {
    /// The seconds that a side needs for one piece of work: the median of the rounds.
    pub(crate) fn seconds(&self, side: &str) -> Result<f64> {
        Ok(Spread::of(self.seconds_by_round(side)?)?.median)
    }

    /// How often `side` does the work while `other` does it once, in each round.
    pub(crate) fn speed(&self, side: &str, other: &str) -> Result<Spread> {
        self.ratio(other, side)
    }

    /// How many times as long `side` takes as `other`, in each round.
    pub(crate) fn cost(&self, side: &str, other: &str) -> Result<Spread> {
        self.ratio(side, other)
    }

    fn ratio(&self, side: &str, other: &str) -> Result<Spread> {
        let pairs = self.seconds_by_round(side)?.into_iter().zip(self.seconds_by_round(other)?);
        Spread::of(pairs.map(|(side, other)| side / other).collect())
    }

    fn seconds_by_round(&self, side: &str) -> Result<Vec<f64>> {
        let found = self.sides.iter().find(|(name, _)| *name == side);
        let (_, turns) = found.with_context(|| format!("there is no side `{side}`"))?;
        Ok(turns.iter().map(|turn| turn.seconds()).collect())
    }
}

/// The middle of many numbers, and between what half of them lie.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) low: f64,
    pub(crate) median: f64,
    pub(crate) high: f64,
}

impl Spread {
    pub(crate) fn of(mut numbers: Vec<f64>) -> Result<Self> {
        numbers.sort_by(f64::total_cmp);
        let at = |part| quantile(&numbers, part).context("nothing was measured");
        Ok(Self { low: at(0.25)?, median: at(0.5)?, high: at(0.75)? })
    }
}

/// The number below which `part` of the sorted `numbers` lie, between two of them if need be.
pub(crate) fn quantile(numbers: &[f64], part: f64) -> Option<f64> {
    let position = part * as_f64(numbers.len().checked_sub(1)? as u64);
    let (below, above) = (numbers[position.floor() as usize], numbers[position.ceil() as usize]);
    Some(below + (above - below) * position.fract())
}

/// Every count here is far below 2^53, so that it has its float.
pub(crate) fn as_f64(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes these times, one after the other.
    struct Times(std::vec::IntoIter<u64>);

    #[async_trait]
    impl Side for Times {
        async fn turn(&mut self) -> Result<Turn> {
            let millis = self.0.next().context("no more turns")?;
            Ok(Turn { elapsed: Duration::from_millis(millis), work: 10 })
        }
    }

    #[tokio::test]
    async fn ratios_are_those_of_each_round_and_the_first_does_not_count() {
        let duel = Duel::default()
            .side("slow", Times(vec![900, 20, 400, 60].into_iter()))
            .side("fast", Times(vec![1, 10, 100, 20].into_iter()));
        let outcome = duel.fight(3).await.unwrap();
        assert_eq!(outcome.speed("fast", "slow").unwrap(), Spread { low: 2.5, median: 3.0, high: 3.5 });
        assert_eq!(outcome.cost("slow", "fast").unwrap().median, 3.0);
        assert_eq!(outcome.seconds("slow").unwrap(), 0.006);
        assert!(outcome.seconds("absent").is_err());
    }

    #[tokio::test]
    async fn a_failure_says_whose_it_is() {
        let err = Duel::default().side("short", Times(vec![1].into_iter())).fight(1).await.unwrap_err();
        assert_eq!(format!("{err:#}"), "short failed: no more turns");
    }

    #[test]
    fn sides_take_turns_at_going_first() {
        assert_eq!(order(3, 0), [0, 1, 2]);
        assert_eq!(order(3, 1), [2, 1, 0]);
    }

    #[test]
    fn quantiles_lie_between_the_numbers() {
        assert_eq!(quantile(&[1.0, 2.0, 4.0], 0.5), Some(2.0));
        assert_eq!(quantile(&[1.0, 2.0], 0.25), Some(1.25));
        assert_eq!(quantile(&[1.0, 5.0], 1.0), Some(5.0));
        assert_eq!(quantile(&[], 0.5), None);
        assert!(Spread::of(Vec::new()).is_err());
    }
}
