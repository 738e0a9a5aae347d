//! Which Arrow type a column of a result has: what the database says of it, or what its first values are.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use sqltrack_core::{Column, Rows, Value};

use super::array;
use super::convert::Misfit;

/// Why rows are no record batch.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArrowError {
    /// A value is of another type than those before it in its column, as can be in SQLite.
    #[error(
        "column `{column}`: row {row} is {found}, but the column is {expected}; give it one type in the query, such as \
         `CAST({column} AS TEXT)`"
    )]
    Mixed {
        /// The column.
        column: String,
        /// The number of the row, from 1 on.
        row: u64,
        /// What the value is.
        found: &'static str,
        /// What the column is.
        expected: String,
    },
    /// The writer of files fails.
    #[error("{0}")]
    File(String),
    /// The file cannot be written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl From<arrow_schema::ArrowError> for ArrowError {
    fn from(err: arrow_schema::ArrowError) -> Self {
        Self::File(err.to_string())
    }
}

impl From<parquet::errors::ParquetError> for ArrowError {
    fn from(err: parquet::errors::ParquetError) -> Self {
        Self::File(err.to_string())
    }
}

/// The columns of a result, with their Arrow types.
#[derive(Debug, Clone)]
pub struct Columns {
    schema: SchemaRef,
    kinds: Vec<Kind>,
    /// How many rows were converted.
    rows: u64,
}

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Bool,
    Int,
    Float,
    /// Texts, and what is written as one: decimals and documents.
    Text,
    Bytes,
    Date,
    Time,
    Timestamp,
    Duration,
    List(Item),
}

/// What the values of an array are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Item {
    Bool,
    Int,
    Float,
    Text,
    Timestamp,
}

impl Kind {
    /// What a value is; none for NULL.
    fn of(value: &Value) -> Option<Self> {
        Some(match value {
            Value::Null => return None,
            Value::Bool(_) => Self::Bool,
            Value::Int(_) => Self::Int,
            Value::Float(_) => Self::Float,
            Value::Bytes(_) => Self::Bytes,
            Value::Date(_) => Self::Date,
            Value::Time(_) => Self::Time,
            Value::Timestamp(_) => Self::Timestamp,
            Value::Duration(_) => Self::Duration,
            Value::List(values) => match Item::of_all(values) {
                Some(item) => Self::List(item),
                None if values.iter().all(Value::is_null) => return None,
                None => Self::Text,
            },
            _ => Self::Text,
        })
    }

    /// What PostgreSQL's name of a type stands for; none if that is not known.
    fn named(type_name: &str) -> Option<Self> {
        Some(match type_name {
            "bool" => Self::Bool,
            "int2" | "int4" | "int8" => Self::Int,
            "float4" | "float8" => Self::Float,
            "numeric" | "text" | "varchar" | "bpchar" | "name" | "json" | "jsonb" | "uuid" => Self::Text,
            "bytea" => Self::Bytes,
            "date" => Self::Date,
            "time" => Self::Time,
            "timestamp" | "timestamptz" => Self::Timestamp,
            "interval" => Self::Duration,
            "bool[]" => Self::List(Item::Bool),
            "int2[]" | "int4[]" | "int8[]" => Self::List(Item::Int),
            "float4[]" | "float8[]" => Self::List(Item::Float),
            "text[]" | "varchar[]" | "name[]" => Self::List(Item::Text),
            "timestamptz[]" => Self::List(Item::Timestamp),
            _ => return None,
        })
    }

    /// What a column of SQLite was declared to hold: mostly it does, and where it has no value yet nothing else is known.
    fn declared(type_name: &str) -> Option<Self> {
        Some(match type_name {
            "BIGINT" | "INTEGER" => Self::Int,
            "DOUBLE PRECISION" | "REAL" => Self::Float,
            "TEXT" | "JSONB" | "JSON" => Self::Text,
            "BLOB" | "BYTEA" => Self::Bytes,
            "BOOLEAN" => Self::Bool,
            "DATE" => Self::Date,
            "TIMESTAMP WITH TIME ZONE" => Self::Timestamp,
            "INTERVAL" => Self::Duration,
            _ => return None,
        })
    }

    /// What holds values of both kinds.
    fn with(self, other: Self) -> Self {
        match (self, other) {
            (one, other) if one == other => one,
            (Self::Int, Self::Float) | (Self::Float, Self::Int) => Self::Float,
            (Self::List(Item::Int), Self::List(Item::Float))
            | (Self::List(Item::Float), Self::List(Item::Int)) => Self::List(Item::Float),
            _ => Self::Text,
        }
    }

