//! Dates and times as text that sorts and that SQLite's date functions read.

use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{Date, OffsetDateTime, PrimitiveDateTime, UtcOffset};

/// `2024-05-07 12:30:00.000000+00:00`: UTC, of a fixed width. `None` outside of the years 0 to 9999, which
/// have no such form.
#[must_use]
pub fn from_timestamp(time: OffsetDateTime) -> Option<String> {
    let utc = time.checked_to_offset(UtcOffset::UTC)?;
    let date = from_date(utc.date())?;
    let (hour, minute, second, microsecond) = utc.time().as_hms_micro();
    Some(format!("{date} {hour:02}:{minute:02}:{second:02}.{microsecond:06}+00:00"))
}

/// `2024-05-07`. `None` outside of the years 0 to 9999.
#[must_use]
pub fn from_date(date: Date) -> Option<String> {
    let (year, month, day) = date.to_calendar_date();
    (0..=9999).contains(&year).then(|| format!("{year:04}-{:02}-{day:02}", u8::from(month)))
}

/// The date that a text such as `2024-05-07` tells.
#[must_use]
pub fn to_date(text: &str) -> Option<Date> {
    Date::parse(text, format_description!("[year]-[month]-[day]")).ok()
}

/// The time that a text such as `2024-05-07 12:30:00.5+02:00` tells, in all forms that SQLite's own date
/// functions take: with `T` or a space, with or without a fraction, with an offset, `Z`, or none for UTC.
#[must_use]
pub fn to_timestamp(text: &str) -> Option<OffsetDateTime> {
    const LOCAL: &[BorrowedFormatItem<'_>] = format_description!(
        version = 2,
        "[year]-[month]-[day][first [ ][T]][hour]:[minute]:[second][optional [.[subsecond]]]"
    );
    const OFFSET: &[BorrowedFormatItem<'_>] =
        format_description!("[offset_hour sign:mandatory]:[offset_minute]");
    let (local, offset) = match text.strip_suffix(['Z', 'z']) {
        Some(local) => (local, UtcOffset::UTC),
        None => match text.len().checked_sub(6).and_then(|at| text.split_at_checked(at)) {
            Some((local, offset)) if offset.starts_with(['+', '-']) && offset.contains(':') => {
                (local, UtcOffset::parse(offset, OFFSET).ok()?)
            }
            _ => (text, UtcOffset::UTC),
        },
    };
    PrimitiveDateTime::parse(local.trim_end(), LOCAL).ok().map(|time| time.assume_offset(offset))
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::{date, datetime};

    #[test]
    fn times_sort_as_text_and_come_back() {
        let early = datetime!(2024-05-07 14:30:00 +2);
        let late = datetime!(2024-05-07 12:30:00.000_001 UTC);
        let (early_text, late_text) = (from_timestamp(early).unwrap(), from_timestamp(late).unwrap());
        assert_eq!(early_text, "2024-05-07 12:30:00.000000+00:00");
        assert!(early_text < late_text);
        assert_eq!(to_timestamp(&early_text), Some(early));
        assert_eq!(to_timestamp(&late_text), Some(late));
        assert_eq!(from_timestamp(datetime!(-0001-01-01 0:00 UTC)), None);
        assert_eq!(from_date(date!(0000 - 01 - 01)).as_deref(), Some("0000-01-01"));
    }

    #[test]
    fn foreign_forms_are_read() {
        let time = datetime!(2024-05-07 12:30:00 UTC);
        for text in [
            "2024-05-07 12:30:00",
            "2024-05-07T12:30:00Z",
            "2024-05-07 14:30:00+02:00",
            "2024-05-07T12:30:00.000",
        ] {
            assert_eq!(to_timestamp(text), Some(time), "{text}");
        }
        for text in ["", "now", "2024-05-07", "2024-13-07 12:30:00", "é2345é"] {
            assert_eq!(to_timestamp(text), None, "{text}");
        }
    }
}
