//! Charts for a terminal: curves of Braille dots, of which two by four fit a character.

use unicode_width::UnicodeWidthStr as _;

use super::color::Color;
use super::{Chart, Point, Scale};
use crate::screen::{RESET, Screen, cut, one_line, paint};

/// The least that a chart can be drawn in.
const LEAST: (usize, usize) = (10, 3);

/// A grid of characters, each with a pattern of dots and the curve that it is of.
struct Canvas {
    width: usize,
    height: usize,
    dots: Vec<(u8, usize)>,
    letters: Vec<Option<char>>,
}

impl Canvas {
    fn new(width: usize, height: usize) -> Self {
        let cells = width * height;
        Self { width, height, dots: vec![(0, 0); cells], letters: vec![None; cells] }
    }

    /// Sets a dot, of which there are twice as many as characters in a line, and four times as many lines.
    fn dot(&mut self, x: i64, y: i64, curve: usize) {
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else { return };
        if x / 2 >= self.width || y / 4 >= self.height {
            return;
        }
        // <https://en.wikipedia.org/wiki/Braille_Patterns>: the lowest line came later.
        const BITS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
        let cell = &mut self.dots[y / 4 * self.width + x / 2];
        *cell = (cell.0 | BITS[y % 4][x % 2], curve);
    }

    /// Draws a line (Bresenham's way).
    fn line(&mut self, from: (i64, i64), to: (i64, i64), curve: usize) {
        let (width, height) = ((to.0 - from.0).abs(), -(to.1 - from.1).abs());
        let (right, down) = ((to.0 - from.0).signum(), (to.1 - from.1).signum());
        let (mut x, mut y) = from;
        let mut error = width + height;
        loop {
            self.dot(x, y, curve);
            if (x, y) == to {
                return;
            }
            let twice = 2 * error;
            if twice >= height {
                error += height;
                x += right;
            }
            if twice <= width {
                error += width;
                y += down;
            }
        }
    }

    fn row(&self, row: usize, has_color: bool) -> String {
        let mut text = String::new();
        let mut color = None;
        for cell in row * self.width..(row + 1) * self.width {
            let (dots, curve) = self.dots[cell];
            let wanted = (has_color && dots != 0).then(|| Color::of(curve));
            if color != wanted {
                text.push_str(&wanted.map_or(RESET.to_owned(), |color| paint(color.terminal)));
                color = wanted;
            }
            let dots = if dots == 0 { ' ' } else { braille(dots) };
            text.push(self.letters[cell].unwrap_or(dots));
        }
        if color.is_some() {
            text.push_str(RESET);
        }
        text
    }
}

fn braille(dots: u8) -> char {
    char::from_u32(0x2800 + u32::from(dots)).unwrap_or(' ')
}

/// What stands for a curve where there are no colors.
fn letter(curve: usize) -> char {
    char::from(b"abcdefghijklmnopqrstuvwxyz"[curve % 26])
}

impl Chart {
    /// The chart as lines of text, no wider than the screen, with axes and a legend. Characters that could control the terminal are
    /// written out.
    ///
    /// ```
    /// use sqltrack_analysis::Screen;
    /// use sqltrack_analysis::chart::{Chart, Curve};
    ///
    /// let points = (0..50).map(|step| (f64::from(step), f64::from(step * step))).collect();
    /// let chart = Chart::new("step", "loss").with(Curve::new("run 7", points));
    /// let text = chart.terminal(Screen { width: 60, height: 15, has_color: false });
    /// assert!(text.lines().count() <= 15);
    /// ```
    #[must_use]
    pub fn terminal(&self, screen: Screen) -> String {
        let (x, y) = (self.x_scale(), self.y_scale());
        let legend = self.legend(screen);
        let title = one_line(&self.title);
        // The title, the name of the one axis, and the other one with its numbers and its name.
        let around = usize::from(!title.is_empty()) + 1 + 3 + legend.len();
        let height = screen.height.saturating_sub(around).max(LEAST.1);
        let ticks = y.ticks((height / 3).max(2), super::Unit::Number);
        let gutter = ticks.iter().map(|tick| tick.label.width()).max().unwrap_or(0).max(1);
        let width = screen.width.saturating_sub(gutter + 2).max(LEAST.0);
        let canvas = self.canvas(width, height, &x, &y, screen.has_color);

        let mut lines = Vec::new();
        if !title.is_empty() {
            lines.push(cut(&title, screen.width));
        }
        lines.push(cut(&format!("{:>gutter$} ┐", one_line(&self.y_label)), screen.width));
        let row_of = |value: f64| y.position(value).map(|place| row(place, height));
        for number in 0..height {
            let tick = ticks.iter().find(|tick| row_of(tick.value) == Some(number));
            let label = tick.map_or("", |tick| tick.label.as_str());
            let axis = if tick.is_some() { '┤' } else { '│' };
            let line = format!("{label:>gutter$} {axis}{}", canvas.row(number, screen.has_color));
            lines.push(line.trim_end_matches(' ').to_owned());
        }
        lines.extend(self.x_axis(&x, gutter, width));
        lines.extend(legend);
        lines.join("\n") + "\n"
    }

    fn canvas(&self, width: usize, height: usize, x: &Scale, y: &Scale, has_color: bool) -> Canvas {
        let mut canvas = Canvas::new(width, height);
        let place = |(px, py): &Point| -> Option<(i64, i64)> {
            let (px, py) = (x.position(*px)?, y.position(*py)?);
            let (columns, rows) = ((2 * width - 1) as f64, (4 * height - 1) as f64);
            Some(((px * columns).round() as i64, ((1.0 - py) * rows).round() as i64))
        };
        for (number, curve) in self.curves.iter().enumerate() {
            let mut before = None;
            for point in self.reduced(curve, 2 * width, x) {
                let here = place(&point);
                if let Some(here) = here {
                    canvas.line(before.unwrap_or(here), here, number);
                }
                before = here;
            }
        }
        if !has_color && self.curves.len() > 1 {
            for (number, curve) in self.curves.iter().enumerate() {
                let last = curve.points.iter().rev().find_map(place);
                if let Some((x, y)) = last
                    && let (Ok(x), Ok(y)) = (usize::try_from(x / 2), usize::try_from(y / 4))
                {
                    canvas.letters[y * width + x] = Some(letter(number));
                }
            }
        }
        canvas
    }

