//! Secrets that tell by their form what they are: private keys, and tokens that begin as those of a service do.

use std::ops::Range;

use super::scan::Text;
use super::spans::Spans;

/// How the tokens of a service begin, the least number of characters that follow, and which those are besides letters
/// and digits.
struct Shape(&'static str, usize, &'static [u8]);

const SHAPES: [Shape; 41] = [
    // GitHub and GitLab
    Shape("ghp_", 16, b""),
    Shape("gho_", 16, b""),
    Shape("ghu_", 16, b""),
    Shape("ghs_", 16, b""),
    Shape("ghr_", 16, b""),
    Shape("github_pat_", 16, b"_"),
    Shape("glpat-", 16, b"_-."),
    Shape("gldt-", 16, b"_-"),
    Shape("glptt-", 16, b"_-"),
    Shape("glrt-", 16, b"_-."),
    Shape("glcbt-", 16, b"_-"),
    Shape("glsoat-", 16, b"_-"),
    // Slack
    Shape("xoxa-", 10, b"-"),
    Shape("xoxb-", 10, b"-"),
    Shape("xoxe-", 10, b"-"),
    Shape("xoxe.", 10, b"-"),
    Shape("xoxo-", 10, b"-"),
    Shape("xoxp-", 10, b"-"),
    Shape("xoxr-", 10, b"-"),
    Shape("xoxs-", 10, b"-"),
    Shape("xapp-", 10, b"-"),
    Shape("hooks.slack.com/services/", 10, b"/"),
    // Models and data
    Shape("hf_", 16, b""),
    Shape("api_org_", 16, b""),
    Shape("sk-ant-", 16, b"_-"),
    Shape("sk-proj-", 16, b"_-"),
    Shape("sk-", 32, b"_"),
    Shape("gsk_", 16, b""),
    Shape("r8_", 16, b""),
    Shape("pplx-", 16, b""),
    Shape("wandb_v1_", 16, b"_"),
    Shape("dapi", 32, b""),
    // Clouds, packages, payments
    Shape("AKIA", 16, b""),
    Shape("ASIA", 16, b""),
    Shape("AIza", 35, b"_-"),
    Shape("ya29.", 16, b"_-"),
    Shape("npm_", 16, b""),
    Shape("pypi-", 32, b"_-"),
    Shape("dckr_pat_", 16, b"_-"),
    Shape("sk_live_", 16, b""),
    Shape("sk_test_", 16, b""),
];

/// Finds secrets by their form.
pub(super) fn find(text: &str, spans: &mut Spans) {
    let scan = Text::new(text);
    let mut at = 0;
    while at < scan.len() {
        at = scan.skip(at, |byte| !byte.is_ascii_alphanumeric());
        let token = token(scan, at).or_else(|| web_token(scan, at)).or_else(|| bearer(scan, at));
        at = match token {
            Some(token) => {
                spans.add(token.clone());
                token.end
            }
            None => scan.skip(at, |byte| byte.is_ascii_alphanumeric() || byte == b'_'),
        };
    }
    for (at, _) in text.match_indices("-----BEGIN ") {
        spans.add(private_key(scan, at));
    }
}

/// The token of a service that begins at `at`.
fn token(text: Text<'_>, at: usize) -> Option<Range<usize>> {
    let is_word = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let end = |Shape(start, least, others): &Shape| {
        let rest = text.is(at, start).then_some(at + start.len())?;
        let end = text.skip(rest, |byte| byte.is_ascii_alphanumeric() || others.contains(&byte));
        (end - rest >= *least && !is_word(text.byte(end))).then_some(end)
    };
    SHAPES.iter().filter_map(end).max().map(|end| at..end)
}

