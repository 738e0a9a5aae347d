//! Tables for Markdown.

use std::io::{self, Write};

use sqltrack_core::{Rows, Value, text};

use super::{Whole, numeric_columns};

pub(super) struct Markdown;

impl Whole for Markdown {
    fn write(&self, rows: &Rows, out: &mut dyn Write) -> io::Result<()> {
        line(rows.columns().iter().map(|column| escaped(&column.name)), out)?;
        let rule = |is_number| if is_number { "---:" } else { "---" }.to_owned();
        line(numeric_columns(rows).into_iter().map(rule), out)?;
        rows.iter().try_for_each(|row| line(row.values().iter().map(cell), out))
    }
}

fn line(cells: impl Iterator<Item = String>, out: &mut dyn Write) -> io::Result<()> {
    for cell in cells {
        write!(out, "| {cell} ")?;
    }
    writeln!(out, "|")
}

fn cell(value: &Value) -> String {
    if value.is_null() { super::table::NULL.to_owned() } else { escaped(&text::of(value)) }
}

/// A text that Markdown shows as it is. An underscore inside of a word is no markup.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let is_inside = before.is_alphanumeric() && chars.peek().is_some_and(|next| next.is_alphanumeric());
        match c {
            '\r' if chars.peek() == Some(&'\n') => {}
            '\n' | '\r' => escaped.push_str("<br>"),
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            '_' if is_inside => escaped.push('_'),
            '\\' | '|' | '`' | '*' | '_' | '[' | '~' | '$' => escaped.extend(['\\', c]),
            c if c.is_control() => escaped.extend(c.escape_default()),
            c => escaped.push(c),
        }
        before = c;
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::super::tests::{rows, whole};
    use super::*;

    #[test]
    fn cells_stay_in_their_cells() {
        let hostile = rows(&["val_loss", "a|b"], vec![vec![0.5.into(), "x\r\n<b> *y* \\| _z_".into()]]);
        assert_eq!(
            whole(&Markdown, &hostile),
            "| val_loss | a\\|b |\n| ---: | --- |\n| 0.5 | x<br>&lt;b> \\*y\\* \\\\\\| \\_z\\_ |\n"
        );
        let null = rows(&["a"], vec![vec![Value::Null]]);
        assert_eq!(whole(&Markdown, &null), "| a |\n| --- |\n| -- |\n");
    }
}
