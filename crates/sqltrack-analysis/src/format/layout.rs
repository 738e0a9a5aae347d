//! Tables on a terminal: columns as wide as they have to be, and cut where there is no room for all.

use unicode_width::UnicodeWidthStr as _;

use super::cell::{Cell, Cut};
use crate::screen::{RESET, Screen, cut, cut_left, one_line, paint};

const GAP: &str = "  ";
/// No column is cut below this.
const NARROWEST: usize = 8;

/// Lays a table out, and hands over its lines.
pub(super) fn write(
    columns: &[String],
    rows: &[Vec<Cell>],
    screen: Option<Screen>,
    mut put: impl FnMut(&str),
) {
    let header: Vec<String> = columns.iter().map(|name| one_line(name)).collect();
    let texts: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| one_line(&cell.text)).collect()).collect();
    let is_right: Vec<bool> = (0..columns.len()).map(|column| is_right(rows, column)).collect();
    let least: Vec<usize> = (0..columns.len()).map(|column| least_width(rows, &texts, column)).collect();
    let widths = widths(&header, &texts, &least, screen);
    let has_color = screen.is_some_and(|screen| screen.has_color);
    let (bold, plain) = if has_color { ("\u{1b}[1m", RESET) } else { ("", "") };

    let names = header.iter().map(|name| (name.as_str(), Cut::Right, None));
    put(&format!("{bold}{}{plain}", line(names, &widths, &is_right)));
    put(&widths.iter().map(|width| "─".repeat(*width)).collect::<Vec<_>>().join(GAP));
    for (row, texts) in rows.iter().zip(&texts) {
        let color = |cell: &Cell| cell.color.filter(|_| has_color);
        let cells = row.iter().zip(texts).map(|(cell, text)| (text.as_str(), cell.cut, color(cell)));
        put(&line(cells, &widths, &is_right));
    }
}

fn cells(rows: &[Vec<Cell>], column: usize) -> impl Iterator<Item = &Cell> {
    rows.iter().filter_map(move |row| row.get(column))
}

/// Whether all that is in a column are numbers.
pub(super) fn is_right(rows: &[Vec<Cell>], column: usize) -> bool {
    let mut values = cells(rows, column).filter(|cell| cell.text != super::NA).peekable();
    values.peek().is_some() && values.all(|cell| cell.is_right)
}

/// How wide a column has to be at least: nothing of a number is cut off, since what is left would be another number.
fn least_width(rows: &[Vec<Cell>], texts: &[Vec<String>], column: usize) -> usize {
    let cells = rows.iter().zip(texts).filter_map(|(row, texts)| row.get(column).zip(texts.get(column)));
    let whole = cells.filter(|(cell, _)| cell.cut == Cut::Never).map(|(_, text)| text.width());
    whole.max().unwrap_or(0).max(NARROWEST)
}

/// How wide each column is: as wide as it has to be, but on a terminal the widest ones are cut until all fit.
fn widths(header: &[String], texts: &[Vec<String>], least: &[usize], screen: Option<Screen>) -> Vec<usize> {
    let mut widths: Vec<usize> = header.iter().map(|name| name.width()).collect();
    for row in texts {
        for (width, text) in widths.iter_mut().zip(row) {
            *width = text.width().max(*width);
        }
    }
    let Some(screen) = screen else { return widths };
    let gaps = GAP.len() * widths.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > screen.width {
        let flexible = widths.iter_mut().zip(least).filter(|(width, least)| **width > **least);
        match flexible.map(|(width, _)| width).max() {
            Some(widest) => *widest -= 1,
            None => break,
        }
    }
    widths
}

fn line<'a>(
    cells: impl Iterator<Item = (&'a str, Cut, Option<u8>)>,
    widths: &[usize],
    is_right: &[bool],
) -> String {
    let mut line = String::new();
    for (((text, side, color), width), is_right) in cells.zip(widths).zip(is_right) {
        let text = match side {
            Cut::Left => cut_left(text, *width),
            _ => cut(text, *width),
        };
        let padding = " ".repeat(width.saturating_sub(text.width()));
        let text = match color {
            Some(color) if !text.is_empty() => format!("{}{text}{RESET}", paint(color)),
            _ => text,
        };
        let gap = if line.is_empty() { "" } else { GAP };
        let parts = if *is_right { [gap, &padding, &text] } else { [gap, &text, &padding] };
        line.extend(parts);
    }
    line.truncate(line.trim_end_matches(' ').len());
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(columns: &[&str], rows: Vec<Vec<Cell>>, screen: Option<Screen>) -> String {
        let columns: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
        let mut lines = String::new();
        write(&columns, &rows, screen, |line| lines.push_str(&format!("{line}\n")));
        lines
    }

    fn screen(width: usize) -> Option<Screen> {
        Some(Screen { width, height: 24, has_color: false })
    }

    #[test]
    fn columns_are_aligned_by_what_they_hold() {
        let rows = vec![
            vec![Cell::number("1", 1.0), Cell::text("损失"), Cell::number("0.25", 0.25)],
            vec![Cell::number("10", 10.0), Cell::text("é"), Cell::number("NaN", f64::NAN)],
            vec![Cell::missing("--"), Cell::missing("--"), Cell::missing("--")],
        ];
        let expected = "\
id  name  loss
──  ────  ────
 1  损失  0.25
10  é      NaN
--  --      --
";
        assert_eq!(shown(&["id", "name", "loss"], rows, None), expected);
    }

    #[test]
    fn long_texts_are_cut_at_their_side_and_numbers_never() {
        let left = Cell { cut: Cut::Left, ..Cell::text("/data/imagenet/train.py") };
        let rows = vec![vec![Cell::number("123456789", 1.0), left, Cell::text("x".repeat(50))]];
        let text = shown(&["n", "path", "comment"], rows.clone(), screen(34));
        assert!(text.lines().all(|line| line.width() <= 34), "{text}");
        assert!(text.contains("123456789  …") && text.contains("rain.py  xxxxx"), "{text}");
        assert!(shown(&["n", "path", "comment"], rows, None).contains(&"x".repeat(50)));
    }

    #[test]
    fn control_characters_cannot_reach_the_terminal() {
        let text = shown(&["a\nb"], vec![vec![Cell::text("\u{1b}[31mred\t")]], None);
        assert_eq!(text, "a\\nb\n───────────────\n\\u{1b}[31mred\\t\n");
    }

    #[test]
    fn colors_end_where_their_text_does() {
        let has_color = Some(Screen { width: 80, height: 24, has_color: true });
        let text = shown(&["s"], vec![vec![Cell::text("ok").with_color(34)]], has_color);
        assert!(text.ends_with("\u{1b}[38;5;34mok\u{1b}[0m\n"), "{text:?}");
    }
}
