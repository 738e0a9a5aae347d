//! The value behind a name that is secret: where it begins and ends, and whether it is one at all.

use std::ops::Range;

use super::assignments::Link;
use super::code;
use super::names::Secrecy;
use super::scan::{Quoted, Text, is_blank, is_name, is_quote};
use super::spans::Spans;

/// The secrets that have been found so far.
#[derive(Debug)]
pub(super) struct Findings<'a> {
    pub(super) spans: &'a mut Spans,
    /// The end of a list, all literals of which are among them.
    pub(super) list_end: usize,
}

/// How far an expression is looked at, so that a text of any form takes no more than linear time.
const REACH: usize = 300;
/// The same for lists, whose literals are looked at only once.
const REACH_OF_LISTS: usize = 4_000;
/// How far back the start of a statement is looked for.
const REACH_BACK: usize = 80;
/// What encloses values.
const BRACKETS: [(char, char); 3] = [('(', ')'), ('[', ']'), ('{', '}')];
/// What precedes credentials in a header.
const SCHEMES: [&str; 5] = ["Bearer", "Basic", "Token", "Digest", "ApiKey"];

/// A name that is secret, and how it leads to its value.
#[derive(Debug, Clone)]
pub(super) struct Assigned<'a> {
    pub(super) text: Text<'a>,
    pub(super) name: Range<usize>,
    pub(super) link: Link,
    pub(super) secrecy: Secrecy,
}

