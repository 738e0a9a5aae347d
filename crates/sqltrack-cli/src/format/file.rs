//! Files of Arrow and Parquet.

use std::io::{self, Write};

use sqltrack_analysis::arrow::{FileKind, FileWriter};
use sqltrack_core::Rows;

use super::RowWriter;

/// Writes to memory, from where what is written goes to the file: the writer wants to own where it writes to.
pub(super) struct File(Option<FileWriter<Shared>>, Shared);

#[derive(Default, Clone)]
struct Shared(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl Shared {
    fn bytes(&self) -> std::sync::MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn drain_to(&self, out: &mut dyn Write) -> io::Result<()> {
        let bytes = std::mem::take(&mut *self.bytes());
        out.write_all(&bytes)
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl File {
    pub(super) fn new(is_parquet: bool) -> Self {
        let kind = if is_parquet { FileKind::Parquet } else { FileKind::Arrow };
        let shared = Shared::default();
        Self(Some(FileWriter::new(kind, shared.clone())), shared)
    }
}

impl RowWriter for File {
    fn rows(&mut self, rows: Rows, out: &mut dyn Write) -> anyhow::Result<()> {
        if let Some(writer) = &mut self.0 {
            writer.write(rows)?;
        }
        Ok(self.1.drain_to(out)?)
    }

    fn finish(&mut self, out: &mut dyn Write) -> anyhow::Result<()> {
        if let Some(writer) = self.0.take() {
            writer.finish()?;
        }
        Ok(self.1.drain_to(out)?)
    }
}
