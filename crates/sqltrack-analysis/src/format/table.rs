//! Tables of formatted values.

use sqltrack_core::{Rows, Value};
use time::OffsetDateTime;

use super::cell::Cell;
use super::page::{SCRIPT, STYLE};
use super::{Formatting, layout};
use crate::html::{self, escape};
use crate::screen::Screen;

/// A table of formatted values, to be shown on a terminal or as HTML.
#[derive(Debug, Clone, PartialEq)]
pub struct FormattedTable {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows below them.
    pub rows: Vec<Vec<Cell>>,
}

/// The rows in the formats of their columns: those that `formatting` names, and the manual's defaults.
#[must_use]
pub fn format_dataframe(rows: &Rows, formatting: &Formatting) -> FormattedTable {
    let now = formatting.now.unwrap_or_else(OffsetDateTime::now_utc);
    let columns: Vec<String> = rows.columns().iter().map(|column| column.name.clone()).collect();
    let by_name: Vec<_> = columns.iter().map(|name| formatting.by_name(name)).collect();
    let cell = |(value, by_name): (&Value, &Option<super::Format>)| match by_name {
        Some(format) => format.cell(value, now),
        None => formatting.by_type(value).cell(value, now),
    };
    let rows = rows.iter().map(|row| row.values().iter().zip(&by_name).map(cell).collect()).collect();
    FormattedTable { columns, rows }
}

impl FormattedTable {
    /// The table as lines of text: aligned, and no wider than the screen where that is possible. Without a screen nothing is cut
    /// off, and nothing has a color.
    #[must_use]
    pub fn terminal(&self, screen: Option<Screen>) -> String {
        let mut lines = String::new();
        layout::write(&self.columns, &self.rows, screen, |line| {
            lines.push_str(line);
            lines.push('\n');
        });
        lines
    }

    /// The table as a part of a page that has [`STYLE`](super::STYLE) and, to be sorted by a click, [`SCRIPT`](super::SCRIPT).
    #[must_use]
    pub fn html(&self) -> String {
        let mut html = "<table class=\"sqltrack-table\">\n<thead><tr>".to_owned();
        for (place, name) in self.columns.iter().enumerate() {
            html.push_str(&format!("<th{} scope=\"col\">{}</th>", self.class(place), escape(name)));
        }
        html.push_str("</tr></thead>\n<tbody>\n");
        let classes: Vec<&str> = (0..self.columns.len()).map(|place| self.class(place)).collect();
        for row in &self.rows {
            html.push_str("<tr>");
            for (cell, class) in row.iter().zip(&classes) {
                html.push_str(&format!("<td{class}{}>{}</td>", cell.order(), cell.html));
            }
            html.push_str("</tr>\n");
        }
        html.push_str("</tbody>\n</table>\n");
        html
    }

    /// The table as a page of its own that needs nothing else.
    #[must_use]
    pub fn page(&self, title: &str) -> String {
        html::page(title, &[STYLE], &self.html(), &[SCRIPT])
    }

    fn class(&self, place: usize) -> &'static str {
        if layout::is_right(&self.rows, place) { " class=\"sqltrack-number\"" } else { "" }
    }
}
