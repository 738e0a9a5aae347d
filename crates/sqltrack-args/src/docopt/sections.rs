//! Where the usage section of a help text begins and ends.

use super::text::{keyword_spans, last_word_end, strip};
use crate::error::{HelpTextError, HelpTextProblem};

const USAGE: &str = "usage:";
const OPTIONS: &str = "options:";

/// A help text in its four parts; together they are the whole text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sections<'a> {
    /// The lines above the usage section.
    pub(crate) before: &'a str,
    /// The line that opens the usage section, up to its `usage:`.
    pub(crate) header: &'a str,
    /// What follows on that line, and the indented lines below.
    pub(crate) body: &'a str,
    /// Everything else.
    pub(crate) after: &'a str,
    /// The line on which the body begins, counted from 1.
    pub(crate) line: usize,
}

impl<'a> Sections<'a> {
    /// Splits a help text, and reports the mistakes that its layout alone gives away.
    pub(crate) fn split(text: &'a str) -> Result<Self, HelpTextError> {
        let mut start = 0;
        for (index, line) in text.split_inclusive('\n').enumerate() {
            if let Some(end) = last_word_end(line, USAGE) {
                let sections = Self::around(text, start, start + end, index + 1);
                return sections.lint().map(|()| sections);
            }
            start += line.len();
        }
        Err(HelpTextError::new(None, HelpTextProblem::NoUsage))
    }

    fn around(text: &'a str, header: usize, body: usize, line: usize) -> Self {
        let mut lines = text[body..].split_inclusive('\n');
        let first = lines.next().map_or(0, str::len);
        let indented: usize = lines.take_while(|line| line.starts_with([' ', '\t'])).map(str::len).sum();
        let after = body + first + indented;
        Self {
            before: &text[..header],
            header: &text[header..body],
            body: &text[body..after],
            after: &text[after..],
            line,
        }
    }

    fn lint(&self) -> Result<(), HelpTextError> {
        let line_of = |text: &str, keyword| {
            text.lines().position(|line| !keyword_spans(line, keyword).is_empty()).map(|at| self.line + at)
        };
        let error = |line, problem| Err(HelpTextError::new(Some(line), problem));
        if let Some(line) = line_of(self.body, OPTIONS) {
            return error(line, HelpTextProblem::OptionsInUsage);
        }
        let body_lines = self.body.matches('\n').count();
        let second = line_of(self.body, USAGE).or(line_of(self.after, USAGE).map(|line| line + body_lines));
        if let Some(line) = second {
            return error(line, HelpTextProblem::SecondUsage);
        }
        if strip(self.body).is_empty() {
            return error(self.line, HelpTextProblem::EmptyUsage);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> (Option<usize>, HelpTextProblem) {
        let err = Sections::split(text).unwrap_err();
        (err.line(), err.problem().clone())
    }

    #[test]
    fn the_body_ends_before_the_first_line_that_is_not_indented() {
        let sections = Sections::split("About.\n\nUsage: prog a\n  prog b\n\tprog c\nRest\n").unwrap();
        assert_eq!(sections.before, "About.\n\n");
        assert_eq!(sections.header, "Usage:");
        assert_eq!(sections.body, " prog a\n  prog b\n\tprog c\n");
        assert_eq!(sections.after, "Rest\n");
        assert_eq!(sections.line, 3);
    }

    #[test]
    fn layout_mistakes_name_their_line() {
        assert_eq!(problem("nothing here"), (None, HelpTextProblem::NoUsage));
        assert_eq!(problem("\nusage:\n\n  prog"), (Some(2), HelpTextProblem::EmptyUsage));
        assert_eq!(problem("usage: prog\n  options:\n"), (Some(2), HelpTextProblem::OptionsInUsage));
        assert_eq!(problem("usage: prog\n\nusage: x"), (Some(3), HelpTextProblem::SecondUsage));
        assert_eq!(problem("usage: prog\n\nmisusage: x"), (Some(3), HelpTextProblem::SecondUsage));
    }
}
