//! The parts of SQL text, and how they are put together.

use std::ops::{Add, AddAssign};

use super::render::render;
use super::{Identifier, Literal, SqlError, template};
use crate::Dialect;

/// What can be a part of SQL text: [`Sql`], [`Identifier`], [`Literal`], and types that are made of them.
///
/// Plain strings are not: whether one is SQL, a name or a value must be said.
pub trait Composable {
    /// Itself as SQL.
    fn to_sql(&self) -> Sql;

    /// The text for one database.
    ///
    /// # Errors
    ///
    /// - [`SqlError::EmptyIdentifier`], [`SqlError::Nul`] or [`SqlError::Unsupported`] if a part cannot be written.
    /// - [`SqlError::Misplaced`] or [`SqlError::Script`] if the text around an identifier or a literal would
    ///   make something else of it, as in `'{}'`.
    fn to_string_for(&self, dialect: Dialect) -> Result<String, SqlError> {
        render(&self.to_sql().pieces, dialect)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    Text(&'static str),
    Identifier(Identifier),
    Literal(Literal),
}

/// SQL text made of constant texts, identifiers and literals.
///
/// `sql + part` puts them one after the other, as they are, without a space.
///
/// ```
/// use sqltrack_engines::Dialect;
/// use sqltrack_engines::sql::{Composable, Identifier, Literal, Sql};
///
/// let mut sql = Sql::new("SELECT * FROM ") + Identifier::new("runs");
/// sql.push(&(Sql::new(" WHERE id = ") + Literal::from(7)));
/// assert_eq!(sql.to_string_for(Dialect::Sqlite)?, r#"SELECT * FROM "runs" WHERE id = 7"#);
/// # Ok::<(), sqltrack_engines::sql::SqlError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sql {
    pub(super) pieces: Vec<Piece>,
}

impl Sql {
    /// SQL text that is written in the program. It is taken as it is, and is a template for
    /// [`format`](Self::format).
    ///
    /// Text from elsewhere does not fit here; make it an [`Identifier`] or a [`Literal`].
    ///
    /// ```compile_fail,E0716
    /// let table = String::from("runs");
    /// let sql = sqltrack_engines::sql::Sql::new(&format!("SELECT * FROM {table}"));
    /// # drop(sql);
    /// ```
    #[must_use]
    pub fn new(text: &'static str) -> Self {
        Self { pieces: vec![Piece::Text(text)] }
    }

    /// Puts `part` behind what is there.
    pub fn push(&mut self, part: &(impl Composable + ?Sized)) {
        self.pieces.append(&mut part.to_sql().pieces);
    }

    /// The parts, with this SQL between each and the next.
    ///
    /// ```
    /// use sqltrack_engines::Dialect;
    /// use sqltrack_engines::sql::{Composable, Literal, Sql};
    ///
    /// let values = Sql::new(", ").join([1, 2, 3].map(Literal::from));
    /// assert_eq!(values.to_string_for(Dialect::Sqlite)?, "1, 2, 3");
    /// # Ok::<(), sqltrack_engines::sql::SqlError>(())
    /// ```
    #[must_use]
    pub fn join<P: Composable>(&self, parts: impl IntoIterator<Item = P>) -> Self {
        let mut joined = Self::default();
        for (at, part) in parts.into_iter().enumerate() {
            if at > 0 {
                joined.push(self);
            }
            joined.push(&part);
        }
        joined
    }

    /// This SQL with `arguments` in the place of its placeholders: `{}` takes the next argument without a
    /// name, `{0}` the one at that position, `{name}` the one of that name. `{{` and `}}` become braces.
    /// There are no conversions and formats. Identifiers and literals that are there already have no placeholders.
    ///
    /// An argument is a part or a name and a part:
    ///
    /// ```
    /// use sqltrack_engines::Dialect;
    /// use sqltrack_engines::sql::{Composable, Identifier, Literal, Sql};
    ///
    /// let sql = Sql::new("SELECT {} FROM {table}").format(&[
    ///     &Literal::from("O'Rourke"),
    ///     &("table", Identifier::new("runs")),
    /// ])?;
    /// assert_eq!(sql.to_string_for(Dialect::Postgres)?, r#"SELECT 'O''Rourke' FROM "runs""#);
    /// # Ok::<(), sqltrack_engines::sql::SqlError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// - [`SqlError::MissingArgument`], [`SqlError::UnusedArguments`], [`SqlError::DuplicateArgument`] if
    ///   placeholders and arguments do not match.
    /// - [`SqlError::MixedNumbering`], [`SqlError::SingleBrace`], [`SqlError::InvalidPlaceholder`] if the
    ///   template is none.
    pub fn format(&self, arguments: &[&dyn Argument]) -> Result<Self, SqlError> {
        template::fill(&self.pieces, arguments)
    }
}

/// An argument of [`Sql::format`]: a [`Composable`], or a name and a [`Composable`].
pub trait Argument {
    /// Its name, unless it goes by its position.
    fn name(&self) -> Option<&str>;

    /// What replaces the placeholder.
    fn part(&self) -> Sql;
}

impl<P: Composable> Argument for P {
    fn name(&self) -> Option<&str> {
        None
    }

    fn part(&self) -> Sql {
        self.to_sql()
    }
}

impl<P: Composable> Argument for (&str, P) {
    fn name(&self) -> Option<&str> {
        Some(self.0)
    }

    fn part(&self) -> Sql {
        self.1.to_sql()
    }
}

impl Composable for Sql {
    fn to_sql(&self) -> Sql {
        self.clone()
    }
}

impl Composable for Identifier {
    fn to_sql(&self) -> Sql {
        Sql { pieces: vec![Piece::Identifier(self.clone())] }
    }
}

impl Composable for Literal {
    fn to_sql(&self) -> Sql {
        Sql { pieces: vec![Piece::Literal(self.clone())] }
    }
}

impl<P: Composable + ?Sized> Composable for &P {
    fn to_sql(&self) -> Sql {
        (*self).to_sql()
    }
}

impl From<&'static str> for Sql {
    fn from(text: &'static str) -> Self {
        Self::new(text)
    }
}

impl From<Identifier> for Sql {
    fn from(identifier: Identifier) -> Self {
        Self { pieces: vec![Piece::Identifier(identifier)] }
    }
}

impl From<Literal> for Sql {
    fn from(literal: Literal) -> Self {
        Self { pieces: vec![Piece::Literal(literal)] }
    }
}

impl<P: Composable> Add<P> for Sql {
    type Output = Self;

    fn add(mut self, part: P) -> Self {
        self.push(&part);
        self
    }
}

impl<P: Composable> AddAssign<P> for Sql {
    fn add_assign(&mut self, part: P) {
        self.push(&part);
    }
}
