//! What SQLTrack asks of a database.

mod dialect;
pub mod placeholders;
pub mod script;

pub use dialect::{Dialect, UnknownDialect};
