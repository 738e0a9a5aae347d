//! From SQL text to statements.

use super::body::Body;
use super::{ScriptError, StatementKind, Token, TokenKind, line_of, tokens};
use crate::Dialect;

/// One statement of a longer text: from its first token to its last, without the semicolon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement<'a> {
    text: &'a str,
    offset: usize,
    line: usize,
    dialect: Dialect,
}

impl<'a> Statement<'a> {
    /// The SQL, with the comments inside of it, without those around it.
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// Where it starts, in bytes from the start of the whole text.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// The line of the whole text that it starts on, counted from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// The line of the whole text that a character of this statement is on, counted from 1 as
    /// Postgres counts in the position of an error.
    #[must_use]
    pub fn line_at(&self, char_offset: usize) -> usize {
        self.line + line_of(self.text, char_offset) - 1
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// What the statement does, as far as its keywords tell.
    #[must_use]
    pub fn kind(&self) -> StatementKind<'a> {
        StatementKind::of(self.text, self.dialect)
    }
}

/// The statements of `text`, empty ones left out.
///
/// A semicolon in a string, quoted name or comment ends no statement, nor does one in the body of a
/// Postgres routine (`BEGIN ATOMIC … END`) or rule (`DO (…; …)`) or of a SQLite trigger.
///
/// ```
/// use sqltrack_engines::Dialect;
/// use sqltrack_engines::script::split;
///
/// let statements = split("-- two\nSELECT ';';\n\nSELECT 2", Dialect::Sqlite)?;
/// assert_eq!(statements[0].text(), "SELECT ';'");
/// assert_eq!((statements[1].text(), statements[1].line()), ("SELECT 2", 4));
/// # Ok::<(), sqltrack_engines::script::ScriptError>(())
/// ```
///
/// # Errors
///
/// - [`ScriptError::Unterminated`], [`ScriptError::UnterminatedBody`], [`ScriptError::Nul`] if the text is no
///   whole SQL.
/// - [`ScriptError::ShellCommand`] for commands of psql (any backslash outside of quotes and comments) and of
///   SQLite's shell (a dot where a statement starts).
/// - [`ScriptError::CopyThroughClient`] for `COPY … FROM STDIN` and `COPY … TO STDOUT` on Postgres.
pub fn split(text: &str, dialect: Dialect) -> Result<Vec<Statement<'_>>, ScriptError> {
    let mut splitter = Splitter::new(text, dialect);
    for token in tokens(text, dialect) {
        let token = token?;
        if token.kind != TokenKind::Comment {
            splitter.take(token)?;
        }
    }
    splitter.end_statement()?;
    Ok(splitter.statements)
}

struct Splitter<'a> {
    text: &'a str,
    dialect: Dialect,
    statements: Vec<Statement<'a>>,
    current: Vec<Token<'a>>,
    body: Body<'a>,
}

impl<'a> Splitter<'a> {
    fn new(text: &'a str, dialect: Dialect) -> Self {
        Self { text, dialect, statements: Vec::new(), current: Vec::new(), body: Body::new(dialect) }
    }

    fn take(&mut self, token: Token<'a>) -> Result<(), ScriptError> {
        if token.kind == TokenKind::Semicolon && !self.body.is_open() {
            return self.end_statement();
        }
        if self.is_shell_command(&token) {
            let command = self.text[token.offset..].lines().next().unwrap_or_default().trim_end().to_owned();
            return Err(ScriptError::ShellCommand { script: None, line: token.line, command });
        }
        self.body.see(token);
        self.current.push(token);
        Ok(())
    }

    fn end_statement(&mut self) -> Result<(), ScriptError> {
        self.body.finish()?;
        if let (Some(first), Some(last)) = (self.current.first(), self.current.last()) {
            if self.dialect == Dialect::Postgres && copies_through_client(&self.current) {
                return Err(ScriptError::CopyThroughClient { script: None, line: first.line });
            }
            let text = &self.text[first.offset..last.end()];
            self.statements.push(Statement {
                text,
                offset: first.offset,
                line: first.line,
                dialect: self.dialect,
            });
        }
        self.current.clear();
        self.body = Body::new(self.dialect);
        Ok(())
    }

    /// A backslash is in no statement of either database, and no statement of SQLite starts with a dot.
    fn is_shell_command(&self, token: &Token<'_>) -> bool {
        token.is_operator("\\")
            || (self.dialect == Dialect::Sqlite && self.current.is_empty() && token.is_operator("."))
    }
}

/// Its data would follow the statement as lines that are no SQL, so this must be known before they are read.
fn copies_through_client(statement: &[Token<'_>]) -> bool {
    let mut depth = 0_usize;
    let mut outer = Vec::new();
    for token in statement {
        match token.text {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ if depth == 0 => outer.push(token),
            _ => {}
        }
    }
    outer.first().is_some_and(|first| first.is_word("COPY"))
        && outer
            .windows(2)
            .any(|pair| pair[0].is_one_of(&["FROM", "TO"]) && pair[1].is_one_of(&["STDIN", "STDOUT"]))
}
