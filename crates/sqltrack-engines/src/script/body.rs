//! Which semicolons end a statement, and which ones only separate the statements inside of it.

use super::{ScriptError, Token, TokenKind};
use crate::Dialect;

/// What a statement turned out to be, as far as its semicolons care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Header {
    Start,
    /// `CREATE` and what may stand between it and the object's kind.
    Create,
    /// Postgres: may have a body `BEGIN ATOMIC …; … END`.
    Routine,
    /// Postgres: may have a body `(…; …)`.
    Rule,
    /// SQLite: has a body `BEGIN …; … END`.
    Trigger,
    Other,
}

/// Follows the tokens of one statement.
#[derive(Debug)]
pub(super) struct Body<'a> {
    dialect: Dialect,
    header: Header,
    previous: Option<Token<'a>>,
    parentheses: usize,
    blocks: usize,
    opened_on: usize,
}

impl<'a> Body<'a> {
    /// A statement of which no token has been seen.
    pub(super) fn new(dialect: Dialect) -> Self {
        Self { dialect, header: Header::Start, previous: None, parentheses: 0, blocks: 0, opened_on: 0 }
    }

    /// Whether a semicolon would only separate statements here.
    pub(super) fn is_open(&self) -> bool {
        self.blocks > 0 || (self.header == Header::Rule && self.parentheses > 0)
    }

    /// Takes the statement's next token, comments excluded.
    pub(super) fn see(&mut self, token: Token<'a>) {
        self.header = next_header(self.header, &token, self.dialect);
        if token.is_operator("(") {
            self.see_open(self.header == Header::Rule && self.parentheses == 0, token);
            self.parentheses += 1;
        } else if token.is_operator(")") {
            self.parentheses = self.parentheses.saturating_sub(1);
        } else if self.opens_block(&token) {
            self.see_open(self.blocks == 0, token);
            self.blocks += 1;
        } else if self.closes_block(&token) {
            self.blocks = self.blocks.saturating_sub(1);
        }
        self.previous = Some(token);
    }

    /// # Errors
    ///
    /// [`ScriptError::UnterminatedBody`] if the statement cannot end here.
    pub(super) fn finish(&self) -> Result<(), ScriptError> {
        if !self.is_open() {
            return Ok(());
        }
        let closing = if self.header == Header::Rule { ")" } else { "END" };
        Err(ScriptError::UnterminatedBody { script: None, line: self.opened_on, closing })
    }

    fn see_open(&mut self, outermost: bool, token: Token<'a>) {
        if outermost {
            self.opened_on = token.line;
        }
    }

    fn opens_block(&self, token: &Token<'_>) -> bool {
        match self.header {
            Header::Routine => {
                self.parentheses == 0 && token.is_word("ATOMIC") && self.previous_is(|it| it.is_word("BEGIN"))
            }
            Header::Trigger => self.blocks == 0 && token.is_word("BEGIN"),
            _ => false,
        }
    }

    /// Only where a statement could start does `END` close the block: elsewhere it closes a `CASE`, or is a
    /// column's name (allowed without quotes on SQLite) or label (`AS end`, allowed on Postgres).
    fn closes_block(&self, token: &Token<'_>) -> bool {
        self.blocks > 0
            && token.is_word("END")
            && self.previous_is(|it| it.kind == TokenKind::Semicolon || it.is_one_of(&["ATOMIC", "BEGIN"]))
    }

    fn previous_is(&self, test: impl Fn(&Token<'_>) -> bool) -> bool {
        self.previous.as_ref().is_some_and(test)
    }
}

fn next_header(header: Header, token: &Token<'_>, dialect: Dialect) -> Header {
    use Dialect::{Postgres, Sqlite};
    match (header, dialect) {
        (Header::Start, _) if token.is_word("CREATE") => Header::Create,
        (Header::Start, Sqlite) if token.is_one_of(&["EXPLAIN", "QUERY", "PLAN"]) => Header::Start,
        (Header::Create, Postgres) if token.is_one_of(&["OR", "REPLACE"]) => Header::Create,
        (Header::Create, Sqlite) if token.is_one_of(&["TEMP", "TEMPORARY"]) => Header::Create,
        (Header::Create, Postgres) if token.is_one_of(&["FUNCTION", "PROCEDURE"]) => Header::Routine,
        (Header::Create, Postgres) if token.is_word("RULE") => Header::Rule,
        (Header::Create, Sqlite) if token.is_word("TRIGGER") => Header::Trigger,
        (Header::Start | Header::Create, _) => Header::Other,
        (known, _) => known,
    }
}
