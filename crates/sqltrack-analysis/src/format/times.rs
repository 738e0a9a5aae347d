//! Times and spans as people say them.

use sqltrack_core::{Value, text};
use time::{Duration, OffsetDateTime};

use super::NA;
use super::cell::{Cell, Cut, Key};
use super::values::plain;
use crate::html::escape;

/// How fine a time is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum TimeSpec {
    /// As fine as it is.
    Auto,
    /// To the hour.
    Hours,
    /// To the minute.
    Minutes,
    /// To the second.
    #[default]
    Seconds,
    /// To the millisecond.
    Milliseconds,
    /// To the microsecond.
    Microseconds,
}

/// A time in UTC in the order of ISO 8601, with `separator` between date and time. Dates are shown as they are.
///
/// ```
/// use sqltrack_analysis::format::{TimeSpec, format_datetime};
/// use sqltrack_core::Value;
///
/// let time = Value::from(time::OffsetDateTime::UNIX_EPOCH);
/// assert_eq!(format_datetime(&time, ' ', TimeSpec::Seconds).text, "1970-01-01 00:00:00");
/// ```
#[must_use]
pub fn format_datetime(value: &Value, separator: char, spec: TimeSpec) -> Cell {
    let Value::Timestamp(time) = value else { return plain(value) };
    Cell { cut: Cut::Never, ..Cell::text(iso(*time, separator, spec)) }.with_key(key(*time))
}

/// How long ago a time is, or when it will be: `3 hours ago`. The time itself shows in HTML when the pointer is on it.
///
/// ```
/// use sqltrack_analysis::format::format_datetime_relative;
/// use sqltrack_core::Value;
///
/// let now = time::OffsetDateTime::UNIX_EPOCH;
/// let time = Value::from(now - time::Duration::minutes(200));
/// assert_eq!(format_datetime_relative(&time, now).text, "3 hours ago");
/// ```
#[must_use]
pub fn format_datetime_relative(value: &Value, now: OffsetDateTime) -> Cell {
    let Value::Timestamp(time) = value else { return plain(value) };
    let ago = now - *time;
    let text = match about(ago.abs()) {
        None => "now".to_owned(),
        Some(span) if ago.is_negative() => format!("in {span}"),
        Some(span) => format!("{span} ago"),
    };
    let exact = escape(&iso(*time, ' ', TimeSpec::Seconds));
    let html = format!("<span title=\"{exact}\">{}</span>", escape(&text));
    Cell { cut: Cut::Never, ..Cell::text(text).with_html(html) }.with_key(key(*time))
}

/// A span as people say it, in its two largest units: `1 h 12 min`. Numbers are seconds.
///
/// ```
/// use sqltrack_analysis::format::format_timedelta;
/// use sqltrack_core::Value;
///
/// assert_eq!(format_timedelta(&Value::from(time::Duration::seconds(4_325))).text, "1 h 12 min");
/// ```
#[must_use]
pub fn format_timedelta(value: &Value) -> Cell {
    let span = match value {
        Value::Duration(span) => *span,
        Value::Int(seconds) => Duration::seconds(*seconds),
        Value::Float(seconds) if seconds.abs() < 1e15 => Duration::seconds_f64(*seconds),
        Value::Null => return Cell::missing(NA),
        _ => return plain(value),
    };
    let exact = escape(&text::span(span));
    let text = two_units(span);
    let html = format!("<span title=\"{exact}\">{}</span>", escape(&text));
    Cell::number(text, span.as_seconds_f64()).with_html(html)
}

fn key(time: OffsetDateTime) -> Key {
    Key::Number(time.unix_timestamp_nanos() as f64 / 1e9)
}

