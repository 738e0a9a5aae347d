//! Axes: the range of the values, where each one lies in it, and which of them are written beside it.

use super::Point;

/// What the numbers of an axis are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Unit {
    /// Just numbers.
    #[default]
    Number,
    /// Seconds, which are written as minutes, hours or days where there are many.
    Seconds,
}

/// The range of an axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    pub(crate) first: f64,
    pub(crate) last: f64,
    is_log: bool,
}

/// A value that is written beside an axis.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tick {
    pub(crate) value: f64,
    pub(crate) label: String,
}

impl Scale {
    /// The range of these values; those that it has no place for do not count.
    pub(crate) fn of(values: impl Iterator<Item = f64>, is_log: bool) -> Self {
        let mut range: Option<(f64, f64)> = None;
        for value in values.filter(|value| value.is_finite() && (!is_log || *value > 0.0)) {
            let (first, last) = range.get_or_insert((value, value));
            *first = first.min(value);
            *last = last.max(value);
        }
        let (first, last) = range.unwrap_or(if is_log { (1.0, 10.0) } else { (0.0, 1.0) });
        Self { first, last, is_log }.wide()
    }

    /// The range of the `x` of points, as it is.
    pub(crate) fn of_x<'a>(points: impl Iterator<Item = &'a Point>) -> Self {
        Self::of(points.map(|(x, _)| *x), false)
    }

    /// A range of one value gets some room on both sides.
    fn wide(self) -> Self {
        if self.first < self.last {
            return self;
        }
        if self.is_log {
            return Self { first: self.first / 2.0, last: self.last * 2.0, ..self };
        }
        let room = if self.first == 0.0 { 1.0 } else { self.first.abs() / 2.0 };
        Self { first: self.first - room, last: self.last + room, ..self }
    }

    /// Where a value lies, from 0 to 1; none for what has no place.
    pub(crate) fn position(&self, value: f64) -> Option<f64> {
        if !value.is_finite() || (self.is_log && value <= 0.0) {
            return None;
        }
        let place = |value: f64| if self.is_log { value.log10() } else { value };
        // Halves, since the difference may be too large a number.
        let (first, last, value) = (place(self.first) / 2.0, place(self.last) / 2.0, place(value) / 2.0);
        Some((value - first) / (last - first))
    }

    /// About `count` round values in the range.
    pub(crate) fn ticks(&self, count: usize, unit: Unit) -> Vec<Tick> {
        let values = if self.is_log { self.log_ticks(count) } else { self.linear_ticks(count, unit) };
        let step = match values.as_slice() {
            [first, second, ..] => second - first,
            _ => self.last - self.first,
        };
        let label = |value: f64| match unit {
            Unit::Seconds => seconds(value),
            Unit::Number if self.is_log => number(value, value / 10.0),
            Unit::Number => number(value, step),
        };
        values.into_iter().map(|value| Tick { label: label(value), value }).collect()
    }

    fn linear_ticks(&self, count: usize, unit: Unit) -> Vec<f64> {
        let rough = (self.last / 2.0 - self.first / 2.0) / count.max(1) as f64 * 2.0;
        let step = match unit {
            Unit::Seconds => round_seconds(rough),
            Unit::Number => round_up(rough),
        };
        if !step.is_finite() || step <= 0.0 {
            return vec![self.first, self.last];
        }
        let (first, last) = ((self.first / step).ceil(), (self.last / step).floor());
        // Numbers may be so near to each other that no round one is between them.
        if !(0.0..=10.0 * count.max(1) as f64).contains(&(last - first)) {
            return vec![self.first, self.last];
        }
        (0..=(last - first) as usize).map(|number| (first + number as f64) * step).collect()
    }

    /// Powers of ten, and within few of them also twice and five times those.
    fn log_ticks(&self, count: usize) -> Vec<f64> {
        let (first, last) = (self.first.log10().floor() as i32, self.last.log10().ceil() as i32);
        let decades = usize::try_from(last - first).unwrap_or(1).max(1);
        let every = i32::try_from(decades.div_ceil(count.max(1))).unwrap_or(1);
        let factors: &[f64] = if decades * 2 < count { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let of_decade = |decade: i32| factors.iter().map(move |factor| factor * 10_f64.powi(decade));
        let is_inside = |value: &f64| (self.first..=self.last).contains(value);
        let ticks: Vec<f64> =
            (first..=last).step_by(every.max(1) as usize).flat_map(of_decade).filter(is_inside).collect();
        if ticks.is_empty() { vec![self.first, self.last] } else { ticks }
    }
}

