//! What tables on a page look like, and how they are sorted there.

/// How formatted tables look.
pub const STYLE: &str = include_str!("table.css");
/// What sorts the tables of a page when their header is clicked. It wants to stand once behind all of them.
pub const SCRIPT: &str = include_str!("table.js");

/// The stylesheet for a notebook: show this once as HTML, and tables and charts look as on a page. Their scripts come with each of
/// them.
#[must_use]
pub fn init_notebook_mode() -> String {
    format!("<style>\n{STYLE}{}</style>\n", crate::chart::STYLE)
}
