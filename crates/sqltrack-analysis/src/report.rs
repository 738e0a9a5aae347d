//! An experiment as one page: its runs, their curves, and in what they differ.

use sqltrack_core::{
    Client, ExperimentId, Goal, Lineage, RESUMES, Row, Rows, RunId, RunListing, Value, text,
};
use time::OffsetDateTime;

use crate::best::add_best;
use crate::chart::{self, Chart};
use crate::compare::compare;
use crate::curves::{CurveOptions, KEYS, chart_of};
use crate::format::{
    self, FloatSpec, Format, Formatting, TimeSpec, format_dataframe, format_datetime, format_tags,
};
use crate::html::{self, escape};
use crate::{Error, as_number};

/// What a report shows, see [`report`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReportOptions {
    /// Metrics whose best value is shown of each run; the runs are in the order of the first one's.
    pub best: Vec<(String, Goal)>,
    /// The metrics whose curves are drawn; all that are numbers if there are none.
    pub metrics: Vec<String>,
    /// Of how many runs curves are drawn and settings compared: the best ones, or the newest.
    pub runs: usize,
}

/// How a page looks around its tables and charts.
const STYLE: &str = "\
body { font: 15px system-ui, sans-serif; color: #222; max-width: 70em; margin: 2em auto; padding: 0 1em; }
h1 { margin-bottom: 0.2em; }
h2 { margin-top: 2em; border-bottom: 1px solid #ccc; }
.sqltrack-wide { overflow: auto; max-height: 34em; }
.sqltrack-about { color: #666; }
";

/// A page about an experiment that needs nothing else: a table of its runs, a chart for each metric, and in what the runs
/// differ. Runs that resume others are one curve with them.
///
/// # Errors
///
/// [`Error::Core`] with `NoSuchExperiment` if there is none, with what the library says of a metric that does not exist, or if
/// the database fails.
///
/// ```no_run
/// # async fn example(client: sqltrack_core::Client) -> Result<(), sqltrack_analysis::Error> {
/// use sqltrack_analysis::report::{ReportOptions, report};
///
/// let options = ReportOptions { runs: 8, ..ReportOptions::default() };
/// let page = report(&client, 7, &options).await?;
/// std::fs::write("report.html", page).expect("the folder can be written to");
/// # Ok(())
/// # }
/// ```
pub async fn report(
    client: &Client,
    experiment: impl Into<ExperimentId>,
    options: &ReportOptions,
) -> Result<String, Error> {
    let experiment = experiment.into();
    let (name, head) = head(client, experiment).await?;
    let listing = RunListing { experiment: Some(experiment), ..RunListing::default() };
    let runs = with_best(client.list_runs_as(&listing).await?, client, &options.best).await?;
    let formatting =
        options.best.iter().fold(Formatting::new().relative_datetimes(false), |formatting, (name, _)| {
            formatting.column(name, Format::Float(FloatSpec::general(6)))
        });
    let mut body = head;
    body.push_str(&format!("<h2>{} runs</h2>\n<div class=\"sqltrack-wide\">\n", runs.len()));
    body.push_str(&format_dataframe(&runs, &formatting).html());
    body.push_str("</div>\n");
    let ids = runs.iter().map(|row| row.get("id")).collect::<Result<Vec<i64>, _>>()?;
    let chosen: Vec<RunId> = ids.into_iter().take(options.runs).map(RunId).collect();
    let about = match (chosen.len() < runs.len(), options.best.first()) {
        (false, _) => String::new(),
        (true, None) => format!("<p class=\"sqltrack-about\">Of the {} newest runs.</p>\n", chosen.len()),
        (true, Some((metric, _))) => {
            let metric = escape(metric);
            format!("<p class=\"sqltrack-about\">Of the {} best runs by {metric}.</p>\n", chosen.len())
        }
    };
    let lineages = client.lineages(chosen.iter().copied(), RESUMES).await?;
    let charts = charts(client, &lineages, &options.metrics).await?;
    if !charts.is_empty() {
        body.push_str(&format!("<h2>Curves</h2>\n{about}"));
        body.extend(charts.iter().map(Chart::html));
    }
    if chosen.len() > 1 {
        let comparison = compare(client, &chosen, Some(RESUMES)).await?;
        body.push_str(&format!("<h2>In what they differ</h2>\n{about}<div class=\"sqltrack-wide\">\n"));
        body.push_str(&comparison.table(false).html());
        body.push_str("</div>\n");
    }
    Ok(html::page(&name, &[STYLE, format::STYLE, chart::STYLE], &body, &[format::SCRIPT, chart::SCRIPT]))
}

/// The name of the experiment, and what stands at the top of the page.
async fn head(client: &Client, experiment: ExperimentId) -> Result<(String, String), Error> {
    let sql = "SELECT name, time_created, comment, tags FROM experiments WHERE id = $1";
    let row: Option<Row> = client.first_row(sql, (experiment,)).await?;
    let Some(row) = row else {
        return Err(
            sqltrack_core::Error::from(sqltrack_core::EngineError::NoSuchExperiment(experiment)).into()
        );
    };
    let (name, comment): (String, Option<String>) = (row.get("name")?, row.get("comment")?);
    let created = format_datetime(&row.get("time_created")?, ' ', TimeSpec::Minutes);
    let tags = match row.get("tags")? {
        Value::Null => String::new(),
        tags => format_tags(&tags).html,
    };
    let now = text::timestamp(OffsetDateTime::now_utc());
    let now = now.split('.').next().unwrap_or_default();
    let head = format!(
        "<h1>{}</h1>\n<p>{tags}</p>\n<p>{}</p>\n<p class=\"sqltrack-about\">Experiment {experiment}, created {} UTC. As of {now} UTC.</p>\n",
        escape(&name),
        escape(&comment.unwrap_or_default()),
        created.html,
    );
    Ok((name, head))
}

/// The runs, with the best values of metrics: the best run first, else the newest.
async fn with_best(mut rows: Rows, client: &Client, best: &[(String, Goal)]) -> Result<Rows, Error> {
    for (metric, goal) in best {
        rows = add_best(rows, client, metric, *goal).await?;
    }
    let columns = rows.columns().to_vec();
    // They are listed oldest first.
    let mut values: Vec<Vec<Value>> = rows.into_iter().map(Row::into_values).collect();
    values.reverse();
    if let Some((_, goal)) = best.first() {
        let place = columns.len() - 2 * best.len();
        values.sort_by(|one, other| badness(&one[place], *goal).total_cmp(&badness(&other[place], *goal)));
    }
    // All are of one experiment, and the best values are what is looked for first.
    let best_first = (columns.len() - 2 * best.len())..columns.len();
    let is_other = |place: &usize| columns[*place].name != "experiment" && !best_first.contains(place);
    let (firsts, others): (Vec<usize>, Vec<usize>) = (0..columns.len())
        .filter(is_other)
        .partition(|place| ["id", "status"].contains(&&*columns[*place].name));
    let order: Vec<usize> = firsts.into_iter().chain(best_first.clone()).chain(others).collect();
    let row = |values: Vec<Value>| order.iter().map(|place| values[*place].clone()).collect();
    let rows = values.into_iter().map(row).collect();
    Ok(Rows::new(order.iter().map(|place| columns[*place].clone()).collect(), rows))
}

/// A number that is the smaller the better a value is; what is none comes last.
fn badness(value: &Value, goal: Goal) -> f64 {
    match (as_number(value), goal) {
        (Some(number), Goal::Max) => -number,
        (Some(number), Goal::Min) => number,
        (None, _) => f64::INFINITY,
    }
}

/// A chart for each metric, of those that are numbers if none is asked for.
async fn charts(client: &Client, lineages: &[Lineage], metrics: &[String]) -> Result<Vec<Chart>, Error> {
    let rows = client.list_series(lineages, metrics).await?;
    let is_number = |place: usize| {
        let mut values = rows.iter().map(|row| &row.values()[place]).filter(|value| !value.is_null());
        values.all(|value| matches!(value, Value::Int(_) | Value::Float(_)))
    };
    let mut charts = Vec::new();
    for place in (KEYS..rows.columns().len()).filter(|place| !metrics.is_empty() || is_number(*place)) {
        let metric = rows.columns()[place].name.clone();
        let mut chart = chart_of(&rows, lineages, std::slice::from_ref(&metric), &CurveOptions::default())?;
        chart.title = metric;
        if !chart.is_empty() {
            charts.push(chart);
        }
    }
    Ok(charts)
}
