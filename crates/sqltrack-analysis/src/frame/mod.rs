//! Results as polars data frames: what the manual's `query_dataframe` (section 3.8.7) gives with pandas.

mod back;

use polars::prelude::{
    Column, DataFrame, DataType, IntoColumn as _, ListChunked, NamedFrom as _, Series, TimeUnit, TimeZone,
};
use sqltrack_core::{Client, Parameters, Rows, Value};

use crate::arrow::{Columns, Item, Kind, convert};
use crate::{Error, unique_names};

pub use back::frame_rows;

/// Runs one statement and returns its rows as a data frame. Types are kept as in [`crate::arrow`]; a column name that comes
/// twice gets a number.
///
/// # Errors
///
/// [`Error::Core`] with what the library or the database says of the statement, [`Error::Arrow`] if a column has values of
/// several types, as can be in SQLite.
///
/// ```no_run
/// # async fn example(client: sqltrack_core::Client) -> Result<(), sqltrack_analysis::Error> {
/// use sqltrack_analysis::query_dataframe;
///
/// let frame = query_dataframe(&client, "SELECT * FROM metrics WHERE run_id = $1", (7,)).await?;
/// println!("{frame}");
/// # Ok(())
/// # }
/// ```
pub async fn query_dataframe(
    client: &Client,
    sql: &str,
    parameters: impl Into<Parameters>,
) -> Result<DataFrame, Error> {
    dataframe(&client.query(sql, parameters).await?)
}

/// Rows as a data frame, as [`query_dataframe`] returns it.
///
/// # Errors
///
/// [`Error::Arrow`] if a column has values of several types.
pub fn dataframe(rows: &Rows) -> Result<DataFrame, Error> {
    let kinds = Columns::of(rows);
    let names = unique_names(rows.columns());
    let mut columns = Vec::with_capacity(names.len());
    for (place, (name, kind)) in names.iter().zip(kinds.kinds()).enumerate() {
        let values: Vec<&Value> = rows.iter().map(|row| &row.values()[place]).collect();
        columns.push(column(name, *kind, &values).map_err(|misfit| kinds.mixed(place, misfit))??);
    }
    Ok(DataFrame::new(rows.len(), columns)?)
}

type Misfit = (usize, Value);

/// A column of values of one kind; the inner error is of polars.
fn column(name: &str, kind: Kind, values: &[&Value]) -> Result<Result<Column, Error>, Misfit> {
    if let Kind::List(item) = kind {
        return list(name, item, values);
    }
    let series = series(name, kind, values)?;
    Ok(typed(series, kind).map(|series| series.into_column()))
}

fn series(name: &str, kind: Kind, values: &[&Value]) -> Result<Series, Misfit> {
    let values = || values.iter().copied();
    let name = name.into();
    Ok(match kind {
        Kind::Bool => Series::new(name, convert::all(values(), convert::truth)?),
        Kind::Int => Series::new(name, convert::all(values(), convert::integer)?),
        Kind::Float => Series::new(name, convert::all(values(), convert::float)?),
        Kind::Bytes => Series::new(name, convert::all(values(), convert::bytes)?),
        Kind::Date => Series::new(name, convert::all(values(), convert::date)?),
        Kind::Time => {
            let nanoseconds = |value| convert::time_of_day(value).map(|microseconds| microseconds * 1_000);
            Series::new(name, convert::all(values(), nanoseconds)?)
        }
        Kind::Timestamp => Series::new(name, convert::all(values(), convert::timestamp)?),
        Kind::Duration => Series::new(name, convert::all(values(), convert::span)?),
        Kind::Text | Kind::List(_) => {
            Series::new(name, convert::all(values(), |value| Some(convert::string(value)))?)
        }
    })
}

/// The series with the type that its numbers stand for.
fn typed(series: Series, kind: Kind) -> Result<Series, Error> {
    let wanted = match kind {
        Kind::Date => DataType::Date,
        Kind::Time => DataType::Time,
        Kind::Timestamp => DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)),
        Kind::Duration => DataType::Duration(TimeUnit::Microseconds),
        _ => return Ok(series),
    };
    Ok(series.cast(&wanted)?)
}

fn list(name: &str, item: Item, values: &[&Value]) -> Result<Result<Column, Error>, Misfit> {
    let mut lists = Vec::with_capacity(values.len());
    for (row, value) in values.iter().enumerate() {
        lists.push(match value {
            Value::Null => None,
            Value::List(items) => {
                let items: Vec<&Value> = items.iter().collect();
                let items = series("", item.kind(), &items).map_err(|_| (row, (*value).clone()))?;
                match typed(items, item.kind()) {
                    Ok(items) => Some(items),
                    Err(err) => return Ok(Err(err)),
                }
            }
            other => return Err((row, (*other).clone())),
        });
    }
    let lists: ListChunked = lists.into_iter().collect();
    Ok(Ok(polars::prelude::IntoSeries::into_series(lists).with_name(name.into()).into_column()))
}
