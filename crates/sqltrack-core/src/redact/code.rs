//! What stands in the place of a secret in code, and is none: expressions, types, constants.

use super::MASK;
use super::names::Secrecy;
use super::scan::{Text, is_blank};

/// The first words of types.
const TYPES: [&str; 29] = [
    "str", "String", "string", "bytes", "int", "float", "bool", "boolean", "number", "Any", "any",
    "Optional", "Union", "Option", "Vec", "List", "list", "Dict", "dict", "Tuple", "tuple", "Box", "Arc",
    "Rc", "Cow", "Result", "impl", "Sequence", "char",
];
/// Words that stand between two parts of an expression.
const OPERATORS: [&str; 7] = ["if", "else", "or", "and", "in", "is", "as"];

/// An expression in the place of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Expression {
    /// Where to look for literals in it.
    pub(super) start: usize,
    /// Where what is known of it ends.
    pub(super) end: usize,
    /// Whether it goes on after that, up to the end of its line at most.
    pub(super) is_open: bool,
}

/// Whether a value is the name of a variable that is filled in: `${NAME}`, `{name}`, `%(name)s`.
pub(super) fn is_reference(value: &str) -> bool {
    let value = value.trim().trim_end_matches('.');
    let inside = value
        .strip_prefix("${{")
        .and_then(|rest| rest.strip_suffix("}}"))
        .or_else(|| value.strip_prefix("{{")?.strip_suffix("}}"))
        .or_else(|| value.strip_prefix("${")?.strip_suffix('}'))
        .or_else(|| value.strip_prefix('{')?.strip_suffix('}'))
        .or_else(|| value.strip_prefix("%(")?.strip_suffix(")s"));
    let is_path = |inside: &str| inside.bytes().all(|byte| is_in_path(byte) || is_blank(byte));
    value == "%s" || inside.is_some_and(is_path)
}

/// The end of the type that begins at `at`: `str`, `Option<String>`, `&'static str`. For names that may be those of pieces of
/// text, also that of any reference, or with parameters: `&Token`, `Vec<Token>`.
pub(super) fn annotation(text: Text<'_>, at: usize, secrecy: Secrecy) -> Option<usize> {
    let mut start = text.skip(at, |byte| matches!(byte, b'&' | b'*'));
    if start > at && text.byte(start) == Some(b'\'') {
        start = text.blanks(text.skip(start + 1, is_in_path));
    }
    if text.is(start, "mut ") {
        start += "mut ".len();
    }
    let path_end = path_end(text, start);
    let end = match text.byte(path_end) {
        Some(b'<' | b'[') => parameters_end(text, path_end)?,
        _ => path_end,
    };
    let path = text.get(start..path_end);
    let is_known = path.rsplit(['.', ':']).next().is_some_and(|last| TYPES.contains(&last));
    let is_type =
        is_known || (secrecy == Secrecy::Text && (start > at || (end > path_end && path_end > start)));
    let next = text.blanks(end);
    let is_parameter = text.byte(next).is_some_and(|byte| b"=,)".contains(&byte));
    let is_type = is_type || (secrecy == Secrecy::Text && is_parameter && path.contains('.'));
    let is_whole = text.is_line_end(next) || text.byte(next).is_some_and(|byte| b"=,;)|{".contains(&byte));
    (is_type && end > start && is_whole).then_some(end)
}

/// The end of the parameters of a type, whose lifetimes look like quotes.
fn parameters_end(text: Text<'_>, at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = at;
    loop {
        match text.byte(at)? {
            b'<' | b'[' => depth += 1,
            b'>' | b']' => depth -= 1,
            byte if is_in_path(byte) || b" ,:&'();+|\"".contains(&byte) => {}
            _ => return None,
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

/// The expression that begins at `at`, if it is one: a call, an index. For names that may be those of counts, also a
/// path or a sum.
pub(super) fn expression(text: Text<'_>, at: usize, name: &str, secrecy: Secrecy) -> Option<Expression> {
    if text.is(at, MASK) {
        return None;
    }
    let start = text.skip(at, |byte| matches!(byte, b'&' | b'*' | b'!'));
    let end = path_end(text, start);
    let path = text.get(start..end);
    if text.byte(end).is_some_and(|byte| matches!(byte, b'(' | b'[')) {
        // A bracket that is not closed is part of a secret, unless the call goes on below.
        let open_end = || text.is_line_end(end + 1).then_some(text.len());
        let closed_end = text.closed_bracket(end).map(|closed| chain_end(text, closed));
        let end_of_call = closed_end.or_else(open_end)?;
        // A secret may have brackets, too, but hardly ends with one.
        let is_code = secrecy == Secrecy::Text || closed_end.is_none_or(|end| ends_path(text, end));
        return is_code.then_some(Expression { start: end, end: end_of_call, is_open: false });
    }
    if last_part(path) == last_part(name) && ends_path(text, end) {
        return Some(Expression { start: end, end, is_open: false });
    }
    let is_code =
        secrecy == Secrecy::Text && (is_lower_path(path) || (is_lower(path) && has_operator(text, end)));
    is_code.then_some(Expression { start: end, end, is_open: true })
}

/// The end of a path such as `os.environ.get` or `std::env::var`, which begins with a letter.
fn path_end(text: Text<'_>, at: usize) -> usize {
    let mut end = at;
    if text.byte(at).is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_') {
        end = text.skip(at, is_in_path);
        while text.is(end, "::") && text.byte(end + 2).is_some_and(|byte| byte.is_ascii_alphabetic()) {
            end = text.skip(end + 2, is_in_path);
        }
    }
    end
}

/// The end of what is called and looked up in the result of a call: `f(x).g(y)[0]?`.
fn chain_end(text: Text<'_>, at: usize) -> usize {
    let mut end = at;
    loop {
        let is_chained = matches!(text.byte(end), Some(b'.' | b'?'));
        let next = if is_chained { text.skip(end, |byte| is_in_path(byte) || byte == b'?') } else { end };
        match text.byte(next) {
            Some(b'(' | b'[') => match text.closed_bracket(next) {
                Some(closed) => end = closed,
                None => return next,
            },
            _ => return next,
        }
    }
}

/// What is assigned to in `self.token`.
fn last_part(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or_default()
}

fn ends_path(text: Text<'_>, end: usize) -> bool {
    text.byte(end).is_none_or(|byte| byte.is_ascii_whitespace() || b",;)]}?".contains(&byte))
}

/// Whether a path has several parts, all of them in lower case: a random text has capitals and digits.
fn is_lower_path(path: &str) -> bool {
    path.split('.').count() > 1 && path.split('.').all(is_lower)
}

pub(super) fn is_lower(part: &str) -> bool {
    let letters = part.trim_end_matches(|c: char| c.is_ascii_digit());
    !letters.is_empty()
        && letters.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'.'))
}

/// Whether an operator and another operand follow.
fn has_operator(text: Text<'_>, end: usize) -> bool {
    let next = text.blanks(end);
    let sign = text.skip(next, |byte| b"+-*/%|&<>^=!".contains(&byte));
    let word = text.skip(next, |byte| byte.is_ascii_lowercase());
    let is_operator = (sign > next && sign <= next + 2) || OPERATORS.contains(&text.get(next..word));
    let operator_end = if sign > next { sign } else { word };
    next > end
        && is_operator
        && text.byte(operator_end).is_some_and(is_blank)
        && !text.is_line_end(text.blanks(operator_end))
}

fn is_in_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.')
}
