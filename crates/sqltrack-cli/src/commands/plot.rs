//! `plot`: metrics as curves.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::ValueHint;
use sqltrack_analysis::Screen;
use sqltrack_analysis::chart::Chart;
use sqltrack_analysis::curves::{CurveOptions, Over, curves};
use sqltrack_core::Client;

use crate::diagnostics::note;
use crate::lineage::{self, LinkArgs};
use crate::named::RunName;
use crate::options::wrong_usage;
use crate::screen;

/// Where there is no terminal.
const PIPE: Screen = Screen { width: 80, height: 24, has_color: false };
/// The size of a picture, in pixels.
const PICTURE: (f64, f64) = (960.0, 540.0);

/// Draw metrics of runs as curves
///
/// Without `-o` they are drawn on the terminal. Runs that continue others are one curve with them. Long series are reduced so
/// that no spike is lost; NaN and infinities are gaps.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sqltrack-cli plot 7 --metric loss
  sqltrack-cli plot 7 8 --metric val/loss --log-y --smooth 0.6
  sqltrack-cli plot 7 8 --metric loss --metric val/loss -o curves.html")]
pub(crate) struct Args {
    /// The ids of the runs, or the environment variables that hold them
    #[arg(value_name = "ID|VARIABLE", default_value = RunName::OF_JOB, allow_negative_numbers = true)]
    runs: Vec<RunName>,
    /// The metric to draw; may be given several times
    #[arg(short, long, value_name = "NAME", required = true)]
    metric: Vec<String>,
    /// A logarithmic vertical axis, which has no place for zero and less
    #[arg(long)]
    log_y: bool,
    /// How much to smooth the curves, from 0 to below 1: an exponential moving average
    #[arg(long, value_name = "A", default_value_t = 0.0, value_parser = amount)]
    smooth: f64,
    /// What to draw over: `step`, `progress`, `time`, or a metric
    #[arg(short, long, value_name = "step|progress|time|METRIC", default_value = "step")]
    x: Over,
    /// The file to draw to, by its ending: .html (one that can be zoomed into), .svg or .png
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    #[command(flatten)]
    links: LinkArgs,
}

fn amount(text: &str) -> Result<f64, &'static str> {
    let amount = text.parse().ok().filter(|amount| (0.0..1.0).contains(amount));
    amount.ok_or("expected a number from 0 to below 1")
}

/// The kinds of files.
#[derive(Clone, Copy)]
enum Kind {
    Html,
    Svg,
    Png,
}

impl Kind {
    fn of(path: &Path) -> anyhow::Result<Self> {
        let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_lowercase);
        match ending.as_deref() {
            Some("html" | "htm") => Ok(Self::Html),
            Some("svg") => Ok(Self::Svg),
            Some("png") if cfg!(feature = "png") => Ok(Self::Png),
            _ => Err(wrong_usage(&format!(
                "`{}` does not say what kind of picture it is to be; give it one of the endings .html, .svg and .png",
                path.display()
            ))),
        }
    }

    fn draw(self, chart: &Chart) -> Vec<u8> {
        match self {
            Self::Html => chart.page().into_bytes(),
            Self::Svg => chart.svg(PICTURE.0, PICTURE.1).into_bytes(),
            #[cfg(feature = "png")]
            Self::Png => chart.png(PICTURE.0, PICTURE.1).unwrap_or_default(),
            #[cfg(not(feature = "png"))]
            Self::Png => Vec::new(),
        }
    }
}

pub(super) async fn run(args: &Args, client: &Client, out: &mut impl Write) -> anyhow::Result<()> {
    let file = match &args.output {
        Some(path) => Some((path, Kind::of(path)?)),
        None => None,
    };
    let lineages = args.links.lineages(&args.runs, client).await?;
    let options = CurveOptions { over: args.x.clone(), log_y: args.log_y, smooth: args.smooth };
    let chart = curves(client, &lineages, &args.metric, &options).await?;
    if chart.is_empty() {
        note(&format!("nothing to draw: run {} has no such values", lineage::runs(&lineages)));
    } else if chart.left_out() > 0 {
        let why = if args.log_y { "NaN, infinite, or not larger than zero" } else { "NaN or infinite" };
        note(&format!("values that are not drawn: {} ({why})", chart.left_out()));
    }
    match file {
        Some((path, kind)) => crate::file::write(path, kind.draw(&chart)),
        None => {
            // The prompt wants a line.
            let screen = screen::of_stdout().map(|screen| Screen { height: screen.height - 1, ..screen });
            Ok(out.write_all(chart.terminal(screen.unwrap_or(PIPE)).as_bytes())?)
        }
    }
}
