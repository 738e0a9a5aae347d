//! Where each value of a call goes: to a column, to the overflow, or nowhere.

use sqltrack_engines::{ColumnKind, Dialect, Engine, EngineError, Fit, MetricColumn, MetricType, Value};

use crate::{Error, Metrics, check};

/// Where the values of one call go, by the columns that are known.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Plan {
    /// Values for columns, in the columns' types.
    pub(super) columns: Vec<(String, Value)>,
    /// Values for the overflow.
    pub(super) overflow: Vec<(String, Value)>,
    /// Columns that are missing.
    pub(super) missing: Vec<(String, MetricType)>,
    /// Integer columns that must become float columns first.
    pub(super) widen: Vec<String>,
}

/// Checks what can be checked of a value without a table: that the database can keep it at all, so that none is refused
/// after a column was added for it.
pub(crate) fn check_value(name: &str, value: &Value, engine: &dyn Engine) -> Result<(), Error> {
    match value {
        Value::Float(_) | Value::Int(_) | Value::Bool(_) | Value::Bytes(_) | Value::Null => Ok(()),
        Value::Text(text) => check::text(&format!("metric `{name}`"), text),
        Value::Json(json) => check::json(&format!("metric `{name}`"), json),
        Value::Date(_) | Value::Timestamp(_) | Value::Duration(_) => {
            engine.check(value).map_err(|err| EngineError::BadValue(format!("metric `{name}`: {err}")).into())
        }
        value => Err(refused(name, value, None)),
    }
}

impl Plan {
    /// Plans a call. Columns that are missing and do not fit the budget are not `missing`: their values
    /// go to the overflow.
    pub(super) fn new(
        metrics: &Metrics,
        columns: &[MetricColumn],
        engine: &dyn Engine,
        budget: usize,
    ) -> Result<Self, Error> {
        let mut plan = Self::default();
        for (name, value) in metrics.iter() {
            match find(columns, name, engine.dialect())? {
                Some(column) => plan.place(column, value, engine)?,
                None => {
                    refuse_same_case(engine.dialect(), name, plan.missing.iter().map(|(name, _)| name))?;
                    plan.place_new(name, value, budget.saturating_sub(columns.len()));
                }
            }
        }
        Ok(plan)
    }

    fn place(&mut self, column: &MetricColumn, value: &Value, engine: &dyn Engine) -> Result<(), Error> {
        let name = column.name.clone();
        match column.kind.fit(value) {
            Fit::Exact(value) if engine.holds(&value) => self.columns.push((name, value)),
            Fit::Exact(value) => {
                self.columns.push((name.clone(), Value::Null));
                self.overflow.push((name, value));
            }
            Fit::Widen => self.widen.push(name),
            Fit::Refused => return Err(refused(&name, value, Some(column))),
        }
        Ok(())
    }

    fn place_new(&mut self, name: &str, value: &Value, room: usize) {
        let Some(metric_type) = value.metric_type() else {
            // The overflow may have a value to clear.
            self.overflow.push((name.to_owned(), Value::Null));
            return;
        };
        if self.missing.len() < room {
            self.missing.push((name.to_owned(), metric_type));
        } else {
            self.overflow.push((name.to_owned(), value.clone()));
        }
    }

    /// Gives up on columns that cannot be had now: their values go to the overflow.
    pub(super) fn without_missing(mut self, metrics: &Metrics) -> Self {
        let missing = std::mem::take(&mut self.missing);
        let values = metrics.iter().filter(|(name, _)| missing.iter().any(|(other, _)| other == name));
        self.overflow.extend(values.map(|(name, value)| (name.to_owned(), value.clone())));
        self
    }

    /// Whether there is nothing to write.
    pub(super) fn is_empty(&self) -> bool {
        self.columns.is_empty() && self.overflow.is_empty()
    }
}

fn find<'a>(
    columns: &'a [MetricColumn],
    name: &str,
    dialect: Dialect,
) -> Result<Option<&'a MetricColumn>, Error> {
    if let Some(column) = columns.iter().find(|column| column.name == name) {
        return Ok(Some(column));
    }
    refuse_same_case(dialect, name, columns.iter().map(|column| &column.name))?;
    Ok(None)
}

/// SQLite takes names for the same that differ in the case of ASCII letters only.
pub(crate) fn refuse_same_case<'a>(
    dialect: Dialect,
    name: &str,
    mut existing: impl Iterator<Item = &'a String>,
) -> Result<(), Error> {
    match existing.find(|existing| existing.eq_ignore_ascii_case(name)) {
        Some(existing) if dialect == Dialect::Sqlite => {
            Err(Error::MetricCase { name: name.to_owned(), existing: existing.clone() })
        }
        _ => Ok(()),
    }
}

pub(crate) fn refused(name: &str, value: &Value, column: Option<&MetricColumn>) -> Error {
    let shown = match value {
        Value::Decimal(digits) => format!("integer {digits}"),
        Value::Int(_) | Value::Float(_) | Value::Bool(_) => {
            format!("{} {}", value.type_name(), crate::text::of(value))
        }
        value => format!("{} value", value.type_name()),
    };
    let advice = match (value, column.map(|column| column.kind)) {
        (Value::Decimal(_), _) => {
            "the largest integer is 9223372036854775807; convert it to a float or to text"
        }
        (Value::Int(_), Some(ColumnKind::Metric(MetricType::Float))) => {
            "a float does not equal it; convert it yourself, or use another name"
        }
        (Value::Float(_), Some(ColumnKind::Float32)) => {
            "make the column DOUBLE PRECISION with ALTER TABLE, or convert to f32"
        }
        (_, Some(ColumnKind::Other)) => "SQLTrack does not write columns of this type; use another name",
        _ => "convert the value, or use another name",
    };
    let column_type = column.map_or_else(|| "BIGINT".to_owned(), |column| column.type_name.clone());
    Error::MetricValue { name: name.to_owned(), value: shown, column_type, advice }
}
