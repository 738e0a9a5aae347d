//! A setup script: its statements without the one transaction that it may bring around them.

use super::{ScriptError, Statement, Token, TokenKind, split};
use crate::Dialect;

/// The first line that asks for a script to run outside of a transaction; sqlx's migrations ask the same way.
const NO_TRANSACTION: &str = "-- no-transaction";

/// A script that can be run, statement by statement, in a transaction of the caller.
///
/// ```
/// use sqltrack_engines::Dialect;
/// use sqltrack_engines::script::Script;
///
/// let text = "BEGIN;\nALTER TABLE metrics ADD COLUMN loss FLOAT;\nEND;";
/// let script = Script::parse("v001.sql", text, Dialect::Sqlite)?;
/// assert_eq!(script.statements().len(), 1);
/// assert_eq!(script.statements()[0].text(), "ALTER TABLE metrics ADD COLUMN loss FLOAT");
/// # Ok::<(), sqltrack_engines::script::ScriptError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script<'a> {
    name: &'a str,
    no_transaction: bool,
    begin: Option<Statement<'a>>,
    statements: Vec<Statement<'a>>,
}

impl<'a> Script<'a> {
    /// Reads the script `name`, takes its outer `BEGIN` and `END` off, and makes sure that nothing else in
    /// it controls the transaction. Savepoints may.
    ///
    /// A text that starts with exactly `-- no-transaction` asks to be run without a transaction. Nothing
    /// is taken off it, and savepoints are refused too, as SQLite would take them for a `BEGIN`.
    ///
    /// # Errors
    ///
    /// All of them name the script and the line.
    ///
    /// - Those of [`split`].
    /// - [`ScriptError::BeginWithoutEnd`] and [`ScriptError::EndWithoutBegin`] if half of the outer
    ///   transaction is missing.
    /// - [`ScriptError::TransactionControl`] for every other statement that controls the transaction,
    ///   and [`ScriptError::TransactionControlOutside`] for any in a `-- no-transaction` script.
    pub fn parse(name: &'a str, text: &'a str, dialect: Dialect) -> Result<Self, ScriptError> {
        let statements = split(text, dialect).map_err(|err| err.in_script(name))?;
        let no_transaction = text.starts_with(NO_TRANSACTION);
        let mut script = Self { name, no_transaction, begin: None, statements };
        if no_transaction {
            script.refuse_control_outside()?;
        } else {
            script.strip(dialect)?;
            script.refuse_control_inside()?;
        }
        Ok(script)
    }

    /// The name it was given.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// Whether it asks to be run without a transaction.
    #[must_use]
    pub fn no_transaction(&self) -> bool {
        self.no_transaction
    }

    /// The statement that opened the outer transaction, if there was one. Its modes, such as an
    /// isolation level, are the caller's to heed.
    #[must_use]
    pub fn begin(&self) -> Option<&Statement<'a>> {
        self.begin.as_ref()
    }

    /// What is to be run, without the outer transaction.
    #[must_use]
    pub fn statements(&self) -> &[Statement<'a>] {
        &self.statements
    }

    fn strip(&mut self, dialect: Dialect) -> Result<(), ScriptError> {
        let opens = self.statements.first().is_some_and(|it| is_outer_begin(it, dialect));
        let closes = self.statements.last().is_some_and(|it| is_outer_end(it, dialect));
        if opens && closes {
            self.statements.pop();
            self.begin = Some(self.statements.remove(0));
            return Ok(());
        }
        let mut controls = self.statements.iter().filter(|it| it.kind().controls_transaction());
        match (controls.next(), controls.next()) {
            (Some(only), None) if opens => Err(ScriptError::BeginWithoutEnd {
                script: self.name.to_owned(),
                line: only.line(),
                statement: on_one_line(only),
            }),
            (Some(only), None) if closes => Err(ScriptError::EndWithoutBegin {
                script: self.name.to_owned(),
                line: only.line(),
                statement: on_one_line(only),
            }),
            // The one that is out of place is the next, where a BEGIN at the start is in place.
            (Some(_), Some(second)) if opens => Err(self.control_inside(second)),
            _ => Ok(()),
        }
    }

    fn refuse_control_inside(&self) -> Result<(), ScriptError> {
        let control = self.statements.iter().find(|it| it.kind().controls_transaction());
        control.map_or(Ok(()), |it| Err(self.control_inside(it)))
    }

    fn refuse_control_outside(&self) -> Result<(), ScriptError> {
        let control = self.statements.iter().find(|it| {
            let kind = it.kind();
            kind.controls_transaction() || kind.is_savepoint()
        });
        control.map_or(Ok(()), |it| {
            Err(ScriptError::TransactionControlOutside {
                script: self.name.to_owned(),
                line: it.line(),
                statement: on_one_line(it),
            })
        })
    }

    fn control_inside(&self, statement: &Statement<'_>) -> ScriptError {
        ScriptError::TransactionControl {
            script: self.name.to_owned(),
            line: statement.line(),
            statement: on_one_line(statement),
        }
    }
}

