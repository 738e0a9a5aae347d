//! From SQL text to tokens, without copying: what is a string, a comment or a name, and what is not.

use super::ScriptError;
use super::scan;
use crate::Dialect;

/// What a [`Token`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenKind {
    /// A keyword or a name without quotes.
    Word,
    /// A name in quotes: `"a"`, `U&"a"`, and on SQLite also `` `a` `` and `[a]`.
    QuotedIdentifier,
    /// A string: `'a'`, and on Postgres also `E'a'`, `U&'a'` and `$tag$a$tag$`.
    String,
    /// A number, without a sign.
    Number,
    /// `$1`, and on SQLite also `?`, `?1`, `$a` and `@a`. A `:a` is an operator and a word.
    Parameter,
    /// `::`, `:=`, or any other single character.
    Operator,
    /// `;`
    Semicolon,
    /// `-- a` without the line's end, or `/* a */`.
    Comment,
}

/// A piece of SQL text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// What it is.
    pub kind: TokenKind,
    /// The text, quotes included.
    pub text: &'a str,
    /// Where the text starts, in bytes from the start of the whole text.
    pub offset: usize,
    /// The line that it starts on, counted from 1.
    pub line: usize,
}

impl Token<'_> {
    /// Whether this is the keyword, in upper or lower case. A quoted name is no keyword.
    #[must_use]
    pub fn is_word(&self, keyword: &str) -> bool {
        self.kind == TokenKind::Word && self.text.eq_ignore_ascii_case(keyword)
    }

    /// Whether this is one of the keywords.
    #[must_use]
    pub fn is_one_of(&self, keywords: &[&str]) -> bool {
        keywords.iter().any(|keyword| self.is_word(keyword))
    }

    /// Whether this is the operator.
    #[must_use]
    pub fn is_operator(&self, operator: &str) -> bool {
        self.kind == TokenKind::Operator && self.text == operator
    }

    /// The offset of the first byte behind the token.
    #[must_use]
    pub fn end(&self) -> usize {
        self.offset + self.text.len()
    }
}

/// The tokens of `text`, comments included, white space left out.
///
/// Strings are read as with `standard_conforming_strings` on, Postgres' default: a backslash is
/// special in `E'…'` only.
///
/// ```
/// use sqltrack_engines::Dialect;
/// use sqltrack_engines::script::tokens;
///
/// let texts: Result<Vec<_>, _> =
///     tokens("SELECT $$;$$; -- end", Dialect::Postgres).map(|token| token.map(|token| token.text)).collect();
/// assert_eq!(texts?, ["SELECT", "$$;$$", ";", "-- end"]);
/// # Ok::<(), sqltrack_engines::script::ScriptError>(())
/// ```
#[must_use]
pub fn tokens(text: &str, dialect: Dialect) -> Tokens<'_> {
    Tokens {
        text,
        dialect,
        offset: if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len_utf8() } else { 0 },
        line: 1,
    }
}

/// Editors write it at the start of a file; to a database it would be the start of a word.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// The iterator that [`tokens`] returns. It ends after the first error.
#[derive(Clone, Debug)]
pub struct Tokens<'a> {
    text: &'a str,
    dialect: Dialect,
    offset: usize,
    line: usize,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Result<Token<'a>, ScriptError>;

    fn next(&mut self) -> Option<Self::Item> {
        let blank = scan::blank(self.rest().as_bytes(), self.dialect);
        self.advance(blank);
        let rest = self.rest();
        if rest.is_empty() {
            return None;
        }
        let token =
            scan::token(rest.as_bytes(), self.dialect).map_err(|open| open.on_line(rest, self.line)).map(
                |(kind, length)| Token { kind, text: &rest[..length], offset: self.offset, line: self.line },
            );
        self.advance(token.as_ref().map_or(rest.len(), |token| token.text.len()));
        Some(token)
    }
}

impl<'a> Tokens<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.offset..]
    }

    fn advance(&mut self, length: usize) {
        self.line += count_lines(&self.rest()[..length]);
        self.offset += length;
    }
}

fn count_lines(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

/// The line, counted from 1, that the character at `char_offset` of `text` is on.
///
/// The offset counts characters from 1, as Postgres does in the position of its errors. Behind the
/// end of the text is the last line.
///
/// ```
/// assert_eq!(sqltrack_engines::script::line_of("é;\nSELEC 1", 4), 2);
/// ```
#[must_use]
pub fn line_of(text: &str, char_offset: usize) -> usize {
    1 + text.chars().take(char_offset.saturating_sub(1)).filter(|char| *char == '\n').count()
}
