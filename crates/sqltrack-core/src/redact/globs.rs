//! A list of patterns for names, as a parameter holds it.

use sqltrack_args::fnmatch::Pattern;

/// Patterns for names, and others for the names that are exempt. Case does not matter.
#[derive(Debug, Clone, Default)]
pub(crate) struct Globs {
    any_of: Vec<Pattern>,
    but_not: Vec<Pattern>,
}

impl Globs {
    /// Reads patterns that are separated by commas or white space; `!` before one exempts names. What is wrong with
    /// one is said in words that follow what names it.
    pub(crate) fn parse(list: &str) -> Result<Self, String> {
        let mut globs = Self::default();
        for pattern in
            list.split(|c: char| c == ',' || c.is_whitespace()).filter(|pattern| !pattern.is_empty())
        {
            globs.add(pattern)?;
        }
        Ok(globs)
    }

    fn add(&mut self, pattern: &str) -> Result<(), String> {
        let (list, glob) = match pattern.strip_prefix('!') {
            Some(glob) => (&mut self.but_not, glob),
            None => (&mut self.any_of, pattern),
        };
        if glob.is_empty() {
            return Err("a `!` in it has no pattern behind it; write `!NAME`".to_owned());
        }
        if glob.contains(['=', '\0']) {
            return Err("no name holds `=` or a NUL character; give patterns of names alone".to_owned());
        }
        if Pattern::is_unclosed(glob) {
            return Err(format!("the `[` in `{glob}` is not closed; write `[[]` for the character itself"));
        }
        list.push(Pattern::new(&glob.to_ascii_uppercase()));
        Ok(())
    }

    /// The patterns of both.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.any_of.extend(other.any_of);
        self.but_not.extend(other.but_not);
        self
    }

    /// Whether a pattern fits the name, which is in upper case.
    pub(super) fn matches(&self, name: &str) -> bool {
        self.any_of.iter().any(|pattern| pattern.matches(name))
    }

    /// Whether the name, which is in upper case, is exempt.
    pub(super) fn exempts(&self, name: &str) -> bool {
        self.but_not.iter().any(|pattern| pattern.matches(name))
    }

    /// Whether there is no pattern but for those that exempt.
    pub(super) fn is_open(&self) -> bool {
        self.any_of.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_separated_by_commas_and_white_space() {
        let globs = Globs::parse("lab_*, *_pin\n  !LAB_PUBLIC,,").unwrap();
        for (name, expected) in
            [("LAB_X", (true, false)), ("MY_PIN", (true, false)), ("LAB_PUBLIC", (true, true))]
        {
            assert_eq!((globs.matches(name), globs.exempts(name)), expected, "{name}");
        }
        assert!(!globs.matches("PINS"));
        assert!(Globs::parse(" , ").unwrap().is_open());
        assert!(Globs::parse("!X").unwrap().is_open());
    }

    #[test]
    fn a_pattern_that_cannot_be_meant_is_refused() {
        for (list, reason) in [
            ("A, ! B", "a `!` in it has no pattern behind it; write `!NAME`"),
            ("TOKEN=abc", "no name holds `=` or a NUL character; give patterns of names alone"),
            ("A [B", "the `[` in `[B` is not closed; write `[[]` for the character itself"),
        ] {
            assert_eq!(Globs::parse(list).unwrap_err(), reason);
        }
    }
}
