//! The PostgreSQL engine of SQLTrack: connection options out of libpq's parameters ([`options`]), and the
//! statements behind the contract of `sqltrack-engines` ([`PostgresEngine`]).

mod alter;
mod arguments;
mod batch;
mod connection;
mod decode;
mod dynamic;
mod engine;
mod error;
mod experiments;
mod life;
mod metrics;
mod numeric;
pub mod options;
mod patch;
mod runs;
mod session;
mod setup;
mod writers;

pub use engine::PostgresEngine;
pub use options::{OptionsError, PostgresOptions};
