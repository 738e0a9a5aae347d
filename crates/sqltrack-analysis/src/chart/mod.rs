//! Charts of curves: for a terminal, as SVG, and as HTML that can be looked into.

mod axis;
mod color;
mod html;
#[cfg(feature = "png")]
mod png;
mod reduce;
mod scene;
mod smooth;
mod svg;
mod terminal;

pub(crate) use axis::Scale;
pub use axis::Unit;
pub(crate) use color::COLORS;
pub use html::{SCRIPT, STYLE};
pub use reduce::{Point, reduce};
pub use smooth::smooth;

/// Curves over one axis, to be drawn.
///
/// ```
/// use sqltrack_analysis::chart::{Chart, Curve};
///
/// let points = (0..100).map(|step| (f64::from(step), 1.0 / f64::from(step + 1))).collect();
/// let chart = Chart::new("step", "loss").with(Curve::new("run 7", points));
/// assert!(chart.svg(640.0, 360.0).contains("run 7"));
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Chart {
    /// What stands above it.
    pub title: String,
    /// What the horizontal axis is.
    pub x_label: String,
    /// What the vertical axis is.
    pub y_label: String,
    /// What the numbers of the horizontal axis are.
    pub x_unit: Unit,
    /// Whether the vertical axis is logarithmic; then only what is larger than zero has a place.
    pub log_y: bool,
    /// The curves, in the order of their colors.
    pub curves: Vec<Curve>,
}

/// A curve of a [`Chart`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Curve {
    /// What the legend calls it.
    pub name: String,
    /// Its points, sorted by `x`.
    pub points: Vec<Point>,
}

impl Curve {
    /// A curve through these points.
    #[must_use]
    pub fn new(name: impl Into<String>, points: Vec<Point>) -> Self {
        Self { name: name.into(), points }
    }
}

impl Chart {
    /// A chart without curves, whose axes have these names.
    #[must_use]
    pub fn new(x_label: impl Into<String>, y_label: impl Into<String>) -> Self {
        Self { x_label: x_label.into(), y_label: y_label.into(), ..Self::default() }
    }

    /// The same with a curve more.
    #[must_use]
    pub fn with(mut self, curve: Curve) -> Self {
        self.curves.push(curve);
        self
    }

    /// Whether there is nothing to draw.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.points().any(|(_, y)| self.has_place(*y))
    }

    /// How many values are not drawn: NaN, infinities, and on a logarithmic axis what is not larger than zero.
    #[must_use]
    pub fn left_out(&self) -> usize {
        self.points().filter(|(_, y)| !self.has_place(*y)).count()
    }

    fn points(&self) -> impl Iterator<Item = &Point> {
        self.curves.iter().flat_map(|curve| &curve.points)
    }

    fn has_place(&self, y: f64) -> bool {
        y.is_finite() && (!self.log_y || y > 0.0)
    }

    fn x_scale(&self) -> Scale {
        Scale::of_x(self.points())
    }

    fn y_scale(&self) -> Scale {
        Scale::of(self.points().map(|(_, y)| *y), self.log_y)
    }

    /// The points of a curve that are enough for so many columns of pixels.
    fn reduced(&self, curve: &Curve, columns: usize, x: &Scale) -> Vec<Point> {
        if !self.log_y {
            return reduce(&curve.points, columns, x.first, x.last);
        }
        let placed: Vec<Point> =
            curve.points.iter().map(|&(x, y)| (x, if self.has_place(y) { y } else { f64::NAN })).collect();
        reduce(&placed, columns, x.first, x.last)
    }
}
