//! Columns of a list of runs: which of them, and the order of the rows by one of them.

use std::cmp::Ordering;

use anyhow::anyhow;
use sqltrack_analysis::{as_number, scalar};
use sqltrack_core::{Column, Rows, Value};

/// The columns that hold documents, whose fields can be columns.
const DETAILS: [&str; 3] = ["args", "env", "extras"];

/// Whether a column is a document, or a field of one.
pub(crate) fn is_detail(name: &str) -> bool {
    let first = name.split(['.', ':']).next().unwrap_or_default();
    DETAILS.contains(&first)
}

/// Where the values of a column come from.
enum Place {
    Column(usize),
    Field(usize, Vec<String>),
}

impl Place {
    fn of(rows: &Rows, name: &str) -> anyhow::Result<Self> {
        let position = |name: &str| rows.columns().iter().position(|column| column.name == name);
        if let Some(place) = position(name) {
            return Ok(Self::Column(place));
        }
        if let Some((document, field)) = name.split_once('.')
            && DETAILS.contains(&document)
            && let Some(place) = position(document)
        {
            return Ok(Self::Field(place, field.split('.').map(str::to_owned).collect()));
        }
        let known = rows.columns().iter().map(|column| column.name.as_str());
        let known: Vec<&str> = known.filter(|name| !DETAILS.contains(name)).collect();
        Err(anyhow!(
            "there is no column `{name}`; there are {}, args.NAME, env.NAME and extras.NAME",
            known.join(", ")
        ))
    }

    fn value(&self, values: &[Value]) -> Value {
        match self {
            Self::Column(place) => values[*place].clone(),
            Self::Field(place, path) => field(&values[*place], path),
        }
    }
}

/// A field of a document. A name may hold dots itself.
fn field(document: &Value, path: &[String]) -> Value {
    let Value::Json(json) = document else { return Value::Null };
    let whole = json.get(path.join("."));
    let nested = || path.iter().try_fold(json, |json, name| json.get(name));
    whole.or_else(nested).cloned().map_or(Value::Null, scalar)
}

/// The rows with these columns alone.
pub(crate) fn chosen(rows: Rows, names: &[String]) -> anyhow::Result<Rows> {
    let places = names.iter().map(|name| Place::of(&rows, name)).collect::<anyhow::Result<Vec<_>>>()?;
    let type_name = |place: &Place| match place {
        Place::Column(place) => rows.columns()[*place].type_name.clone(),
        Place::Field(..) => String::new(),
    };
    let column =
        |(name, place): (&String, &Place)| Column { name: name.clone(), type_name: type_name(place) };
    let columns = names.iter().zip(&places).map(column).collect();
    let row = |row: &sqltrack_core::Row| places.iter().map(|place| place.value(row.values())).collect();
    Ok(Rows::new(columns, rows.iter().map(row).collect()))
}

/// The rows without the documents, which were fetched for their fields.
pub(crate) fn without_details(rows: Rows) -> Rows {
    let is_shown: Vec<bool> =
        rows.columns().iter().map(|column| !DETAILS.contains(&column.name.as_str())).collect();
    let columns = rows.columns().iter().zip(&is_shown).filter(|(_, is_shown)| **is_shown);
    let columns = columns.map(|(column, _)| column.clone()).collect();
    let shown = |row: sqltrack_core::Row| {
        let values = row.into_values().into_iter().zip(&is_shown);
        values.filter(|(_, is_shown)| **is_shown).map(|(value, _)| value).collect()
    };
    Rows::new(columns, rows.into_iter().map(shown).collect())
}

/// The first `limit` rows by a column; those without a value come last.
pub(crate) fn sorted(rows: Rows, by: &str, limit: Option<u32>) -> anyhow::Result<Rows> {
    let (place, is_down) = match by.rsplit_once(':') {
        Some((name, "desc")) => (Place::of(&rows, name)?, true),
        Some((name, "asc")) => (Place::of(&rows, name)?, false),
        _ => (Place::of(&rows, by)?, false),
    };
    let columns = rows.columns().to_vec();
    let mut keyed: Vec<(Value, Vec<Value>)> =
        rows.into_iter().map(|row| (place.value(row.values()), row.into_values())).collect();
    keyed.sort_by(|(one, _), (other, _)| match (is_nothing(one), is_nothing(other)) {
        (false, false) if is_down => compare(other, one),
        (false, false) => compare(one, other),
        (one, other) => one.cmp(&other),
    });
    let limit = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(Rows::new(columns, keyed.into_iter().map(|(_, values)| values).take(limit).collect()))
}

fn is_nothing(value: &Value) -> bool {
    matches!(value, Value::Null) || matches!(value, Value::Float(number) if number.is_nan())
}

fn compare(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::Int(one), Value::Int(other)) => one.cmp(other),
        (Value::Timestamp(one), Value::Timestamp(other)) => one.cmp(other),
        (Value::Date(one), Value::Date(other)) => one.cmp(other),
        (Value::Duration(one), Value::Duration(other)) => one.cmp(other),
        (Value::Bool(one), Value::Bool(other)) => one.cmp(other),
        (one, other) => match (as_number(one), as_number(other)) {
            (Some(one), Some(other)) => one.total_cmp(&other),
            // Numbers come before texts.
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => sqltrack_core::text::of(one).cmp(&sqltrack_core::text::of(other)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rows() -> Rows {
        let column = |name: &str| Column { name: name.to_owned(), type_name: String::new() };
        let row = |id: i64, args: serde_json::Value| vec![Value::Int(id), Value::Json(args)];
        let values = vec![
            row(1, json!({ "lr": 0.1, "net": { "depth": 50 }, "a.b": "x" })),
            row(2, json!({ "lr": 2 })),
            row(3, json!({})),
            row(4, json!({ "lr": "many" })),
        ];
        Rows::new(["id", "args"].map(column).to_vec(), values)
    }

    fn ids(rows: &Rows) -> Vec<i64> {
        rows.iter().map(|row| row.get("id").unwrap()).collect()
    }

    #[test]
    fn fields_are_columns() {
        let names = ["args.net.depth", "id", "args.a.b", "args.lr"].map(str::to_owned);
        let chosen = chosen(rows(), &names).unwrap();
        let first = chosen.first().unwrap().values();
        assert_eq!(first, [Value::Int(50), Value::Int(1), Value::from("x"), Value::Float(0.1)]);
        let err = super::chosen(rows(), &["nothing".to_owned()]).unwrap_err().to_string();
        assert_eq!(err, "there is no column `nothing`; there are id, args.NAME, env.NAME and extras.NAME");
    }

    #[test]
    fn what_has_no_value_comes_last() {
        assert_eq!(ids(&sorted(rows(), "args.lr", None).unwrap()), [1, 2, 4, 3]);
        assert_eq!(ids(&sorted(rows(), "args.lr:desc", None).unwrap()), [4, 2, 1, 3]);
        assert_eq!(ids(&sorted(rows(), "id:desc", Some(2)).unwrap()), [4, 3]);
        assert_eq!(without_details(rows()).columns().len(), 1);
    }
}
