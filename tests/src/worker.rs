//! Other processes that use a database: the program `worker`, told what to do by its arguments.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};

pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process};

use crate::Database;

/// A process that has connected, and waits for [`go`](Self::go).
#[derive(Debug)]
pub struct Worker {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Worker {
    /// Starts `program` (`env!("CARGO_BIN_EXE_worker")`) with a job for `db`, and waits until it is ready.
    pub fn start<A: AsRef<str>>(program: &str, db: &Database, job: impl IntoIterator<Item = A>) -> Self {
        Self::start_with(program, db, job, [])
    }

    /// The same with further variables in its environment.
    pub fn start_with<'a, A: AsRef<str>>(
        program: &str,
        db: &Database,
        job: impl IntoIterator<Item = A>,
        variables: impl IntoIterator<Item = (&'a str, String)>,
    ) -> Self {
        let mut worker = Self::spawn(program, db, job, variables);
        worker.wait_until_ready();
        worker
    }

    fn spawn<'a, A: AsRef<str>>(
        program: &str,
        db: &Database,
        job: impl IntoIterator<Item = A>,
        variables: impl IntoIterator<Item = (&'a str, String)>,
    ) -> Self {
        let mut child = Command::new(program)
            .args(job.into_iter().map(|argument| argument.as_ref().to_owned()))
            .env_clear()
            .envs(db.variables())
            .env("LOGNAME", "nobody")
            .envs(variables)
            .current_dir(db.folder())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, input, output }
    }

    fn wait_until_ready(&mut self) {
        let line = self.line();
        assert_eq!(line.as_deref(), Some("ready"), "{}", self.errors());
    }

    /// Lets it begin.
    pub fn go(&mut self) {
        self.input.write_all(b"go\n").unwrap();
    }

    /// The next line that it prints; `None` if it has ended.
    pub fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let length = self.output.read_line(&mut line).unwrap();
        (length > 0).then(|| line.trim_end().to_owned())
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).unwrap();
    }

    /// Waits for its end, whatever that is, and returns it with the other lines that it printed, and its errors.
    pub fn wait(mut self) -> (ExitStatus, Vec<String>, String) {
        let mut lines = Vec::new();
        while let Some(line) = self.line() {
            lines.push(line);
        }
        let errors = self.errors();
        (self.child.wait().unwrap(), lines, errors)
    }

    /// Ends it at once, as `kill -9` does, and waits until it is gone.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end, which must be a good one, and returns the other lines that it printed.
    pub fn finish(self) -> Vec<String> {
        let (status, lines, errors) = self.wait();
        assert!(status.success(), "{status}: {errors}");
        lines
    }

    fn errors(&mut self) -> String {
        let mut errors = String::new();
        if let Some(stderr) = &mut self.child.stderr {
            stderr.read_to_string(&mut errors).unwrap();
        }
        errors
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It has ended already, unless the test has failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs one process for each job, all at once, and returns what each of them printed.
pub fn all_at_once(
    program: &str,
    db: &Database,
    jobs: impl IntoIterator<Item = Vec<String>>,
) -> Vec<Vec<String>> {
    let mut workers: Vec<Worker> = jobs.into_iter().map(|job| Worker::spawn(program, db, job, [])).collect();
    workers.iter_mut().for_each(Worker::wait_until_ready);
    workers.iter_mut().for_each(Worker::go);
    workers.into_iter().map(Worker::finish).collect()
}
