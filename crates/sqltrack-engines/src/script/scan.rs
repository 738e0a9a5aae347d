//! How long the token at the start of a text is, by the rules of each dialect.
//!
//! Everything here works on bytes: what delimits a token is ASCII in both dialects, and all other
//! characters can only be part of words, strings and comments, so that no character is ever cut.

use super::{ScriptError, TokenKind};
use crate::Dialect;

/// A token that does not end.
#[derive(Debug)]
pub(super) enum Open {
    Quote { what: &'static str, closing: &'static str },
    DollarQuote { length: usize },
    Nul { at: usize },
}

impl Open {
    /// The error for a token that starts `rest`, on `line`.
    pub(super) fn on_line(self, rest: &str, line: usize) -> ScriptError {
        match self {
            Self::Quote { what, closing } => {
                ScriptError::Unterminated { script: None, line, what, closing: closing.to_owned() }
            }
            Self::DollarQuote { length } => {
                let closing = rest[..length].to_owned();
                ScriptError::Unterminated { script: None, line, what: "dollar quote", closing }
            }
            Self::Nul { at } => {
                let line = line + rest[..at].matches('\n').count();
                ScriptError::Nul { script: None, line }
            }
        }
    }
}

/// The length of the white space that `text` starts with.
pub(super) fn blank(text: &[u8], dialect: Dialect) -> usize {
    length_while(text, |byte| {
        matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0c')
            || (byte == b'\x0b' && dialect == Dialect::Postgres)
    })
}

/// Kind and length of the token that `text` starts with. `text` is not empty and does not start with white space.
pub(super) fn token(text: &[u8], dialect: Dialect) -> Result<(TokenKind, usize), Open> {
    let (kind, length) = any_token(text, dialect)?;
    match text[..length].iter().position(|byte| *byte == 0) {
        Some(at) => Err(Open::Nul { at }),
        None => Ok((kind, length)),
    }
}

fn any_token(text: &[u8], dialect: Dialect) -> Result<(TokenKind, usize), Open> {
    use Dialect::{Postgres, Sqlite};
    let kind_and_length = match (text, dialect) {
        ([b'-', b'-', ..], _) => (TokenKind::Comment, line_comment(text, dialect)),
        ([b'/', b'*', ..], _) => (TokenKind::Comment, block_comment(text, dialect)?),
        ([b'\'', ..], _) => (TokenKind::String, plain_string(text)?),
        ([b'e' | b'E', b'\'', ..], Postgres) => (TokenKind::String, escape_string(text)?),
        ([b'u' | b'U', b'&', b'\'', ..], Postgres) => (TokenKind::String, 2 + plain_string(&text[2..])?),
        ([b'u' | b'U', b'&', b'"', ..], Postgres) => {
            (TokenKind::QuotedIdentifier, 2 + identifier(&text[2..], "\"")?)
        }
        ([b'"', ..], _) => (TokenKind::QuotedIdentifier, identifier(text, "\"")?),
        ([b'`', ..], Sqlite) => (TokenKind::QuotedIdentifier, identifier(text, "`")?),
        ([b'[', ..], Sqlite) => (TokenKind::QuotedIdentifier, bracketed(text)?),
        ([b'$', ..], Postgres) => dollar(text)?,
        ([b'$' | b'@' | b'#' | b'?', ..], Sqlite) => sqlite_parameter(text),
        ([b'0'..=b'9', ..] | [b'.', b'0'..=b'9', ..], _) => (TokenKind::Number, number(text)),
        ([first, ..], _) if starts_word(*first) => (TokenKind::Word, length_while(text, continues_word)),
        ([b';', ..], _) => (TokenKind::Semicolon, 1),
        ([b':', b':' | b'=', ..], _) => (TokenKind::Operator, 2),
        _ => (TokenKind::Operator, 1),
    };
    Ok(kind_and_length)
}

/// Whether an identifier without quotes can start with the byte. Bytes beyond ASCII can, on both.
fn starts_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || !byte.is_ascii()
}

/// Whether an identifier without quotes can go on with the byte.
pub(crate) fn continues_word(byte: u8) -> bool {
    starts_word(byte) || byte.is_ascii_digit() || byte == b'$'
}

fn length_while(text: &[u8], mut accept: impl FnMut(u8) -> bool) -> usize {
    text.iter().position(|byte| !accept(*byte)).unwrap_or(text.len())
}

/// A carriage return ends the comment on Postgres, and does not on SQLite.
fn line_comment(text: &[u8], dialect: Dialect) -> usize {
    length_while(text, |byte| byte != b'\n' && (byte != b'\r' || dialect == Dialect::Sqlite))
}

