//! Steps through a text. All that is looked for is ASCII, so that every place found is between two characters.

use std::ops::Range;

/// A text to step through by the index of its bytes. An index beyond the end is the end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'a>(&'a str);

/// A string literal: what is between its quotes, and the index after them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Quoted {
    pub(super) inside: Range<usize>,
    pub(super) end: usize,
}

impl<'a> Text<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self(text)
    }

    pub(super) fn len(self) -> usize {
        self.0.len()
    }

    /// The text up to `end` or a character before it, so that a search in it is a short one.
    pub(super) fn until(self, end: usize) -> Self {
        let is_boundary = |at: &usize| self.0.is_char_boundary(*at);
        Self(self.get(0..(0..=end.min(self.len())).rev().find(is_boundary).unwrap_or_default()))
    }

    pub(super) fn byte(self, at: usize) -> Option<u8> {
        self.0.as_bytes().get(at).copied()
    }

    /// The byte before `at`.
    pub(super) fn before(self, at: usize) -> Option<u8> {
        at.checked_sub(1).and_then(|at| self.byte(at))
    }

    pub(super) fn is(self, at: usize, what: &str) -> bool {
        self.0.as_bytes().get(at..).is_some_and(|rest| rest.starts_with(what.as_bytes()))
    }

    /// What is between two indices; nothing if there is no character between them.
    pub(super) fn get(self, span: Range<usize>) -> &'a str {
        self.0.get(span).unwrap_or_default()
    }

    /// The index of the first byte from `at` on that is not of a kind.
    pub(super) fn skip(self, at: usize, kind: impl Fn(u8) -> bool) -> usize {
        let rest = self.0.as_bytes().get(at..).unwrap_or_default();
        at + rest.iter().position(|byte| !kind(*byte)).unwrap_or(rest.len())
    }

    /// The index before `at` back to which all bytes are of a kind.
    pub(super) fn skip_back(self, at: usize, kind: impl Fn(u8) -> bool) -> usize {
        let before = self.0.as_bytes().get(..at).unwrap_or_default();
        before.iter().rposition(|byte| !kind(*byte)).map_or(0, |last| last + 1)
    }

    /// The index of `what` between two indices.
    pub(super) fn find(self, span: Range<usize>, what: &str) -> Option<usize> {
        self.get(span.clone()).find(what).map(|at| span.start + at)
    }

    /// Over spaces and tabs.
    pub(super) fn blanks(self, at: usize) -> usize {
        self.skip(at, is_blank)
    }

    /// Over white space, also to the next line and over the mark that it has in a diff, and over a backslash at the end
    /// of a line.
    pub(super) fn gap(self, at: usize) -> usize {
        let mut at = self.blanks(at);
        if self.byte(at) == Some(b'\\') && self.is_line_end(at + 1) {
            at += 1;
        }
        match self.next_line(at) {
            Some(next) => self.blanks(next),
            None => at,
        }
    }

    /// Whether a line ends here, `\r` included.
    pub(super) fn is_line_end(self, at: usize) -> bool {
        matches!(self.byte(at), None | Some(b'\n')) || self.is(at, "\r\n")
    }

    /// The end of the line that `at` is in.
    pub(super) fn line_end(self, at: usize) -> usize {
        let end = self.skip(at, |byte| byte != b'\n');
        if end > at && end < self.len() && self.before(end) == Some(b'\r') { end - 1 } else { end }
    }

    /// The start of the line after the one that ends at `at`, behind the mark that it has in a diff.
    fn next_line(self, at: usize) -> Option<usize> {
        let start = self.line_after(at)?;
        Some(if matches!(self.byte(start), Some(b'+' | b'-')) { start + 1 } else { start })
    }

    /// The start of the line after the one that ends at `at`.
    pub(super) fn line_after(self, at: usize) -> Option<usize> {
        let at = if self.is(at, "\r\n") { at + 1 } else { at };
        (self.byte(at) == Some(b'\n')).then_some(at + 1)
    }

    /// The end of the quote at `at`, with the backslashes before it that it has within another string.
    pub(super) fn quote(self, at: usize) -> Option<usize> {
        let mark = self.skip(at, |byte| byte == b'\\');
        self.byte(mark).filter(|byte| is_quote(*byte)).map(|_| mark + 1)
    }

    /// The string literal that begins at `at`, with the letters that may precede its quote. One that is not closed ends
    /// with its line.
    pub(super) fn quoted(self, at: usize) -> Option<Quoted> {
        let prefix = self.skip(at, |byte| b"rbfuRBFU@$".contains(&byte));
        let hashes = self.skip(prefix, |byte| byte == b'#');
        let open = hashes;
        let start = self.quote(open).filter(|_| prefix - at <= 2)?;
        let mark = self.get(start - 1..start);
        let tripled = mark.repeat(3);
        if open + 1 == start && self.is(open, &tripled) {
            let start = start + 2;
            let close = self.find(start..self.len(), &tripled);
            return Some(self.closed(start, close, 3));
        }
        if hashes > prefix || open + 1 < start {
            let closing = format!("{}{}", self.get(open..start), self.get(prefix..hashes));
            return Some(self.closed(start, self.find_in_line(start, &closing), closing.len()));
        }
        Some(self.closed(start, self.closing_quote(start), 1))
    }

    fn closed(self, start: usize, close: Option<usize>, length: usize) -> Quoted {
        match close {
            Some(close) => Quoted { inside: start..close, end: close + length },
            None => Quoted { inside: start..self.line_end(start), end: self.line_end(start) },
        }
    }

    /// The quote that ends the string which begins at `start`: neither escaped nor doubled.
    fn closing_quote(self, start: usize) -> Option<usize> {
        let mark = self.before(start)?;
        let mut at = start;
        loop {
            match self.byte(at)? {
                b'\n' => return None,
                b'\\' if self.byte(at + 1) != Some(b'\n') => at += 2,
                byte if byte == mark && at > start && self.byte(at + 1) == Some(mark) => at += 2,
                byte if byte == mark => return Some(at),
                _ => at += 1,
            }
        }
    }

    /// The index of `what` in the rest of the line, which is not gone through further than that.
    fn find_in_line(self, at: usize, what: &str) -> Option<usize> {
        let mut at = at;
        while !self.is_line_end(at) {
            if self.is(at, what) {
                return Some(at);
            }
            at += 1;
        }
        None
    }

    /// The index after the bracket that closes the one at `at`.
    pub(super) fn closed_bracket(self, at: usize) -> Option<usize> {
        let open = self.byte(at)?;
        let close = match open {
            b'(' => b')',
            b'[' => b']',
            b'{' => b'}',
            b'<' => b'>',
            _ => return None,
        };
        let mut depth = 0_usize;
        let mut at = at;
        loop {
            let byte = self.byte(at)?;
            match byte {
                _ if byte == open => depth += 1,
                _ if byte == close => depth -= 1,
                _ if is_quote(byte) => {
                    at = self.quoted(at)?.end;
                    continue;
                }
                _ => {}
            }
            at += 1;
            if depth == 0 {
                return Some(at);
            }
        }
    }
}

pub(super) fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

pub(super) fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

/// Whether a byte may be part of a name: of a variable, an option, a parameter, a key.
pub(super) fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}
