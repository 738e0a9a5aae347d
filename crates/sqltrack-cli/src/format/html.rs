//! Pages with a table, in the formats that suit its columns.

use std::io::{self, Write};

use sqltrack_analysis::format::{Formatting, format_dataframe};
use sqltrack_core::Rows;

use super::Whole;

pub(super) struct Html;

impl Whole for Html {
    fn write(&self, rows: &Rows, out: &mut dyn Write) -> io::Result<()> {
        // How long ago something was is wrong as soon as the page is read later.
        let formatting = Formatting::new().relative_datetimes(false);
        out.write_all(format_dataframe(rows, &formatting).page("SQLTrack").as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{rows, whole};
    use super::*;

    #[test]
    fn values_are_formatted_and_escaped() {
        let two = rows(&["s", "<a>"], vec![vec!["FAILED".into(), "<b>".into()], vec![1.into(), 0.5.into()]]);
        let page = whole(&Html, &two);
        assert!(
            page.contains("title=\"FAILED\"")
                && page.contains("&lt;b&gt;")
                && page.contains(">&lt;a&gt;</th>")
        );
        assert!(!page.contains("<b>"), "{page}");
    }
}
