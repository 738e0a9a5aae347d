//! Tables and charts in a notebook: what evcxr, the Rust kernel of Jupyter, shows of a value that ends a cell.
//!
//! evcxr calls a method of the name `evcxr_display` and takes what is printed between two marks for the content of a type
//! (<https://github.com/evcxr/evcxr/blob/main/evcxr_jupyter/README.md>).

#![expect(clippy::print_stdout, reason = "that is how evcxr is told what to show")]

use crate::chart::{self, Chart};
use crate::format::{self, FormattedTable};

/// Shows HTML in a notebook, such as that of [`init_notebook_mode`](crate::format::init_notebook_mode).
pub fn show(html: &str) {
    println!("EVCXR_BEGIN_CONTENT text/html\n{html}\nEVCXR_END_CONTENT");
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