impl Assigned<'_> {
    /// Finds the value that begins at `at`, and returns where to go on.
    pub(super) fn find(&self, at: usize, found: &mut Findings<'_>) -> usize {
        let text = self.text;
        match self.link {
            Link::Literal => self.literal(text.gap(at), found),
            Link::Comma => self.listed(at, found),
            Link::Element => self.add(at..text.skip(at, |byte| !matches!(byte, b'<' | b'\n')), found),
            Link::Query => self.add(at..text.skip(at, is_in_query), found),
            Link::EncodedQuery => {
                let end = text.skip(at, is_in_query);
                let next = ["%26", "%23"].iter().filter_map(|sign| text.find(at..end, sign)).min();
                self.add(at..next.unwrap_or(end), found)
            }
            Link::Equals | Link::Colon | Link::Blank => self.value(at, found),
        }
    }

    /// A value of any form.
    fn value(&self, at: usize, found: &mut Findings<'_>) -> usize {
        let text = self.text;
        let is_spaced = text.byte(at).is_some_and(is_blank);
        let start = self.start(at);
        if text.is_line_end(start) {
            return self.next_line(start, found);
        }
        if self.link == Link::Blank && self.is_option(start) {
            return start;
        }
        if self.link == Link::Colon
            && let Some(end) = code::annotation(text.until(start + REACH), start)
        {
            return self.annotated(end, found);
        }
        if let Some(quoted) = text.quoted(start) {
            return self.strings(quoted, found);
        }
        let is_statement = is_spaced && self.link != Link::Blank && self.is_statement();
        if text.byte(start).is_some_and(|byte| matches!(byte, b'(' | b'[' | b'{'))
            && let Some(within) = self.list(start, found)
        {
            return within;
        }
        let near = text.until(start + REACH);
        if let Some(code) = code::expression(near, start, text.get(self.name.clone()), self.secrecy) {
            let end = if is_statement || code.is_open { near.line_end(code.end) } else { code.end };
            self.all_strings(code.start..end.max(code.end), found);
            return code.start;
        }
        if self.link == Link::Colon
            && let Some(block) = self.block(start)
        {
            return self.add(block, found);
        }
        let start = self.after_scheme(start);
        let end = if is_statement { self.statement_end(start) } else { self.word_end(start) };
        let end = self.add(start..end, found);
        // What looks like a type may come before the value.
        if self.link == Link::Colon { self.annotated(end, found) } else { end }
    }

    /// A list or an object, in which all string literals are values. What else is secret in it is found later.
    fn list(&self, at: usize, found: &mut Findings<'_>) -> Option<usize> {
        if at < found.list_end {
            return Some(at);
        }
        if self.secrecy == Secrecy::Everything && self.is_dense(at) {
            return None;
        }
        let near = self.text.until(at + REACH_OF_LISTS);
        let end = near.closed_bracket(at).unwrap_or(near.len());
        if code::is_reference(near.get(at..end)) {
            return None;
        }
        self.all_strings(at..end, found);
        found.list_end = end;
        Some(at)
    }

    /// Whether what begins with a bracket may as well be a word: it has neither blanks nor quotes.
    fn is_dense(&self, at: usize) -> bool {
        const LEAST: usize = 5;
        let near = self.text.until(at + REACH);
        let end = near.skip(at, |byte| !byte.is_ascii_whitespace() && !is_quote(byte));
        end - at >= LEAST && end < near.len().max(self.text.len()) && !near.byte(end).is_some_and(is_quote)
    }

    /// Where the value begins, which a backslash may have put on the next line.
    fn start(&self, at: usize) -> usize {
        let start = self.text.blanks(at);
        let is_continued = self.text.byte(start) == Some(b'\\') && self.text.is_line_end(start + 1);
        if is_continued { self.text.gap(start) } else { start }
    }

    /// Whether what follows an option is another one.
    fn is_option(&self, at: usize) -> bool {
        let is_short = || self.text.byte(at + 2).is_none_or(|byte| byte.is_ascii_whitespace());
        self.text.byte(at) == Some(b'-') && (self.text.byte(at + 1) == Some(b'-') || is_short())
    }

    /// What follows the type of a variable, if anything does.
    fn annotated(&self, at: usize, found: &mut Findings<'_>) -> usize {
        let equals = self.text.blanks(at);
        if self.text.byte(equals) != Some(b'=') || self.text.is(equals, "==") {
            return at;
        }
        let assigned = Self { link: Link::Equals, ..self.clone() };
        assigned.value(equals + 1, found)
    }

    /// A value on the line below, which must be a string: no docs of a class that is called `Token`, and no other name.
    fn next_line(&self, at: usize, found: &mut Findings<'_>) -> usize {
        let text = self.text;
        let at = text.gap(at);
        let is_docs = ["\"\"\"", "'''"].iter().any(|quote| text.is(at, quote));
        let quoted = text.quoted(at).filter(|quoted| text.byte(text.blanks(quoted.end)) != Some(b':'));
        quoted.filter(|_| !is_docs).map_or(at, |quoted| self.strings(quoted, found))
    }

    /// A string literal, or nothing.
    fn literal(&self, at: usize, found: &mut Findings<'_>) -> usize {
        self.text.quoted(at).map_or(at, |quoted| self.strings(quoted, found))
    }

    /// A string literal, and those that are added to it.
    fn strings(&self, quoted: Quoted, found: &mut Findings<'_>) -> usize {
        let mut quoted = quoted;
        loop {
            self.add(self.after_scheme(quoted.inside.start)..quoted.inside.end, found);
            let plus = self.text.blanks(quoted.end);
            let next = (self.text.byte(plus) == Some(b'+')).then(|| self.text.gap(plus + 1));
            match next.and_then(|next| self.text.quoted(next)) {
                Some(next) => quoted = next,
                None => return quoted.end,
            }
        }
    }

    /// What follows a name in a list: its value, unless that is another option, and a default among what follows.
    fn listed(&self, at: usize, found: &mut Findings<'_>) -> usize {
        let name = self.text.get(self.name.clone());
        if self.secrecy == Secrecy::Text
            && !name.starts_with('-')
            && name.contains(|c: char| c.is_ascii_lowercase())
        {
            // A column such as `token_type_ids`, and the next.
            return at;
        }
        let at = self.text.gap(at);
        let near = self.text.until(at + REACH);
        let end = match self.text.quoted(at) {
            Some(quoted) if !self.text.is(quoted.inside.start, "-") => self.strings(quoted, found),
            _ => at,
        };
        let call_end = near.skip(end, |byte| byte != b')');
        if let Some(default) = near.find(end..call_end, "default") {
            let equals = near.blanks(default + "default".len());
            if near.byte(equals) == Some(b'=') {
                self.literal(near.blanks(equals + 1), found);
            }
        }
        end
    }

    /// Every string literal between two indices, but for those that are names themselves.
    fn all_strings(&self, within: Range<usize>, found: &mut Findings<'_>) {
        let text = self.text.until(within.end);
        let next = |at| {
            let quote = text.skip(at, |byte| !is_quote(byte));
            text.skip_back(quote, |byte| byte == b'\\').max(at)
        };
        let mut at = next(within.start);
        while let Some(quoted) = text.quoted(at) {
            if text.byte(text.blanks(quoted.end)) != Some(b':') {
                self.add(quoted.inside, found);
            }
            at = next(quoted.end);
        }
    }

    /// A block of YAML (`key: |`): all lines below that are indented further.
    fn block(&self, at: usize) -> Option<Range<usize>> {
        let text = self.text;
        let mark = text.byte(at).filter(|byte| matches!(byte, b'|' | b'>'))?;
        let end = text.skip(at, |byte| byte == mark || byte.is_ascii_digit() || matches!(byte, b'+' | b'-'));
        let mut next = text.line_after(Some(end).filter(|end| end - at <= 3)?)?;
        let indent = |start| text.skip(start, |byte| is_blank(byte) || matches!(byte, b'+' | b'-')) - start;
        let own_start = text.skip_back(self.name.start, |byte| byte != b'\n');
        let own = indent(own_start);
        let start = next + indent(next);
        let mut end = start;
        while next < text.len() && (indent(next) > own || text.is_line_end(next + indent(next))) {
            if indent(next) > own {
                end = text.line_end(next);
            }
            match text.line_after(text.line_end(next)) {
                Some(after) => next = after,
                None => break,
            }
        }
        Some(start..end)
    }

    /// Whether the name begins a line, but for words such as `export` and the mark of a diff: then the value is the
    /// rest of the line, also if it has blanks.
    fn is_statement(&self) -> bool {
        let is_word = |byte: u8| is_name(byte) || matches!(byte, b' ' | b'\t' | b'+' | b'$' | b'&');
        let text = self.text;
        let start = text.skip_back(self.name.start, is_word);
        self.name.start - start <= REACH_BACK && matches!(text.before(start), None | Some(b'\n'))
    }

    /// The end of the rest of the line, without a comment and what closes the value.
    fn statement_end(&self, start: usize) -> usize {
        let text = self.text;
        let line_end = text.line_end(start);
        let comments = [" # ", " // ", "\t# ", "\t// "];
        let comment = comments.iter().filter_map(|sign| text.find(start..line_end, sign)).min();
        self.trimmed(start..comment.unwrap_or(line_end))
    }

    /// The end of a word: at white space, at a quote that closes what the word stands in, or where the next name begins.
    fn word_end(&self, start: usize) -> usize {
        let text = self.text;
        let mut at = start;
        while let Some(byte) = text.byte(at) {
            let ends = match byte {
                _ if byte.is_ascii_whitespace() => true,
                b',' | b';' | b'&' => self.is_name_ahead(at + 1),
                b'\\' => text.quote(at).is_some(),
                _ if is_quote(byte) => self.is_closing(at + 1),
                _ => false,
            };
            if ends {
                break;
            }
            at += 1;
        }
        self.trimmed(start..at)
    }

    fn is_closing(&self, at: usize) -> bool {
        self.text.byte(at).is_none_or(|byte| byte.is_ascii_whitespace() || b",)]};:\\".contains(&byte))
    }

    fn is_name_ahead(&self, at: usize) -> bool {
        let near = self.text.until(at + REACH_BACK);
        let end = near.skip(at, is_name);
        end > at && matches!(near.byte(end), Some(b'=' | b':'))
    }

    /// The end of a value without what closes the brackets and statements around it.
    fn trimmed(&self, span: Range<usize>) -> usize {
        let mut value = self.text.get(span.clone());
        loop {
            let is_end = |c: char| matches!(c, ' ' | '\t' | ',' | ';' | '"' | '\'' | '`');
            let shorter = value.trim_end_matches(is_end);
            let closed = BRACKETS.iter().find(|(_, close)| shorter.ends_with(*close));
            value = match closed {
                Some((open, close)) if !shorter.contains(*open) => shorter.trim_end_matches(*close),
                _ => return span.start + shorter.len(),
            };
        }
    }

    /// Over the scheme of credentials in a header, such as `Bearer`.
    fn after_scheme(&self, start: usize) -> usize {
        let text = self.text;
        let end = text.skip(start, |byte| byte.is_ascii_alphabetic());
        let is_scheme = SCHEMES.iter().any(|scheme| scheme.eq_ignore_ascii_case(text.get(start..end)));
        let next = text.blanks(end);
        if is_scheme && next > end && !text.is_line_end(next) { next } else { start }
    }

    /// Adds a value, unless it is none: no secret under such a name, or a word such as `null`.
    fn add(&self, span: Range<usize>, found: &mut Findings<'_>) -> usize {
        let value = self.text.get(span.clone());
        if self.secrecy.covers(value) && !code::is_constant(value) && !code::is_reference(value) {
            found.spans.add(span.clone());
        }
        span.end
    }
}

fn is_in_query(byte: u8) -> bool {
    !byte.is_ascii_whitespace() && !is_quote(byte) && !matches!(byte, b'&' | b'#' | b'<' | b'>' | b'\\')
}
