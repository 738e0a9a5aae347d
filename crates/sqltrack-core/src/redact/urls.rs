//! Passwords and tokens in URLs.

use super::spans::Spans;

/// Finds the password of every URL: `hunter2` in `postgres://alice:hunter2@db`.
pub(super) fn find(text: &str, spans: &mut Spans) {
    for (colon, separator) in text.match_indices("://") {
        let start = colon + separator.len();
        let word = text.get(start..).unwrap_or_default();
        let word = word.split(char::is_whitespace).next().unwrap_or_default();
        // A password may hold the characters that should end it, so the last `@` of the word counts if the URL has
        // none where it should.
        let authority = word.find(['/', '?', '#']).unwrap_or(word.len());
        let end = word[..authority].rfind('@').or_else(|| word.rfind('@'));
        if let Some(end) = end
            && let Some(colon) = word[..end].find(':')
        {
            spans.add(start + colon + 1..start + end);
        }
    }
}
