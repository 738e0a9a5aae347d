//! Tables for people: aligned columns, cut to the width of the terminal, and to nothing where there is none.

use std::io::{self, Write};

use sqltrack_analysis::Screen;
use sqltrack_analysis::format::{Cell, FormattedTable};
use sqltrack_core::{Rows, Value, text};

use super::Whole;

/// What stands for NULL.
pub(super) const NULL: &str = sqltrack_analysis::format::NA;

pub(super) struct Table {
    /// The terminal, if it goes to one.
    pub(super) screen: Option<Screen>,
}

impl Whole for Table {
    fn write(&self, rows: &Rows, out: &mut dyn Write) -> io::Result<()> {
        let columns = rows.columns().iter().map(|column| column.name.clone()).collect();
        let rows = rows.iter().map(|row| row.values().iter().map(|value| self.cell(value)).collect());
        let table = FormattedTable { columns, rows: rows.collect() };
        out.write_all(table.terminal(self.screen).as_bytes())
    }
}

impl Table {
    fn cell(&self, value: &Value) -> Cell {
        match value {
            Value::Null => Cell::missing(NULL),
            Value::Timestamp(time) if self.screen.is_some() => {
                Cell::text(to_the_second(&text::timestamp(*time)))
            }
            Value::Int(_) | Value::Float(_) | Value::Decimal(_) => Cell::number(text::of(value), 0.0),
            value => Cell::text(text::of(value)),
        }
    }
}

/// A time in UTC without its fraction, so that more columns fit on a screen.
fn to_the_second(timestamp: &str) -> String {
    let local = timestamp.strip_suffix("+00:00").unwrap_or(timestamp);
    format!("{}Z", local.split_once('.').map_or(local, |(seconds, _)| seconds))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{rows, whole};
    use super::*;

    const PIPE: Table = Table { screen: None };

    fn screen(width: usize) -> Table {
        Table { screen: Some(Screen { width, height: 24, has_color: false }) }
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
        assert_eq!(whole(&PIPE, &rows), expected);
    }

    #[test]
    fn long_cells_are_cut_on_a_terminal_only() {
        let rows = rows(&["n", "comment"], vec![vec![123_456_789.into(), "x".repeat(50).into()]]);
        let on_screen = whole(&screen(30), &rows);
        assert!(on_screen.lines().all(|line| line.chars().count() <= 30), "{on_screen}");
        assert!(on_screen.contains("123456789  xxxxxxxxxxxxxxxxxx…"), "{on_screen}");
        assert!(whole(&PIPE, &rows).contains(&"x".repeat(50)));
    }

    #[test]
    fn numbers_and_narrow_columns_are_never_cut() {
        let rows = rows(&["n", "text"], vec![vec![i64::MAX.into(), "12345678".into()]]);
        assert!(whole(&screen(10), &rows).contains("9223372036854775807  12345678"));
    }

    #[test]
    fn times_are_short_on_a_terminal_only() {
        let time = time::macros::datetime!(2024-05-07 12:30:00.25 UTC);
        let rows = rows(&["created"], vec![vec![time.into()]]);
        assert!(whole(&screen(80), &rows).ends_with("\n2024-05-07 12:30:00Z\n"));
        assert!(whole(&PIPE, &rows).ends_with("\n2024-05-07 12:30:00.25+00:00\n"));
    }

    #[test]
    fn control_characters_cannot_reach_the_terminal() {
        let rows = rows(&["a\nb"], vec![vec!["\u{1b}[31mred\t".into()]]);
        assert_eq!(whole(&PIPE, &rows), "a\\nb\n───────────────\n\\u{1b}[31mred\\t\n");
    }
}
