//! Long series as few points that look the same: of all that falls on one column of pixels, the first, the smallest, the largest
//! and the last value stay, so that no spike is lost.

/// A point of a curve. A `y` that is no number is a gap.
pub type Point = (f64, f64);

/// The points that are enough to draw a curve in `columns` columns of pixels from `first_x` to `last_x`: at most four of each
/// column, all of them points of the curve, in order. Between two of them stands a point with `y` NaN where the curve has a gap.
///
/// The points must be sorted by `x`; those outside of the range are left out, and so are those whose `x` is no number.
///
/// ```
/// use sqltrack_analysis::chart::reduce;
///
/// let spike: Vec<(f64, f64)> = (0..100_000).map(|x| (f64::from(x), if x == 54_321 { 9.0 } else { 1.0 })).collect();
/// let drawn = reduce(&spike, 100, 0.0, 99_999.0);
/// assert!(drawn.len() <= 400);
/// assert!(drawn.contains(&(54_321.0, 9.0)));
/// ```
#[must_use]
pub fn reduce(points: &[Point], columns: usize, first_x: f64, last_x: f64) -> Vec<Point> {
    let columns = columns.max(1);
    let width = (last_x - first_x) / columns as f64;
    let column = |x: f64| if width > 0.0 { (((x - first_x) / width) as usize).min(columns - 1) } else { 0 };
    let mut reduced = Reduced::default();
    for &(x, y) in points.iter().filter(|(x, _)| (first_x..=last_x).contains(x)) {
        if y.is_finite() {
            reduced.add(column(x), (x, y));
        } else {
            reduced.gaps += 1;
        }
    }
    reduced.finish()
}

/// A point, and how many gaps are before it.
type Kept = (Point, usize);

/// What stays of one column, each with its number among the column's points.
struct Column {
    number: usize,
    count: usize,
    first: Kept,
    last: (usize, Kept),
    smallest: (usize, Kept),
    largest: (usize, Kept),
}

#[derive(Default)]
struct Reduced {
    kept: Vec<Kept>,
    open: Option<Column>,
    gaps: usize,
}

impl Reduced {
    fn add(&mut self, number: usize, point: Point) {
        let kept = (point, self.gaps);
        let Some(open) = self.open.as_mut().filter(|open| open.number == number) else {
            self.close();
            let at = (0, kept);
            self.open = Some(Column { number, count: 1, first: kept, last: at, smallest: at, largest: at });
            return;
        };
        let at = (open.count, kept);
        open.count += 1;
        open.last = at;
        if point.1 < open.smallest.1.0.1 {
            open.smallest = at;
        }
        if point.1 > open.largest.1.0.1 {
            open.largest = at;
        }
    }

    fn close(&mut self) {
        let Some(open) = self.open.take() else { return };
        let mut kept = [(0, open.first), open.smallest, open.largest, open.last];
        kept.sort_by_key(|(place, _)| *place);
        let mut before = None;
        for (place, point) in kept {
            if before != Some(place) {
                self.kept.push(point);
            }
            before = Some(place);
        }
    }

    fn finish(mut self) -> Vec<Point> {
        self.close();
        let mut points = Vec::with_capacity(self.kept.len());
        let mut before = None;
        for ((x, y), gaps) in self.kept {
            if before.is_some_and(|before| before != gaps) {
                points.push((x, f64::NAN));
            }
            before = Some(gaps);
            points.push((x, y));
        }
        points
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn curve() -> impl Strategy<Value = Vec<Point>> {
        let y = prop_oneof![
            8 => -100.0..100.0,
            1 => Just(f64::NAN),
            1 => Just(f64::INFINITY),
            1 => Just(f64::NEG_INFINITY),
        ];
        prop::collection::vec((0_u32..50, y), 0..200).prop_map(|mut points: Vec<(u32, f64)>| {
            points.sort_by_key(|(x, _)| *x);
            points.into_iter().map(|(x, y)| (f64::from(x), y)).collect()
        })
    }

    proptest! {
        /// Each column has the extremes, the first and the last of what falls on it, and nothing else.
        #[test]
        fn no_spike_is_lost(points in curve(), columns in 1_usize..60) {
            let drawn = reduce(&points, columns, 0.0, 49.0);
            let column = |x: f64| ((x / (49.0 / columns as f64)) as usize).min(columns - 1);
            for number in 0..columns {
                let of = |points: &[Point]| -> Vec<f64> {
                    let inside = points.iter().filter(|(x, y)| y.is_finite() && column(*x) == number);
                    inside.map(|(_, y)| *y).collect()
                };
                let (all, kept) = (of(&points), of(&drawn));
                let extremes = |values: &[f64]| {
                    let smallest = values.iter().copied().min_by(f64::total_cmp);
                    (values.first().copied(), smallest, values.iter().copied().max_by(f64::total_cmp), values.last().copied())
                };
                prop_assert_eq!(extremes(&all), extremes(&kept));
                prop_assert!(kept.len() <= 4);
            }
            let finite = drawn.iter().filter(|(_, y)| y.is_finite());
            prop_assert!(finite.clone().all(|point| points.contains(point)));
            prop_assert!(finite.clone().map(|(x, _)| *x).is_sorted());
        }

        /// Where nothing is left out, gaps are where they were.
        #[test]
        fn gaps_stay(points in curve()) {
            let mut spread: Vec<Point> = points.iter().enumerate().map(|(x, (_, y))| (x as f64, *y)).collect();
            let drawn = reduce(&spread, spread.len().max(1) * 2, 0.0, spread.len() as f64);
            let lines = |points: &[Point]| -> Vec<Vec<Point>> {
                let lines = points.split(|(_, y)| !y.is_finite()).filter(|line| !line.is_empty());
                lines.map(<[Point]>::to_vec).collect()
            };
            spread.retain(|(x, _)| *x >= 0.0);
            prop_assert_eq!(lines(&drawn), lines(&spread));
        }
    }

    #[test]
    fn a_range_without_width_is_one_column() {
        assert_eq!(reduce(&[(1.0, 2.0), (1.0, 3.0)], 10, 1.0, 1.0), [(1.0, 2.0), (1.0, 3.0)]);
        assert_eq!(reduce(&[], 0, 0.0, 1.0), []);
    }
}
