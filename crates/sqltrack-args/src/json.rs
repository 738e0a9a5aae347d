//! JSON as Python's `json.loads` reads it: with `NaN` and `Infinity`, and with whole numbers of any size.

use indexmap::IndexMap;

use crate::literals::int_from_digits;
use crate::value::ArgValue;

/// Deeper JSON is no JSON, so that hostile input cannot exhaust the stack.
const MAX_DEPTH: usize = 128;

/// Reads a JSON document as Python's `json.loads` does: with `NaN`, `Infinity` and `-Infinity`, and with whole numbers
/// of any size. `None` if it is none.
///
/// ```
/// use sqltrack_args::{ArgValue, parse_json};
///
/// assert_eq!(parse_json("-Infinity"), Some(ArgValue::Float(f64::NEG_INFINITY)));
/// assert_eq!(parse_json("cifar"), None);
/// ```
#[must_use]
pub fn parse_json(text: &str) -> Option<ArgValue> {
    let mut reader = Reader { rest: text, depth: 0 };
    reader.skip_space();
    let value = reader.value()?;
    reader.skip_space();
    reader.rest.is_empty().then_some(value)
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self) -> Option<ArgValue> {
        const WORDS: [(&str, ArgValue); 6] = [
            ("null", ArgValue::None),
            ("true", ArgValue::Bool(true)),
            ("false", ArgValue::Bool(false)),
            ("NaN", ArgValue::Float(f64::NAN)),
            ("Infinity", ArgValue::Float(f64::INFINITY)),
            ("-Infinity", ArgValue::Float(f64::NEG_INFINITY)),
        ];
        match self.rest.chars().next()? {
            '"' => self.string().map(ArgValue::Str),
            '[' => self.nested(Self::list),
            '{' => self.nested(Self::map),
            _ => WORDS
                .into_iter()
                .find_map(|(word, value)| self.skip(word).then_some(value))
                .or_else(|| self.number()),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Option<ArgValue>) -> Option<ArgValue> {
        self.depth += 1;
        let value = (self.depth <= MAX_DEPTH).then(|| read(self)).flatten();
        self.depth -= 1;
        value
    }

    fn list(&mut self) -> Option<ArgValue> {
        let mut items = Vec::new();
        self.skip("[");
        self.skip_space();
        if self.skip("]") {
            return Some(ArgValue::List(items));
        }
        loop {
            self.skip_space();
            items.push(self.value()?);
            self.skip_space();
            if self.skip("]") {
                return Some(ArgValue::List(items));
            }
            self.skip(",").then_some(())?;
        }
    }

    fn map(&mut self) -> Option<ArgValue> {
        let mut entries = IndexMap::new();
        self.skip("{");
        self.skip_space();
        if self.skip("}") {
            return Some(ArgValue::Map(entries));
        }
        loop {
            self.skip_space();
            let key = self.rest.starts_with('"').then(|| self.string()).flatten()?;
            self.skip_space();
            self.skip(":").then_some(())?;
            self.skip_space();
            entries.insert(key, self.value()?);
            self.skip_space();
            if self.skip("}") {
                return Some(ArgValue::Map(entries));
            }
            self.skip(",").then_some(())?;
        }
    }

    fn string(&mut self) -> Option<String> {
        let mut text = String::new();
        self.take(1);
        loop {
            let plain = self.rest.find(|c: char| c == '"' || c == '\\' || c < ' ')?;
            text.push_str(self.take(plain));
            match self.take(1) {
                "\"" => return Some(text),
                "\\" => text.push(self.escape()?),
                _ => return None,
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.take(c.len_utf8());
        match c {
            '"' | '\\' | '/' => Some(c),
            'b' => Some('\x08'),
            'f' => Some('\x0c'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'u' => self.code_point(),
            _ => None,
        }
    }

    /// Half of a surrogate pair is no character in Rust, so it is none here.
    fn code_point(&mut self) -> Option<char> {
        let high = self.hex()?;
        if !(0xd800..0xdc00).contains(&high) {
            return char::from_u32(high);
        }
        self.skip("\\u").then_some(())?;
        let low = self.hex().filter(|low| (0xdc00..0xe000).contains(low))?;
        char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.rest.get(..4)?;
        let code =
            digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())??;
        self.take(4);
        Some(code)
    }

    fn number(&mut self) -> Option<ArgValue> {
        let start = self.rest;
        let negative = self.skip("-");
        let whole = self.digits();
        if whole.is_empty() {
            return None;
        }
        if whole.len() > 1 && whole.starts_with('0') {
            return None;
        }
        let after_whole = self.rest;
        if self.skip(".") && self.digits().is_empty() {
            self.rest = after_whole;
        }
        let before_exponent = self.rest;
        if self.skip("e") || self.skip("E") {
            let _sign = self.skip("+") || self.skip("-");
            if self.digits().is_empty() {
                self.rest = before_exponent;
            }
        }
        if self.rest.len() == after_whole.len() {
            return Some(int_from_digits(negative, whole));
        }
        start[..start.len() - self.rest.len()].parse().ok().map(ArgValue::Float)
    }

    fn digits(&mut self) -> &'a str {
        let count = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        self.take(count)
    }

    fn skip(&mut self, word: &str) -> bool {
        let rest = self.rest.strip_prefix(word);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn take(&mut self, count: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(count);
        self.rest = rest;
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let written = parse_json(text).map_or_else(|| "no JSON".to_owned(), |value| value.repr());
        assert_eq!(written, expected, "{text:?}");
    }

    #[test]
    fn json_has_pythons_extensions() {
        check(
            "[1, -2.5e3, NaN, -Infinity, 100000000000000000000]",
            "[1, -2500.0, nan, -inf, 100000000000000000000]",
        );
        check(
            " {\"a\": {\"b\": [true, false, null]}, \"a\": \"\\u00e9\\ud83d\\ude00\\n\"} ",
            "{'a': 'é😀\\n'}",
        );
        check("[]", "[]");
        check("-0", "0");
        check("-0.0", "-0.0");
    }

    #[test]
    fn what_python_refuses_is_no_json() {
        for text in [
            "",
            "[",
            "[1,]",
            "[1 2]",
            "{\"a\" 1}",
            "{a: 1}",
            "{,}",
            "01",
            "1.",
            ".5",
            "+1",
            "1e",
            "'a'",
            "\"\n\"",
            "\"\\x\"",
            "\"\\ud800\"",
            "\"\\u12\"",
            "\"open",
            "nul",
            "[1]]",
            "\u{a0}1",
            "\"\\u+123\"",
        ] {
            check(text, "no JSON");
        }
        check(&"[".repeat(100_000), "no JSON");
    }
}
