//! Secrets that are known: they are masked wherever they stand.

use super::spans::Spans;
use super::{MASK, urls};

/// The least length of a secret in bytes. What is shorter is found in too many other words.
const LEAST: usize = 6;
/// The same for secrets of letters or digits alone, such as `postgres` or `100000`.
const LEAST_OF_ONE_KIND: usize = 10;
/// The least length of a line of a secret with several lines.
const LEAST_OF_LINE: usize = 20;

/// The texts of known secrets, in all spellings that may stand in another text. `Debug` shows none.
#[derive(Clone, Default)]
pub(super) struct Values(Vec<String>);

impl Values {
    /// Adds a secret, unless it is too short or too common to be told from other words.
    pub(super) fn add(&mut self, secret: &str) {
        let secret = secret.trim();
        if !is_distinct(secret) {
            return;
        }
        let lines = secret.lines().map(str::trim).filter(|line| line.len() >= LEAST_OF_LINE);
        let lines: Vec<String> = lines.map(str::to_owned).collect();
        for spelling in [secret.to_owned(), quoted(secret), percent_encoded(secret)].into_iter().chain(lines)
        {
            if !self.0.contains(&spelling) {
                self.0.push(spelling);
            }
        }
    }

    /// Adds the passwords of the URLs in a text.
    pub(super) fn add_passwords(&mut self, text: &str) {
        let mut passwords = Spans::default();
        urls::find(text, &mut passwords);
        for password in passwords.texts(text) {
            self.add(password);
            if let Some(decoded) = percent_decoded(password) {
                self.add(&decoded);
            }
        }
    }

    /// Finds the secrets in a text.
    pub(super) fn find(&self, text: &str, spans: &mut Spans) {
        for secret in &self.0 {
            for (start, found) in text.match_indices(secret.as_str()) {
                spans.add(start..start + found.len());
            }
        }
    }
}

impl std::fmt::Debug for Values {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(MASK)
    }
}

/// Whether a secret is long enough, and no path: those are names of files that hold secrets.
fn is_distinct(secret: &str) -> bool {
    let is_path = ["/", "~/", "./", "../"].iter().any(|start| secret.starts_with(start));
    let is_one_kind =
        secret.chars().all(char::is_alphabetic) || secret.chars().all(|c| c.is_numeric() || c == '.');
    let least = if is_one_kind { LEAST_OF_ONE_KIND } else { LEAST };
    // One that is masked in part is no secret any more.
    secret.len() >= least && !is_path && !secret.contains(MASK)
}

/// As it stands between the quotes of JSON and of most languages.
fn quoted(secret: &str) -> String {
    let quoted = serde_json::Value::from(secret).to_string();
    quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(secret).to_owned()
}

/// As it stands in a URL.
fn percent_encoded(secret: &str) -> String {
    let mut encoded = String::with_capacity(secret.len());
    for byte in secret.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// What a part of a URL stands for, if it is encoded at all.
fn percent_decoded(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    let mut is_encoded = false;
    for part in parts {
        bytes.push(u8::from_str_radix(part.get(..2)?, 16).ok()?);
        bytes.extend(part.bytes().skip(2));
        is_encoded = true;
    }
    String::from_utf8(bytes).ok().filter(|_| is_encoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(secrets: &[&str], text: &str, expected: &str) {
        let mut values = Values::default();
        secrets.iter().for_each(|secret| values.add(secret));
        let mut spans = Spans::default();
        values.find(text, &mut spans);
        assert_eq!(spans.mask(text), expected);
        assert_eq!(format!("{values:?}"), "****");
    }

    #[test]
    fn a_secret_is_found_in_every_spelling() {
        check(&["hunter2"], "xhunter2x hunter2", "x****x ****");
        check(
            &["a\"b c/d"],
            r#"{"x": "a\"b c/d"} a"b c/d ?x=a%22b%20c%2Fd"#,
            r#"{"x": "****"} **** ?x=****"#,
        );
        check(&["hunter2", "hunter2-long", "2-long and more"], "hunter2-long and more", "****");
        let key = "-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA0123456789\n-----END KEY-----";
        check(&[key], "+MIIEpAIBAAKCAQEA0123456789\n+-----END KEY-----", "+****\n+-----END KEY-----");
    }

    #[test]
    fn a_secret_of_a_url_is_decoded() {
        for (encoded, decoded) in [
            ("a%40b%c3%A9", Some("a@bé")),
            ("plain", None),
            ("%", None),
            ("%4", None),
            ("%zz", None),
            ("%ff", None),
        ] {
            assert_eq!(percent_decoded(encoded).as_deref(), decoded);
        }
    }

    #[test]
    fn what_may_be_another_word_is_not() {
        for text in
            ["1", "true", "postgres", "password", "100000", "/home/a/.ssh/key1", "~/creds.json", "a****b-c"]
        {
            check(&[text], text, text);
        }
    }
}
