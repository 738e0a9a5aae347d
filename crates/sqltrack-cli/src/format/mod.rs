//! Rows as text and files: one file for each format, and the options that choose one.

mod csv;
#[cfg(feature = "arrow")]
mod file;
mod html;
mod json;
mod jsonl;
mod markdown;
mod plain;
mod table;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{ValueEnum as _, ValueHint};
use sqltrack_core::{RowParts, Rows, Value};

use crate::file::NewFile;
use crate::options::wrong_usage;
use crate::screen;

/// A way to write rows that come part by part.
trait RowWriter {
    /// Writes some rows. All parts have the same columns.
    fn rows(&mut self, rows: Rows, out: &mut dyn Write) -> anyhow::Result<()>;

    /// Writes what is to come after the last rows.
    fn finish(&mut self, out: &mut dyn Write) -> anyhow::Result<()>;
}

/// A way to write rows that has to know all of them first.
trait Whole {
    /// Writes all `rows`.
    fn write(&self, rows: &Rows, out: &mut dyn Write) -> io::Result<()>;
}

/// Collects rows for a way to write them that wants all.
struct Collected<T>(T, Vec<Rows>);

impl<T: Whole> RowWriter for Collected<T> {
    fn rows(&mut self, rows: Rows, _: &mut dyn Write) -> anyhow::Result<()> {
        self.1.push(rows);
        Ok(())
    }

    fn finish(&mut self, out: &mut dyn Write) -> anyhow::Result<()> {
        // What gives no table is nothing.
        let Some(columns) = self.1.first().map(|part| part.columns().to_vec()) else { return Ok(()) };
        let parts = self.1.drain(..).flatten();
        let rows = Rows::new(columns, parts.map(sqltrack_core::Row::into_values).collect());
        Ok(self.0.write(&rows, out)?)
    }
}

/// The options of every command that prints rows.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct FormatArgs {
    /// How to write rows: a table, or what the ending of FILE says
    #[arg(long, value_enum)]
    format: Option<FormatName>,
    /// The file to write to: .csv, .json, .jsonl, .md, .html, .parquet, .arrow
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum FormatName {
    /// Aligned columns, cut to the width of the terminal
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
    /// A Parquet file, with `-o`
    Parquet,
    /// An Arrow file (Feather 2), with `-o`
    Arrow,
}

impl FormatName {
    /// What the ending of a file stands for.
    fn of(path: &Path) -> anyhow::Result<Self> {
        let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_lowercase);
        let ending = ending.unwrap_or_default();
        Ok(match ending.as_str() {
            "md" => Self::Markdown,
            "htm" => Self::Html,
            "ndjson" => Self::Jsonl,
            "txt" => Self::Table,
            "feather" => Self::Arrow,
            other => Self::from_str(other, true).map_err(|_| {
                wrong_usage(&format!(
                    "`{}` does not say what it is to hold; give it one of the endings .csv, .json, .jsonl, .md, .html, \
                     .parquet and .arrow, or say `--format`",
                    path.display()
                ))
            })?,
        })
    }
}

impl FormatArgs {
    /// What is written.
    pub(crate) fn name(&self) -> anyhow::Result<FormatName> {
        let name = match (self.format, &self.output) {
            (Some(name), _) => name,
            (None, Some(path)) => FormatName::of(path)?,
            (None, None) => FormatName::Table,
        };
        if matches!(name, FormatName::Parquet | FormatName::Arrow) && self.output.is_none() {
            return Err(wrong_usage("parquet and arrow are for files; name one with `-o FILE`"));
        }
        Ok(name)
    }

    /// Whether it is for people who look at a terminal.
    pub(crate) fn is_for_terminal(&self) -> bool {
        self.output.is_none() && self.format.is_none_or(|name| name == FormatName::Table)
    }