/// Comments nest on Postgres only.
fn block_comment(text: &[u8], dialect: Dialect) -> Result<usize, Open> {
    let mut depth = 1;
    let mut at = 2;
    while depth > 0 {
        match &text[at..] {
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            [b'/', b'*', ..] if dialect == Dialect::Postgres => (depth, at) = (depth + 1, at + 2),
            [_, ..] => at += 1,
            [] => return Err(Open::Quote { what: "comment", closing: "*/" }),
        }
    }
    Ok(at)
}

fn plain_string(text: &[u8]) -> Result<usize, Open> {
    doubled_quotes(text).ok_or(Open::Quote { what: "string", closing: "'" })
}

fn identifier(text: &[u8], closing: &'static str) -> Result<usize, Open> {
    doubled_quotes(text).ok_or(Open::Quote { what: "quoted identifier", closing })
}

/// From a quote to the next one that is not doubled.
fn doubled_quotes(text: &[u8]) -> Option<usize> {
    let quote = *text.first()?;
    let mut at = 1;
    loop {
        at += text[at..].iter().position(|byte| *byte == quote)? + 1;
        if text.get(at) != Some(&quote) {
            return Some(at);
        }
        at += 1;
    }
}

fn bracketed(text: &[u8]) -> Result<usize, Open> {
    let closing = text.iter().position(|byte| *byte == b']');
    closing.map(|at| at + 1).ok_or(Open::Quote { what: "quoted identifier", closing: "]" })
}

/// An `E'…'` with all its continuations: `E'a'`, a line's end, `'b\''` is one string, in whose second
/// part backslashes escape too.
fn escape_string(text: &[u8]) -> Result<usize, Open> {
    let mut at = 2;
    loop {
        match &text[at..] {
            [b'\\', _, ..] | [b'\'', b'\'', ..] => at += 2,
            [b'\'', rest @ ..] => match continuation(rest) {
                Some(length) => at += 1 + length,
                None => return Ok(at + 1),
            },
            [_, ..] => at += 1,
            [] => return Err(Open::Quote { what: "string", closing: "'" }),
        }
    }
}

/// The length of what leads from a string's end into its continuation: white space and line comments with
/// a line's end among them, and a quote.
fn continuation(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    let mut line_ended = false;
    loop {
        let space = blank(&text[at..], Dialect::Postgres);
        line_ended |= text[at..at + space].iter().any(|byte| matches!(byte, b'\n' | b'\r'));
        at += space;
        match &text[at..] {
            [b'-', b'-', ..] => at += line_comment(&text[at..], Dialect::Postgres),
            [b'\'', ..] if line_ended => return Some(at + 1),
            _ => return None,
        }
    }
}

/// A parameter `$1`, a dollar quote, or a lone `$`.
fn dollar(text: &[u8]) -> Result<(TokenKind, usize), Open> {
    let digits = length_while(&text[1..], |byte| byte.is_ascii_digit());
    if digits > 0 {
        return Ok((TokenKind::Parameter, 1 + digits));
    }
    let name = length_while(&text[1..], |byte| continues_word(byte) && byte != b'$');
    let length = name + 2;
    if text.get(1 + name) != Some(&b'$') {
        return Ok((TokenKind::Operator, 1));
    }
    let (tag, body) = text.split_at(length);
    let closing =
        body.windows(length).position(|window| window == tag).ok_or(Open::DollarQuote { length })?;
    Ok((TokenKind::String, length + closing + length))
}

fn sqlite_parameter(text: &[u8]) -> (TokenKind, usize) {
    let name = length_while(
        &text[1..],
        if text[0] == b'?' { |byte: u8| byte.is_ascii_digit() } else { continues_word },
    );
    if name > 0 || text[0] == b'?' { (TokenKind::Parameter, 1 + name) } else { (TokenKind::Operator, 1) }
}

/// Digits, dots and an exponent. What follows directly is the next token, as it is to Postgres before version 15.
fn number(text: &[u8]) -> usize {
    let mantissa = length_while(text, |byte| byte.is_ascii_digit() || byte == b'.');
    let sign = match &text[mantissa..] {
        [b'e' | b'E', b'+' | b'-', b'0'..=b'9', ..] => 2,
        [b'e' | b'E', b'0'..=b'9', ..] => 1,
        _ => return mantissa,
    };
    mantissa + sign + length_while(&text[mantissa + sign..], |byte| byte.is_ascii_digit())
}
