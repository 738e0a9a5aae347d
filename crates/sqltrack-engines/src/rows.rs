//! What a query returns: rows of values, read by name or position.

use std::sync::Arc;

use crate::Value;
use crate::decode::{Decode, DecodeError, FromRow};

/// A column of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The column's name, as the query gives it.
    pub name: String,
    /// The database's name of its type; empty where the database has none.
    pub type_name: String,
}

/// The whole result of a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    columns: Arc<[Column]>,
    rows: Vec<Row>,
}

/// One row of a result.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    columns: Arc<[Column]>,
    values: Vec<Value>,
}

impl Rows {
    /// A result made of `columns` and the `rows` below them.
    #[must_use]
    pub fn new(columns: Vec<Column>, rows: Vec<Vec<Value>>) -> Self {
        let columns: Arc<[Column]> = columns.into();
        let rows = rows.into_iter().map(|values| Row { columns: columns.clone(), values }).collect();
        Self { columns, rows }
    }

    /// The columns, also of a result with no row.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The first row, if any.
    #[must_use]
    pub fn first(&self) -> Option<&Row> {
        self.rows.first()
    }

    /// The rows in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Row> {
        self.rows.iter()
    }
}

impl IntoIterator for Rows {
    type Item = Row;
    type IntoIter = std::vec::IntoIter<Row>;

    fn into_iter(self) -> Self::IntoIter {
        self.rows.into_iter()
    }
}

impl<'a> IntoIterator for &'a Rows {
    type Item = &'a Row;
    type IntoIter = std::slice::Iter<'a, Row>;

    fn into_iter(self) -> Self::IntoIter {
        self.rows.iter()
    }
}

impl Row {
    /// The columns of the result that this row belongs to.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The values in the order of the columns.
    #[must_use]
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// The values in the order of the columns.
    #[must_use]
    pub fn into_values(self) -> Vec<Value> {
        self.values
    }

    /// The value of a column, by its name (`"loss"`; the first of that name) or position (`0`).
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if there is no such column or if its value does not fit `T`.
    ///
    /// ```
    /// use sqltrack_engines::{Column, Rows, Value};
    ///
    /// let column = Column { name: "loss".to_owned(), type_name: "float8".to_owned() };
    /// let rows = Rows::new(vec![column], vec![vec![Value::Float(0.5)]]);
    /// let row = rows.first().expect("there is one row");
    /// assert_eq!(row.get::<f64>("loss").unwrap(), 0.5);
    /// assert_eq!(row.get::<Option<f32>>(0).unwrap(), Some(0.5));
    /// assert!(row.get::<String>("loss").is_err());
    /// ```
    pub fn get<T: Decode>(&self, column: impl ColumnIndex) -> Result<T, DecodeError> {
        let position = column.position(self)?;
        let value = self.values.get(position).cloned().unwrap_or(Value::Null);
        T::decode(value).map_err(|err| match self.columns.get(position) {
            Some(column) => err.in_column(&column.name),
            None => err,
        })
    }

    /// The row as `T`: a tuple of as many values as the row has columns, or any [`FromRow`].
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if the row has another number of columns or a value does not fit.
    pub fn decode<T: FromRow>(self) -> Result<T, DecodeError> {
        T::from_row(self)
    }
}

/// A way to name a column: its name or its position.
pub trait ColumnIndex {
    /// The position of the column in `row`.
    ///
    /// # Errors
    ///
    /// [`DecodeError::NoSuchColumn`] if the row has no such column.
    fn position(&self, row: &Row) -> Result<usize, DecodeError>;
}

impl ColumnIndex for usize {
    fn position(&self, row: &Row) -> Result<usize, DecodeError> {
        if *self < row.columns.len() {
            return Ok(*self);
        }
        Err(DecodeError::NoSuchColumn { column: self.to_string() })
    }
}

impl ColumnIndex for &str {
    fn position(&self, row: &Row) -> Result<usize, DecodeError> {
        let position = row.columns.iter().position(|column| column.name == *self);
        position.ok_or_else(|| DecodeError::NoSuchColumn { column: (*self).to_owned() })
    }
}
