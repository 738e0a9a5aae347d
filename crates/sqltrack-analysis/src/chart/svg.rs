//! Charts as SVG, which need nothing else.

use std::fmt::Write as _;

use super::color::Color;
use super::{Chart, Curve, Scale, Unit};
use crate::html::escape;

/// Where the curves are drawn, in pixels.
struct Frame {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
    x: Scale,
    y: Scale,
}

/// What is around the curves: labels at the left, room at the right, a title above, labels and a name below.
const LEFT: f64 = 72.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 44.0;
const LEGEND_LINE: f64 = 18.0;
/// About as wide as a character of the text is.
const CHARACTER: f64 = 7.0;

impl Frame {
    fn point(&self, (x, y): (f64, f64)) -> Option<(f64, f64)> {
        let (x, y) = (self.x.position(x)?, self.y.position(y)?);
        Some((self.left + x * self.width, self.top + (1.0 - y) * self.height))
    }

    fn bottom(&self) -> f64 {
        self.top + self.height
    }
}

impl Chart {
    /// The chart as an SVG document of so many pixels. The texts are escaped.
    #[must_use]
    pub fn svg(&self, width: f64, height: f64) -> String {
        let legend = self.legend_lines(width - LEFT - RIGHT);
        let frame = Frame {
            left: LEFT,
            top: TOP,
            width: (width - LEFT - RIGHT).max(1.0),
            height: (height - TOP - BOTTOM - LEGEND_LINE * legend.len() as f64).max(1.0),
            x: self.x_scale(),
            y: self.y_scale(),
        };
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
             font-family=\"system-ui, sans-serif\" font-size=\"12\" role=\"img\">\n<title>{}</title>\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n",
            escape(&self.name())
        );
        self.axes(&frame, &mut svg);
        for (number, curve) in self.curves.iter().enumerate() {
            self.curve(curve, Color::of(number), &frame, &mut svg);
        }
        let top = frame.bottom() + BOTTOM;
        for (line, entries) in legend.iter().enumerate() {
            let y = top + LEGEND_LINE * line as f64;
            for (number, x) in entries {
                legend_entry(*number, &self.curves[*number].name, (LEFT + x, y), &mut svg);
            }
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

    fn axes(&self, frame: &Frame, svg: &mut String) {
        let Frame { left, top, width, height, .. } = frame;
        let (right, bottom) = (left + width, frame.bottom());
        for tick in frame.y.ticks((height / 40.0) as usize, Unit::Number) {
            let Some(place) = frame.y.position(tick.value) else { continue };
            let y = top + (1.0 - place) * height;
            put(svg, format_args!("<path d=\"M{left:.1} {y:.1}H{right:.1}\" stroke=\"#ddd\"/>"));
            let x = left - 6.0;
            let label = escape(&tick.label);
            put(
                svg,
                format_args!("<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>", y + 4.0),
            );
        }
        for tick in frame.x.ticks((width / 90.0) as usize, self.x_unit) {
            let Some(place) = frame.x.position(tick.value) else { continue };
            let x = left + place * width;
            put(svg, format_args!("<path d=\"M{x:.1} {bottom:.1}v5\" stroke=\"#333\"/>"));
            let (y, label) = (bottom + 18.0, escape(&tick.label));
            put(svg, format_args!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">{label}</text>"));
        }
        put(
            svg,
            format_args!(
                "<path d=\"M{left:.1} {top:.1}V{bottom:.1}H{right:.1}\" fill=\"none\" stroke=\"#333\"/>"
            ),
        );
        let middle = left + width / 2.0;
        let (x_label, y_label) = (escape(&self.x_label), escape(&self.y_label));
        let below = bottom + 34.0;
        put(
            svg,
            format_args!("<text x=\"{middle:.1}\" y=\"{below:.1}\" text-anchor=\"middle\">{x_label}</text>"),
        );
        let y = top + height / 2.0;
        put(
            svg,
            format_args!(
                "<text transform=\"translate(14 {y:.1}) rotate(-90)\" text-anchor=\"middle\">{y_label}</text>"
            ),
        );
        if !self.title.is_empty() {
            let title = escape(&self.title);
            put(
                svg,
                format_args!(
                    "<text x=\"{middle:.1}\" y=\"20\" text-anchor=\"middle\" font-weight=\"bold\">{title}</text>"
                ),
            );
        }
    }

    fn curve(&self, curve: &Curve, color: Color, frame: &Frame, svg: &mut String) {
        let (mut path, mut dots) = (String::new(), String::new());
        let points: Vec<Option<(f64, f64)>> = self
            .reduced(curve, frame.width as usize, &frame.x)
            .into_iter()
            .map(|point| frame.point(point))
            .collect();
        let at = |number: usize| points.get(number).copied().flatten();
        for (number, point) in points.iter().enumerate() {
            let Some((x, y)) = point else { continue };
            let is_first = number == 0 || at(number - 1).is_none();
            let command = if is_first { 'M' } else { 'L' };
            put(&mut path, format_args!("{command}{x:.1} {y:.1}"));
            if is_first && at(number + 1).is_none() {
                // A point without neighbours would not be seen.
                put(
                    &mut dots,
                    format_args!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2\" fill=\"{}\"/>", color.hex),
                );
            }
        }
        put(
            svg,
            format_args!(
                "<path d=\"{path}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.5\" stroke-linejoin=\"round\"/>\n",
                color.hex
            ),
        );
        svg.push_str(&dots);
    }

    /// The curves of each line of the legend, and how far from the left each one is.
    fn legend_lines(&self, width: f64) -> Vec<Vec<(usize, f64)>> {
        let mut lines: Vec<Vec<(usize, f64)>> = Vec::new();
        let mut taken = f64::INFINITY;
        for (number, curve) in self.curves.iter().enumerate() {
            let needed = 36.0 + CHARACTER * curve.name.chars().count() as f64;
            if taken + needed > width {
                lines.push(Vec::new());
                taken = 0.0;
            }
            if let Some(line) = lines.last_mut() {
                line.push((number, taken));
            }
            taken += needed;
        }
        lines
    }
}

fn legend_entry(number: usize, name: &str, (x, y): (f64, f64), svg: &mut String) {
    let (color, name) = (Color::of(number).hex, escape(name));
    put(svg, format_args!("<path d=\"M{x:.1} {:.1}h16\" stroke=\"{color}\" stroke-width=\"3\"/>", y + 8.0));
    put(svg, format_args!("<text x=\"{:.1}\" y=\"{:.1}\">{name}</text>\n", x + 22.0, y + 12.0));
}

fn put(svg: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = svg.write_fmt(text);
}

#[cfg(test)]
mod tests {
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
        assert_eq!((svg.matches("<circle").count(), svg.matches('L').count()), (1, 1), "{svg}");
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }

    #[test]
    fn long_curves_are_few_points() {
        let points = (0..1_000_000).map(|x| (f64::from(x), f64::from(x % 97))).collect();
        let svg = Chart::new("step", "loss").with(Curve::new("run 1", points)).svg(800.0, 400.0);
        assert!(svg.len() < 60_000, "{}", svg.len());
    }
}