fn iso(time: OffsetDateTime, separator: char, spec: TimeSpec) -> String {
    let whole = text::timestamp(time);
    let utc = whole.strip_suffix("+00:00").unwrap_or(&whole);
    let Some((date, clock)) = utc.split_once(' ') else { return whole };
    let (seconds, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let fraction = |digits: usize| -> String { format!("{fraction:0<6}").chars().take(digits).collect() };
    let clock = match spec {
        TimeSpec::Auto => clock.to_owned(),
        TimeSpec::Hours => seconds.chars().take(2).collect(),
        TimeSpec::Minutes => seconds.chars().take(5).collect(),
        TimeSpec::Seconds => seconds.to_owned(),
        TimeSpec::Milliseconds => format!("{seconds}.{}", fraction(3)),
        TimeSpec::Microseconds => format!("{seconds}.{}", fraction(6)),
    };
    format!("{date}{separator}{clock}")
}

const SECOND: f64 = 1.0;
const MINUTE: f64 = 60.0;
const HOUR: f64 = 60.0 * MINUTE;
const DAY: f64 = 24.0 * HOUR;

/// A span in its largest unit, rounded down, as people do when they say how long ago something was.
fn about(span: Duration) -> Option<String> {
    let seconds = span.as_seconds_f64();
    let units = [
        (365.25 * DAY, "year"),
        (30.44 * DAY, "month"),
        (7.0 * DAY, "week"),
        (DAY, "day"),
        (HOUR, "hour"),
        (MINUTE, "minute"),
        (SECOND, "second"),
    ];
    let (size, name) = units.into_iter().find(|(size, _)| seconds >= *size)?;
    let count = (seconds / size) as u64;
    Some(format!("{count} {name}{}", if count == 1 { "" } else { "s" }))
}

fn two_units(span: Duration) -> String {
    let sign = if span.is_negative() { "-" } else { "" };
    let seconds = span.abs().as_seconds_f64();
    if seconds == 0.0 {
        return "0 s".to_owned();
    }
    if seconds < 0.001 {
        return format!("{sign}{:.0} µs", seconds * 1e6);
    }
    if seconds < 0.999_5 {
        return format!("{sign}{:.0} ms", seconds * 1e3);
    }
    if seconds < 59.95 {
        let text = format!("{seconds:.1}");
        return format!("{sign}{} s", text.trim_end_matches('0').trim_end_matches('.'));
    }
    let whole = span.whole_seconds().unsigned_abs() + u64::from(span.abs().subsec_milliseconds() >= 500);
    let (days, hours, minutes) = (whole / 86_400, whole / 3_600 % 24, whole / 60 % 60);
    let (large, small) = match (days, hours) {
        (0, 0) => (format!("{minutes} min"), (whole % 60, "s")),
        (0, hours) => (format!("{hours} h"), (minutes, "min")),
        (days, hours) => (format!("{days} d"), (hours, "h")),
    };
    match small {
        (0, _) => format!("{sign}{large}"),
        (count, unit) => format!("{sign}{large} {count} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn times_are_as_fine_as_asked_for() {
        let time = Value::from(datetime!(2024-05-07 14:30:05.25 +2));
        for (spec, expected) in [
            (TimeSpec::Auto, "2024-05-07T12:30:05.25"),
            (TimeSpec::Hours, "2024-05-07T12"),
            (TimeSpec::Minutes, "2024-05-07T12:30"),
            (TimeSpec::Seconds, "2024-05-07T12:30:05"),
            (TimeSpec::Milliseconds, "2024-05-07T12:30:05.250"),
            (TimeSpec::Microseconds, "2024-05-07T12:30:05.250000"),
        ] {
            assert_eq!(format_datetime(&time, 'T', spec).text, expected);
        }
        assert_eq!(format_datetime(&Value::Null, 'T', TimeSpec::Auto).text, "--");
    }

    #[test]
    fn times_are_told_by_how_long_ago_they_are() {
        let now = datetime!(2024-05-07 12:00 UTC);
        for (ago, expected) in [
            (Duration::milliseconds(300), "now"),
            (Duration::seconds(1), "1 second ago"),
            (Duration::seconds(59), "59 seconds ago"),
            (Duration::minutes(-5), "in 5 minutes"),
            (Duration::hours(47), "1 day ago"),
            (Duration::days(20), "2 weeks ago"),
            (Duration::days(800), "2 years ago"),
        ] {
            let cell = format_datetime_relative(&Value::from(now - ago), now);
            assert_eq!(cell.text, expected);
            assert!(cell.html.contains("title=\""), "{}", cell.html);
        }
    }

    #[test]
    fn spans_have_two_units() {
        for (span, expected) in [
            (Duration::ZERO, "0 s"),
            (Duration::microseconds(120), "120 µs"),
            (Duration::milliseconds(999), "999 ms"),
            (Duration::milliseconds(1_500), "1.5 s"),
            (Duration::milliseconds(59_990), "1 min"),
            (Duration::seconds(3_600), "1 h"),
            (Duration::seconds(-90_061), "-1 d 1 h"),
        ] {
            assert_eq!(format_timedelta(&Value::from(span)).text, expected, "{span}");
        }
        assert_eq!(format_timedelta(&Value::Float(90.0)).text, "1 min 30 s");
    }
}
