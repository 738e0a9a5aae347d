//! SQL scripts as text: what their tokens and statements are, and whether a script may be run as one
//! transaction.
//!
//! Nothing here understands SQL further than that: a statement that a database would refuse passes.
//! Where the two dialects differ, a text means here what it means to that database.

mod alter;
mod body;
mod error;
mod kind;
mod outer;
mod scan;
mod split;
mod token;

#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod tests;

pub use error::ScriptError;
pub use kind::StatementKind;
pub use outer::Script;
pub(crate) use scan::continues_word;
pub use split::{Statement, split};
pub use token::{Token, TokenKind, Tokens, line_of, tokens};
