//! The SQLite engine of SQLTrack: the statements behind the contract of `sqltrack-engines`
//! ([`SqliteEngine`]), and how values are kept in a database with five types ([`text`]).

mod arguments;
mod batch;
mod clock;
mod closing;
mod connection;
mod decode;
mod dynamic;
mod engine;
mod error;
mod experiments;
mod ids;
mod life;
mod links;
mod metrics;
mod runs;
mod setup;
pub mod text;
mod turns;
mod views;
mod writers;

pub use engine::SqliteEngine;
