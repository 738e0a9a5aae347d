//! The formats of single values, by the names that the manual gives them (section 3.8.6).

use sqltrack_core::{Status, Value, text};

use super::cell::{Cell, Key};
use super::spec::FloatSpec;
use super::{Cut, NA};
use crate::as_number;
use crate::html::escape;

/// A number in this form, mostly `.2f`; `--` for NULL, and NaN as `NaN`.
///
/// ```
/// use sqltrack_analysis::format::{FloatSpec, format_float};
/// use sqltrack_core::Value;
///
/// assert_eq!(format_float(&Value::Float(0.123), FloatSpec::fixed(2)).text, "0.12");
/// assert_eq!(format_float(&Value::Null, FloatSpec::fixed(2)).text, "--");
/// ```
#[must_use]
pub fn format_float(value: &Value, spec: FloatSpec) -> Cell {
    match number(value) {
        Some(number) => Cell::number(spec.format(number), number),
        None => other(value),
    }
}

/// A share in percent, with a bar in the background: `factor` times the value, which is 100 for shares from 0 to 1.
///
/// ```
/// use sqltrack_analysis::format::{FloatSpec, format_percentage};
/// use sqltrack_core::Value;
///
/// assert_eq!(format_percentage(&Value::Float(0.918), 100.0, FloatSpec::fixed(1)).text, "91.8%");
/// ```
#[must_use]
pub fn format_percentage(value: &Value, factor: f64, spec: FloatSpec) -> Cell {
    let Some(share) = number(value) else { return other(value) };
    let percent = share * factor;
    let text = if percent.is_finite() { format!("{}%", spec.format(percent)) } else { spec.format(percent) };
    let filled = if percent.is_finite() { percent.clamp(0.0, 100.0) } else { 0.0 };
    let html =
        format!("<span class=\"sqltrack-bar\" style=\"--filled:{filled:.1}%\">{}</span>", escape(&text));
    Cell::number(text, share).with_html(html)
}

/// A gold star for what is true, else nothing.
#[must_use]
pub fn format_marked(value: &Value) -> Cell {
    let is_marked = match value {
        Value::Bool(truth) => *truth,
        Value::Int(number) => *number != 0,
        _ => false,
    };
    if !is_marked {
        return Cell::text("").with_key(Key::Number(0.0));
    }
    let html = "<span class=\"sqltrack-marked\" title=\"marked\">★</span>";
    Cell::text("★").with_html(html).with_color(220).with_key(Key::Number(1.0))
}

/// What a status looks like: its sign, its class in HTML, and its color on a terminal.
fn look(status: &str) -> (char, &'static str, u8) {
    match Status::from(status) {
        Status::Completed => ('✔', "good", 34),
        Status::Running | Status::Completing => ('▶', "live", 33),
        Status::Planned | Status::Pending | Status::Configuring => ('◷', "wait", 245),
        Status::Cancelled => ('⊘', "stop", 245),
        status if status.is_failure() => ('✘', "bad", 160),
        Status::Other(text) if text == "LOST" => ('?', "bad", 160),
        _ => ('•', "wait", 245),
    }
}

/// A sign for a status. Its word stands beside it on a terminal, and shows in HTML when the pointer is on it.
///
/// ```
/// use sqltrack_analysis::format::format_status;
/// use sqltrack_core::Value;
///
/// assert_eq!(format_status(&Value::from("COMPLETED")).text, "✔ COMPLETED");
/// ```
#[must_use]
pub fn format_status(value: &Value) -> Cell {
    let Value::Text(status) = value else { return other(value) };
    let (sign, class, color) = look(status);
    let name = escape(status);
    let html = format!(
        "<span class=\"sqltrack-status sqltrack-{class}\" title=\"{name}\" aria-label=\"{name}\">{sign}</span>"
    );
    let cell = Cell::text(format!("{sign} {status}")).with_html(html).with_color(color);
    Cell { cut: Cut::Never, ..cell }.with_key(Key::Text(status.clone()))
}

/// Tags as bubbles: the keys of an object, or the texts of a list.
#[must_use]
pub fn format_tags(value: &Value) -> Cell {
    let tags: Vec<String> = match value {
        Value::Json(serde_json::Value::Object(tags)) => tags.keys().cloned().collect(),
        Value::Json(serde_json::Value::Array(tags)) => {
            tags.iter().map(|tag| tag.as_str().map_or_else(|| tag.to_string(), str::to_owned)).collect()
        }
        Value::List(tags) => tags.iter().map(text::of).collect(),
        Value::Text(json) => match serde_json::from_str(json) {
            // What SQLite has of a JSON column.
            Ok(json @ serde_json::Value::Object(_)) => return format_tags(&Value::Json(json)),
            _ => return other(value),
        },
        _ => return other(value),
    };
    let bubble = |tag: &String| {
        format!(
            "<span class=\"sqltrack-tag\" style=\"--color:{}\">{}</span>",
            textcolor(tag, &[]),
            escape(tag)
        )
    };
    let html: Vec<String> = tags.iter().map(bubble).collect();
    Cell::text(tags.join(", ")).with_html(html.join(" "))
}