/// The JSON web token that begins at `at`: two parts of JSON and a signature, in base64.
fn web_token(text: Text<'_>, at: usize) -> Option<Range<usize>> {
    const LEAST: usize = 30;
    let end = text.skip(at, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
    let is_token = text.is(at, "eyJ") && end - at >= LEAST && text.get(at..end).matches('.').count() >= 2;
    is_token.then_some(at..end)
}

/// What follows the word `Bearer` at `at`, unless it is a word of prose.
fn bearer(text: Text<'_>, at: usize) -> Option<Range<usize>> {
    const LEAST: usize = 8;
    let word = text.skip(at, |byte| byte.is_ascii_alphabetic());
    let start = text.blanks(word);
    if start == word || !text.get(at..word).eq_ignore_ascii_case("bearer") {
        return None;
    }
    let end = text.skip(start, |byte| byte.is_ascii_alphanumeric() || b"_-.~+/=".contains(&byte));
    let is_random = text.get(start..end).bytes().any(|byte| byte.is_ascii_digit());
    (is_random && end - start >= LEAST).then_some(start..end)
}

/// The private key whose first line begins at `at`, up to its last line, or as far as it goes; may be empty.
fn private_key(text: Text<'_>, at: usize) -> Range<usize> {
    const LONGEST_LABEL: usize = 80;
    let head = text.until(at + LONGEST_LABEL);
    let label_start = at + "-----BEGIN ".len();
    let label_end = match head.find(label_start..head.len(), "-----") {
        Some(end) if head.get(label_start..end).contains("PRIVATE KEY") => end + "-----".len(),
        _ => return at..at,
    };
    let body_end = body_end(text, label_end);
    let last = text.until(body_end + LONGEST_LABEL);
    let end = match last
        .is(body_end, "-----END ")
        .then(|| last.find(body_end + "-----END ".len()..last.len(), "-----"))
    {
        Some(Some(end)) => end + "-----".len(),
        _ => body_end,
    };
    at..end
}

/// The end of the lines of a key, which may be lines of a diff, or of a string in code. Its headers are included.
fn body_end(text: Text<'_>, at: usize) -> usize {
    const LEAST_OF_LINE: usize = 16;
    let mut end = at;
    loop {
        let start = next_word(text, end);
        let word = text.skip(start, |byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
        let next = next_word(text, word);
        let is_last = next == text.len() || text.is(next, "-----END ") || text.is(next, "------END ");
        if text.is(start, "-----END ") {
            return start;
        } else if text.byte(start) == Some(b'-') && text.before(start) == Some(b'\n') {
            // The mark of a line that a diff takes out.
            end = start + 1;
        } else if ["Proc-Type:", "DEK-Info:", "Version:", "Comment:"]
            .iter()
            .any(|header| text.is(start, header))
        {
            end = text.line_end(start);
        } else if word > start && (word - start >= LEAST_OF_LINE || is_last) {
            end = word;
        } else {
            return end;
        }
    }
}

/// Over what is between the lines of a key: in a diff, in a string, in several strings.
fn next_word(text: Text<'_>, at: usize) -> usize {
    let mut at = at;
    loop {
        match text.byte(at) {
            Some(b'\\') if matches!(text.byte(at + 1), Some(b'n' | b'r')) => at += 2,
            Some(byte) if byte.is_ascii_whitespace() || b"+\\\"',".contains(&byte) => at += 1,
            _ => return at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let mut spans = Spans::default();
        find(text, &mut spans);
        assert_eq!(spans.mask(text), expected, "{text}");
    }

    #[test]
    fn the_tokens_of_services_are_found() {
        for Shape(start, least, others) in SHAPES {
            let rest: String = "C4nary".chars().cycle().take(least).collect();
            let rest = if start == "AKIA" || start == "ASIA" { rest.to_uppercase() } else { rest };
            check(&format!("a {start}{rest} b"), "a **** b");
            check(&format!("({start}{rest})"), "(****)");
            check(&format!("x={start}{rest},"), "x=****,");
            if let Some(other) = others.first() {
                check(&format!("{start}{}{rest},", char::from(*other)), "****,");
            }
            let short = format!("{start}{}", &rest[1..]);
            check(&short, &short);
            let within = format!("x{start}{rest}");
            check(&within, &within);
        }
    }

    #[test]
    fn web_tokens_and_bearers_are_found() {
        check("jwt eyJhbGciOi.eyJzdWIiOiIxMjM0.s1gn-_ature;", "jwt ****;");
        check("curl -H 'X: Bearer c4nary-token~+/==' x", "curl -H 'X: Bearer ****' x");
        for text in [
            "eyJ.a.b",
            "the bearer certificate",
            "Bearer",
            "bearer of 1",
            "task-0123456789012345678901234567890",
        ] {
            check(text, text);
        }
    }

    #[test]
    fn private_keys_are_found_whole() {
        let body = "MIIEpAIBAAKCAQEA0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKL";
        let key = |newline: &str| {
            format!(
                "-----BEGIN RSA PRIVATE KEY-----{newline}{body}{newline}{body}{newline}Fg=={newline}-----END RSA PRIVATE KEY-----"
            )
        };
        for newline in ["\n", "\r\n", "\n+", "\n-", "\n ", "\\n", "\\n\" +\n  \""] {
            check(&format!("key = \"{}\" and more", key(newline)), "key = \"****\" and more");
        }
        let encrypted = "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES,01\n\nMIIE0123456789abcdef\nx\n";
        check(encrypted, "****\n");
        let cut = format!("-----BEGIN PRIVATE KEY-----\n{body}\nand more");
        check(&cut, "****\nand more");
        for text in [
            "-----BEGIN CERTIFICATE-----\nMIIE0123456789abcdef",
            "-----BEGIN ",
            "-----BEGIN x PRIVATE KEY",
            "-----BEGIN é",
        ] {
            check(text, text);
        }
    }
}
