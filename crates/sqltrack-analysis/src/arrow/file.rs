//! Files of Arrow and Parquet.

use std::io::Write;

use arrow_ipc::writer::FileWriter as IpcWriter;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use sqltrack_core::Rows;

use super::column::{ArrowError, Columns};

/// How many rows without any value of some column are kept in memory, to learn its type from a later one.
const MOST_UNKNOWN: usize = 100_000;
/// How many rows are one row group of Parquet: what is kept in memory until it is written.
const GROUP: usize = 131_072;

/// The kind of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileKind {
    /// An Arrow IPC file, also known as Feather 2.
    Arrow,
    /// A Parquet file, compressed by Snappy.
    Parquet,
}

/// Writes rows to a file, part by part, with bounded memory. Without [`finish`](Self::finish) the file is not complete.
///
/// ```
/// use sqltrack_analysis::arrow::{FileKind, FileWriter};
/// use sqltrack_core::{Column, Rows, Value};
///
/// let column = Column { name: "loss".to_owned(), type_name: "float8".to_owned() };
/// let rows = Rows::new(vec![column], vec![vec![Value::Float(f64::NAN)], vec![Value::Null]]);
/// let mut writer = FileWriter::new(FileKind::Parquet, Vec::new());
/// writer.write(rows)?;
/// let file = writer.finish()?;
/// assert!(file.starts_with(b"PAR1"));
/// # Ok::<(), sqltrack_analysis::arrow::ArrowError>(())
/// ```
pub struct FileWriter<W: Write + Send> {
    kind: FileKind,
    state: State<W>,
}

impl<W: Write + Send> std::fmt::Debug for FileWriter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileWriter").field("kind", &self.kind).finish_non_exhaustive()
    }
}

enum State<W: Write + Send> {
    /// The types are not all known yet.
    Waiting(W, Vec<Rows>),
    Writing(Columns, Inner<W>),
    Broken,
}

enum Inner<W: Write + Send> {
    Arrow(Box<IpcWriter<W>>),
    Parquet(Box<ArrowWriter<W>>),
}

impl<W: Write + Send> FileWriter<W> {
    /// A file that begins here.
    pub fn new(kind: FileKind, file: W) -> Self {
        Self { kind, state: State::Waiting(file, Vec::new()) }
    }

    /// Writes some rows. All parts have the columns of the first one.
    ///
    /// # Errors
    ///
    /// [`ArrowError::Mixed`] if a value does not fit its column, [`ArrowError::Io`] and [`ArrowError::File`] if the file cannot be
    /// written. After an error the file is of no use.
    pub fn write(&mut self, rows: Rows) -> Result<(), ArrowError> {
        match std::mem::replace(&mut self.state, State::Broken) {
            State::Waiting(file, mut waiting) => {
                waiting.push(rows);
                let count: usize = waiting.iter().map(Rows::len).sum();
                let are_known = Columns::are_known(&joined(&waiting));
                self.state = if are_known || count > MOST_UNKNOWN {
                    begin(self.kind, file, waiting)?
                } else {
                    State::Waiting(file, waiting)
                };
            }
            State::Writing(mut columns, mut inner) => {
                inner.write(&mut columns, &rows)?;
                self.state = State::Writing(columns, inner);
            }
            State::Broken => return Err(ArrowError::File("an earlier part failed".to_owned())),
        }
        Ok(())
    }

    /// Completes the file and gives it back.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write).
    pub fn finish(self) -> Result<W, ArrowError> {
        let state = match self.state {
            State::Waiting(file, waiting) => begin(self.kind, file, waiting)?,
            state => state,
        };
        match state {
            State::Writing(_, Inner::Arrow(mut writer)) => {
                writer.finish()?;
                Ok(writer.into_inner()?)
            }
            State::Writing(_, Inner::Parquet(writer)) => Ok(writer.into_inner()?),
            State::Waiting(..) | State::Broken => Err(ArrowError::File("an earlier part failed".to_owned())),
        }
    }
}

/// Parts as one.
fn joined(parts: &[Rows]) -> Rows {
    let columns = parts.first().map(|part| part.columns().to_vec()).unwrap_or_default();
    Rows::new(columns, parts.iter().flatten().map(|row| row.values().to_vec()).collect())
}

fn begin<W: Write + Send>(kind: FileKind, file: W, waiting: Vec<Rows>) -> Result<State<W>, ArrowError> {
    let mut columns = Columns::of(&joined(&waiting));
    let schema = columns.schema().clone();
    let mut inner = match kind {
        FileKind::Arrow => Inner::Arrow(Box::new(IpcWriter::try_new(file, &schema)?)),
        FileKind::Parquet => {
            let properties = WriterProperties::builder()
                .set_compression(Compression::SNAPPY)
                .set_max_row_group_row_count(Some(GROUP))
                .build();
            Inner::Parquet(Box::new(ArrowWriter::try_new(file, schema, Some(properties))?))
        }
    };
    for rows in &waiting {
        inner.write(&mut columns, rows)?;
    }
    Ok(State::Writing(columns, inner))
}

impl<W: Write + Send> Inner<W> {
    fn write(&mut self, columns: &mut Columns, rows: &Rows) -> Result<(), ArrowError> {
        if rows.is_empty() {
            return Ok(());
        }
        let batch = columns.batch(rows)?;
        match self {
            Self::Arrow(writer) => writer.write(&batch)?,
            Self::Parquet(writer) => writer.write(&batch)?,
        }
        Ok(())
    }
}
