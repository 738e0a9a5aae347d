//! What SQLTrack asks of a database.

mod dialect;
pub mod placeholders;
pub mod script;
pub mod sql;

pub use dialect::{Dialect, UnknownDialect};