    /// The horizontal axis, the numbers below it, and its name.
    fn x_axis(&self, x: &Scale, gutter: usize, width: usize) -> Vec<String> {
        let mut axis: Vec<char> = vec!['─'; width];
        let mut labels = String::new();
        let offset = gutter + 2;
        for tick in x.ticks((width / 12).max(2), self.x_unit) {
            let Some(place) = x.position(tick.value) else { continue };
            let column = ((place * (width - 1) as f64).round() as usize).min(width - 1);
            let length = tick.label.width();
            // In the middle below its place, as far as the line goes.
            let start =
                (offset + column).saturating_sub(length / 2).min((offset + width).saturating_sub(length));
            let taken = labels.width();
            if start < taken + usize::from(taken > 0) {
                continue;
            }
            axis[column] = '┬';
            labels.push_str(&" ".repeat(start - taken));
            labels.push_str(&tick.label);
        }
        let name = one_line(&self.x_label);
        let name = format!("{:>width$}", cut(&name, width), width = offset + width);
        vec![format!("{:gutter$} └{}", "", axis.into_iter().collect::<String>()), labels, name]
    }

    /// Which curve is which, side by side as far as there is room.
    fn legend(&self, screen: Screen) -> Vec<String> {
        const GAP: &str = "   ";
        let mut lines: Vec<(String, usize)> = Vec::new();
        for (number, curve) in self.curves.iter().enumerate() {
            let name = cut(&one_line(&curve.name), screen.width.saturating_sub(3).max(1));
            let width = name.width() + 2;
            let entry = if screen.has_color {
                format!("{}⣿{RESET} {name}", paint(Color::of(number).terminal))
            } else if self.curves.len() > 1 {
                format!("{} {name}", letter(number))
            } else {
                format!("⣿ {name}")
            };
            match lines.last_mut() {
                Some((line, taken)) if *taken + GAP.len() + width <= screen.width => {
                    line.push_str(GAP);
                    line.push_str(&entry);
                    *taken += GAP.len() + width;
                }
                _ => lines.push((entry, width)),
            }
        }
        lines.into_iter().map(|(line, _)| line).collect()
    }
}

/// The line of a place from 0, at the bottom, to 1.
fn row(place: f64, height: usize) -> usize {
    (((1.0 - place) * (4 * height - 1) as f64).round() as usize / 4).min(height - 1)
}

#[cfg(test)]
mod tests {
    use super::super::Curve;
    use super::*;

    fn chart() -> Chart {
        let falling = (0..=40).map(|x| (f64::from(x), 1.0 - f64::from(x) / 40.0)).collect();
        let rising = (0..=40).map(|x| (f64::from(x), f64::from(x) / 40.0)).collect();
        Chart { title: "Curves".to_owned(), ..Chart::new("step", "loss") }
            .with(Curve::new("run 1", falling))
            .with(Curve::new("run 2", rising))
    }

    const PIPE: Screen = Screen { width: 40, height: 14, has_color: false };

    #[test]
    fn curves_have_axes_and_a_legend() {
        let text = chart().terminal(PIPE);
        let expected = "\
Curves
loss ┐
  1 ┤⠑⠢⠤⣀                          ⢀⡠⠤⠔b
    │    ⠉⠒⠢⢄⡀                 ⢀⠤⠒⠒⠁
    │        ⠈⠒⠒⢄⡀         ⣀⠤⠒⠊⠁
    │            ⠈⠉⠑⠤⣀ ⡠⠔⠊⠉
0.5 ┤            ⢀⣀⡠⠒⠉⠉⠑⠢⢄⣀
    │        ⢀⠤⠤⠊⠁         ⠉⠒⠤⢄⡀
    │    ⣀⠤⠔⠊⠁                 ⠈⠒⠤⠤⡀
  0 ┤⡠⠔⠒⠉                          ⠈⠑⠒⠢a
    └┬────────────────┬────────────────┬
     0               20               40
                                    step
a run 1   b run 2
";
        assert_eq!(text, expected);
    }

    #[test]
    fn it_fits_any_screen() {
        for width in [1, 20, 80, 200] {
            for height in [1, 10, 50] {
                let text = chart().terminal(Screen { width, height, has_color: false });
                let most = text.lines().map(|line| line.width()).max().unwrap();
                assert!(most <= width.max(20), "{width}: {most}\n{text}");
                assert!(text.lines().count() <= height.max(12), "{height}\n{text}");
            }
        }
    }

    #[test]
    fn names_cannot_control_the_terminal() {
        let mut chart = chart();
        chart.curves[0].name = "\u{1b}[2J\n".to_owned();
        chart.title = "\u{7}".to_owned();
        let text = chart.terminal(PIPE);
        assert!(!text.contains(['\u{1b}', '\u{7}']), "{text}");
    }

    #[test]
    fn nothing_to_draw_is_an_empty_chart() {
        let text = Chart::new("step", "loss").terminal(PIPE);
        assert!(text.contains('└'), "{text}");
        let text = Chart { log_y: true, ..chart() }.with(Curve::new("zero", vec![(0.0, 0.0)])).terminal(PIPE);
        assert!(text.contains("0.1"), "{text}");
    }
}