fn on_one_line(statement: &Statement<'_>) -> String {
    statement.text().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_outer_begin(statement: &Statement<'_>, dialect: Dialect) -> bool {
    let kind = statement.kind();
    match (kind.tokens(), dialect) {
        ([begin, rest @ ..], Dialect::Postgres) if begin.is_word("BEGIN") => {
            are_modes(without_first(rest, &["WORK", "TRANSACTION"]))
        }
        ([start, transaction, rest @ ..], Dialect::Postgres) => {
            start.is_word("START") && transaction.is_word("TRANSACTION") && are_modes(rest)
        }
        ([begin, rest @ ..], Dialect::Sqlite) if begin.is_word("BEGIN") => {
            is_transaction_name(without_first(rest, &["DEFERRED", "IMMEDIATE", "EXCLUSIVE"]))
        }
        _ => false,
    }
}

/// `AND CHAIN` would start another transaction, and is none.
fn is_outer_end(statement: &Statement<'_>, dialect: Dialect) -> bool {
    let kind = statement.kind();
    let [end, rest @ ..] = kind.tokens() else { return false };
    let rest_is_known = match dialect {
        Dialect::Sqlite => is_transaction_name(rest),
        Dialect::Postgres => match without_first(rest, &["WORK", "TRANSACTION"]) {
            [] => true,
            [and, no, chain] => and.is_word("AND") && no.is_word("NO") && chain.is_word("CHAIN"),
            _ => false,
        },
    };
    end.is_one_of(&["END", "COMMIT"]) && rest_is_known
}

/// SQLite's `[TRANSACTION [name]]`.
fn is_transaction_name(tokens: &[Token<'_>]) -> bool {
    match tokens {
        [] => true,
        [transaction] => transaction.is_word("TRANSACTION"),
        [transaction, name] => {
            transaction.is_word("TRANSACTION")
                && matches!(name.kind, TokenKind::Word | TokenKind::QuotedIdentifier | TokenKind::String)
        }
        _ => false,
    }
}

/// Postgres' transaction modes, in any order: a mode that makes no sense is for the database to refuse.
fn are_modes(tokens: &[Token<'_>]) -> bool {
    const WORDS: [&str; 11] = [
        "ISOLATION",
        "LEVEL",
        "SERIALIZABLE",
        "REPEATABLE",
        "READ",
        "COMMITTED",
        "UNCOMMITTED",
        "WRITE",
        "ONLY",
        "NOT",
        "DEFERRABLE",
    ];
    tokens.iter().all(|token| token.is_operator(",") || token.is_one_of(&WORDS))
}

fn without_first<'t, 'a>(tokens: &'t [Token<'a>], optional: &[&str]) -> &'t [Token<'a>] {
    match tokens {
        [first, rest @ ..] if first.is_one_of(optional) => rest,
        _ => tokens,
    }
}
