//! What a picture of a chart is made of: lines, dots and texts at their places, in pixels.

use super::color::Color;
use super::{Chart, Curve, Scale, Unit};

/// A part of a picture; later ones lie over those before.
pub(super) enum Item {
    /// Lines through points.
    Line {
        points: Vec<(f64, f64)>,
        color: &'static str,
        width: f64,
    },
    /// A filled circle.
    Dot {
        x: f64,
        y: f64,
        radius: f64,
        color: &'static str,
    },
    Text {
        x: f64,
        y: f64,
        text: String,
        anchor: Anchor,
        style: Style,
    },
}

/// Which part of a text is at its place; its base line is in any case.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Bold,
    /// Read from below to above.
    Upwards,
}

/// Where the curves are drawn.
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

const GRID: &str = "#dddddd";
const AXIS: &str = "#333333";

impl Frame {
    fn point(&self, (x, y): (f64, f64)) -> Option<(f64, f64)> {
        let (x, y) = (self.x.position(x)?, self.y.position(y)?);
        Some((self.left + x * self.width, self.top + (1.0 - y) * self.height))
    }

    fn bottom(&self) -> f64 {
        self.top + self.height
    }

    fn right(&self) -> f64 {
        self.left + self.width
    }
}

/// A picture that is being made.
struct Scene(Vec<Item>);

impl Scene {
    fn line(&mut self, points: Vec<(f64, f64)>, color: &'static str, width: f64) {
        self.0.push(Item::Line { points, color, width });
    }

    fn text(&mut self, (x, y): (f64, f64), text: &str, anchor: Anchor, style: Style) {
        self.0.push(Item::Text { x, y, text: text.to_owned(), anchor, style });
    }
}

impl Chart {
    /// The picture of the chart in so many pixels.
    pub(super) fn scene(&self, width: f64, height: f64) -> Vec<Item> {
        let legend = self.legend_lines(width - LEFT - RIGHT);
        let frame = Frame {
            left: LEFT,
            top: TOP,
            width: (width - LEFT - RIGHT).max(1.0),
            height: (height - TOP - BOTTOM - LEGEND_LINE * legend.len() as f64).max(1.0),
            x: self.x_scale(),
            y: self.y_scale(),
        };
        let mut scene = Scene(Vec::new());
        self.axes(&frame, &mut scene);
        for (number, curve) in self.curves.iter().enumerate() {
            self.curve(curve, Color::of(number).hex, &frame, &mut scene);
        }
        let top = frame.bottom() + BOTTOM;
        for (line, entries) in legend.iter().enumerate() {
            let y = top + LEGEND_LINE * line as f64;
            for (number, x) in entries {
                let (x, color) = (LEFT + x, Color::of(*number).hex);
                scene.line(vec![(x, y + 8.0), (x + 16.0, y + 8.0)], color, 3.0);
                scene.text((x + 22.0, y + 12.0), &self.curves[*number].name, Anchor::Start, Style::Plain);
            }
        }
        scene.0
    }

    fn axes(&self, frame: &Frame, scene: &mut Scene) {
        let (left, right, bottom) = (frame.left, frame.right(), frame.bottom());
        for tick in frame.y.ticks((frame.height / 40.0) as usize, Unit::Number) {
            let Some(place) = frame.y.position(tick.value) else { continue };
            let y = frame.top + (1.0 - place) * frame.height;
            scene.line(vec![(left, y), (right, y)], GRID, 1.0);
            scene.text((left - 6.0, y + 4.0), &tick.label, Anchor::End, Style::Plain);
        }
        for tick in frame.x.ticks((frame.width / 90.0) as usize, self.x_unit) {
            let Some(place) = frame.x.position(tick.value) else { continue };
            let x = left + place * frame.width;
            scene.line(vec![(x, bottom), (x, bottom + 5.0)], AXIS, 1.0);
            scene.text((x, bottom + 18.0), &tick.label, Anchor::Middle, Style::Plain);
        }
        scene.line(vec![(left, frame.top), (left, bottom), (right, bottom)], AXIS, 1.0);
        let middle = left + frame.width / 2.0;
        scene.text((middle, bottom + 34.0), &self.x_label, Anchor::Middle, Style::Plain);
        scene.text((14.0, frame.top + frame.height / 2.0), &self.y_label, Anchor::Middle, Style::Upwards);
        scene.text((middle, 20.0), &self.title, Anchor::Middle, Style::Bold);
    }

    fn curve(&self, curve: &Curve, color: &'static str, frame: &Frame, scene: &mut Scene) {
        let points = self.reduced(curve, frame.width as usize, &frame.x);
        let places: Vec<Option<(f64, f64)>> = points.into_iter().map(|point| frame.point(point)).collect();
        for piece in places.split(Option::is_none).filter(|piece| !piece.is_empty()) {
            let piece: Vec<(f64, f64)> = piece.iter().copied().flatten().collect();
            match piece.as_slice() {
                // A point without neighbours would not be seen.
                [(x, y)] => scene.0.push(Item::Dot { x: *x, y: *y, radius: 2.0, color }),
                _ => scene.line(piece, color, 1.5),
            }
        }
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
