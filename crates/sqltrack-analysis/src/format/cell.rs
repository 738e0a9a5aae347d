//! One value of a table, as text for a terminal and as HTML.

use crate::html::escape;

/// A formatted value.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Cell {
    /// As plain text; it may hold control characters.
    pub text: String,
    /// As HTML in which every text of others is escaped.
    pub html: String,
    /// What it is sorted by, if that is not its text.
    pub key: Option<Key>,
    /// Its color on a terminal, one of 256.
    pub color: Option<u8>,
    /// At which side text is cut off that is too long for a terminal.
    pub cut: Cut,
    /// Whether it stands at the right, as numbers do.
    pub is_right: bool,
}

/// What a value is sorted by.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Key {
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
}

/// The side at which a text is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Cut {
    /// The beginning goes: of a path, the end says more.
    Left,
    /// The end goes.
    #[default]
    Right,
    /// Nothing goes.
    Never,
}

impl Cell {
    /// A text that is shown as it is.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { html: escape(&text), text, ..Self::default() }
    }

    /// A text that stands for a number.
    #[must_use]
    pub fn number(text: impl Into<String>, number: f64) -> Self {
        Self { is_right: true, cut: Cut::Never, ..Self::text(text) }.with_key(Key::Number(number))
    }

    /// What stands for no value: it comes before all others.
    #[must_use]
    pub fn missing(text: &str) -> Self {
        let html = format!("<span class=\"sqltrack-missing\">{}</span>", escape(text));
        Self { html, ..Self::text(text) }.with_key(Key::Number(f64::NEG_INFINITY))
    }

    /// The same with other HTML, whose texts must be escaped.
    #[must_use]
    pub fn with_html(mut self, html: impl Into<String>) -> Self {
        self.html = html.into();
        self
    }

    /// The same, sorted by something else than its text.
    #[must_use]
    pub fn with_key(mut self, key: Key) -> Self {
        self.key = Some(key);
        self
    }

    /// The same in a color of a terminal that has 256 of them.
    #[must_use]
    pub fn with_color(mut self, color: u8) -> Self {
        self.color = Some(color);
        self
    }

    /// The attribute of HTML that tables are sorted by; scripts for tables know it by this name.
    pub(crate) fn order(&self) -> String {
        match &self.key {
            None => String::new(),
            Some(Key::Text(text)) => format!(" data-order=\"{}\"", escape(text)),
            Some(Key::Number(number)) => format!(" data-order=\"{}\"", order_of(*number)),
        }
    }
}

/// A number that scripts can compare.
fn order_of(number: f64) -> String {
    if number.is_nan() {
        return "-1.7e308".to_owned();
    }
    format!("{:e}", number.clamp(-f64::MAX, f64::MAX))
}
