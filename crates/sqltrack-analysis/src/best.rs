//! Best values of a metric as columns beside runs.

use std::collections::HashMap;

use sqltrack_core::{Client, Column, Error, Goal, Row, Rows, Value};

/// The rows of runs, which have a column `id`, with two more: the best value of a metric in each run, under the name of the metric,
/// and its step, under that name with `_step`.
///
/// # Errors
///
/// As [`Client::best`]; [`Error::Decode`] if there is no `id`.
///
/// ```no_run
/// # async fn example(client: sqltrack_core::Client) -> Result<(), sqltrack_core::Error> {
/// use sqltrack_core::Goal;
///
/// let runs = client.list_runs(None, Some(10)).await?;
/// let runs = sqltrack_analysis::best::add_best(runs, &client, "val_top1", Goal::Max).await?;
/// # Ok(())
/// # }
/// ```
pub async fn add_best(rows: Rows, client: &Client, metric: &str, goal: Goal) -> Result<Rows, Error> {
    let ids: Vec<i64> = rows.iter().map(|row| row.get("id")).collect::<Result<_, _>>()?;
    let found = client.best(metric, goal).runs(ids.iter().copied()).await?;
    let mut found: HashMap<i64, _> = found.into_iter().map(|found| (found.run.0, found.best)).collect();
    let column = |name: String| Column { name, type_name: String::new() };
    let new = [metric.to_owned(), format!("{metric}_step")].map(column);
    let columns = rows.columns().iter().cloned().chain(new).collect();
    let with_best = |(row, id): (Row, i64)| {
        let best = found.remove(&id).flatten().map(|best| [best.value, Value::Int(best.step)]);
        row.into_values().into_iter().chain(best.unwrap_or([Value::Null, Value::Null])).collect()
    };
    Ok(Rows::new(columns, rows.into_iter().zip(ids).map(with_best).collect()))
}
