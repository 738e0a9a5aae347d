//! How many digits a number is written with, in the words of Python's format strings.

use std::fmt;
use std::str::FromStr;

/// A form of numbers: `.2f` (so many decimals), `.3e` (with a power of ten), `.4g` (so many digits in the shorter of both), `.1%`.
///
/// The words are those of Python (<https://docs.python.org/3/library/string.html#formatspec>), without fills and widths.
///
/// ```
/// use sqltrack_analysis::format::FloatSpec;
///
/// let spec: FloatSpec = ".2f".parse().unwrap();
/// assert_eq!(spec.format(0.125), "0.13");
/// assert_eq!(".3g".parse::<FloatSpec>().unwrap().format(123_456.0), "1.23e+05");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FloatSpec {
    kind: Kind,
    digits: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Fixed,
    Exponent,
    General,
    Percent,
}

/// A text that is no [`FloatSpec`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no form of numbers; write `.2f`, `.3e`, `.4g` or `.1%`")]
pub struct NotAFloatSpec(String);

/// More digits than a double has are of no use.
const MOST_DIGITS: usize = 40;

impl FloatSpec {
    /// So many decimals.
    #[must_use]
    pub const fn fixed(digits: usize) -> Self {
        Self { kind: Kind::Fixed, digits }
    }

    /// So many digits, in the shorter of both forms.
    #[must_use]
    pub const fn general(digits: usize) -> Self {
        Self { kind: Kind::General, digits }
    }

    /// The number in this form; NaN and the infinities by their names.
    #[must_use]
    pub fn format(self, number: f64) -> String {
        if !number.is_finite() {
            return sqltrack_core::text::float(number);
        }
        let digits = self.digits.min(MOST_DIGITS);
        match self.kind {
            Kind::Fixed => half_up(number, digits),
            Kind::Percent => format!("{}%", half_up(number * 100.0, digits)),
            Kind::Exponent => exponent(number, digits),
            Kind::General => general(number, digits.max(1)),
        }
    }
}

/// Of numbers that lie in the middle, the larger one; in binary, few that look so do.
fn half_up(number: f64, digits: usize) -> String {
    let exact = format!("{number:.digits$}");
    let power = 10_f64.powi(i32::try_from(digits).unwrap_or(0));
    let scaled = number * power;
    let is_middle = scaled.abs() < 1e15 && scaled.fract().abs() == 0.5 && scaled / power == number;
    if is_middle { format!("{:.digits$}", scaled.round() / power) } else { exact }
}

/// The power of ten with a sign and two digits, as C and Python write it.
fn exponent(number: f64, digits: usize) -> String {
    let text = format!("{number:.digits$e}");
    let Some((digits, power)) = text.split_once('e') else { return text };
    let (sign, power) = power.strip_prefix('-').map_or(('+', power), |power| ('-', power));
    format!("{digits}e{sign}{power:0>2}")
}

fn general(number: f64, digits: usize) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    let rounded = format!("{number:.*e}", digits - 1);
    let power: i64 = rounded.split_once('e').and_then(|(_, power)| power.parse().ok()).unwrap_or(0);
    let digits = i64::try_from(digits).unwrap_or(i64::MAX);
    if power < -4 || power >= digits {
        let text = exponent(number, usize::try_from(digits - 1).unwrap_or(0));
        return match text.split_once('e') {
            Some((digits, power)) => format!("{}e{power}", without_zeros(digits)),
            None => text,
        };
    }
    without_zeros(&format!("{number:.*}", usize::try_from(digits - 1 - power).unwrap_or(0))).to_owned()
}

fn without_zeros(number: &str) -> &str {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number }
}

impl FromStr for FloatSpec {
    type Err = NotAFloatSpec;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || NotAFloatSpec(text.to_owned());
        let kind = match text.chars().last() {
            Some('f' | 'F') => Kind::Fixed,
            Some('e' | 'E') => Kind::Exponent,
            Some('g' | 'G') => Kind::General,
            Some('%') => Kind::Percent,
            _ => return Err(wrong()),
        };
        let digits = match text[..text.len() - 1].strip_prefix('.') {
            Some(digits) => digits.parse().map_err(|_| wrong())?,
            None if text.len() == 1 => 6,
            None => return Err(wrong()),
        };
        Ok(Self { kind, digits })
    }
}

impl fmt::Display for FloatSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Fixed => 'f',
            Kind::Exponent => 'e',
            Kind::General => 'g',
            Kind::Percent => '%',
        };
        write!(f, ".{}{kind}", self.digits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(spec: &str, number: f64) -> String {
        spec.parse::<FloatSpec>().unwrap().format(number)
    }

    #[test]
    fn numbers_are_written_as_python_does() {
        for (spec, number, expected) in [
            (".2f", 1.0, "1.00"),
            (".1f", -0.25, "-0.3"),
            ("f", 0.5, "0.500000"),
            (".3e", 123.456, "1.235e+02"),
            (".0e", 0.000_1, "1e-04"),
            (".4g", 0.000_123_456, "0.0001235"),
            (".4g", 0.000_012_345_6, "1.235e-05"),
            (".3g", 100.0, "100"),
            (".3g", 99_999.0, "1e+05"),
            ("g", 0.0, "0"),
            (".1%", 0.918, "91.8%"),
            (".2f", f64::NAN, "NaN"),
        ] {
            assert_eq!(shown(spec, number), expected, "{spec} {number}");
        }
    }

    #[test]
    fn other_words_are_refused() {
        for text in ["", "2f", ".f", ".2x", "é", ".-1f", "0.2f"] {
            assert!(text.parse::<FloatSpec>().is_err(), "{text}");
        }
        assert_eq!(".2f".parse::<FloatSpec>().unwrap().to_string(), ".2f");
    }
}
