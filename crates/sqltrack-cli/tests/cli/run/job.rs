//! A call of the program that goes on while the test watches it.

use std::io::Read;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// What takes longer will not happen any more.
const LIMIT: Duration = Duration::from_secs(60);

/// A process, and what it has written so far.
pub(super) struct Job {
    child: Child,
    chunks: Receiver<Vec<u8>>,
    seen: Vec<u8>,
}

impl Job {
    /// Starts a command whose standard output is a pipe.
    pub(super) fn start(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let output = child.stdout.take().unwrap();
        Self::watch(child, output)
    }

    /// Watches a process that writes to the other end of `output`.
    pub(super) fn watch(child: Child, mut output: impl Read + Send + 'static) -> Self {
        let (sender, chunks) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // A terminal whose other end is closed gives an error.
            while let Ok(length @ 1..) = output.read(&mut buffer) {
                let _ = sender.send(buffer[..length].to_vec());
            }
        });
        Self { child, chunks, seen: Vec::new() }
    }

    /// Waits until `text` has been written, and returns all up to and with it that was not returned before.
    #[track_caller]
    pub(super) fn expect(&mut self, text: &str) -> String {
        loop {
            let found = self.seen.windows(text.len()).position(|window| window == text.as_bytes());
            if let Some(start) = found {
                let rest = self.seen.split_off(start + text.len());
                return String::from_utf8(std::mem::replace(&mut self.seen, rest)).unwrap();
            }
            let Ok(chunk) = self.chunks.recv_timeout(LIMIT) else {
                panic!("no `{text}` in {:?}", String::from_utf8_lossy(&self.seen))
            };
            self.seen.extend(chunk);
        }
    }

    /// Waits until the reporter is ready, and returns its process id.
    #[track_caller]
    pub(super) fn ready(&mut self) -> Pid {
        let line = self.expect("\n");
        let id = line.strip_prefix("ready ").unwrap_or_else(|| panic!("not ready: {line:?}"));
        Pid::from_raw(id.trim().parse().unwrap()).unwrap()
    }

    pub(super) fn id(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Sends a signal to the process itself.
    pub(super) fn kill(&self, signal: Signal) {
        kill_process(self.id(), signal).unwrap();
    }

    /// Waits until nobody writes any more, and returns what was written and not seen before.
    #[track_caller]
    pub(super) fn rest(&mut self) -> String {
        loop {
            match self.chunks.recv_timeout(LIMIT) {
                Ok(chunk) => self.seen.extend(chunk),
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break,
                Err(err) => panic!("{err}; until then {:?}", String::from_utf8_lossy(&self.seen)),
            }
        }
        String::from_utf8(std::mem::take(&mut self.seen)).unwrap()
    }

    pub(super) fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// What [`rest`](Self::rest) tells, and the exit code.
    #[track_caller]
    pub(super) fn end(&mut self) -> (String, Option<i32>) {
        (self.rest(), self.wait().code())
    }
}

impl Drop for Job {
    /// A test that fails leaves nothing behind; the command ends with us.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
