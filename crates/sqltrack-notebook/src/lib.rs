//! SQLTrack for notebooks in Rust, see the book's page on notebooks.
//!
//! [evcxr](https://github.com/evcxr/evcxr) compiles each cell to a library that is loaded. A crate that is a part of each of them
//! has its global state once for each, so that what one cell begins, such as connections, finds no runtime in the next one. This
//! crate is a shared library: it is loaded once, with all that is in it.

pub use sqltrack_analysis as analysis;
pub use sqltrack_core as core;
pub use {serde_json, time, tokio};

pub use time::OffsetDateTime;

pub use sqltrack_analysis::best::add_best;
pub use sqltrack_analysis::chart::Chart;
pub use sqltrack_analysis::compare::compare;
pub use sqltrack_analysis::curves::{CurveOptions, Over, curves};
pub use sqltrack_analysis::evcxr::{EvcxrDisplay, show};
pub use sqltrack_analysis::format::{Format, Formatting, format_dataframe, init_notebook_mode};
#[cfg(feature = "polars")]
pub use sqltrack_analysis::{dataframe, frame_rows, polars, query_dataframe};
pub use sqltrack_core::{
    Client, Dialect, Error, Experiment, ExperimentId, Goal, Metrics, RESUMES, Row, Rows, Run, RunId,
    RunListing, Value, metrics,
};
