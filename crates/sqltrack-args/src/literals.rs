//! Python's notion of number literals: what `int`, `float` and `complex` accept, and how Python writes
//! numbers.

use crate::value::{ArgValue, Complex};

/// The zeros of the decimal digits beyond ASCII; the other nine follow each.
const ZEROS: [u32; 65] = [
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0,
    0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50,
    0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0, 0x10d30, 0x11066, 0x110f0,
    0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x11730, 0x118e0, 0x11950, 0x11c50,
    0x11d50, 0x11da0, 0x16a60, 0x16ac0, 0x16b50, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140,
    0x1e2f0, 0x1e950, 0x1fbf0,
];

/// A whole number, exact whatever its size.
pub(crate) fn int(text: &str) -> Option<ArgValue> {
    let text = normalized(text)?;
    let (negative, digits) = match text.strip_prefix(['+', '-']) {
        Some(digits) => (text.starts_with('-'), digits),
        None => (false, text.as_str()),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(int_from_digits(negative, digits))
}

/// The number with these ASCII digits.
pub(crate) fn int_from_digits(negative: bool, digits: &str) -> ArgValue {
    let digits = digits.trim_start_matches('0');
    let text = match (negative, digits) {
        (_, "") => return ArgValue::Int(0),
        (true, digits) => format!("-{digits}"),
        (false, digits) => digits.to_owned(),
    };
    text.parse().map(ArgValue::Int).unwrap_or(ArgValue::BigInt(text))
}

/// A number with a fraction, an exponent, or neither; too large is infinite.
pub(crate) fn float(text: &str) -> Option<f64> {
    let text = normalized(text)?;
    let (value, rest) = float_prefix(&text)?;
    rest.is_empty().then_some(value)
}

/// A complex number, with or without parentheses around it.
pub(crate) fn complex(text: &str) -> Option<Complex> {
    let text = normalized(text)?;
    let inner = match text.strip_prefix('(') {
        Some(rest) => rest.strip_suffix(')')?.trim_matches(is_ascii_space),
        None => text.as_str(),
    };
    let Some((first, rest)) = float_prefix(inner) else {
        let (im, rest) = sign_prefix(inner).unwrap_or((1.0, inner));
        return is_unit(rest).then_some(Complex { re: 0.0, im });
    };
    if rest.is_empty() {
        return Some(Complex { re: first, im: 0.0 });
    }
    if is_unit(rest) {
        return Some(Complex { re: 0.0, im: first });
    }
    let (sign, after_sign) = sign_prefix(rest)?;
    let (im, rest) = float_prefix(rest).unwrap_or((sign, after_sign));
    is_unit(rest).then_some(Complex { re: first, im })
}

fn is_unit(text: &str) -> bool {
    matches!(text, "j" | "J")
}

fn sign_prefix(text: &str) -> Option<(f64, &str)> {
    match text.as_bytes().first() {
        Some(b'+') => Some((1.0, &text[1..])),
        Some(b'-') => Some((-1.0, &text[1..])),
        _ => None,
    }
}

/// The longest float that `text` begins with, and the rest.
fn float_prefix(text: &str) -> Option<(f64, &str)> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let sign = text.len() - unsigned.len();
    let length = ["infinity", "inf", "nan"]
        .into_iter()
        .find(|word| unsigned.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)))
        .map_or_else(|| decimal_length(unsigned), |word| Some(word.len()))?;
    let (number, rest) = text.split_at(sign + length);
    Some((number.parse().ok()?, rest))
}

fn decimal_length(text: &str) -> Option<usize> {
    let digits = |from: usize| text[from..].bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(0);
    let mut end = whole;
    if text[end..].starts_with('.') {
        let fraction = digits(end + 1);
        if whole + fraction == 0 {
            return None;
        }
        end += 1 + fraction;
    } else if whole == 0 {
        return None;
    }
    if text[end..].starts_with(['e', 'E']) {
        let sign = usize::from(text[end + 1..].starts_with(['+', '-']));
        let exponent = digits(end + 1 + sign);
        if exponent > 0 {
            end += 1 + sign + exponent;
        }
    }
    Some(end)
}

/// Digits of any script as ASCII, without surrounding white space and without the underscores between digits.
fn normalized(text: &str) -> Option<String> {
    let text = if text.is_ascii() { text.to_owned() } else { text.chars().map(to_ascii).collect() };
    let text = text.trim_matches(is_ascii_space);
    if !text.contains('_') {
        return Some(text.to_owned());
    }
    let is_digit =
        |at: Option<usize>| at.and_then(|at| text.as_bytes().get(at)).is_some_and(u8::is_ascii_digit);
    let separates = |(at, _): (usize, &str)| is_digit(at.checked_sub(1)) && is_digit(Some(at + 1));
    text.match_indices('_').all(separates).then(|| text.replace('_', ""))
}

fn is_ascii_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}

