//! Which of the two SQL languages a text is written in.

use std::fmt;
use std::str::FromStr;

/// The engines by their SQL: how texts are tokenized, split and quoted, and which parameters there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// PostgreSQL.
    Postgres,
    /// SQLite.
    Sqlite,
}

impl Dialect {
    /// Every dialect, in the order in which they are named to users.
    pub const ALL: [Self; 2] = [Self::Postgres, Self::Sqlite];

    /// The name that users write: `postgres` or `sqlite`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Sqlite => "sqlite",
        }
    }

    /// SQL for that an expression is among the values of the list that is parameter `number`.
    ///
    /// ```
    /// use sqltrack_engines::Dialect;
    ///
    /// assert_eq!(Dialect::Postgres.is_among("id", 1), "id = ANY($1)");
    /// assert_eq!(Dialect::Sqlite.is_among("id", 1), "id IN (SELECT value FROM json_each($1))");
    /// ```
    #[must_use]
    pub fn is_among(self, expression: &str, number: usize) -> String {
        match self {
            Self::Postgres => format!("{expression} = ANY(${number})"),
            Self::Sqlite => format!("{expression} IN (SELECT value FROM json_each(${number}))"),
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is no [`Dialect`]'s.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected `postgres` or `sqlite`")]
#[non_exhaustive]
pub struct UnknownDialect {
    /// The name as it was given.
    pub name: String,
}

impl FromStr for Dialect {
    type Err = UnknownDialect;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name.to_ascii_lowercase().as_str() {
            "postgres" | "postgresql" => Ok(Self::Postgres),
            "sqlite" | "sqlite3" => Ok(Self::Sqlite),
            _ => Err(UnknownDialect { name: name.to_owned() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Dialect;

    #[test]
    fn names_round_trip() {
        for dialect in Dialect::ALL {
            assert_eq!(dialect.to_string().parse(), Ok(dialect));
        }
    }

    #[test]
    fn an_unknown_name_is_reported_with_the_known_ones() {
        let err = "mysql".parse::<Dialect>().unwrap_err();
        assert_eq!(
            (err.name.as_str(), err.to_string().as_str()),
            ("mysql", "expected `postgres` or `sqlite`")
        );
    }
}
