//! The last lines of a text, in a bounded space.

use std::collections::VecDeque;

/// How many lines are kept, and how many bytes of each.
const LINES: usize = 100;
const LINE_BYTES: usize = 4096;
/// What stands at the end of a line that was longer.
const CUT: char = '…';

/// The last lines of what is pushed. A line is what a terminal would show of it in the end: a progress bar, which goes
/// back to the start of its line again and again, is one line.
#[derive(Debug, Default)]
pub(super) struct Tail {
    lines: VecDeque<Line>,
    open: Line,
    /// A carriage return was the last byte: what follows overwrites the line, unless it ends it.
    returned: bool,
}

#[derive(Debug, Default)]
struct Line {
    bytes: Vec<u8>,
    is_cut: bool,
}

impl Tail {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            match byte {
                b'\n' => self.end_line(),
                b'\r' => self.returned = true,
                byte => self.add(byte),
            }
        }
    }

    /// The lines, the last one also if it has not ended. What is no UTF-8 is replaced, as is NUL, which no database
    /// keeps.
    pub(super) fn lines(&self) -> Vec<String> {
        let open = Some(&self.open).filter(|line| !line.bytes.is_empty());
        let skipped = (self.lines.len() + usize::from(open.is_some())).saturating_sub(LINES);
        self.lines.iter().chain(open).skip(skipped).map(Line::text).collect()
    }

    fn add(&mut self, byte: u8) {
        if std::mem::take(&mut self.returned) {
            self.open = Line::default();
        }
        if self.open.bytes.len() < LINE_BYTES {
            self.open.bytes.push(byte);
        } else {
            self.open.is_cut = true;
        }
    }

    fn end_line(&mut self) {
        self.returned = false;
        if self.lines.len() == LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(std::mem::take(&mut self.open));
    }
}

impl Line {
    fn text(&self) -> String {
        let mut bytes = self.bytes.as_slice();
        // A character that was cut in two is left out.
        if self.is_cut
            && let Some(chunk) = bytes.utf8_chunks().last()
            && chunk.invalid().len() < 4
        {
            bytes = &bytes[..bytes.len() - chunk.invalid().len()];
        }
        let mut text = String::from_utf8_lossy(bytes).replace('\0', "\u{fffd}");
        text.extend(self.is_cut.then_some(CUT));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &[u8], expected: &[&str]) {
        for size in [1, 2, 3, text.len().max(1)] {
            let mut tail = Tail::default();
            text.chunks(size).for_each(|chunk| tail.push(chunk));
            assert_eq!(tail.lines(), expected, "in pieces of {size}");
        }
    }

    #[test]
    fn lines_are_those_that_a_terminal_shows() {
        check(b"", &[]);
        check(b"one\ntwo\n", &["one", "two"]);
        check(b"one\n\ntwo", &["one", "", "two"]);
        check(b"one\r\ntwo\r\n", &["one", "two"]);
        check(b"  0%\r 50%\r100%\ndone\n", &["100%", "done"]);
        check(b"  0%\r 50%\r", &[" 50%"]);
        check(b"\r\r\n", &[""]);
    }

    #[test]
    fn what_no_database_keeps_is_replaced() {
        check(b"a\0b\xffc\n", &["a\u{fffd}b\u{fffd}c"]);
        check("größer\n".as_bytes(), &["größer"]);
    }

    #[test]
    fn the_last_hundred_lines_are_kept() {
        let text: String = (1..=250).map(|number| format!("{number}\n")).collect();
        let expected: Vec<String> = (151..=250).map(|number| number.to_string()).collect();
        check(text.as_bytes(), &expected.iter().map(String::as_str).collect::<Vec<_>>());
        let mut expected: Vec<&str> = expected.iter().skip(1).map(String::as_str).collect();
        expected.push("open");
        check(format!("{text}open").as_bytes(), &expected);
    }

    #[test]
    fn a_long_line_is_cut_between_characters() {
        let long = format!("{}\nnext\n", "x".repeat(LINE_BYTES + 1));
        check(long.as_bytes(), &[&format!("{}…", "x".repeat(LINE_BYTES)), "next"]);
        let exact = "x".repeat(LINE_BYTES);
        check(exact.as_bytes(), &[&exact]);
        let split = format!("{}ö", "x".repeat(LINE_BYTES - 1));
        check(split.as_bytes(), &[&format!("{}…", "x".repeat(LINE_BYTES - 1))]);
    }

    #[test]
    fn a_bar_without_end_takes_no_space() {
        let mut tail = Tail::default();
        for percent in 0..1_000_000 {
            tail.push(format!("\r{percent} ").as_bytes());
        }
        assert_eq!(tail.lines(), ["999999 "]);
        assert!(tail.open.bytes.capacity() < LINE_BYTES);
    }
}
