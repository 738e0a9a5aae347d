//! Where results go.

use std::io::{self, BufWriter, ErrorKind, Write};

/// A buffered writer that remembers whether its reader has gone away.
pub(crate) struct Output<W: Write>(BufWriter<Watched<W>>);

struct Watched<W> {
    inner: W,
    is_closed: bool,
}

impl<W: Write> Output<W> {
    pub(crate) fn new(inner: W) -> Self {
        Self(BufWriter::new(Watched { inner, is_closed: false }))
    }

    /// Whether a write has failed since nobody reads any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.0.get_ref().is_closed
    }
}

impl<W: Write> Watched<W> {
    fn note<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|err| {
            self.is_closed |= err.kind() == ErrorKind::BrokenPipe;
            io::Error::new(err.kind(), format!("cannot write the output: {err}"))
        })
    }
}

impl<W: Write> Write for Watched<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes);
        self.note(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.inner.flush();
        self.note(flushed)
    }
}

impl<W: Write> Write for Output<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_has_gone_is_noticed() {
        let mut output = Output::new(Closed);
        writeln!(output, "text").unwrap();
        assert!(!output.is_closed());
        assert!(output.flush().is_err());
        assert!(output.is_closed());
    }
}
