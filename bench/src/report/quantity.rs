//! Numbers with their units, short to read.

use std::fmt;

use serde::Serialize;

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Unit {
    RowsPerSecond,
    Seconds,
    Bytes,
    BytesPerSecond,
}

/// A number with its unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Quantity {
    pub(crate) value: f64,
    pub(crate) unit: Unit,
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.unit {
            Unit::RowsPerSecond => {
                let (number, prefix) = match self.value {
                    value if value >= 1e6 => (value / 1e6, " M"),
                    value if value >= 1e3 => (value / 1e3, " k"),
                    value => (value, ""),
                };
                write!(f, "{}{prefix} rows/s", three_digits(number))
            }
            Unit::Seconds => f.write_str(&shown_time(self.value)),
            Unit::BytesPerSecond => write!(f, "{} MB/s", three_digits(self.value / 1e6)),
            Unit::Bytes => write!(f, "{:.0} B", self.value),
        }
    }
}

/// `12.3 ms`: three digits and the unit that suits them.
pub(crate) fn shown_time(seconds: f64) -> String {
    let (number, unit) = match seconds {
        seconds if seconds >= 1.0 => (seconds, "s"),
        seconds if seconds >= 1e-3 => (seconds * 1e3, "ms"),
        seconds if seconds >= 1e-6 => (seconds * 1e6, "µs"),
        seconds => (seconds * 1e9, "ns"),
    };
    format!("{} {unit}", three_digits(number))
}

fn three_digits(number: f64) -> String {
    match number {
        number if number >= 99.95 => format!("{number:.0}"),
        number if number >= 9.995 => format!("{number:.1}"),
        number => format!("{number:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits() {
        let shown = |value, unit| Quantity { value, unit }.to_string();
        assert_eq!(shown(3_412.0, Unit::RowsPerSecond), "3.41 k rows/s");
        assert_eq!(shown(190_000.0, Unit::RowsPerSecond), "190 k rows/s");
        assert_eq!(shown(1_250_000.0, Unit::RowsPerSecond), "1.25 M rows/s");
        assert_eq!(shown(12.0, Unit::RowsPerSecond), "12.0 rows/s");
        assert_eq!(shown(0.0115, Unit::Seconds), "11.5 ms");
        assert_eq!(shown(8.5e-7, Unit::Seconds), "850 ns");
        assert_eq!(shown(2.0, Unit::Seconds), "2.00 s");
        assert_eq!(shown(160.4, Unit::Bytes), "160 B");
        assert_eq!(shown(52.34e6, Unit::BytesPerSecond), "52.3 MB/s");
    }
}
