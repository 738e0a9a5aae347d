//! The PostgreSQL engine of SQLTrack.

pub mod options;

pub use options::{OptionsError, PostgresOptions};