    fn data_type(self) -> DataType {
        match self {
            Self::Bool => DataType::Boolean,
            Self::Int => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Text => DataType::Utf8,
            Self::Bytes => DataType::Binary,
            Self::Date => DataType::Date32,
            Self::Time => DataType::Time64(TimeUnit::Microsecond),
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Duration => DataType::Duration(TimeUnit::Microsecond),
            Self::List(item) => DataType::List(Arc::new(Field::new("item", item.kind().data_type(), true))),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Bool => "a truth value",
            Self::Int => "an integer",
            Self::Float => "a float",
            Self::Text => "a text",
            Self::Bytes => "bytes",
            Self::Date => "a date",
            Self::Time => "a time of day",
            Self::Timestamp => "a time",
            Self::Duration => "a span",
            Self::List(_) => "an array",
        }
    }
}

impl Item {
    fn of_all(values: &[Value]) -> Option<Self> {
        let mut kinds = values.iter().filter_map(Kind::of);
        let first = kinds.next()?;
        let kind = kinds.fold(first, Kind::with);
        Some(match kind {
            Kind::Bool => Self::Bool,
            Kind::Int => Self::Int,
            Kind::Float => Self::Float,
            Kind::Timestamp => Self::Timestamp,
            Kind::Text if values.iter().all(|value| matches!(value, Value::Text(_) | Value::Null)) => {
                Self::Text
            }
            _ => return None,
        })
    }

    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Bool => Kind::Bool,
            Self::Int => Kind::Int,
            Self::Float => Kind::Float,
            Self::Text => Kind::Text,
            Self::Timestamp => Kind::Timestamp,
        }
    }
}

impl Columns {
    /// The columns of a result whose first rows are these. Of a column without any value there the database's name of its type
    /// decides, else it is text.
    #[must_use]
    pub fn of(rows: &Rows) -> Self {
        let kinds: Vec<Kind> =
            rows.columns().iter().enumerate().map(|(place, column)| kind(rows, place, column)).collect();
        let field = |(column, kind): (&Column, &Kind)| Field::new(&column.name, kind.data_type(), true);
        let fields: Vec<Field> = rows.columns().iter().zip(&kinds).map(field).collect();
        Self { schema: Arc::new(Schema::new(fields)), kinds, rows: 0 }
    }

    /// Whether each column has a value in these rows, or a type that is known without one, so that later rows bring no surprise.
    #[must_use]
    pub fn are_known(rows: &Rows) -> bool {
        let is_known = |(place, column): (usize, &Column)| {
            Kind::named(&column.type_name).is_some()
                || Kind::declared(&column.type_name).is_some()
                || rows.iter().any(|row| Kind::of(&row.values()[place]).is_some())
        };
        rows.columns().iter().enumerate().all(is_known)
    }

    /// The names and types.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    #[cfg(feature = "polars")]
    pub(crate) fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    /// What it means that a value does not fit the column at this place.
    pub(crate) fn mixed(&self, place: usize, (row, value): Misfit) -> ArrowError {
        ArrowError::Mixed {
            column: self.schema.field(place).name().clone(),
            row: self.rows + row as u64 + 1,
            found: Kind::of(&value).map_or("NULL", Kind::name),
            expected: self.kinds[place].name().to_owned(),
        }
    }

    /// The next rows as a record batch.
    ///
    /// # Errors
    ///
    /// [`ArrowError::Mixed`] if a value does not fit its column.
    pub fn batch(&mut self, rows: &Rows) -> Result<RecordBatch, ArrowError> {
        let convert = |(place, kind): (usize, &Kind)| -> Result<ArrayRef, ArrowError> {
            let values = rows.iter().map(|row| &row.values()[place]);
            array::of(*kind, values).map_err(|misfit| self.mixed(place, misfit))
        };
        let arrays = self.kinds.iter().enumerate().map(convert).collect::<Result<Vec<_>, _>>()?;
        self.rows += rows.len() as u64;
        let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(rows.len()));
        Ok(RecordBatch::try_new_with_options(self.schema.clone(), arrays, &options)?)
    }
}

fn kind(rows: &Rows, place: usize, column: &Column) -> Kind {
    if let Some(kind) = Kind::named(&column.type_name) {
        return kind;
    }
    let kinds = rows.iter().filter_map(|row| Kind::of(&row.values()[place]));
    kinds.reduce(Kind::with).or_else(|| Kind::declared(&column.type_name)).unwrap_or(Kind::Text)
}
