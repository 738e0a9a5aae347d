//! Names in SQL text.

use super::SqlError;

/// The name of a table, column or the like, always written in quotes.
///
/// In quotes upper and lower case matter on Postgres, and never do for ASCII on SQLite. How long a name
/// may be is not looked at: Postgres cuts names beyond 63 bytes.
///
/// ```
/// use sqltrack_engines::Dialect;
/// use sqltrack_engines::sql::{Composable, Identifier};
///
/// let column = Identifier::new(r#"Loss "x""#);
/// assert_eq!(column.to_string_for(Dialect::Postgres)?, r#""Loss ""x""""#);
/// # Ok::<(), sqltrack_engines::sql::SqlError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Identifier {
    parts: Vec<String>,
}

impl Identifier {
    /// A name of one part. A dot in it is part of the name.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { parts: vec![name.into()] }
    }

    /// A name of several parts, such as schema and table.
    #[must_use]
    pub fn qualified<N: Into<String>>(parts: impl IntoIterator<Item = N>) -> Self {
        Self { parts: parts.into_iter().map(Into::into).collect() }
    }

    /// The name in quotes, which is the same text in both dialects.
    ///
    /// # Errors
    ///
    /// [`SqlError::EmptyIdentifier`] or [`SqlError::Nul`] if it cannot be written.
    pub fn quoted(&self) -> Result<String, SqlError> {
        if self.parts.is_empty() {
            return Err(SqlError::EmptyIdentifier);
        }
        Ok(self.parts.iter().map(|part| quote(part)).collect::<Result<Vec<_>, _>>()?.join("."))
    }
}

fn quote(name: &str) -> Result<String, SqlError> {
    if name.is_empty() {
        return Err(SqlError::EmptyIdentifier);
    }
    if name.contains('\0') {
        return Err(SqlError::Nul(format!("the identifier `{}`", name.replace('\0', "\u{2400}"))));
    }
    Ok(format!("\"{}\"", name.replace('"', "\"\"")))
}
