//! Rows as text: one file for each format, and the option that chooses one.

mod csv;
mod html;
mod json;
mod jsonl;
mod markdown;
mod plain;
mod table;

use std::io::{self, Write};

use sqltrack_core::{Rows, Value};

use crate::screen;

/// A way to write rows.
trait Format {
    /// Writes all `rows`, each as soon as it can.
    fn write(&self, rows: &Rows, out: &mut dyn Write) -> io::Result<()>;
}

/// The option of every command that prints rows.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct FormatArgs {
    /// How to print rows
    #[arg(long, value_enum, default_value_t)]
    format: FormatName,
}

#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum FormatName {
    /// Aligned columns, cut to the width of the terminal
    #[default]
    Table,
    /// One JSON array of objects
    Json,
    /// One JSON object a line
    Jsonl,
    /// Comma-separated values with a header
    Csv,
    /// A table for Markdown
    Markdown,
    /// A page with a table that can be sorted
    Html,
}

impl FormatArgs {
    /// Whether it is for people who look at a terminal.
    pub(crate) fn is_table(self) -> bool {
        matches!(self.format, FormatName::Table)
    }

    /// Whether it is a page.
    pub(crate) fn is_html(self) -> bool {
        matches!(self.format, FormatName::Html)
    }

    pub(crate) fn print(self, rows: &Rows, out: &mut impl Write) -> anyhow::Result<()> {
        let format: &dyn Format = match self.format {
            FormatName::Table => &table::Table { screen: screen::of_stdout() },
            FormatName::Json => &json::Json,
            FormatName::Jsonl => &jsonl::Jsonl,
            FormatName::Csv => &csv::Csv,
            FormatName::Markdown => &markdown::Markdown,
            FormatName::Html => &html::Html,
        };
        // A statement like UPDATE gives no table at all, which is not the same as one with no row.
        if rows.columns().is_empty() && !matches!(self.format, FormatName::Json) {
            return Ok(());
        }
        Ok(format.write(rows, out)?)
    }
}

/// Which columns hold numbers alone, and are aligned so.
fn numeric_columns(rows: &Rows) -> Vec<bool> {
    let is_number = |value: &Value| matches!(value, Value::Int(_) | Value::Float(_) | Value::Decimal(_));
    let is_numeric = |column: usize| {
        let mut values = rows
            .iter()
            .filter_map(|row| row.values().get(column))
            .filter(|value| !value.is_null())
            .peekable();
        values.peek().is_some() && values.all(is_number)
    };
    (0..rows.columns().len()).map(is_numeric).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqltrack_core::Column;

    /// Rows with these columns.
    pub(super) fn rows(columns: &[&str], values: Vec<Vec<Value>>) -> Rows {
        let column = |name: &&str| Column { name: (*name).to_owned(), type_name: String::new() };
        Rows::new(columns.iter().map(column).collect(), values)
    }

    /// What a format makes of rows.
    pub(super) fn text(format: &dyn Format, rows: &Rows) -> String {
        let mut text = Vec::new();
        format.write(rows, &mut text).unwrap();
        String::from_utf8(text).unwrap()
    }
}
