//! Terminals, and text that fits them and cannot control them.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// How large a terminal is, and whether it has colors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    /// Characters in a line.
    pub width: usize,
    /// Lines.
    pub height: usize,
    /// Whether it shows colors; else curves are told apart by letters.
    pub has_color: bool,
}

/// Ends what [`paint`] begins.
pub(crate) const RESET: &str = "\u{1b}[0m";

/// Begins text of a color, one of the 256 that most terminals have.
pub(crate) fn paint(color: u8) -> String {
    format!("\u{1b}[38;5;{color}m")
}

/// A text with its control characters written out: none of them may move the cursor or change a color.
///
/// ```
/// assert_eq!(sqltrack_analysis::one_line("a\n\u{1b}[31m"), "a\\n\\u{1b}[31m");
/// ```
#[must_use]
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}

/// A text that is no wider than this, with `…` in place of what is cut off at its end.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    fitting(text.chars(), width).chain(['…']).collect()
}

/// The same, with `…` in place of its beginning.
pub(crate) fn cut_left(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let kept: Vec<char> = fitting(text.chars().rev(), width).collect();
    ['…'].into_iter().chain(kept.into_iter().rev()).collect()
}

/// The first characters that fit beside one that is one column wide.
fn fitting(letters: impl Iterator<Item = char>, width: usize) -> impl Iterator<Item = char> {
    let mut taken = 1;
    letters.take_while(move |letter| {
        taken += letter.width().unwrap_or(0);
        taken <= width
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_characters_are_cut_whole() {
        assert_eq!(cut("损失损失", 6), "损失…");
        assert_eq!(cut("损失损失", 8), "损失损失");
        assert_eq!(cut_left("损失损失", 6), "…损失");
        assert_eq!(cut_left("a/b", 3), "a/b");
    }
}
