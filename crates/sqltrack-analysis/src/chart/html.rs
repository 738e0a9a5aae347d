//! Charts as HTML: the SVG, and a script that makes it one that can be zoomed into and asked for values.

use serde_json::json;

use super::color::Color;
use super::{COLORS, Chart, Unit};
use crate::html;

/// How charts look.
pub const STYLE: &str = include_str!("chart.css");
/// What makes the charts of a page answer the pointer. It wants to stand once behind all of them.
pub const SCRIPT: &str = include_str!("chart.js");

/// Into how many columns a curve is reduced: enough to zoom in a few times.
const COLUMNS: usize = 4_000;
/// The size of a chart on a page without scripts.
const SIZE: (f64, f64) = (860.0, 420.0);

impl Chart {
    /// The chart as a part of a page that has [`STYLE`] and [`SCRIPT`]. Without the script it is a picture.
    #[must_use]
    pub fn html(&self) -> String {
        let data = html::json(&self.data());
        let picture = self.svg(SIZE.0, SIZE.1);
        format!(
            "<figure class=\"sqltrack-chart\">\n<div class=\"sqltrack-picture\">\n{picture}</div>\n\
             <script type=\"application/json\">{data}</script>\n</figure>\n"
        )
    }

    /// The chart as a page of its own that needs nothing else.
    #[must_use]
    pub fn page(&self) -> String {
        html::page(&self.name(), &[STYLE], &self.html(), &[SCRIPT])
    }

    /// What the script draws.
    fn data(&self) -> serde_json::Value {
        let x = self.x_scale();
        let curves: Vec<_> = self
            .curves
            .iter()
            .enumerate()
            .map(|(number, curve)| {
                let points = self.reduced(curve, COLUMNS, &x);
                // What is no number is NULL in JSON, and a gap.
                let (xs, ys): (Vec<f64>, Vec<f64>) = points.into_iter().unzip();
                json!({ "name": curve.name, "color": Color::of(number).hex, "x": xs, "y": ys })
            })
            .collect();
        json!({
            "title": self.title,
            "x_label": self.x_label,
            "y_label": self.y_label,
            "seconds": self.x_unit == Unit::Seconds,
            "log": self.log_y,
            "colors": COLORS.map(|color| color.hex),
            "curves": curves,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Curve;
    use super::*;

    #[test]
    fn no_name_ends_the_script() {
        let chart = Chart::new("step", "</script><script>alert(1)</script>")
            .with(Curve::new("</script>", vec![(0.0, f64::NAN), (1.0, 2.0)]));
        let page = chart.page();
        assert_eq!(page.matches("</script>").count(), 2, "{page}");
        assert!(!page.contains("alert(1)</script>"));
        assert!(
            !page.contains("http://")
                || page.matches("http").count()
                    == page.matches("http://www.w3.org/2000/svg").count()
                        + page.matches("http-equiv").count()
        );
    }
}
