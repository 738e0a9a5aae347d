//! Secrets that stand behind their names: in code, configuration files, command lines, headers and the strings that
//! databases are reached by. A text of no known kind has to be taken for any, so what may be a secret is masked.

use std::ops::Range;

use super::assigned::{Assigned, Findings};
use super::names::{Names, Secrecy};
use super::scan::{Text, is_name, is_quote};
use super::spans::Spans;

/// The longest name that is looked at, from its end.
const LONGEST_NAME: usize = 100;
/// Parameters of a URL that are secret besides those that everywhere are.
const OF_QUERIES: [&str; 7] = ["key", "sig", "signature", "auth", "pass", "pwd", "x-amz-signature"];
/// Words after which a name and its value come without a sign between them.
const SETTERS: [&str; 2] = ["setenv", "ENV"];

/// How a name leads to its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    /// `NAME = value`
    Equals,
    /// `NAME: value`
    Colon,
    /// `--name value`
    Blank,
    /// `?name=value&…`
    Query,
    /// The same within a URL: `name%3Dvalue%26`
    EncodedQuery,
    /// `<name>value</name>`
    Element,
    /// `"NAME", "value"`
    Comma,
    /// `set_name("value")`
    Call,
    /// `NAME == "value"`: what is no string literal is no secret.
    Literal,
}

/// Finds the values of all names that are secret.
pub(super) fn find(text: &str, names: &Names, spans: &mut Spans) {
    let text = Text::new(text);
    let mut found = Findings { spans, list_end: 0 };
    let mut at = 0;
    while at < text.len() {
        let start = text.skip(at, |byte| !is_name(byte));
        let end = text.skip(start, is_name);
        at = end;
        let name = start.max(end.saturating_sub(LONGEST_NAME))..end;
        if let Some((link, value)) = link(text, name.clone()) {
            let secrecy = secrecy(text, name.clone(), link, names);
            if secrecy != Secrecy::Nothing {
                at = at.max(Assigned { text, name, link, secrecy, names }.find(value, &mut found));
            }
        }
    }
}

/// How the name leads to a value, and where that begins.
fn link(text: Text<'_>, name: Range<usize>) -> Option<(Link, usize)> {
    let quote = text.quote(name.end);
    let mut close = quote.unwrap_or(name.end);
    if quote.is_some() && text.byte(close) == Some(b']') {
        close += 1;
    }
    let at = text.blanks(close);
    let starts = |what| text.is(at, what);
    let link = |link, length| Some((link, at + length));
    match text.byte(at)? {
        b'=' | b'!' if starts("==") || starts("!=") => link(Link::Literal, 2),
        b'=' | b'<' if starts("=>") || starts("<-") => link(Link::Literal, 2),
        b'=' if matches!(text.before(name.start), Some(b'?' | b'&')) => link(Link::Query, 1),
        b'=' => link(Link::Equals, 1),
        b':' | b'?' | b'+' if starts(":=") || starts("?=") || starts("+=") => link(Link::Equals, 2),
        b':' if starts("::") || starts("://") || text.before(name.start) == Some(b'/') => None,
        b':' => link(Link::Colon, 1),
        b'%' if starts("%3D") || starts("%3d") => link(Link::EncodedQuery, 3),
        b',' if text.before(close).is_some_and(|quote| matches!(quote, b'"' | b'\'')) => link(Link::Comma, 1),
        b'(' if at == name.end => link(Link::Call, 1),
        b'>' if at == name.end && text.before(name.start) == Some(b'<') => link(Link::Element, 1),
        b'\'' if at > close && text.get(name.clone()).eq_ignore_ascii_case("password") => {
            link(Link::Literal, 0)
        }
        _ if at > close && quote.is_none() && takes_next_word(text, name) => link(Link::Blank, 0),
        _ => None,
    }
}

/// Whether a name without a sign behind it has its value in the next word: `--password hunter2`.
fn takes_next_word(text: Text<'_>, name: Range<usize>) -> bool {
    let option = text.get(name.clone());
    let before = text.before(name.start);
    if let Some(option) = option.strip_prefix('-') {
        // A line that begins with one dash may as well be one that a diff takes out.
        let is_long = option.starts_with('-') || !matches!(before, None | Some(b'\n'));
        let is_own = before.is_none_or(|byte| byte.is_ascii_whitespace() || is_quote(byte));
        return is_long && is_own && !option.trim_start_matches('-').starts_with("no-");
    }
    let end = text.skip_back(name.start, |byte| byte == b' ' || byte == b'\t');
    let is_set = |setter: &str| end >= setter.len() && text.is(end - setter.len(), setter);
    end < name.start && SETTERS.into_iter().any(is_set)
}

fn secrecy(text: Text<'_>, name: Range<usize>, link: Link, names: &Names) -> Secrecy {
    let name = text.get(name);
    match link {
        Link::Query if OF_QUERIES.iter().any(|secret| secret.eq_ignore_ascii_case(name)) => Secrecy::Text,
        // What is called is the last part: `token.is_word("x")`.
        Link::Call => names.secrecy(name.rsplit('.').next().unwrap_or_default()),
        _ => names.secrecy(name),
    }
}
