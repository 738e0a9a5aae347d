//! The best values of a metric, run by run: not the last ones, and none that is no number.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::future::IntoFuture;

use sqltrack_engines::sql::{self, BestIn, BestOf};
use sqltrack_engines::{ColumnKind, ExperimentId, MetricType, Row, RunId, Value};

pub use sqltrack_engines::sql::Goal;

use crate::client::BoxFuture;
use crate::listing::ListingError;
use crate::nearest::nearest;
use crate::{Client, Error, Run};

/// What a run has of a metric, see [`Client::best`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct BestValue {
    /// The run.
    pub run: RunId,
    /// The best value and where it was measured; `None` if no value is a finite number.
    pub best: Option<BestPoint>,
    /// How many values are NaN or infinite.
    pub non_finite: u64,
    /// The first step at which the metric was NaN.
    pub first_nan_step: Option<i64>,
}

/// A value, and where it was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct BestPoint {
    /// The value: [`Value::Int`] or [`Value::Float`].
    pub value: Value,
    /// The smallest step with this value.
    pub step: i64,
    /// The smallest progress with this value at that step.
    pub progress: f64,
}

/// The best values of a metric, to be asked for: await it.
#[derive(Debug, Clone)]
#[must_use = "nothing is asked until it is awaited"]
pub struct Best {
    client: Client,
    metric: String,
    goal: Goal,
    among: Among,
}

#[derive(Debug, Clone)]
enum Among {
    All,
    Experiment(ExperimentId),
    Runs(Vec<RunId>),
}

impl Client {
    /// The best value of a metric in each run that has it, with the step at which it was measured, in the order of the
    /// runs' ids. NULL, NaN and infinities never win, and are counted; of equal values the first one is given. Integers
    /// come back exactly.
    ///
    /// # Errors
    ///
    /// Awaiting it fails with [`ListingError::NoSuchMetric`] in [`Error::Listing`] if there is no such metric, with
    /// [`ListingError::NotANumber`] if its values are no numbers, and with [`Error::Engine`] if the database fails.
    ///
    /// ```no_run
    /// # async fn example(client: sqltrack_core::Client) -> Result<(), sqltrack_core::Error> {
    /// use sqltrack_core::Goal;
    ///
    /// for run in client.best("accuracy", Goal::Max).experiment(7).await? {
    ///     match run.best {
    ///         Some(best) => println!("run {}: {:?} at step {}", run.run, best.value, best.step),
    ///         None => println!("run {}: NaN since step {:?}", run.run, run.first_nan_step),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn best(&self, metric: impl Into<String>, goal: Goal) -> Best {
        Best { client: self.clone(), metric: metric.into(), goal, among: Among::All }
    }
}

impl Run {
    /// The best value of a metric of the run; `None` if it has none. See [`Client::best`].
    ///
    /// # Errors
    ///
    /// As [`Client::best`].
    pub async fn best(&self, metric: impl Into<String>, goal: Goal) -> Result<Option<BestValue>, Error> {
        Ok(self.client().best(metric, goal).runs([self.id()]).await?.into_iter().next())
    }
}

impl Best {
    /// Only in the runs of an experiment.
    pub fn experiment(mut self, experiment: impl Into<ExperimentId>) -> Self {
        self.among = Among::Experiment(experiment.into());
        self
    }

    /// Only in these runs.
    pub fn runs<R: Into<RunId>>(mut self, runs: impl IntoIterator<Item = R>) -> Self {
        self.among = Among::Runs(runs.into_iter().map(Into::into).collect());
        self
    }

    /// A statement that finds the same in the table `metrics`, for a program or a person that goes on from there. It has one
    /// parameter, `$1`, if experiments or runs are chosen. What stands beyond the columns is looked for by another one.
    ///
    /// # Errors
    ///
    /// As awaiting it.
    pub async fn sql(&self) -> Result<String, Error> {
        let column = self.column().await?;
        match column {
            Some(of) => self.statement(of.of(&self.metric)),
            None => self.statement(BestOf::Overflow(&self.metric)),
        }
    }

    async fn run(self) -> Result<Vec<BestValue>, Error> {
        let column = self.column().await?;
        let mut found = BTreeMap::new();
        if let Some(column) = column {
            self.look(column.of(&self.metric), &mut found).await?;
        }
        self.look(BestOf::Overflow(&self.metric), &mut found).await?;
        if found.is_empty() && column.is_none() {
            self.check_known().await?;
        }
        Ok(found.into_values().collect())
    }

    /// The column of the metric, if there is one.
    async fn column(&self) -> Result<Option<Column>, Error> {
        let columns = self.client.metric_columns().await?;
        let Some(column) = columns.into_iter().find(|column| column.name == self.metric) else {
            return Ok(None);
        };
        match column.kind {
            ColumnKind::Metric(MetricType::Float) | ColumnKind::Float32 => Ok(Some(Column::Floats)),
            ColumnKind::Metric(MetricType::Int) | ColumnKind::Int16 | ColumnKind::Int32 => {
                Ok(Some(Column::Integers))
            }
            _ => {
                let (name, type_name) = (self.metric.clone(), column.type_name);
                Err(ListingError::NotANumber { name, type_name }.into())
            }
        }
    }

    fn statement(&self, of: BestOf<'_>) -> Result<String, Error> {
        Ok(sql::best(of, self.goal, self.among.kind(), self.client.dialect())?)
    }

