//! Passwords and tokens in URLs. Parameters behind the `?` are names with values, as they are everywhere.

use std::ops::Range;

use super::code::is_reference;
use super::scan::{Text, is_quote};
use super::spans::Spans;

/// The longest user, password and host that are looked at.
const REACH: usize = 2_000;
/// How far a password is looked for that holds the characters which should end it.
const REACH_BEYOND: usize = 300;
/// What GitHub takes for a password when the user is a token.
const NO_PASSWORD: &str = "x-oauth-basic";

/// Finds the password of every URL, `hunter2` in `postgres://alice:hunter2@db`, and tokens in the place of a user.
pub(super) fn find(text: &str, spans: &mut Spans) {
    let scan = Text::new(text);
    let plain = text.match_indices("://").filter_map(|(at, sign)| secret(scan, at, at + sign.len()));
    let encoded = text.match_indices("%2F%2F").chain(text.match_indices("%2f%2f"));
    let encoded = encoded.filter_map(|(at, sign)| encoded_secret(scan, at + sign.len()));
    plain
        .chain(encoded)
        .filter(|secret| !is_reference(scan.get(secret.clone())))
        .for_each(|secret| spans.add(secret));
}

/// What is secret in the URL whose scheme ends at `scheme_end`, and which goes on at `start`; may be empty.
fn secret(text: Text<'_>, scheme_end: usize, start: usize) -> Option<Range<usize>> {
    let scheme_start =
        text.skip_back(scheme_end, |byte| byte.is_ascii_alphanumeric() || b"+.-".contains(&byte));
    let enclosing = text.before(scheme_start).filter(|byte| is_quote(*byte));
    let is_url =
        |byte: u8| !byte.is_ascii_whitespace() && !b"\"`<>\\".contains(&byte) && Some(byte) != enclosing;
    let is_authority = |byte: u8| is_url(byte) && !matches!(byte, b'/' | b'?' | b'#');
    let authority_end = text.until(start + REACH).skip(start, is_authority);
    let authority = text.get(start..authority_end);
    // A password may hold the characters that should end it; a port may not, nor may an address.
    let beyond = || {
        let word_end = text.until(authority_end + REACH_BEYOND).skip(authority_end, is_url);
        let at = text.get(authority_end..word_end).rfind('@').filter(|_| has_password(authority))?;
        Some(authority_end + at)
    };
    let user_end = authority.rfind('@').map(|at| start + at).or_else(beyond)?;
    let is_web = text.get(scheme_start..scheme_end).to_ascii_lowercase().starts_with("http");
    Some(secret_of_user(text, start..user_end, is_web))
}

/// Whether something that should be a host and port can be a user and the beginning of a password.
fn has_password(authority: &str) -> bool {
    let after = authority.split_once(':').map(|(_, after)| after);
    !authority.starts_with('[') && after.is_some_and(|after| !after.bytes().all(|byte| byte.is_ascii_digit()))
}

/// What is secret in `user:password`.
fn secret_of_user(text: Text<'_>, user: Range<usize>, is_web: bool) -> Range<usize> {
    let colon = [":", "%3A", "%3a"]
        .iter()
        .filter_map(|sign| Some((text.find(user.clone(), sign)?, sign.len())))
        .min();
    let (name, password) = match colon {
        Some((at, length)) => (user.start..at, at + length..user.end),
        None => (user.clone(), user.end..user.end),
    };
    let has_token = password.is_empty() || text.get(password.clone()) == NO_PASSWORD;
    if is_web && has_token && (colon.is_some() || is_token(text.get(name.clone()))) { name } else { password }
}

/// Whether a user without a password is one that can log in by that name alone.
fn is_token(user: &str) -> bool {
    user.len() >= 16 || (user.len() >= 10 && user.bytes().any(|byte| byte.is_ascii_digit()))
}

/// The password of a URL that is part of another, from behind its `%2F%2F`; may be empty.
fn encoded_secret(text: Text<'_>, start: usize) -> Option<Range<usize>> {
    let near = text.until(start + REACH);
    let end =
        near.skip(start, |byte| !byte.is_ascii_whitespace() && !is_quote(byte) && !b"&<>".contains(&byte));
    near.find(start..end, "%40").map(|at| secret_of_user(text, start..at, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let mut spans = Spans::default();
        find(text, &mut spans);
        assert_eq!(spans.mask(text), expected);
    }

    #[test]
    fn only_the_password_is_masked() {
        for (text, expected) in [
            ("postgres://alice:canary@db/runs", "postgres://alice:****@db/runs"),
            ("a=http://u:p@h b=http://x:y@z/", "a=http://u:****@h b=http://x:****@z/"),
            ("http://user:p/a@ss@host/x", "http://user:****@host/x"),
            ("http://user:p?a@ss@host/x", "http://user:****@host/x"),
            ("postgres://al%20ice:c%40n%2Fry@[::1]:5432/x", "postgres://al%20ice:****@[::1]:5432/x"),
            ("postgres://alice%3Acanary@db", "postgres://alice%3A****@db"),
            ("redis://:canary@h", "redis://:****@h"),
            (
                "?next=postgres%3A%2F%2Falice%3Acan%25ary%40db%2Fx&a=1",
                "?next=postgres%3A%2F%2Falice%3A****%40db%2Fx&a=1",
            ),
            (r#"{"a":"https://u:canary@h","b":"x@y:z"}"#, r#"{"a":"https://u:****@h","b":"x@y:z"}"#),
            ("postgres://u:é😀@h", "postgres://u:****@h"),
        ] {
            check(text, expected);
        }
    }

    #[test]
    fn a_token_may_be_the_user() {
        for (text, expected) in [
            ("https://canary-token-0123@github.com/a/b", "https://****@github.com/a/b"),
            ("https://canary:x-oauth-basic@github.com", "https://****:x-oauth-basic@github.com"),
            ("https://canary:@github.com", "https://****:@github.com"),
            ("https://oauth2:canary@gitlab.com", "https://oauth2:****@gitlab.com"),
        ] {
            check(text, expected);
        }
    }

    #[test]
    fn other_urls_stay() {
        for text in [
            "http://host:8080/x",
            "http://host:8080/users/alice@example.com",
            "https://registry.example:443/@scope/package",
            "http://[::1]:80/a@b",
            "https://example.com/a:b@c",
            "oci://ghcr.io/org/image:tag@sha256:0123",
            "postgres://alice@db/x",
            "postgres://{user}:{self.password}@db/${PASSWORD}",
            "postgres://alice:${DB_PASSWORD}@db/x",
            "ssh://git@github.com/a/b",
            "https://alice@bitbucket.org/a",
            r#"{"a":"https://h:80","b":"x@y"}"#,
            "no url: at all @ here ://",
        ] {
            check(text, text);
        }
    }
}
