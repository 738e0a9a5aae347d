//! The value behind a name that is secret: where it begins and ends, and whether it is one at all.

use std::ops::Range;

use super::assignments::Link;
use super::code;
use super::names::{Names, Secrecy, is_constant};
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
    pub(super) names: &'a Names,
}

impl Assigned<'_> {
    /// Finds the value that begins at `at`, and returns where to go on.
    pub(super) fn find(&self, at: usize, found: &mut Findings<'_>) -> usize {
        let text = self.text;
        match self.link {
            Link::Literal | Link::Call => self.literal(text.gap(at), found),
            Link::Comma => self.listed(at, found),
            Link::Element => {
                let end = text.skip(at, |byte| !matches!(byte, b'<' | b'\n'));
                if text.is(end, "</") { self.add(at..end, found) } else { at }
            }
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
        if self.is_next(start) {
            return start;
        }
        if self.link == Link::Colon
            && let Some(end) = code::annotation(text.until(start + REACH), start, self.secrecy)
        {
            return self.annotated(end, found);
        }
        if let Some(quoted) = text.quoted(start) {
            return self.strings(quoted, found);
        }
        let begins_line = self.link != Link::Blank && self.begins_line();
        let is_statement = is_spaced && begins_line;
        if let Some(end) = self.variable(start) {
            return end;
        }
        if text.byte(start).is_some_and(|byte| matches!(byte, b'(' | b'[' | b'{'))
            && let Some(within) = self.list(start, found)
        {
            return within;
        }
        // `NAME=value` and `name: value` are lines of files that are no code, unless the line goes on.
        let is_code = (is_spaced && self.link == Link::Equals) || (begins_line && self.goes_on(start));
        if (is_code || !begins_line)
            && let Some(next) = self.code(start, is_code, is_statement, found)
        {
            return next;
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

    /// An expression of code, of which the string literals are secret: where to look for what else there is in it.
    fn code(&self, at: usize, is_code: bool, is_statement: bool, found: &mut Findings<'_>) -> Option<usize> {
        let near = self.text.until(at + REACH);
        let code = code::expression(near, at, self.text.get(self.name.clone()), self.secrecy)?;
        let is_closed = self.text.byte(code.end).is_some_and(|byte| b",)]}".contains(&byte));
        if code.is_open && !is_code && !is_closed {
            // A path, which may be a secret: `NAME=a.b`.
            return None;
        }
        let end = if is_statement || code.is_open { near.line_end(code.end) } else { code.end };
        self.all_strings(code.start..end.max(code.end), found);
        Some(code.start)
    }

    /// Whether a comma, a semicolon or a bracket at the end of the line tells that it is one of code.
    fn goes_on(&self, at: usize) -> bool {
        let end = self.text.line_end(at);
        self.text.get(at..end).trim_end().ends_with([',', ';', '(', '{', '['])
    }

    /// The end of a word of code before a comma or bracket that is no secret: a constant, the name of another variable, the
    /// variable of a member such as `{"token_count": count}`.
    fn variable(&self, at: usize) -> Option<usize> {
        let end = self.text.skip(at, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'));
        let is_closed = end > at && self.text.byte(end).is_some_and(|byte| b",)]}".contains(&byte));
        let word = self.text.get(at..end);
        let is_text = self.secrecy == Secrecy::Text;
        let is_secret_name = || self.names.secrecy(word) != Secrecy::Nothing;
        let is_member = || self.text.quote(self.name.end).is_some() && code::is_lower(word);
        let is_harmless =
            is_constant(word) || (is_text && (!self.secrecy.covers(word) || is_secret_name() || is_member()));
        (is_closed && is_harmless).then_some(end)
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
        if self.link == Link::Colon {
            self.bare_items(at..end, found);
        }
        found.list_end = end;
        Some(at)
    }

    /// The items of a list of YAML, which needs no quotes: `[one, two]`.
    fn bare_items(&self, list: Range<usize>, found: &mut Findings<'_>) {
        let text = self.text;
        let inside = text.get(list.clone()).strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let Some(inside) = inside.filter(|inside| !inside.contains(['"', '\'', '`', '(', '[', '{'])) else {
            return;
        };
        let mut at = list.start + 1;
        for item in inside.split(',') {
            let start = at + (item.len() - item.trim_start().len());
            let word = item.trim();
            let is_random = word.len() >= 8 && word.bytes().any(|byte| byte.is_ascii_digit());
            if self.secrecy == Secrecy::Everything || (is_random && !word.contains([' ', '.'])) {
                self.add(start..start + word.len(), found);
            }
            at += item.len() + 1;
        }
    }

    /// Whether what begins with a bracket may as well be a word: it has neither blanks nor quotes.
    fn is_dense(&self, at: usize) -> bool {
        const LEAST: usize = 5;
        let near = self.text.until(at + REACH);
        let end = near.skip(at, |byte| !byte.is_ascii_whitespace() && !is_quote(byte));
        let is_whole = end < near.len() || near.len() == self.text.len();
        end - at >= LEAST
            && is_whole
            && !near.byte(end).is_some_and(is_quote)
            && near.before(end) != Some(b',')
    }

    /// Where the value begins, which a backslash may have put on the next line.
    fn start(&self, at: usize) -> usize {
        let start = self.text.blanks(at);
        let is_continued = self.text.byte(start) == Some(b'\\') && self.text.is_line_end(start + 1);
        if is_continued { self.text.gap(start) } else { start }
    }

    /// Whether there is no value, but what comes next: another option, a pipe, the end of a format such as `{name:?}`.
    fn is_next(&self, at: usize) -> bool {
        let text = self.text;
        let is_short = || text.byte(at + 2).is_none_or(|byte| byte.is_ascii_whitespace());
        match text.byte(at) {
            Some(b'?' | b'#') => self.link == Link::Colon && (text.is(at, "?}") || text.is(at, "#?}")),
            Some(b'-') if self.link == Link::Blank => text.byte(at + 1) == Some(b'-') || is_short(),
            Some(byte) => self.link == Link::Blank && b"|&;<>)]}".contains(&byte),
            None => true,
        }
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
        let quoted = text.quoted(at).filter(|quoted| !is_docs && !self.is_name(quoted));
        quoted.map_or(at, |quoted| self.strings(quoted, found))
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

    /// What follows a name in a list: its value, unless that is another name, and a default among what comes then.
    fn listed(&self, at: usize, found: &mut Findings<'_>) -> usize {
        let text = self.text;
        let name = text.get(self.name.clone());
        let is_option = name.starts_with('-');
        if self.secrecy == Secrecy::Text && !is_option && name.contains(|c: char| c.is_ascii_lowercase()) {
            // A column such as `token_type_ids`, and the next.
            return at;
        }
        let at = if is_option { text.gap(at) } else { text.blanks(at) };
        let near = text.until(at + REACH);
        let end = match text.quoted(at) {
            Some(quoted) if !self.is_name(&quoted) => self.strings(quoted, found),
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

    /// Whether a literal is a name itself: an option, a key, an index, a variable such as `API_KEY`.
    fn is_name(&self, quoted: &Quoted) -> bool {
        let text = self.text;
        let literal = text.get(quoted.inside.clone());
        let open = quoted.inside.start.saturating_sub(2);
        let is_indexed =
            text.before(open).is_some_and(|byte| byte.is_ascii_alphanumeric() || b"_])".contains(&byte));
        literal.starts_with('-')
            || text.byte(text.blanks(quoted.end)) == Some(b':')
            || (is_indexed && text.byte(open) == Some(b'[') && text.byte(quoted.end) == Some(b']'))
            || self.is_upper_name(literal)
            || text.get(self.name.clone()).rsplit('.').next() == Some(literal)
    }

    /// Whether a word is the name of a secret in capitals, as those of variables are.
    fn is_upper_name(&self, word: &str) -> bool {
        let is_upper = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        word.bytes().all(is_upper) && self.names.secrecy(word) != Secrecy::Nothing
    }

    /// Every string literal between two indices that is no name.
    fn all_strings(&self, within: Range<usize>, found: &mut Findings<'_>) {
        let text = self.text.until(within.end);
        let next = |at| {
            let quote = text.skip(at, |byte| !is_quote(byte));
            text.skip_back(quote, |byte| byte == b'\\').max(at)
        };
        let mut at = next(within.start);
        while let Some(quoted) = text.quoted(at) {
            at = next(quoted.end);
            if !self.is_name(&quoted) {
                self.add(quoted.inside, found);
            }
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
    fn begins_line(&self) -> bool {
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
        let is_variable = value.strip_prefix('$').is_some_and(|name| self.is_upper_name(name));
        if self.secrecy.covers(value) && !is_constant(value) && !is_variable && !code::is_reference(value) {
            found.spans.add(span.clone());
        }
        span.end
    }
}

fn is_in_query(byte: u8) -> bool {
    !byte.is_ascii_whitespace() && !is_quote(byte) && !matches!(byte, b'&' | b'#' | b'<' | b'>' | b'\\')
}
