//! What SQLTrack holds, to be looked at: charts, formatted tables, comparisons of runs, and reports.
//!
//! - [`mod@chart`]: curves on a terminal, as SVG, and as HTML.
//! - [`mod@format`]: values and tables as people like to read them.
//! - [`mod@compare`]: in what runs differ; [`best`]: best values beside runs.
//! - [`mod@report`]: an experiment as one page.
//! - [`mod@curves`]: the metrics of series of runs, to be drawn.

#[cfg(feature = "arrow")]
pub mod arrow;
pub mod best;
pub mod chart;
pub mod compare;
pub mod curves;
mod error;
pub mod evcxr;
pub mod format;
#[cfg(feature = "polars")]
mod frame;
pub mod html;
mod names;
mod number;
pub mod report;
mod screen;

pub use error::Error;
#[cfg(feature = "polars")]
pub use frame::{dataframe, frame_rows, query_dataframe};
pub use names::unique_names;
pub use number::{as_number, scalar};
#[cfg(feature = "polars")]
pub use polars;
pub use screen::{Screen, one_line};
