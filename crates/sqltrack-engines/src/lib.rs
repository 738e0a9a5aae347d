//! What SQLTrack asks of a database: the operations ([`Engine`], [`Connection`]), the values they
//! exchange ([`Value`], [`Rows`]), and the ways they fail ([`EngineError`]).
//!
//! No driver is named here; `sqltrack-postgres` and `sqltrack-sqlite` implement it.

mod batch;
mod changes;
#[cfg(feature = "contract")]
pub mod contract;
mod decode;
mod dialect;
mod engine;
mod environment;
mod error;
mod ids;
mod life;
mod metrics;
pub mod overflow;
mod parameters;
mod pause;
pub mod placeholders;
mod rows;
pub mod script;
mod settings;
pub mod sql;
mod value;
mod writers;

pub use batch::{ColumnSet, MetricsBatch, MetricsGroup, MetricsKey, OverflowValue, RunWrite};
pub use changes::{ExperimentChanges, LinkChanges, Moment, Object, ObjectPatch, RunChanges, tags};
pub use decode::{Decode, DecodeError, FromRow};
pub use dialect::{Dialect, UnknownDialect};
pub use engine::{Access, AppliedScript, Belongings, Connection, Engine, ExperimentRecord, RowSink};
pub use environment::{Environment, NotUnicode};
pub use error::{Cause, EngineError};
pub use ids::{ExperimentId, RunId};
pub use life::{Heartbeat, MISSED_HEARTBEATS, ReapedRun, Reaping, RunLife, RunLifeChange};
pub use metrics::{
    ColumnKind, Fit, MAX_NAME_BYTES, MetricColumn, MetricNameError, check_metric_name, exact_f64,
};
pub use parameters::{PARAMETERS, Parameter};
pub use pause::jittered;
pub use rows::{Column, ColumnIndex, Row, Rows};
pub use settings::{InvalidSetting, Secret, Setting, Settings, Source};
pub use value::{MetricType, Value, to_microseconds};
pub use writers::{NotAnId, OfflineRunId, WriterId};
