//! How far something has come, in one line of the terminal that is written over.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

/// How often the line is written at most.
const INTERVAL: Duration = Duration::from_millis(100);
/// How many characters the bar has.
const WIDTH: usize = 30;

/// A line on standard error, if that is a terminal.
pub(crate) struct Progress {
    is_terminal: bool,
    last: Option<Instant>,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self { is_terminal: std::io::stderr().is_terminal(), last: None }
    }

    /// Shows that `done` of `total` is done, and a text behind it.
    pub(crate) fn show(&mut self, done: u64, total: u64, text: &str) {
        let is_due = self.last.is_none_or(|last| last.elapsed() >= INTERVAL);
        if self.is_terminal && is_due {
            self.last = Some(Instant::now());
            write(&line(done, total, text));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.last.is_some() {
            write("\r\x1b[K");
        }
    }
}

fn line(done: u64, total: u64, text: &str) -> String {
    let done = done.min(total);
    let share = |whole: u64| done.saturating_mul(whole).checked_div(total).unwrap_or(whole);
    let full = usize::try_from(share(WIDTH as u64)).unwrap_or(WIDTH);
    format!("\r\x1b[K{}{} {:3} %  {text}", "█".repeat(full), "░".repeat(WIDTH - full), share(100))
}

/// Whether anybody can see it is not looked at.
fn write(text: &str) {
    let mut stderr = std::io::stderr();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn a_line_is_always_of_one_length() {
        for (done, total, expected) in [
            (0, 0, "██████████████████████████████ 100 %  x"),
            (1, 3, "██████████░░░░░░░░░░░░░░░░░░░░  33 %  x"),
            (u64::MAX, 7, "██████████████████████████████ 100 %  x"),
        ] {
            assert_eq!(line(done, total, "x"), format!("\r\u{1b}[K{expected}"));
        }
    }
}
