//! Files that results go to. One that is there already is replaced once the new one is whole, so that nothing is lost to a
//! statement that fails or a disk that is full.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use tempfile::NamedTempFile;

/// A file that is being written. Until [`finish`](Self::finish) nothing is to be seen of it.
pub(crate) struct NewFile {
    path: PathBuf,
    place: Place,
}

enum Place {
    /// Beside the file that it is to replace.
    Beside(BufWriter<NamedTempFile>, PathBuf),
    /// What is no file, such as a device or a pipe, is written to at once.
    Itself(BufWriter<File>),
}

impl NewFile {
    pub(crate) fn create(path: &Path) -> anyhow::Result<Self> {
        let place = Self::place(path).map_err(|err| failed(path, &err))?;
        Ok(Self { path: path.to_owned(), place })
    }

    fn place(path: &Path) -> io::Result<Place> {
        // A link stays one: what it leads to is replaced.
        let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if target.metadata().is_ok_and(|found| !found.is_file()) {
            return Ok(Place::Itself(BufWriter::new(File::options().write(true).open(&target)?)));
        }
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
        let mut builder = tempfile::Builder::new();
        builder.prefix(".sqltrack-");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            // As any new file has them, less what the process masks, or as the old one had them.
            let old = target.metadata().map(|found| found.permissions());
            builder.permissions(old.unwrap_or_else(|_| std::fs::Permissions::from_mode(0o666)));
        }
        let file = builder.tempfile_in(folder.unwrap_or(Path::new(".")))?;
        Ok(Place::Beside(BufWriter::new(file), target))
    }

    /// Puts the file in its place, now that it is whole.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        let finished = match self.place {
            Place::Itself(mut file) => file.flush(),
            Place::Beside(file, target) => {
                let file = file.into_inner().map_err(io::IntoInnerError::into_error);
                file.and_then(|file| file.persist(target).map(drop).map_err(|err| err.error))
            }
        };
        finished.map_err(|err| failed(&self.path, &err))
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.place {
            Place::Beside(file, _) => file.write(bytes),
            Place::Itself(file) => file.write(bytes),
        }
        .map_err(|err| io::Error::new(err.kind(), failed(&self.path, &err).to_string()))
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.place {
            Place::Beside(file, _) => file.flush(),
            Place::Itself(file) => file.flush(),
        }
        .map_err(|err| io::Error::new(err.kind(), failed(&self.path, &err).to_string()))
    }
}

fn failed(path: &Path, err: &io::Error) -> anyhow::Error {
    anyhow!("cannot write `{}`: {err}", path.display())
}

/// Writes a whole file.
pub(crate) fn write(path: &Path, content: impl AsRef<[u8]>) -> anyhow::Result<()> {
    let mut file = NewFile::create(path)?;
    file.write_all(content.as_ref())?;
    file.finish()
}
