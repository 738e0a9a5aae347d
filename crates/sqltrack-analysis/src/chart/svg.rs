//! Charts as SVG, which need nothing else.

use std::fmt::Write as _;

use super::Chart;
use super::scene::{Anchor, Item, Style};
use crate::html::escape;

impl Chart {
    /// The chart as an SVG document of so many pixels. The texts are escaped.
    #[must_use]
    pub fn svg(&self, width: f64, height: f64) -> String {
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
             font-family=\"system-ui, sans-serif\" font-size=\"12\" role=\"img\">\n<title>{}</title>\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n",
            escape(&self.name())
        );
        for item in self.scene(width, height) {
            // Writing to a string does not fail.
            let _ = item.write(&mut svg);
        }
        svg.push_str("</svg>\n");
        svg
    }

    /// What the chart is about.
    pub(super) fn name(&self) -> String {
        if self.title.is_empty() {
            format!("{} over {}", self.y_label, self.x_label)
        } else {
            self.title.clone()
        }
    }
}

impl Item {
    fn write(&self, svg: &mut String) -> std::fmt::Result {
        match self {
            Self::Line { points, color, width } => {
                svg.push_str("<path d=\"");
                for (number, (x, y)) in points.iter().enumerate() {
                    write!(svg, "{}{x:.1} {y:.1}", if number == 0 { 'M' } else { 'L' })?;
                }
                writeln!(
                    svg,
                    "\" fill=\"none\" stroke=\"{color}\" stroke-width=\"{width}\" stroke-linejoin=\"round\"/>"
                )
            }
            Self::Dot { x, y, radius, color } => {
                writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\" fill=\"{color}\"/>")
            }
            Self::Text { text, .. } if text.is_empty() => Ok(()),
            Self::Text { x, y, text, anchor, style } => {
                let place = match style {
                    Style::Upwards => format!("transform=\"translate({x:.1} {y:.1}) rotate(-90)\""),
                    Style::Plain | Style::Bold => format!("x=\"{x:.1}\" y=\"{y:.1}\""),
                };
                let anchor = match anchor {
                    Anchor::Start => "",
                    Anchor::Middle => " text-anchor=\"middle\"",
                    Anchor::End => " text-anchor=\"end\"",
                };
                let weight = if *style == Style::Bold { " font-weight=\"bold\"" } else { "" };
                writeln!(svg, "<text {place}{anchor}{weight}>{}</text>", escape(text))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Curve;
    use super::*;

    #[test]
    fn texts_are_escaped_and_gaps_are_seen() {
        let points = vec![(0.0, 1.0), (1.0, f64::NAN), (2.0, 2.0), (3.0, 3.0), (4.0, f64::INFINITY)];
        let mut chart = Chart::new("step", "<script>").with(Curve::new("a & b", points));
        chart.title = "\"x\"".to_owned();
        let svg = chart.svg(400.0, 300.0);
        assert!(
            svg.contains("&lt;script&gt;") && svg.contains("a &amp; b") && svg.contains("&quot;x&quot;"),
            "{svg}"
        );
        assert!(!svg.contains("<script>"));
        let curves = svg.lines().filter(|line| line.contains("#0072b2") && line.contains("1.5"));
        assert_eq!((svg.matches("<circle").count(), curves.count()), (1, 1), "{svg}");
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }

    #[test]
    fn long_curves_are_few_points() {
        let points = (0..1_000_000).map(|x| (f64::from(x), f64::from(x % 97))).collect();
        let svg = Chart::new("step", "loss").with(Curve::new("run 1", points)).svg(800.0, 400.0);
        assert!(svg.len() < 60_000, "{}", svg.len());
    }
}