    /// Looks in one place, and keeps the better ones.
    async fn look(&self, of: BestOf<'_>, found: &mut BTreeMap<RunId, BestValue>) -> Result<(), Error> {
        let dialect = self.client.dialect();
        let statement = match sql::best_at_once(of, self.goal, self.among.kind(), dialect)? {
            Some(at_once) => at_once,
            None => self.statement(of)?,
        };
        let mut again = Vec::new();
        for row in self.client.query(&statement, self.among.parameters()).await? {
            match row.get("non_finite")? {
                Some(non_finite) => self.keep(best_value(&row, non_finite)?, found),
                None => again.push(row.get::<Value>("run_id")?),
            }
        }
        if !again.is_empty() {
            let whole = sql::best(of, self.goal, BestIn::Runs, dialect)?;
            for row in self.client.query(&whole, vec![Value::List(again)]).await? {
                self.keep(best_value(&row, row.get("non_finite")?)?, found);
            }
        }
        Ok(())
    }

    fn keep(&self, value: BestValue, found: &mut BTreeMap<RunId, BestValue>) {
        match found.get_mut(&value.run) {
            None => drop(found.insert(value.run, value)),
            Some(known) => known.merge(value, self.goal),
        }
    }

    /// That some run has the metric, beyond the columns, if none that was asked for has it.
    async fn check_known(&self) -> Result<(), Error> {
        let beyond = "SELECT DISTINCT name FROM metrics_overflow";
        let beyond: Vec<String> = self.client.first_values(beyond, ()).await?;
        if beyond.contains(&self.metric) {
            return Ok(());
        }
        let columns = self.client.metric_columns().await?;
        let known = columns.iter().map(|column| &column.name).chain(&beyond);
        let name = self.metric.clone();
        let nearest = nearest(&name, known.map(String::as_str));
        Err(ListingError::NoSuchMetric { name, nearest }.into())
    }
}

impl Among {
    fn kind(&self) -> BestIn {
        match self {
            Self::All => BestIn::All,
            Self::Experiment(_) => BestIn::Experiment,
            Self::Runs(_) => BestIn::Runs,
        }
    }

    fn parameters(&self) -> Vec<Value> {
        match self {
            Self::All => Vec::new(),
            Self::Experiment(experiment) => vec![Value::from(*experiment)],
            Self::Runs(runs) => vec![Value::List(runs.iter().map(|run| Value::from(*run)).collect())],
        }
    }
}

/// What the column of a metric holds.
#[derive(Debug, Clone, Copy)]
enum Column {
    Floats,
    Integers,
}

impl Column {
    fn of(self, name: &str) -> BestOf<'_> {
        match self {
            Self::Floats => BestOf::Floats(name),
            Self::Integers => BestOf::Integers(name),
        }
    }
}

fn best_value(row: &Row, non_finite: i64) -> Result<BestValue, Error> {
    let value = match (row.get::<Option<i64>>("exact")?, row.get::<Value>("value")?) {
        (Some(exact), _) => Value::Int(exact),
        (None, value) => value,
    };
    let best = match (row.get("step")?, row.get("progress")?) {
        (Some(step), Some(progress)) => Some(BestPoint { value, step, progress }),
        _ => None,
    };
    Ok(BestValue {
        run: RunId(row.get("run_id")?),
        best,
        non_finite: non_finite.unsigned_abs(),
        first_nan_step: row.get("first_nan_step")?,
    })
}

impl BestValue {
    /// Takes in what the same run has elsewhere.
    fn merge(&mut self, other: Self, goal: Goal) {
        self.non_finite += other.non_finite;
        self.first_nan_step = match (self.first_nan_step, other.first_nan_step) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
        let Some(best) = other.best else { return };
        if self.best.as_ref().is_none_or(|known| best.is_before(known, goal)) {
            self.best = Some(best);
        }
    }
}

impl BestPoint {
    /// Whether it is the better one, or the earlier of two equal ones.
    fn is_before(&self, other: &Self, goal: Goal) -> bool {
        let order = match compare(&self.value, &other.value) {
            order if goal == Goal::Max => order.reverse(),
            order => order,
        };
        let place = || self.step.cmp(&other.step).then(self.progress.total_cmp(&other.progress));
        order.then_with(place) == Ordering::Less
    }
}

/// Compares numbers, exactly also if one is an integer and the other a float.
fn compare(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::Int(one), Value::Int(other)) => one.cmp(other),
        (Value::Int(one), Value::Float(other)) => compare_mixed(*one, *other),
        (Value::Float(one), Value::Int(other)) => compare_mixed(*other, *one).reverse(),
        (Value::Float(one), Value::Float(other)) => one.partial_cmp(other).unwrap_or(Ordering::Equal),
        _ => Ordering::Equal,
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "what is lost is compared after"
)]
fn compare_mixed(int: i64, float: f64) -> Ordering {
    let rough = (int as f64).partial_cmp(&float).unwrap_or(Ordering::Equal);
    rough.then_with(|| i128::from(int).cmp(&(float as i128)))
}

impl IntoFuture for Best {
    type Output = Result<Vec<BestValue>, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_and_floats_are_compared_exactly() {
        let large = 1_i64 << 53;
        assert_eq!(compare(&Value::Int(large + 1), &Value::Float(large as f64)), Ordering::Greater);
        assert_eq!(compare(&Value::Float(large as f64), &Value::Int(large + 1)), Ordering::Less);
        assert_eq!(compare(&Value::Int(3), &Value::Float(3.0)), Ordering::Equal);
        assert_eq!(compare(&Value::Int(i64::MAX), &Value::Float(1e300)), Ordering::Less);
        assert_eq!(compare(&Value::Int(i64::MIN), &Value::Float(-0.5)), Ordering::Less);
    }
}
