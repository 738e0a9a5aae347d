//! What SQLTrack asks of a database: the operations ([`Engine`], [`Connection`]), the values they
//! exchange ([`Value`], [`Rows`]), and the ways they fail ([`EngineError`]).
//!
//! No driver is named here; `sqltrack-postgres` and `sqltrack-sqlite` implement it.

mod changes;
mod decode;
mod dialect;
mod engine;
mod error;
mod ids;
mod metrics;
pub mod overflow;
mod rows;
mod value;

pub use changes::{ExperimentChanges, LinkChanges, Moment, Object, ObjectPatch, RunChanges, tags};
pub use decode::{Decode, DecodeError, FromRow};
pub use dialect::{Dialect, UnknownDialect};
pub use engine::{Access, AppliedScript, Connection, Engine, ExperimentRecord};
pub use error::{BoxError, EngineError};
pub use ids::{ExperimentId, RunId};
pub use metrics::{
    ColumnKind, Fit, MAX_NAME_BYTES, MetricColumn, MetricNameError, MetricsRow, check_metric_name, exact_f64,
};
pub use rows::{Column, ColumnIndex, Row, Rows};
pub use value::{MetricType, Value, to_microseconds};
