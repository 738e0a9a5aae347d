//! Shell-style patterns for names.

/// A pattern of `*`, `?`, `[abc]`, `[a-c]` and `[!abc]`.
///
/// ```
/// use sqltrack_args::fnmatch::Pattern;
///
/// assert!(Pattern::new("*_KEY").matches("API_KEY"));
/// assert!(!Pattern::new("*_KEY").matches("api_key"));
/// ```
#[derive(Debug, Clone)]
pub struct Pattern(Vec<Element>);

impl Pattern {
    /// Reads a pattern. A `[` that is not closed stands for itself.
    #[must_use]
    pub fn new(pattern: &str) -> Self {
        Self(elements(pattern))
    }

    /// Whether a `[` in `pattern` is not closed, which is hardly ever meant.
    #[must_use]
    pub fn is_unclosed(pattern: &str) -> bool {
        let pattern: Vec<char> = pattern.chars().collect();
        let mut at = 0;
        while let Some(open) = pattern[at..].iter().position(|c| *c == '[') {
            let Some((_, length)) = set(&pattern[at + open + 1..]) else { return true };
            at += open + 1 + length;
        }
        false
    }

    /// Whether all of `name` matches, case-sensitively.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        let Self(elements) = self;
        let (mut rest, mut element) = (name.chars(), 0);
        // The last `*`, and what follows its reach: on a mismatch it takes one character more.
        let mut star = None;
        loop {
            let mut next = rest.clone();
            let c = next.next();
            match (elements.get(element), c) {
                (Some(Element::Any), _) => {
                    star = Some((element, rest.clone()));
                    element += 1;
                }
                (Some(Element::One(class)), Some(c)) if class.contains(c) => {
                    rest = next;
                    element += 1;
                }
                (None, None) => return true,
                (_, None) => return false,
                (_, Some(_)) => {
                    let Some((any, reach)) = &mut star else { return false };
                    reach.next();
                    rest = reach.clone();
                    element = *any + 1;
                }
            }
        }
    }
}

#[derive(Debug, Clone)]
enum Element {
    /// `*`
    Any,
    One(Class),
}

#[derive(Debug, Clone)]
enum Class {
    /// `?`
    All,
    Ranges {
        ranges: Vec<(char, char)>,
        negated: bool,
    },
}

impl Class {
    fn contains(&self, c: char) -> bool {
        match self {
            Self::All => true,
            Self::Ranges { ranges, negated } => {
                ranges.iter().any(|(from, to)| (*from..=*to).contains(&c)) != *negated
            }
        }
    }
}

fn elements(pattern: &str) -> Vec<Element> {
    let pattern: Vec<char> = pattern.chars().collect();
    let mut elements = Vec::new();
    let mut at = 0;
    while let Some(&c) = pattern.get(at) {
        let class = match c {
            '*' => None,
            '?' => Some(Class::All),
            '[' => match set(&pattern[at + 1..]) {
                Some((class, length)) => {
                    at += length;
                    Some(class)
                }
                None => Some(literal('[')),
            },
            c => Some(literal(c)),
        };
        elements.push(class.map_or(Element::Any, Element::One));
        at += 1;
    }
    elements
}

fn literal(c: char) -> Class {
    Class::Ranges { ranges: vec![(c, c)], negated: false }
}

/// What follows a `[` up to its `]`, which may be the first member. Without a `]`, the `[` stands for itself.
fn set(rest: &[char]) -> Option<(Class, usize)> {
    let negated = rest.first() == Some(&'!');
    let start = usize::from(negated);
    let end = start + 1 + rest.get(start + 1..)?.iter().position(|c| *c == ']')?;
    let members = &rest[start..end];
    let mut ranges = Vec::new();
    let mut at = 0;
    while at < members.len() {
        if members.len() > at + 2 && members[at + 1] == '-' {
            ranges.push((members[at], members[at + 2]));
            at += 3;
        } else {
            ranges.push((members[at], members[at]));
            at += 1;
        }
    }
    Some((Class::Ranges { ranges, negated }, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_names() {
        for (pattern, name, expected) in [
            ("*int", "nint", true),
            ("*int", "int", true),
            ("*int", "ints", false),
            ("*int", "INT", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]]x", "]x", true),
            ("[x", "[x", true),
            ("*a*b*", "xxayybzz", true),
            ("*a*b", "aba", false),
            ("", "", true),
            ("*", "", true),
        ] {
            assert_eq!(Pattern::new(pattern).matches(name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn a_bracket_that_is_not_closed_is_found() {
        for (pattern, expected) in [
            ("[", true),
            ("[]", true),
            ("[!]", true),
            ("[]]", false),
            ("[a]b]", false),
            ("[a]*[b", true),
            ("é]", false),
        ] {
            assert_eq!(Pattern::is_unclosed(pattern), expected, "{pattern}");
        }
    }

    #[test]
    fn many_stars_stay_fast() {
        assert!(!Pattern::new(&("*a".repeat(50) + "b")).matches(&"a".repeat(5_000)));
    }
}
