//! Experiment tracking in plain SQL.

pub mod config;

pub use config::{Config, ConfigBuilder, ConfigError};
