//! What a statement does, as far as its keywords tell.

use super::{Token, TokenKind, tokens};
use crate::Dialect;

/// What [`Statement::kind`](super::Statement::kind) found out. Keywords in quotes, strings and comments
/// do not count; functions that a statement calls may do anything, and are not looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementKind<'a> {
    dialect: Dialect,
    tokens: Vec<Token<'a>>,
}

impl<'a> StatementKind<'a> {
    /// The kind of the one statement that `text` is. What cannot be read as tokens is left out.
    #[must_use]
    pub fn of(text: &'a str, dialect: Dialect) -> Self {
        let tokens = tokens(text, dialect).filter_map(Result::ok);
        Self { dialect, tokens: tokens.filter(|token| token.kind != TokenKind::Comment).collect() }
    }

    /// The first token as it is written, such as `select`. Empty for an empty text.
    #[must_use]
    pub fn keyword(&self) -> &'a str {
        self.tokens.first().map_or("", |token| token.text)
    }

    pub(super) fn tokens(&self) -> &[Token<'a>] {
        &self.tokens
    }

    /// Whether it begins or ends a transaction, or prepares one for two-phase commit. Savepoints do not.
    #[must_use]
    pub fn controls_transaction(&self) -> bool {
        self.first_is_one_of(&["BEGIN", "COMMIT", "END", "ABORT"])
            || self.starts_with(&["START", "TRANSACTION"])
            || (self.starts_with(&["ROLLBACK"]) && !self.is_savepoint())
            // Followed by a name and not by a string, it prepares a statement that is named `transaction`.
            || (self.starts_with(&["PREPARE", "TRANSACTION"])
                && self.tokens.get(2).is_none_or(|token| token.kind == TokenKind::String))
    }

    /// Whether it sets a savepoint, releases one, or rolls back to one.
    #[must_use]
    pub fn is_savepoint(&self) -> bool {
        self.first_is_one_of(&["SAVEPOINT", "RELEASE"]) || (self.starts_with(&["ROLLBACK"]) && self.has("TO"))
    }

    /// Whether it surely gives rows and changes nothing by itself. When in doubt, no: a column that is named
    /// `update` without quotes is enough.
    #[must_use]
    pub fn returns_rows_without_writing(&self) -> bool {
        let start = self.tokens.iter().position(|token| !token.is_operator("(")).unwrap_or_default();
        let Some(first) = self.tokens.get(start) else { return false };
        if first.is_word("EXPLAIN") {
            return !self.has("ANALYZE") && !self.has("ANALYSE");
        }
        first.is_one_of(&["SELECT", "VALUES", "TABLE", "SHOW", "WITH"]) && !self.mentions_a_change()
    }

    /// Whether it is a query that changes nothing, so that its rows can be fetched one after the other. When in doubt, no.
    #[must_use]
    pub fn is_query(&self) -> bool {
        let first = self.tokens.iter().find(|token| !token.is_operator("("));
        first.is_some_and(|first| first.is_one_of(&["SELECT", "VALUES", "WITH", "TABLE"]))
            && self.returns_rows_without_writing()
    }

    /// Whether it is a `PRAGMA` of SQLite.
    #[must_use]
    pub fn is_pragma(&self) -> bool {
        self.dialect == Dialect::Sqlite && self.starts_with(&["PRAGMA"])
    }

    /// Whether it must run outside of a transaction: the database refuses it inside of one, or (SQLite's
    /// `ATTACH`, `PRAGMA journal_mode = …` and the like) does not undo it, or ignores it without a word.
    ///
    /// A few more statements are refused depending on their options or on what they meet, such as
    /// `CREATE SUBSCRIPTION` and `REINDEX` of a partitioned table; those are left to the database.
    #[must_use]
    pub fn forbidden_in_transaction(&self) -> bool {
        match self.dialect {
            Dialect::Postgres => self.forbidden_in_postgres_transaction(),
            Dialect::Sqlite => {
                self.first_is_one_of(&["VACUUM", "ATTACH", "DETACH"]) || self.is_outer_pragma()
            }
        }
    }

    fn forbidden_in_postgres_transaction(&self) -> bool {
        const STARTS: [&[&str]; 8] = [
            &["CREATE", "DATABASE"],
            &["DROP", "DATABASE"],
            &["CREATE", "TABLESPACE"],
            &["DROP", "TABLESPACE"],
            &["ALTER", "SYSTEM"],
            &["DISCARD", "ALL"],
            &["VACUUM"],
            &["DROP", "INDEX", "CONCURRENTLY"],
        ];
        STARTS.iter().any(|start| self.starts_with(start))
            || (self.first_is_one_of(&["CREATE"]) && self.has_sequence(&["INDEX", "CONCURRENTLY"]))
            || (self.starts_with(&["ALTER", "DATABASE"]) && self.has_sequence(&["SET", "TABLESPACE"]))
            || (self.starts_with(&["ALTER", "TABLE"])
                && self.has_sequence(&["DETACH", "PARTITION"])
                && self.tokens.last().is_some_and(|last| last.is_word("CONCURRENTLY")))
            || (self.starts_with(&["REINDEX"]) && self.reindexes_beyond_a_transaction())
            || (self.starts_with(&["CLUSTER"]) && self.clusters_all_tables())
    }

    fn reindexes_beyond_a_transaction(&self) -> bool {
        let what = self.outside_parentheses().nth(1);
        what.is_some_and(|token| token.is_one_of(&["DATABASE", "SYSTEM", "SCHEMA"]))
            || self.tokens.iter().enumerate().any(|(at, token)| {
                token.is_word("CONCURRENTLY")
                    && self
                        .tokens
                        .get(at + 1)
                        .is_none_or(|next| !next.is_one_of(&["FALSE", "OFF"]) && next.text != "0")
            })
    }

    fn clusters_all_tables(&self) -> bool {
        self.outside_parentheses().skip(1).all(|token| token.is_word("VERBOSE"))
    }

    fn is_outer_pragma(&self) -> bool {
        const SETTINGS: [&str; 4] = ["FOREIGN_KEYS", "JOURNAL_MODE", "SYNCHRONOUS", "TEMP_STORE"];
        let name = match self.tokens.get(2) {
            Some(dot) if dot.is_operator(".") => 3,
            _ => 1,
        };
        let sets =
            self.tokens.get(name + 1).is_some_and(|next| next.is_operator("=") || next.is_operator("("));
        self.is_pragma()
            && self.tokens.get(name).is_some_and(|pragma| {
                pragma.is_word("WAL_CHECKPOINT") || (sets && pragma.is_one_of(&SETTINGS))
            })
    }

    /// At any depth: `INTO` makes a table, `FOR SHARE` and the like lock rows.
    fn mentions_a_change(&self) -> bool {
        const CHANGES: [&str; 5] = ["INSERT", "UPDATE", "DELETE", "MERGE", "INTO"];
        self.tokens.iter().any(|token| token.is_one_of(&CHANGES))
            || self
                .tokens
                .windows(2)
                .any(|pair| pair[0].is_word("FOR") && pair[1].is_one_of(&["SHARE", "KEY", "NO"]))
    }

    fn outside_parentheses(&self) -> impl Iterator<Item = &Token<'a>> {
        let mut depth = 0_usize;
        self.tokens.iter().filter(move |token| {
            if token.is_operator("(") {
                depth += 1;
            } else if token.is_operator(")") {
                depth = depth.saturating_sub(1);
                return false;
            }
            depth == 0
        })
    }

    fn starts_with(&self, words: &[&str]) -> bool {
        self.tokens.len() >= words.len()
            && self.tokens.iter().zip(words).all(|(token, word)| token.is_word(word))
    }

    fn first_is_one_of(&self, words: &[&str]) -> bool {
        self.tokens.first().is_some_and(|first| first.is_one_of(words))
    }

    fn has(&self, word: &str) -> bool {
        self.tokens.iter().any(|token| token.is_word(word))
    }

    fn has_sequence(&self, words: &[&str; 2]) -> bool {
        self.tokens.windows(2).any(|pair| pair[0].is_word(words[0]) && pair[1].is_word(words[1]))
    }
}

