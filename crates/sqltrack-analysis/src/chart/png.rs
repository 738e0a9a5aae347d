//! Charts as PNG: the picture in pixels, with letters of a font that comes as pixels, so that no font has to be installed.

use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};
use tiny_skia::{
    Color, FillRule, LineJoin, Paint, PathBuilder, Pixmap, PremultipliedColorU8, Stroke, Transform,
};

use super::Chart;
use super::scene::{Anchor, Item, Style};

/// How many pixels one of the chart's is, so that letters are clear.
const SCALE: f64 = 2.0;
const LETTERS: RasterHeight = RasterHeight::Size24;
/// How far the base line of letters is below their top.
const BASE: f64 = 19.0;
/// What stands for a letter that the font does not have.
const UNKNOWN: char = '?';

impl Chart {
    /// The chart as a PNG file, of twice as many pixels as `width` and `height` say. None if that is no size of a picture.
    ///
    /// ```
    /// use sqltrack_analysis::chart::{Chart, Curve};
    ///
    /// let chart = Chart::new("step", "loss").with(Curve::new("run 7", vec![(0.0, 1.0), (1.0, 0.5)]));
    /// assert!(chart.png(640.0, 360.0).is_some_and(|file| file.starts_with(b"\x89PNG")));
    /// ```
    #[must_use]
    pub fn png(&self, width: f64, height: f64) -> Option<Vec<u8>> {
        let mut pixels = Pixmap::new((width * SCALE) as u32, (height * SCALE) as u32)?;
        pixels.fill(Color::WHITE);
        for item in self.scene(width, height) {
            draw(&item, &mut pixels);
        }
        pixels.encode_png().ok()
    }
}

fn draw(item: &Item, pixels: &mut Pixmap) {
    let place = |value: f64| (value * SCALE) as f32;
    match item {
        Item::Line { points, color, width } => {
            let mut path = PathBuilder::new();
            for (number, (x, y)) in points.iter().enumerate() {
                if number == 0 {
                    path.move_to(place(*x), place(*y));
                } else {
                    path.line_to(place(*x), place(*y));
                }
            }
            let stroke = Stroke { width: place(*width), line_join: LineJoin::Round, ..Stroke::default() };
            if let Some(path) = path.finish() {
                pixels.stroke_path(&path, &paint(color), &stroke, Transform::identity(), None);
            }
        }
        Item::Dot { x, y, radius, color } => {
            if let Some(path) = PathBuilder::from_circle(place(*x), place(*y), place(*radius)) {
                pixels.fill_path(&path, &paint(color), FillRule::Winding, Transform::identity(), None);
            }
        }
        Item::Text { x, y, text, anchor, style } => {
            write(text, (x * SCALE, y * SCALE), *anchor, *style, pixels)
        }
    }
}

/// A color from its name in HTML.
fn paint(hex: &str) -> Paint<'static> {
    let part =
        |from: usize| hex.get(from..from + 2).and_then(|part| u8::from_str_radix(part, 16).ok()).unwrap_or(0);
    let mut paint = Paint::default();
    paint.set_color_rgba8(part(1), part(3), part(5), 255);
    paint
}

fn write(text: &str, (x, y): (f64, f64), anchor: Anchor, style: Style, pixels: &mut Pixmap) {
    let weight = if style == Style::Bold { FontWeight::Bold } else { FontWeight::Regular };
    let width = get_raster_width(weight, LETTERS) as f64;
    let length = width * text.chars().count() as f64;
    let before = match anchor {
        Anchor::Start => 0.0,
        Anchor::Middle => length / 2.0,
        Anchor::End => length,
    };
    for (number, letter) in text.chars().enumerate() {
        let Some(raster) =
            get_raster(letter, weight, LETTERS).or_else(|| get_raster(UNKNOWN, weight, LETTERS))
        else {
            continue;
        };
        let along = width * number as f64 - before;
        for (row, line) in raster.rows().enumerate() {
            for (column, darkness) in line.iter().enumerate().filter(|(_, darkness)| **darkness > 0) {
                let (along, down) = (along + column as f64, row as f64 - BASE);
                let (x, y) =
                    if style == Style::Upwards { (x + down, y - along) } else { (x + along, y + down) };
                darken((x.round(), y.round()), *darkness, pixels);
            }
        }
    }
}

/// Makes a pixel darker, if it is one of the picture.
fn darken((x, y): (f64, f64), darkness: u8, pixels: &mut Pixmap) {
    if x < 0.0 || y < 0.0 || x >= f64::from(pixels.width()) || y >= f64::from(pixels.height()) {
        return;
    }
    let place = (y as usize) * pixels.width() as usize + x as usize;
    if let Some(pixel) = pixels.pixels_mut().get_mut(place) {
        let darker = |part: u8| u8::try_from(u16::from(part) * u16::from(255 - darkness) / 255).unwrap_or(0);
        let darker = PremultipliedColorU8::from_rgba(
            darker(pixel.red()),
            darker(pixel.green()),
            darker(pixel.blue()),
            255,
        );
        *pixel = darker.unwrap_or(*pixel);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Curve;
    use super::*;

    #[test]
    fn a_picture_has_its_size_its_curves_and_its_letters() {
        let points = vec![(0.0, 1.0), (1.0, f64::NAN), (2.0, 2.0), (3.0, 1.0)];
        let mut chart = Chart::new("step", "損 loss é").with(Curve::new("run 7", points));
        chart.title = "title".to_owned();
        let file = chart.png(320.0, 200.0).unwrap();
        let pixels = Pixmap::decode_png(&file).unwrap();
        assert_eq!((pixels.width(), pixels.height()), (640, 400));
        let has = |red: u8, green: u8, blue: u8| {
            pixels
                .pixels()
                .iter()
                .any(|pixel| (pixel.red(), pixel.green(), pixel.blue()) == (red, green, blue))
        };
        assert!(has(0x00, 0x72, 0xb2) && has(255, 255, 255));
        let dark = |rows: std::ops::Range<usize>| {
            let row = |row: usize| &pixels.pixels()[row * 640..][..640];
            rows.flat_map(row).filter(|pixel| pixel.red() < 60 && pixel.blue() < 60).count()
        };
        assert!(dark(20..45) > 50, "there is a title");
        assert!(Chart::default().png(0.0, 10.0).is_none());
    }
}
