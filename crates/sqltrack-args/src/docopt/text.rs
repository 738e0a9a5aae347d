//! What Python's string functions mean by white space, words and upper case, and where keywords stand in a
//! line.
//!
//! Help texts are shared with Python programs, so their words must end in the same places in both languages.

/// White space as `str.split` and `\s` see it: Unicode's, and the four ASCII separators.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

/// The words of a text.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_space).filter(|word| !word.is_empty())
}

/// Cuts white space off both ends.
pub(crate) fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// Whether all letters are upper case, and there is one.
pub(crate) fn is_upper(text: &str) -> bool {
    !text.chars().any(|c| c.is_lowercase() || is_title_case(c)) && text.chars().any(char::is_uppercase)
}

/// Title case letters (one character that is an upper and a lower case letter) are not upper case.
fn is_title_case(c: char) -> bool {
    matches!(c, 'ǅ' | 'ǈ' | 'ǋ' | 'ǲ' | '\u{1f88}'..='\u{1f8f}' | '\u{1f98}'..='\u{1f9f}'
        | '\u{1fa8}'..='\u{1faf}' | '\u{1fbc}' | '\u{1fcc}' | '\u{1ffc}')
}

/// The byte ranges at which `keyword` (lower case ASCII) stands in `line`, whatever its case.
pub(crate) fn keyword_spans(line: &str, keyword: &str) -> Vec<(usize, usize)> {
    line.char_indices()
        .filter_map(|(start, _)| Some((start, start + prefix_length(&line[start..], keyword)?)))
        .collect()
}

/// The end of the last `keyword` in `line` that does not continue a word.
pub(crate) fn last_word_end(line: &str, keyword: &str) -> Option<usize> {
    let starts_word =
        |start: usize| !line[..start].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_');
    keyword_spans(line, keyword).into_iter().rev().find(|(start, _)| starts_word(*start)).map(|(_, end)| end)
}

fn prefix_length(text: &str, keyword: &str) -> Option<usize> {
    let mut rest = text.chars();
    keyword.chars().all(|wanted| rest.next().is_some_and(|c| folds_to(c, wanted))).then(|| {
        let rest = rest.as_str();
        text.len() - rest.len()
    })
}

/// The long s is the one character beyond ASCII whose case folds to a letter of our keywords.
fn folds_to(c: char, wanted: char) -> bool {
    c.to_ascii_lowercase() == wanted || (c == 'ſ' && wanted == 's')
}

/// A text with its line breaks as `\n`, as Python reads files.
pub(crate) fn universal_newlines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_end_where_python_ends_them() {
        assert_eq!(words(" a\u{1c}b\u{a0}c\n").collect::<Vec<_>>(), ["a", "b", "c"]);
    }

    #[test]
    fn upper_case_needs_a_letter() {
        assert!(is_upper("FILE-2"));
        assert!(is_upper("ÄÖ"));
        assert!(!is_upper("42"));
        assert!(!is_upper("File"));
        assert!(!is_upper("ǅ"));
    }

    #[test]
    fn keywords_are_found_in_any_case() {
        assert_eq!(keyword_spans("Options: oPTIONS:", "options:"), [(0, 8), (9, 17)]);
        assert_eq!(last_word_end("Usage: USAGE: misusage:", "usage:"), Some(13));
        assert_eq!(last_word_end("misusage:", "usage:"), None);
        assert_eq!(keyword_spans("uſage:", "usage:"), [(0, 7)]);
    }
}