#[cfg(test)]
mod tests {
    use super::StatementKind;
    use crate::Dialect::{self, Postgres, Sqlite};

    #[track_caller]
    fn check_kind(test: fn(&StatementKind<'_>) -> bool, dialect: Dialect, yes: &[&str], no: &[&str]) {
        for text in yes {
            assert!(test(&StatementKind::of(text, dialect)), "{dialect}: {text}");
        }
        for text in no {
            assert!(!test(&StatementKind::of(text, dialect)), "{dialect}: {text}");
        }
    }

    #[test]
    fn transaction_control_is_known() {
        let no = [
            "",
            "PREPARE transaction AS SELECT 1",
            "SAVEPOINT a",
            "ROLLBACK TO a",
            "SELECT 'BEGIN'",
            "\"begin\"",
        ];
        check_kind(
            |it| it.controls_transaction(),
            Postgres,
            &["rollback work", "ABORT", "PREPARE TRANSACTION 'a'"],
            &no,
        );
    }

    #[test]
    fn queries_are_known() {
        let yes = [
            "SELECT 'x INTO y'",
            "(SELECT 1) UNION SELECT 2",
            "VALUES (1)",
            "TABLE t",
            "show all",
            "EXPLAIN DELETE FROM t",
            "WITH a AS (SELECT 1) SELECT \"update\" FROM a",
        ];
        let no = [
            "",
            "SELECT 1 INTO t",
            "SELECT 1 FROM t FOR UPDATE",
            "SELECT 1 FROM t FOR NO KEY UPDATE",
            "SELECT a FROM t FOR SHARE",
            "WITH a AS (DELETE FROM t RETURNING *) SELECT * FROM a",
            "EXPLAIN (VERBOSE, ANALYZE) SELECT 1",
            "EXPLAIN ANALYSE SELECT 1",
            "INSERT INTO t VALUES (1)",
            "PRAGMA user_version",
            "CALL f()",
            "FETCH a",
        ];
        for dialect in Dialect::ALL {
            check_kind(|it| it.returns_rows_without_writing(), dialect, &yes, &no);
        }
    }

    #[test]
    fn statements_for_no_transaction_are_known() {
        let yes = [
            "CREATE DATABASE a",
            "drop tablespace a",
            "VACUUM t",
            "CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)",
            "DROP INDEX CONCURRENTLY i",
            "REINDEX (VERBOSE) DATABASE a",
            "REINDEX SCHEMA a",
            "REINDEX TABLE CONCURRENTLY t",
            "REINDEX (CONCURRENTLY) TABLE t",
            "ALTER SYSTEM SET a = 1",
            "ALTER DATABASE a SET TABLESPACE b",
            "CLUSTER",
            "CLUSTER (VERBOSE)",
            "cluster verbose",
            "ALTER TABLE t DETACH PARTITION p CONCURRENTLY",
            "DISCARD ALL",
        ];
        let no = [
            "",
            "CREATE INDEX i ON t (a)",
            "DROP INDEX i",
            "REINDEX (CONCURRENTLY false) TABLE t",
            "REINDEX TABLE t",
            "ALTER DATABASE a SET b = 1",
            "CLUSTER t",
            "ALTER TABLE t DETACH PARTITION p",
            "CREATE TABLE database (a int)",
            "ATTACH 'a' AS b",
            "DISCARD PLANS",
        ];
        check_kind(|it| it.forbidden_in_transaction(), Postgres, &yes, &no);
        let yes = [
            "VACUUM",
            "ATTACH 'a' AS b",
            "DETACH b",
            "PRAGMA journal_mode = WAL",
            "pragma main.synchronous(off)",
            "PRAGMA foreign_keys=1",
            "PRAGMA wal_checkpoint",
        ];
        let no = [
            "",
            "PRAGMA journal_mode",
            "PRAGMA user_version = 3",
            "PRAGMA table_info(t)",
            "DISCARD ALL",
            "SELECT 1",
        ];
        check_kind(|it| it.forbidden_in_transaction(), Sqlite, &yes, &no);
    }

    #[test]
    fn pragmas_are_sqlite_only() {
        check_kind(
            |it| it.is_pragma(),
            Sqlite,
            &["PRAGMA user_version", "/* x */ pragma a"],
            &["", "SELECT pragma"],
        );
        check_kind(|it| it.is_pragma(), Postgres, &[], &["PRAGMA user_version"]);
    }
}
