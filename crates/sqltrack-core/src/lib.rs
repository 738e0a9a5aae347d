//! Experiment tracking in plain SQL, in a database that you own: PostgreSQL, or SQLite for one machine.
//!
//! ```no_run
//! use sqltrack_core::{Client, Experiment};
//!
//! # async fn example() -> Result<(), sqltrack_core::Error> {
//! let client = Client::connect().await?;
//! client.setup().await?;
//! let experiment = Experiment::open(&client, "Minimal").await?;
//! let run = experiment.new_run().await?;
//! run.track(async |run| {
//!     for epoch in 0..90 {
//!         let loss = 7_f64.powf(1.0 / f64::from(epoch + 1));
//!         run.add_metrics([("loss", loss)]).step(epoch.into()).await?;
//!     }
//!     Ok(())
//! })
//! .await
//! # }
//! ```
//!
//! # Where to look
//!
//! - [`config`]: where the connection's parameters come from.
//! - [`Client`]: statements of your own, transactions, [`setup`](Client::setup).
//! - [`Experiment`] and [`Run`]: what they are changed by, and [`Run::add_metrics`].
//! - [`Tracking`]: the life of a run, and [`Client::reap`] for those that died without a word.
//! - [`spool`]: metrics that wait for a database on disk, and [`Client::sync`] for what a dead process has left there.
//! - [`Redactor`]: what is masked in what is recorded without being given; [`Client::scrub`] for what is stored.
//! - [`sql`]: SQL text from names and values, safe by construction.

mod builder;
mod careful;
mod check;
mod client;
pub mod config;
#[cfg(feature = "postgres")]
mod create;
mod delete;
mod error;
mod experiment;
mod life;
mod lineage;
mod listing;
mod metrics;
mod nearest;
mod offline;
mod parameters;
mod parts;
mod queries;
mod redact;
mod run;
mod scrub;
mod setup;
pub mod spool;
mod stamp;
mod status;
mod sync;
pub mod text;
mod transaction;
mod writer;

pub use builder::{ClientBuilder, create_engine};
pub use client::Client;
pub use config::{Config, ConfigBuilder, ConfigError};
#[cfg(feature = "postgres")]
pub use create::{Create, CreateError, Rights, RolePassword, configured_password, create, grant, revoke};
pub use error::Error;
pub use experiment::{Comment, Experiment, ExperimentEdit, ExperimentKey};
pub use life::{Reap, TrackGuard, Tracking, sigterm};
pub use lineage::{Lineage, LineageRun, RESUMES};
pub use listing::{ListingError, RunListing};
pub use metrics::{
    Ack, AddMetrics, At, Best, BestPoint, BestValue, ExportedMetrics, Goal, MetricExport, MetricPoint,
    MetricSet, Metrics,
};
pub use parameters::Parameters;
pub use parts::RowParts;
pub use redact::Redactor;
pub use run::{Run, RunEdit};
pub use scrub::{Scrub, ScrubReport};
pub use setup::{ScriptReport, ScriptSource, ScriptState, Setup, SetupError, setup};
pub use sqltrack_engines::{
    Belongings, Column, Decode, DecodeError, Dialect, Engine, EngineError, ExperimentId, FromRow, MetricType,
    Object, ReapedRun, Row, Rows, RunId, Value, exact_f64, sql,
};
pub use stamp::{Fields, Stamp};
pub use status::Status;
pub use sync::{ForAnother, SpoolSync, SyncProgress, SyncReport, Verified};
pub use transaction::Transaction;
pub use writer::Stats;