    fn writer(&self) -> anyhow::Result<Box<dyn RowWriter>> {
        let screen = if self.output.is_some() { None } else { screen::of_stdout() };
        Ok(match self.name()? {
            FormatName::Table => Box::new(Collected(table::Table { screen }, Vec::new())),
            FormatName::Json => Box::<json::Json>::default(),
            FormatName::Jsonl => Box::new(jsonl::Jsonl),
            FormatName::Csv => Box::<csv::Csv>::default(),
            FormatName::Markdown => Box::new(Collected(markdown::Markdown, Vec::new())),
            FormatName::Html => Box::new(Collected(html::Html, Vec::new())),
            #[cfg(feature = "arrow")]
            name @ (FormatName::Parquet | FormatName::Arrow) => {
                Box::new(file::File::new(name == FormatName::Parquet))
            }
            #[cfg(not(feature = "arrow"))]
            FormatName::Parquet | FormatName::Arrow => {
                return Err(anyhow::anyhow!("this program was built without the feature `arrow`"));
            }
        })
    }

    /// Writes rows.
    pub(crate) fn print(&self, rows: Rows, out: &mut impl Write) -> anyhow::Result<()> {
        let mut writer = self.writer()?;
        self.to_place(out, |out| {
            self.part(&mut *writer, rows, out)?;
            writer.finish(out)
        })
    }

    /// Writes rows as they come.
    pub(crate) async fn print_parts(
        &self,
        mut next: impl AsyncFnMut() -> anyhow::Result<Option<Rows>>,
        out: &mut impl Write,
    ) -> anyhow::Result<()> {
        let mut writer = self.writer()?;
        let mut place = Place::open(self.output.as_deref(), out)?;
        while let Some(rows) = next().await? {
            self.part(&mut *writer, rows, place.writer())?;
        }
        writer.finish(place.writer())?;
        place.finish()
    }

    /// Writes the rows of a query as they come.
    pub(crate) async fn print_query(&self, mut parts: RowParts, out: &mut impl Write) -> anyhow::Result<()> {
        self.print_parts(async || Ok(parts.next().await?), out).await
    }

    /// Writes something else than rows to where the rows would go.
    pub(crate) fn print_text(&self, text: &str, out: &mut impl Write) -> anyhow::Result<()> {
        self.to_place(out, |out| Ok(out.write_all(text.as_bytes())?))
    }

    fn part(&self, writer: &mut dyn RowWriter, rows: Rows, out: &mut dyn Write) -> anyhow::Result<()> {
        // A statement like UPDATE gives no table at all, which is not the same as one with no row.
        if rows.columns().is_empty() && self.name()? != FormatName::Json {
            return Ok(());
        }
        writer.rows(rows, out)
    }

    fn to_place(
        &self,
        out: &mut impl Write,
        write: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut place = Place::open(self.output.as_deref(), out)?;
        write(place.writer())?;
        place.finish()
    }
}

/// Where rows go.
enum Place<'a> {
    Output(&'a mut dyn Write),
    File(NewFile),
}

impl<'a> Place<'a> {
    /// The file, or else standard output.
    fn open(path: Option<&Path>, out: &'a mut impl Write) -> anyhow::Result<Self> {
        path.map_or(Ok(Self::Output(out)), |path| NewFile::create(path).map(Self::File))
    }

    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::Output(out) => *out,
            Self::File(file) => file,
        }
    }

    fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::Output(out) => Ok(out.flush()?),
            Self::File(file) => file.finish(),
        }
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
    pub(super) fn text(mut format: impl RowWriter, rows: Rows) -> String {
        let mut text = Vec::new();
        format.rows(rows, &mut text).unwrap();
        format.finish(&mut text).unwrap();
        String::from_utf8(text).unwrap()
    }

    /// The same for one that wants all of them.
    pub(super) fn whole(format: &dyn Whole, rows: &Rows) -> String {
        let mut text = Vec::new();
        format.write(rows, &mut text).unwrap();
        String::from_utf8(text).unwrap()
    }
}
