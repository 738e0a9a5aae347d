//! Results as Arrow record batches, and as files of Arrow and Parquet, which other programs read with all types kept.
//!
//! | value | Arrow type |
//! | --- | --- |
//! | truth values | `Boolean` |
//! | integers | `Int64` |
//! | floats, with NaN and infinities apart from NULL | `Float64` |
//! | decimals of any precision | `Utf8`, with all of their digits |
//! | texts, JSON documents | `Utf8` |
//! | bytes | `Binary` |
//! | dates, times of day | `Date32`, `Time64(µs)` |
//! | times with zone | `Timestamp(µs, UTC)` |
//! | spans | `Duration(µs)` |
//! | arrays of values of one type | `List` of it; others as JSON in `Utf8` |

mod array;
mod column;
pub(crate) mod convert;
mod file;
mod query;

pub use column::{ArrowError, Columns};
#[cfg(feature = "polars")]
pub(crate) use column::{Item, Kind};
pub use file::{FileKind, FileWriter};
pub use query::{ArrowParts, query_arrow};
