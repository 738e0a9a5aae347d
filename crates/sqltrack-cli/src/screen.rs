//! The terminal that results go to.

use std::io::{self, IsTerminal as _};

use sqltrack_analysis::Screen;

/// The terminal that standard output is, if it is one.
pub(crate) fn of_stdout() -> Option<Screen> {
    let stdout = io::stdout();
    if !stdout.is_terminal() {
        return None;
    }
    let size = terminal_size::terminal_size_of(&stdout);
    let (width, height) = size.map_or((80, 24), |(width, height)| (width.0.into(), height.0.into()));
    let has_color = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
    Some(Screen { width, height, has_color })
}