/// The next larger number that is one, two or five times a power of ten.
fn round_up(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * power >= step * 0.999_999);
    factor.unwrap_or(10.0) * power
}

const MINUTE: f64 = 60.0;
const HOUR: f64 = 60.0 * MINUTE;
const DAY: f64 = 24.0 * HOUR;

fn round_seconds(step: f64) -> f64 {
    let round = [
        MINUTE,
        2.0 * MINUTE,
        5.0 * MINUTE,
        10.0 * MINUTE,
        30.0 * MINUTE,
        HOUR,
        2.0 * HOUR,
        6.0 * HOUR,
        12.0 * HOUR,
        DAY,
    ];
    match step {
        step if step <= 30.0 => round_up(step),
        step if step > DAY => round_up(step / DAY) * DAY,
        step => round.into_iter().find(|round| *round >= step).unwrap_or(DAY),
    }
}

/// A number with as many digits as a step needs.
fn number(value: f64, step: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let size = value.abs();
    if !(1e-4..1e6).contains(&size) {
        // As many digits as tell it from its neighbours.
        let digits = (size.log10().floor() - step.abs().log10().floor()).clamp(0.0, 15.0) as usize;
        let text = format!("{value:.digits$e}");
        return match text.split_once('e') {
            Some((digits, power)) if digits.contains('.') => {
                format!("{}e{power}", digits.trim_end_matches('0').trim_end_matches('.'))
            }
            _ => text,
        };
    }
    let decimals = (-step.abs().log10().floor()).clamp(0.0, 12.0) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Seconds in the largest unit of which there are some.
fn seconds(value: f64) -> String {
    let size = value.abs();
    let (unit, name) = match size {
        size if size >= 2.0 * DAY => (DAY, "d"),
        size if size >= 2.0 * HOUR => (HOUR, "h"),
        size if size >= 2.0 * MINUTE => (MINUTE, "min"),
        _ => (1.0, "s"),
    };
    format!("{} {name}", number(value / unit, 0.01_f64.min(size.max(1e-9) / unit / 10.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels(first: f64, last: f64, is_log: bool) -> Vec<String> {
        let scale = Scale::of([first, last].into_iter(), is_log);
        scale.ticks(5, Unit::Number).into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn labels_are_round() {
        assert_eq!(labels(0.0, 1.0, false), ["0", "0.2", "0.4", "0.6", "0.8", "1"]);
        assert_eq!(labels(3.0, 47.0, false), ["10", "20", "30", "40"]);
        assert_eq!(labels(-1e-7, 1e-7, false), ["-1e-7", "-5e-8", "0", "5e-8", "1e-7"]);
        assert_eq!(labels(1e6, 1.2e6, false), ["1e6", "1.05e6", "1.1e6", "1.15e6", "1.2e6"]);
        assert_eq!(labels(0.001, 100.0, true), ["0.001", "0.01", "0.1", "1", "10", "100"]);
        assert_eq!(labels(1e-9, 1.0, true), ["1e-9", "1e-7", "1e-5", "0.001", "0.1"]);
        assert_eq!(labels(0.5, 4.0, true), ["0.5", "1", "2"]);
        assert_eq!(labels(7.0, 7.0, false), ["4", "6", "8", "10"]);
    }

    #[test]
    fn times_are_in_their_units() {
        let shown = |last: f64| -> Vec<String> {
            let ticks = Scale::of([0.0, last].into_iter(), false).ticks(4, Unit::Seconds);
            ticks.into_iter().map(|tick| tick.label).collect()
        };
        assert_eq!(shown(10.0), ["0 s", "5 s", "10 s"]);
        assert_eq!(shown(3600.0), ["0 s", "30 min", "60 min"]);
        assert_eq!(shown(100_000.0), ["0 s", "12 h", "24 h"]);
    }

    proptest! {
        #[test]
        fn ticks_lie_in_their_range(first in prop::num::f64::NORMAL, last in prop::num::f64::NORMAL, count in 0_usize..12, is_log: bool) {
            let scale = Scale::of([first, last].into_iter(), is_log);
            for unit in [Unit::Number, Unit::Seconds] {
                let ticks = scale.ticks(count, unit);
                prop_assert!(ticks.len() <= 12 * count.max(1) + 2);
                for tick in ticks {
                    let position = scale.position(tick.value);
                    prop_assert!(position.is_some_and(|place| (-1e-6..=1.000_001).contains(&place)), "{tick:?} {scale:?}");
                    prop_assert!(tick.label.len() < 30, "{tick:?}");
                }
            }
        }
    }
}
