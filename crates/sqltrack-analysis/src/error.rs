//! What can go wrong when data is looked at.

/// Why something cannot be shown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What is asked for is not there, or the database fails.
    #[error(transparent)]
    Core(#[from] sqltrack_core::Error),
    /// A metric whose values cannot be drawn.
    #[error("metric `{0}` is no number; only numbers can be drawn")]
    NotANumber(String),
    /// No metric is a time.
    #[error(
        "no metric of the runs is a time, so that there is no axis of it; draw over `step` or `progress`, or log a time with each step"
    )]
    NoTimes,
    /// Rows that are no record batch, or no file.
    #[cfg(feature = "arrow")]
    #[error(transparent)]
    Arrow(#[from] crate::arrow::ArrowError),
    /// What polars says of a data frame.
    #[cfg(feature = "polars")]
    #[error(transparent)]
    Frame(#[from] polars::error::PolarsError),
}

impl From<sqltrack_core::DecodeError> for Error {
    fn from(err: sqltrack_core::DecodeError) -> Self {
        Self::Core(err.into())
    }
}
