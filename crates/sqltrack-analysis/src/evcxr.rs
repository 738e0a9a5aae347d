//! Tables and charts in a notebook: what evcxr, the Rust kernel of Jupyter, shows of a value that ends a cell.
//!
//! evcxr calls a method of the name `evcxr_display` and takes what is printed between two marks for the content of a type
//! (<https://github.com/evcxr/evcxr/blob/main/evcxr_jupyter/README.md>).

#![expect(clippy::print_stdout, reason = "that is how evcxr is told what to show")]

use sqltrack_core::Rows;

use crate::chart::{self, Chart};
use crate::format::{self, FormattedTable, Formatting, format_dataframe};

/// No more rows of a result are shown: a notebook keeps all that it shows.
const SHOWN: usize = 200;

/// Shows HTML in a notebook, such as that of [`init_notebook_mode`](crate::format::init_notebook_mode).
pub fn show(html: &str) {
    println!("EVCXR_BEGIN_CONTENT text/html\n{html}\nEVCXR_END_CONTENT");
}

/// What a notebook shows as a table if it ends a cell. To be found by evcxr, this has to be in scope.
pub trait EvcxrDisplay {
    /// Shows it in a notebook.
    fn evcxr_display(&self);
}

impl Chart {
    /// Shows the chart in a notebook.
    pub fn evcxr_display(&self) {
        show(&format!("{}<script>\n{}</script>", self.html(), chart::SCRIPT));
    }
}

impl FormattedTable {
    /// Shows the table in a notebook.
    pub fn evcxr_display(&self) {
        show(&format!("{}<script>\n{}</script>", self.html(), format::SCRIPT));
    }
}

/// The first rows, in the formats of the manual.
impl EvcxrDisplay for Rows {
    fn evcxr_display(&self) {
        let first = self.iter().take(SHOWN).map(|row| row.values().to_vec()).collect();
        show_first(&Self::new(self.columns().to_vec(), first), self.len());
    }
}

/// The first rows, in the formats of the manual.
#[cfg(feature = "polars")]
impl EvcxrDisplay for polars::prelude::DataFrame {
    fn evcxr_display(&self) {
        show_first(&crate::frame_rows(&self.head(Some(SHOWN))), self.height());
    }
}

fn show_first(rows: &Rows, all: usize) {
    format_dataframe(rows, &Formatting::new()).evcxr_display();
    if rows.len() < all {
        show(&format!("<p>the first {} of {all} rows</p>", rows.len()));
    }
}