fn to_ascii(c: char) -> char {
    if c.is_ascii() && !crate::docopt::text::is_space(c) {
        return c;
    }
    if crate::docopt::text::is_space(c) {
        return ' ';
    }
    let below = ZEROS.partition_point(|zero| *zero <= u32::from(c));
    let digit = below.checked_sub(1).and_then(|at| char::from_digit(u32::from(c) - ZEROS[at], 10));
    digit.unwrap_or('?')
}

/// A float as Python writes it: `1.0`, `1e-05`, `nan`.
pub(crate) fn write_float(value: f64) -> String {
    let text = write_float_bare(value);
    if text.bytes().all(|b| b.is_ascii_digit() || b == b'-') { text + ".0" } else { text }
}

/// The same without `.0` behind whole numbers.
fn write_float_bare(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf".to_owned() } else { "-inf".to_owned() };
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..16).contains(&exponent) {
        return value.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

/// A complex number as Python writes it: `(1+2j)`, `2j`.
pub(crate) fn write_complex(value: Complex) -> String {
    let im = write_float_bare(value.im);
    if value.re == 0.0 && value.re.is_sign_positive() {
        return format!("{im}j");
    }
    let sign = if im.starts_with('-') { "" } else { "+" };
    format!("({}{sign}{im}j)", write_float_bare(value.re))
}

/// A text as Python writes it: in quotes, with escapes.
pub(crate) fn write_str(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut written = String::from(quote);
    for c in text.chars() {
        match c {
            '\n' => written.push_str("\\n"),
            '\r' => written.push_str("\\r"),
            '\t' => written.push_str("\\t"),
            '\\' => written.push_str("\\\\"),
            c if c == quote => written.extend(['\\', c]),
            c if c.is_control() => written.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => written.push(c),
        }
    }
    written.push(quote);
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers() {
        let big = "1000000000000000000000";
        for (text, expected) in [
            ("7", Some(ArgValue::Int(7))),
            (" 7 ", Some(ArgValue::Int(7))),
            ("+007", Some(ArgValue::Int(7))),
            ("1_000", Some(ArgValue::Int(1000))),
            ("-0", Some(ArgValue::Int(0))),
            ("-٣", Some(ArgValue::Int(-3))),
            ("-9223372036854775808", Some(ArgValue::Int(i64::MIN))),
            ("1_000_000_000_000_000_000_000", Some(ArgValue::BigInt(big.to_owned()))),
            ("0x10", None),
            ("1__0", None),
            ("_1", None),
            ("1_", None),
            ("1e3", None),
            ("+-7", None),
            ("", None),
        ] {
            assert_eq!(int(text), expected, "{text:?}");
        }
    }

    #[test]
    fn floats() {
        for (text, expected) in [
            ("1e3", Some(1000.0)),
            (".5", Some(0.5)),
            ("5.", Some(5.0)),
            ("1_0.0_1e1_0", Some(10.01e10)),
            ("-Infinity", Some(f64::NEG_INFINITY)),
            ("1e400", Some(f64::INFINITY)),
            ("infi", None),
            ("1._5", None),
            (".", None),
            ("1e", None),
            ("0x1p3", None),
            ("1.5f", None),
        ] {
            assert_eq!(float(text), expected, "{text:?}");
        }
        assert!(float(" NaN ").is_some_and(f64::is_nan));
    }

    #[test]
    fn complex_numbers() {
        for (text, expected) in [
            ("1+2j", Some((1.0, 2.0))),
            ("( 1-2.5J )", Some((1.0, -2.5))),
            ("j", Some((0.0, 1.0))),
            ("-j", Some((0.0, -1.0))),
            ("1+j", Some((1.0, 1.0))),
            ("infj", Some((0.0, f64::INFINITY))),
            ("1", Some((1.0, 0.0))),
            ("1 + 2j", None),
            ("(1+2j", None),
            ("1+2", None),
            ("", None),
        ] {
            assert_eq!(complex(text).map(|value| (value.re, value.im)), expected, "{text:?}");
        }
    }

    #[test]
    fn numbers_are_written_as_python_writes_them() {
        let floats = [1.0, 0.1, 1e15, 1e16, 1e-4, 1e-5, 1.5e300, -0.0, f64::NAN, f64::NEG_INFINITY];
        let written: Vec<String> = floats.into_iter().map(write_float).collect();
        let expected = [
            "1.0",
            "0.1",
            "1000000000000000.0",
            "1e+16",
            "0.0001",
            "1e-05",
            "1.5e+300",
            "-0.0",
            "nan",
            "-inf",
        ];
        assert_eq!(written, expected);
        assert_eq!(write_complex(Complex { re: 1.0, im: -2.5 }), "(1-2.5j)");
        assert_eq!(write_complex(Complex { re: 0.0, im: 1e20 }), "1e+20j");
        assert_eq!(write_complex(Complex { re: -0.0, im: f64::NAN }), "(-0+nanj)");
        assert_eq!(write_str("it's\t\u{1}"), "\"it's\\t\\x01\"");
        assert_eq!(write_str("'\""), "'\\'\"'");
    }
}
