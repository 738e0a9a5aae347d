//! SQL text that is put together from parts, each of them quoted as its dialect wants it.
//!
//! An [`Sql`] holds constant text of the program, [`Identifier`]s and [`Literal`]s. It becomes text for
//! one [`Dialect`](crate::Dialect) at the end, when every name and value is checked to have stayed one, so
//! that no value can become SQL.
//!
//! ```
//! use sqltrack_engines::Dialect;
//! use sqltrack_engines::sql::{Composable, Identifier, Literal, Sql};
//!
//! let columns = Sql::new(", ").join(["loss", "val/acc@5"].map(Identifier::new));
//! let sql = Sql::new("SELECT {columns} FROM {table} WHERE comment = {comment}").format(&[
//!     &("columns", columns),
//!     &("table", Identifier::qualified(["lab", "metrics"])),
//!     &("comment", Literal::from("it's")),
//! ])?;
//! assert_eq!(
//!     sql.to_string_for(Dialect::Postgres)?,
//!     r#"SELECT "loss", "val/acc@5" FROM "lab"."metrics" WHERE comment = 'it''s'"#,
//! );
//! # Ok::<(), sqltrack_engines::sql::SqlError>(())
//! ```

mod best;
mod compose;
mod error;
mod identifier;
mod literal;
mod metrics;
mod render;
mod template;

#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod tests;

pub use best::{BestIn, BestOf, Goal, best, best_at_once};
pub use compose::{Argument, Composable, Sql};
pub use error::SqlError;
pub use identifier::Identifier;
pub use literal::Literal;
pub use metrics::upsert_metrics;
