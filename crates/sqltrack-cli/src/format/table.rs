//! Tables for people: aligned columns, cut to the width of the terminal, and to nothing where there is none.

use std::io::{self, IsTerminal as _, Write};

use sqltrack_core::{Rows, Value, text};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::{Format, numeric_columns};

/// What stands for NULL.
pub(super) const NULL: &str = "--";

const GAP: &str = "  ";
/// No column is cut below this.
const NARROWEST: usize = 8;

pub(super) struct Table {
    /// The terminal, if it goes to one.
    pub(super) screen: Option<Screen>,
}

/// A terminal.
#[derive(Clone, Copy)]
pub(super) struct Screen {
    width: usize,
    has_color: bool,
}

impl Screen {
    /// The terminal that standard output is, if it is one.
    pub(super) fn of_stdout() -> Option<Self> {
        let stdout = io::stdout();
        if !stdout.is_terminal() {
            return None;
        }
        let width = terminal_size::terminal_size_of(&stdout).map_or(80, |(width, _)| usize::from(width.0));
        let has_color = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        Some(Self { width, has_color })
    }
}

impl Format for Table {
    fn write(&self, rows: &Rows, out: &mut dyn Write) -> io::Result<()> {
        let header: Vec<String> = rows.columns().iter().map(|column| one_line(&column.name)).collect();
        let body: Vec<Vec<String>> =
            rows.iter().map(|row| row.values().iter().map(|value| self.cell(value)).collect()).collect();
        let numeric = numeric_columns(rows);
        let widths = self.widths(&header, &body, &numeric);
        let line = |cells: &[String]| line(cells, &widths, &numeric);
        let (bold, plain) = match self.screen {
            Some(Screen { has_color: true, .. }) => ("\u{1b}[1m", "\u{1b}[0m"),
            _ => ("", ""),
        };
        writeln!(out, "{bold}{}{plain}", line(&header))?;
        let rules: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
        writeln!(out, "{}", rules.join(GAP))?;
        body.iter().try_for_each(|cells| writeln!(out, "{}", line(cells)))
    }
}

impl Table {
    fn cell(&self, value: &Value) -> String {
        match value {
            Value::Null => NULL.to_owned(),
            Value::Timestamp(time) if self.screen.is_some() => to_the_second(&text::timestamp(*time)),
            value => one_line(&text::of(value)),
        }
    }

    /// How wide each column is: as wide as it has to be, but on a terminal the widest ones are cut until all fit.
    /// Numbers are never cut, since what is left would be another number.
    fn widths(&self, header: &[String], body: &[Vec<String>], numeric: &[bool]) -> Vec<usize> {
        let mut widths: Vec<usize> = header.iter().map(|name| name.width()).collect();
        for cells in body {
            for (width, cell) in widths.iter_mut().zip(cells) {
                *width = cell.width().max(*width);
            }
        }
        let Some(screen) = self.screen else { return widths };
        let gaps = GAP.len() * widths.len().saturating_sub(1);
        while widths.iter().sum::<usize>() + gaps > screen.width {
            let flexible = widths.iter_mut().zip(numeric).filter(|(_, is_number)| !**is_number);
            match flexible.map(|(width, _)| width).max() {
                Some(widest) if *widest > NARROWEST => *widest -= 1,
                _ => break,
            }
        }
        widths
    }
}

fn line(cells: &[String], widths: &[usize], numeric: &[bool]) -> String {
    let mut text = String::new();
    for ((cell, width), is_number) in cells.iter().zip(widths).zip(numeric) {
        let cell = shortened(cell, *width);
        let padding = " ".repeat(width.saturating_sub(cell.width()));
        let gap = if text.is_empty() { "" } else { GAP };
        let parts = if *is_number { [gap, &padding, &cell] } else { [gap, &cell, &padding] };
        text.extend(parts);
    }
    text.truncate(text.trim_end_matches(' ').len());
    text
}

/// A time in UTC without its fraction, so that more columns fit on a screen.
fn to_the_second(timestamp: &str) -> String {
    let local = timestamp.strip_suffix("+00:00").unwrap_or(timestamp);
    format!("{}Z", local.split_once('.').map_or(local, |(seconds, _)| seconds))
}

/// A text with its control characters written out: none of them may move the cursor or change a color.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}

fn shortened(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut short = String::new();
    let mut taken = 1;
    for c in text.chars() {
        taken += c.width().unwrap_or(0);
        if taken > width {
            break;
        }
        short.push(c);
    }
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::super::tests::{rows, text};
    use super::*;

    const PIPE: Table = Table { screen: None };

    fn screen(width: usize) -> Table {
        Table { screen: Some(Screen { width, has_color: false }) }
    }

    #[test]
    fn columns_are_aligned_by_what_they_hold() {
        let rows = rows(
            &["id", "name", "loss"],
            vec![
                vec![1.into(), "损失".into(), 0.25.into()],
                vec![10.into(), "é".into(), f64::NAN.into()],
                vec![Value::Null, Value::Null, Value::Null],
            ],
        );
        let expected = "\
id  name  loss
──  ────  ────
 1  损失  0.25
10  é      NaN
--  --      --
";
        assert_eq!(text(&PIPE, &rows), expected);
    }

    #[test]
    fn long_cells_are_cut_on_a_terminal_only() {
        let rows = rows(&["n", "comment"], vec![vec![123_456_789.into(), "x".repeat(50).into()]]);
        let on_screen = text(&screen(30), &rows);
        assert!(on_screen.lines().all(|line| line.width() <= 30), "{on_screen}");
        assert!(on_screen.contains("123456789  xxxxxxxxxxxxxxxxxx…"), "{on_screen}");
        assert!(text(&PIPE, &rows).contains(&"x".repeat(50)));
    }

    #[test]
    fn numbers_and_narrow_columns_are_never_cut() {
        let rows = rows(&["n", "text"], vec![vec![i64::MAX.into(), "12345678".into()]]);
        assert!(text(&screen(10), &rows).contains("9223372036854775807  12345678"));
    }

    #[test]
    fn times_are_short_on_a_terminal_only() {
        let time = time::macros::datetime!(2024-05-07 12:30:00.25 UTC);
        let rows = rows(&["created"], vec![vec![time.into()]]);
        assert!(text(&screen(80), &rows).ends_with("\n2024-05-07 12:30:00Z\n"));
        assert!(text(&PIPE, &rows).ends_with("\n2024-05-07 12:30:00.25+00:00\n"));
    }

    #[test]
    fn wide_characters_are_cut_whole() {
        assert_eq!(shortened("损失损失", 6), "损失…");
        assert_eq!(shortened("损失损失", 8), "损失损失");
    }

    #[test]
    fn control_characters_cannot_reach_the_terminal() {
        let rows = rows(&["a\nb"], vec![vec!["\u{1b}[31mred\t".into()]]);
        assert_eq!(text(&PIPE, &rows), "a\\nb\n───────────────\n\\u{1b}[31mred\\t\n");
    }
}
