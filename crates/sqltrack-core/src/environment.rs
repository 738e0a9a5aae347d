//! The environment of the process, as a run records it.

use serde_json::Value as Json;
use sqltrack_engines::Object;

/// What stands in the place of a secret.
const MASK: &str = "****";
/// Parts of the names of variables that hold secrets, in upper case.
const SECRET_PARTS: [&str; 6] = ["TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL", "PGPASSWORD"];
/// The ends of such names.
const SECRET_ENDS: [&str; 3] = ["_KEY", "_PASS", "_PWD"];

/// The variables of this process, with secrets masked: those whose name says that they are secret, and passwords
/// in URLs. A variable that is no Unicode, or holds what a database cannot keep, is left out.
pub(crate) fn capture() -> Object {
    std::env::vars_os()
        .filter_map(|(name, value)| entry(name.into_string().ok()?, value.into_string().ok()?))
        .collect()
}

fn entry(name: String, value: String) -> Option<(String, Json)> {
    let value = if is_secret(&name) { MASK.to_owned() } else { without_passwords(&value) };
    (!name.contains('\0') && !value.contains('\0')).then_some((name, value.into()))
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    SECRET_PARTS.iter().any(|part| name.contains(part)) || SECRET_ENDS.iter().any(|end| name.ends_with(end))
}

/// The text with the password of every URL in it masked.
///
/// ```
/// use sqltrack_core::without_passwords;
///
/// assert_eq!(without_passwords("--db=postgres://alice:secret@db/runs"), "--db=postgres://alice:****@db/runs");
/// ```
#[must_use]
pub fn without_passwords(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(scheme) = rest.find("://") {
        let (before, after) = rest.split_at(scheme + 3);
        masked.push_str(before);
        let authority = after
            .find(|c: char| c == '/' || c == '?' || c == '#' || c.is_whitespace())
            .unwrap_or(after.len());
        // A password may hold the characters that should end it, so the last `@` before white space counts.
        let word = after.find(char::is_whitespace).unwrap_or(after.len());
        let end = after[..authority].rfind('@').or_else(|| after[..word].rfind('@'));
        match end.map(|end| (end, after[..end].find(':'))) {
            Some((end, Some(colon))) => {
                masked.push_str(&after[..=colon]);
                masked.push_str(MASK);
                rest = &after[end..];
            }
            _ => rest = after,
        }
    }
    masked + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked() {
        for name in
            ["GITHUB_TOKEN", "aws_secret_access_key", "PGPASSWORD", "SQLTRACK_DSN_PASSWORD", "API_KEY"]
        {
            assert_eq!(entry(name.to_owned(), "canary".to_owned()), Some((name.to_owned(), MASK.into())));
        }
        assert_eq!(
            entry("HOME".to_owned(), "/home/a".to_owned()),
            Some(("HOME".to_owned(), "/home/a".into()))
        );
    }

    #[test]
    fn only_the_password_of_a_url_is_masked() {
        for (text, expected) in [
            ("postgres://alice:canary@db/runs", "postgres://alice:****@db/runs"),
            ("a=http://u:p@h b=http://x:y@z/", "a=http://u:****@h b=http://x:****@z/"),
            ("http://user:p/a@ss@host/x", "http://user:****@host/x"),
            ("http://host:8080/x", "http://host:8080/x"),
            ("no url: at all @ here", "no url: at all @ here"),
        ] {
            assert_eq!(without_passwords(text), expected);
        }
    }
}
