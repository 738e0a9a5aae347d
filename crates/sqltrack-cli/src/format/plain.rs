//! Values as the text that other programs read: what CSV holds, and the strings and numbers of JSON.

use sqltrack_core::{Value, text};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

/// A value as plain text; `None` for NULL.
pub(super) fn text(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::Timestamp(time) => timestamp(*time),
        Value::Duration(duration) => seconds(*duration),
        Value::List(_) => super::json::value(value),
        other => text::of(other),
    })
}

/// RFC 3339 in UTC; a year that it has no room for is written as a person would.
pub(super) fn timestamp(time: OffsetDateTime) -> String {
    time.to_offset(time::UtcOffset::UTC).format(&Rfc3339).unwrap_or_else(|_| text::timestamp(time))
}

/// A span in seconds, with as many digits as it has.
pub(super) fn seconds(duration: Duration) -> String {
    let sign = if duration.is_negative() { "-" } else { "" };
    let microseconds = duration.whole_microseconds().unsigned_abs();
    let (seconds, fraction) = (microseconds / 1_000_000, microseconds % 1_000_000);
    if fraction == 0 {
        return format!("{sign}{seconds}");
    }
    format!("{sign}{seconds}.{fraction:06}").trim_end_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn times_are_utc_and_spans_are_seconds() {
        assert_eq!(timestamp(datetime!(2024-05-07 14:30:00.5 +2)), "2024-05-07T12:30:00.5Z");
        assert_eq!(timestamp(datetime!(-0044-03-15 12:00 UTC)), "-0044-03-15 12:00:00+00:00");
        assert_eq!(seconds(Duration::microseconds(-93_784_000_001)), "-93784.000001");
        assert_eq!(seconds(Duration::seconds(100)), "100");
        assert_eq!(seconds(Duration::milliseconds(1_500)), "1.5");
    }
}
