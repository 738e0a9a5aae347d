//! Smoothed curves.

use super::Point;

/// The curve as an exponential moving average: each value has the weight `1 - amount` beside all before it, corrected for that
/// there are none before the first one. Zero changes nothing, and the nearer `amount` is to one the smoother it gets. What is no
/// number stays as it is, and does not count.
///
/// ```
/// use sqltrack_analysis::chart::smooth;
///
/// assert_eq!(smooth(&[(0.0, 4.0), (1.0, 0.0)], 0.5), [(0.0, 4.0), (1.0, 4.0 / 3.0)]);
/// ```
#[must_use]
pub fn smooth(points: &[Point], amount: f64) -> Vec<Point> {
    let amount = amount.clamp(0.0, 1.0 - f64::EPSILON);
    let (mut sum, mut weight) = (0.0, 0.0);
    let smoothed = |&(x, y): &Point| {
        if !y.is_finite() {
            return (x, y);
        }
        sum = amount * sum + (1.0 - amount) * y;
        weight = amount * weight + (1.0 - amount);
        (x, sum / weight)
    };
    points.iter().map(smoothed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_stays_and_gaps_do_not_count() {
        let constant = [(0.0, 3.0), (1.0, f64::NAN), (2.0, 3.0)];
        let smoothed = smooth(&constant, 0.9);
        assert!((smoothed[2].1 - 3.0).abs() < 1e-12, "{smoothed:?}");
        assert!(smoothed[1].1.is_nan());
        assert_eq!(smooth(&[(0.0, 1.0), (1.0, 7.0)], 0.0), [(0.0, 1.0), (1.0, 7.0)]);
    }
}
