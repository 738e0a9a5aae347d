//! `ALTER TABLE t ADD …, ADD …`, which Postgres takes as one statement and SQLite only one by one.

use super::{Statement, StatementKind, Token};
use crate::Dialect;

impl Statement<'_> {
    /// What to run in the place of the statement, each with its line in the whole text: the statement itself, but
    /// for an `ALTER TABLE` of SQLite with several actions, which is one statement for each.
    ///
    /// ```
    /// use sqltrack_engines::Dialect;
    /// use sqltrack_engines::script::split;
    ///
    /// let statements = split("ALTER TABLE t\n  ADD a INT,\n  ADD b INT", Dialect::Sqlite)?;
    /// let single = |text: &str, line| (text.to_owned(), line);
    /// assert_eq!(
    ///     statements[0].singly(),
    ///     [single("ALTER TABLE t\n  ADD a INT", 1), single("ALTER TABLE t ADD b INT", 3)],
    /// );
    /// # Ok::<(), sqltrack_engines::script::ScriptError>(())
    /// ```
    #[must_use]
    pub fn singly(&self) -> Vec<(String, usize)> {
        let kind = self.kind();
        let actions = match self.dialect() {
            Dialect::Sqlite => later_actions(&kind),
            Dialect::Postgres => Vec::new(),
        };
        let Some((table, commas)) = table_end(&kind).zip((!actions.is_empty()).then_some(actions)) else {
            return vec![(self.text().to_owned(), self.line())];
        };
        let ends = commas.iter().map(|(comma, _)| comma.offset).chain([self.text().len()]);
        let starts = std::iter::once((0, self.line()))
            .chain(commas.iter().map(|(_, action)| (action.offset, self.line() + action.line - 1)));
        let statement = |((start, line), end): ((usize, usize), usize)| {
            let action = &self.text()[start..end];
            let table = if start == 0 { "" } else { &self.text()[..table] };
            let space = if start == 0 { "" } else { " " };
            (format!("{table}{space}{action}"), line)
        };
        starts.zip(ends).map(statement).collect()
    }
}

/// Where `ALTER TABLE [schema.]name` ends.
fn table_end(kind: &StatementKind<'_>) -> Option<usize> {
    let [alter, table, name, rest @ ..] = kind.tokens() else { return None };
    if !alter.is_word("ALTER") || !table.is_word("TABLE") {
        return None;
    }
    match rest {
        [dot, name, ..] if dot.is_operator(".") => Some(name.end()),
        _ => Some(name.end()),
    }
}

/// The commas outside of parentheses that an `ADD` or `DROP` follows, with the latter.
fn later_actions<'a>(kind: &StatementKind<'a>) -> Vec<(Token<'a>, Token<'a>)> {
    if table_end(kind).is_none() {
        return Vec::new();
    }
    let mut depth = 0_usize;
    let mut found = Vec::new();
    for pair in kind.tokens().windows(2) {
        if pair[0].is_operator("(") {
            depth += 1;
        } else if pair[0].is_operator(")") {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && pair[0].is_operator(",") && pair[1].is_one_of(&["ADD", "DROP"]) {
            found.push((pair[0], pair[1]));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::Dialect::{self, Postgres, Sqlite};
    use crate::script::split;

    #[track_caller]
    fn check(dialect: Dialect, text: &str, expected: &[(&str, usize)]) {
        let statements = split(text, dialect).unwrap();
        let single: Vec<_> = statements.iter().flat_map(super::Statement::singly).collect();
        let expected: Vec<_> = expected.iter().map(|(text, line)| ((*text).to_owned(), *line)).collect();
        assert_eq!(single, expected);
    }

    #[test]
    fn sqlite_gets_one_statement_for_each_action() {
        check(
            Sqlite,
            "\nalter table \"a,b\".t /* , ADD */ add x DECIMAL(1, 2) DEFAULT (max(1, 2)), -- first\n\nADD COLUMN y TEXT, drop z;",
            &[
                ("alter table \"a,b\".t /* , ADD */ add x DECIMAL(1, 2) DEFAULT (max(1, 2))", 2),
                ("alter table \"a,b\".t ADD COLUMN y TEXT", 4),
                ("alter table \"a,b\".t drop z", 4),
            ],
        );
    }

    #[test]
    fn everything_else_stays_as_it_is() {
        for text in ["ALTER TABLE t ADD x INT", "SELECT 1, ADD", "ALTER TABLE t RENAME x TO y", "ALTER"] {
            check(Sqlite, text, &[(text, 1)]);
        }
        let text = "ALTER TABLE t ADD x INT, ADD y INT";
        check(Postgres, text, &[(text, 1)]);
    }
}
