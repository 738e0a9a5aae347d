//! Why parts do not make up SQL text.

use crate::Dialect;
use crate::script::ScriptError;

/// Everything that composing SQL can fail with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SqlError {
    /// A name without a character.
    #[error("an identifier is empty; give the table or column a name")]
    EmptyIdentifier,
    /// A NUL character in a name or string, where databases would stop reading. A string is not shown, as
    /// it may be a secret.
    #[error("{0} holds a NUL character, which SQL text cannot; remove it, or store bytes")]
    Nul(String),
    /// A value that the dialect cannot write.
    #[error("{dialect} cannot hold {value}; use NULL or leave the value out")]
    Unsupported {
        /// The value.
        value: &'static str,
        /// Who cannot hold it.
        dialect: Dialect,
    },
    /// A placeholder that no argument was given for.
    #[error("no argument is given for `{{{0}}}`; give one, or write `{{{{` for a brace")]
    MissingArgument(String),
    /// Arguments that no placeholder takes, by name or by position from 0.
    #[error("no placeholder takes {}; write it into the template, or leave the argument out", list(.0))]
    UnusedArguments(Vec<String>),
    /// Two arguments have one name.
    #[error("the argument `{0}` is given twice; give it once")]
    DuplicateArgument(String),
    /// `{}` and `{0}` in one template.
    #[error("`{{}}` and `{{0}}` are used in one template; use only one of both")]
    MixedNumbering,
    /// A `{` or `}` that belongs to no placeholder.
    #[error("the template `{0}` has a single brace; write `{{{{` or `}}}}` for a brace")]
    SingleBrace(String),
    /// A placeholder with a conversion or format, such as `{a:<10}`.
    #[error(
        "`{{{0}}}` is no placeholder; expected `{{}}`, a number, or a name, without conversion or format"
    )]
    InvalidPlaceholder(String),
    /// An identifier or literal that would be something else where it stands.
    #[error(
        "the {what} behind `{behind}` stands in quotes, in a comment, or too close to what is next to it; \
             put spaces around it and no quotes"
    )]
    Misplaced {
        /// `identifier` or `literal`. It is not shown, as it may be a secret.
        what: &'static str,
        /// The constant text before it.
        behind: &'static str,
    },
    /// The text around identifiers or literals is no whole SQL.
    #[error("the composed text is no whole SQL")]
    Script(#[from] ScriptError),
}

fn list(arguments: &[String]) -> String {
    arguments.iter().map(|argument| format!("`{argument}`")).collect::<Vec<_>>().join(", ")
}