/// A text that is cut off at one side where there is no room for it; all of it shows in HTML when the pointer is on it.
#[must_use]
pub fn format_string(value: &Value, cut: Cut) -> Cell {
    if value.is_null() {
        return other(value);
    }
    let text = text::of(value);
    let class = match cut {
        Cut::Left => "sqltrack-text sqltrack-left",
        Cut::Right => "sqltrack-text",
        Cut::Never => "sqltrack-whole",
    };
    let escaped = escape(&text);
    // The inner element keeps the order of characters where the outer one is cut at the left.
    let html = format!("<span class=\"{class}\" title=\"{escaped}\"><bdi>{escaped}</bdi></span>");
    Cell { cut, ..Cell::text(text).with_html(html) }
}

/// The names of colors that are read well on white.
const NAMES: [&str; 12] = [
    "crimson",
    "darkgreen",
    "darkmagenta",
    "darkorange",
    "darkslateblue",
    "deeppink",
    "dodgerblue",
    "olive",
    "saddlebrown",
    "seagreen",
    "slategray",
    "teal",
];

/// A color for a text, always the same one for the same text: one of `colors`, or of twelve named ones of CSS if there are none.
///
/// ```
/// use sqltrack_analysis::format::textcolor;
///
/// assert_eq!(textcolor("baseline", &[]), textcolor("baseline", &[]));
/// assert_eq!(textcolor("baseline", &["red"]), "red");
/// ```
#[must_use]
pub fn textcolor<'a>(text: &str, colors: &[&'a str]) -> &'a str {
    let colors = if colors.is_empty() { &NAMES } else { colors };
    // FNV-1a (<http://www.isthe.com/chongo/tech/comp/fnv/>): the same on every machine and in every version.
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let place = (hash ^ (hash >> 32)) % colors.len() as u64;
    colors[usize::try_from(place).unwrap_or(0)]
}

/// What has no form of its own: a number at the right, everything else as text.
pub(super) fn plain(value: &Value) -> Cell {
    match value {
        Value::Int(_) | Value::Float(_) | Value::Decimal(_) => {
            number(value).map_or_else(|| other(value), |number| Cell::number(text::of(value), number))
        }
        _ => other(value),
    }
}

fn other(value: &Value) -> Cell {
    if value.is_null() { Cell::missing(NA) } else { Cell::text(text::of(value)) }
}

pub(super) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Json(json) => json.as_f64(),
        other => as_number(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_escaped() {
        let hostile = Value::from("<img src=x onerror=\"alert('1')\">");
        let tags = Value::Json(serde_json::json!({ "<b>": true }));
        let cells = [
            format_float(&hostile, FloatSpec::fixed(2)),
            format_percentage(&hostile, 100.0, FloatSpec::fixed(1)),
            format_marked(&hostile),
            format_status(&hostile),
            format_tags(&hostile),
            format_tags(&tags),
            format_string(&hostile, Cut::Left),
            plain(&hostile),
        ];
        for cell in cells {
            assert!(!cell.html.contains("<img") && !cell.html.contains("<b>"), "{}", cell.html);
            assert!(!cell.html.contains("='x") && !cell.html.contains("alert('"), "{}", cell.html);
        }
    }

    #[test]
    fn tags_and_marks_look_like_that() {
        let tags = format_tags(&Value::Json(serde_json::json!({ "a": true, "b": true })));
        assert_eq!((tags.text.as_str(), tags.html.matches("sqltrack-tag").count()), ("a, b", 2));
        assert_eq!(format_tags(&Value::from("{\"a\": true}")).text, "a");
        assert_eq!(format_tags(&vec!["x", "y"].into_iter().collect::<Value>()).text, "x, y");
        assert_eq!(format_marked(&Value::Bool(true)).text, "★");
        assert_eq!(format_marked(&Value::Int(0)).text, "");
    }

    #[test]
    fn percentages_have_a_bar_that_stays_in_its_cell() {
        for (value, text, bar) in [
            (0.5, "50.0%", "50.0%"),
            (1.7, "170.0%", "100.0%"),
            (-1.0, "-100.0%", "0.0%"),
            (f64::NAN, "NaN", "0.0%"),
        ] {
            let cell = format_percentage(&Value::Float(value), 100.0, FloatSpec::fixed(1));
            assert_eq!(cell.text, text);
            assert!(cell.html.contains(&format!("--filled:{bar}")), "{}", cell.html);
        }
    }
}
