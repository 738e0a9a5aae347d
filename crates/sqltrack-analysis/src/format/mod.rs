//! Values and tables as people like to read them: one set of formats, for terminals and as HTML.
//!
//! The names are those of the manual's module `sqltrack.notebook` (section 3.8.6), and so are the defaults.

mod cell;
mod layout;
mod page;
mod spec;
mod table;
mod times;
mod values;

pub use cell::{Cell, Cut, Key};
pub use page::{SCRIPT, STYLE, init_notebook_mode};
pub use spec::{FloatSpec, NotAFloatSpec};
pub use table::{FormattedTable, format_dataframe};
pub use times::{TimeSpec, format_datetime, format_datetime_relative, format_timedelta};
pub use values::{
    format_float, format_marked, format_percentage, format_status, format_string, format_tags, textcolor,
};

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use sqltrack_core::Value;
use time::OffsetDateTime;

/// What stands for NULL.
pub const NA: &str = "--";

/// How the values of a column are shown.
#[derive(Clone)]
#[non_exhaustive]
pub enum Format {
    /// As they are.
    Plain,
    /// See [`format_float`].
    Float(FloatSpec),
    /// See [`format_percentage`]: the factor, and the form of the number.
    Percentage(f64, FloatSpec),
    /// See [`format_datetime`].
    DateTime(char, TimeSpec),
    /// See [`format_datetime_relative`].
    Relative,
    /// See [`format_timedelta`].
    Timedelta,
    /// See [`format_marked`].
    Marked,
    /// See [`format_status`].
    Status,
    /// See [`format_tags`].
    Tags,
    /// See [`format_string`].
    Text(Cut),
    /// By a function of one's own.
    Own(Arc<dyn Fn(&Value) -> Cell + Send + Sync>),
}

impl fmt::Debug for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain => write!(f, "Plain"),
            Self::Float(spec) => write!(f, "Float({spec})"),
            Self::Percentage(factor, spec) => write!(f, "Percentage({factor}, {spec})"),
            Self::DateTime(separator, spec) => write!(f, "DateTime({separator:?}, {spec:?})"),
            Self::Relative => write!(f, "Relative"),
            Self::Timedelta => write!(f, "Timedelta"),
            Self::Marked => write!(f, "Marked"),
            Self::Status => write!(f, "Status"),
            Self::Tags => write!(f, "Tags"),
            Self::Text(cut) => write!(f, "Text({cut:?})"),
            Self::Own(_) => write!(f, "Own(..)"),
        }
    }
}

impl Format {
    /// A share from 0 to 1 in percent, with one decimal.
    pub const PERCENTAGE: Self = Self::Percentage(100.0, FloatSpec::fixed(1));

    /// The value in this form. Relative times are told from `now`.
    #[must_use]
    pub fn cell(&self, value: &Value, now: OffsetDateTime) -> Cell {
        match self {
            Self::Plain => values::plain(value),
            Self::Float(spec) => format_float(value, *spec),
            Self::Percentage(factor, spec) => format_percentage(value, *factor, *spec),
            Self::DateTime(separator, spec) => format_datetime(value, *separator, *spec),
            Self::Relative => format_datetime_relative(value, now),
            Self::Timedelta => format_timedelta(value),
            Self::Marked => format_marked(value),
            Self::Status => format_status(value),
            Self::Tags => format_tags(value),
            Self::Text(cut) => format_string(value, *cut),
            Self::Own(own) => own(value),
        }
    }
}

/// How tables are formatted: by the names of the columns, or else by the types of their values.
///
/// | column, in any case | format |
/// | --- | --- |
/// | ` ` (empty or a blank), `m`, `marked` | [`Format::Marked`] |
/// | `s`, `status` | [`Format::Status`] |
/// | `tags` | [`Format::Tags`] |
/// | `progress` | [`Format::PERCENTAGE`] |
/// | times | [`Format::Relative`], or [`Format::DateTime`] |
/// | spans | [`Format::Timedelta`] |
/// | texts | [`Format::Text`], whose beginning is cut off |
///
/// ```
/// use sqltrack_analysis::format::{Format, Formatting, format_dataframe};
/// use sqltrack_core::{Column, Rows, Value};
///
/// let column = |name: &str| Column { name: name.to_owned(), type_name: String::new() };
/// let values = vec![vec![Value::Int(7), Value::from("RUNNING"), Value::Float(0.918)]];
/// let rows = Rows::new(["id", "s", "val_top1"].map(column).to_vec(), values);
/// let table = format_dataframe(&rows, &Formatting::new().column("val_top1", Format::PERCENTAGE));
/// assert!(table.html().contains("91.8%"));
/// ```
#[derive(Debug, Clone)]
pub struct Formatting {
    columns: HashMap<String, Format>,
    relative_datetimes: bool,
    string_ellipsis: Cut,
    now: Option<OffsetDateTime>,
}

impl Default for Formatting {
    fn default() -> Self {
        Self { columns: HashMap::new(), relative_datetimes: true, string_ellipsis: Cut::Left, now: None }
    }
}

impl Formatting {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Another format for the columns of a name, in any case.
    #[must_use]
    pub fn column(mut self, name: &str, format: Format) -> Self {
        self.columns.insert(name.to_lowercase(), format);
        self
    }

    /// Whether times are told by how long ago they are, which is so by default.
    #[must_use]
    pub fn relative_datetimes(mut self, relative: bool) -> Self {
        self.relative_datetimes = relative;
        self
    }

    /// At which side texts are cut off, [`Cut::Left`] by default.
    #[must_use]
    pub fn string_ellipsis(mut self, cut: Cut) -> Self {
        self.string_ellipsis = cut;
        self
    }

    /// The time that others are told from, the present one by default.
    #[must_use]
    pub fn now(mut self, now: OffsetDateTime) -> Self {
        self.now = Some(now);
        self
    }

    /// The format of the columns of this name, if it has one.
    fn by_name(&self, name: &str) -> Option<Format> {
        let name = name.to_lowercase();
        let given = self.columns.get(&name).cloned();
        given.or_else(|| match name.trim() {
            "" | "m" | "marked" => Some(Format::Marked),
            "s" | "status" => Some(Format::Status),
            "tags" => Some(Format::Tags),
            "progress" => Some(Format::PERCENTAGE),
            _ => None,
        })
    }

    /// The format of a value of no such column.
    fn by_type(&self, value: &Value) -> Format {
        match value {
            Value::Timestamp(_) if self.relative_datetimes => Format::Relative,
            Value::Timestamp(_) => Format::DateTime(' ', TimeSpec::Seconds),
            Value::Duration(_) => Format::Timedelta,
            Value::Text(_) => Format::Text(self.string_ellipsis),
            _ => Format::Plain,
        }
    }
}
