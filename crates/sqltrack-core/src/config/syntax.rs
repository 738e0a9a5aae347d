//! The syntax of Python's configparser, without interpolation, as figment has no parser for it.
//!
//! `[DEFAULT]` is implied; `=` or `:` ends a name; whole lines are comments after `#` or `;`; a line that
//! is indented further than the name above it continues that value.

use std::collections::{HashMap, HashSet};

/// The section whose values count.
const DEFAULT: &str = "DEFAULT";

/// A line that makes no sense. The line itself is not shown, since it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Error {
    pub(super) line: usize,
    pub(super) reason: String,
}

/// A name with its value, and the line of the name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) line: usize,
}

/// The content of a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Document {
    /// What `[DEFAULT]` holds, in order.
    pub(super) entries: Vec<Entry>,
    /// The headers of other sections, whose values are not visible from `[DEFAULT]`.
    pub(super) ignored_sections: Vec<(usize, String)>,
}

/// Parses a text, whose lines may end in any of the usual ways.
pub(super) fn parse(text: &str) -> Result<Document, Error> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut parser = Parser::new();
    for (index, line) in text.split('\n').enumerate() {
        parser.line(index + 1, line)?;
    }
    Ok(parser.finish())
}

struct Parser {
    document: Document,
    section: String,
    sections: HashSet<String>,
    /// Where each name of each section was first set.
    seen: HashMap<(String, String), usize>,
    /// The entry that continuation lines belong to.
    current: Option<Entry>,
    indent: usize,
}

impl Parser {
    fn new() -> Self {
        Self {
            document: Document::default(),
            section: DEFAULT.to_owned(),
            sections: HashSet::new(),
            seen: HashMap::new(),
            current: None,
            indent: 0,
        }
    }

    fn line(&mut self, number: usize, line: &str) -> Result<(), Error> {
        let content = strip(line);
        if content.starts_with(['#', ';']) {
            return Ok(());
        }
        let indent = line.chars().take_while(|char| is_space(*char)).count();
        match &mut self.current {
            Some(entry) if content.is_empty() || indent > self.indent => {
                entry.value.push('\n');
                entry.value.push_str(content);
            }
            _ if content.is_empty() => {}
            _ => {
                self.indent = indent;
                match header(content) {
                    Some(name) => self.header(number, name)?,
                    None => self.entry(number, content)?,
                }
            }
        }
        Ok(())
    }

    fn header(&mut self, line: usize, name: &str) -> Result<(), Error> {
        self.close_entry();
        name.clone_into(&mut self.section);
        if name != DEFAULT {
            if !self.sections.insert(name.to_owned()) {
                return Err(Error { line, reason: "this section is there twice; remove one".to_owned() });
            }
            self.document.ignored_sections.push((line, name.to_owned()));
        }
        Ok(())
    }

    fn entry(&mut self, line: usize, content: &str) -> Result<(), Error> {
        self.close_entry();
        let wrong = |reason: &str| Error { line, reason: reason.to_owned() };
        let (name, value) = content.split_once(['=', ':']).ok_or_else(|| wrong("expected `name = value`"))?;
        let name = strip(name).to_lowercase();
        if name.is_empty() {
            return Err(wrong("there is no name before the value; expected `name = value`"));
        }
        if let Some(first) = self.seen.insert((self.section.clone(), name.clone()), line) {
            return Err(wrong(&format!("this name is there already, in line {first}; remove one")));
        }
        self.current = Some(Entry { name, value: strip(value).to_owned(), line });
        Ok(())
    }

    fn close_entry(&mut self) {
        if let Some(mut entry) = self.current.take()
            && self.section == DEFAULT
        {
            entry.value.truncate(entry.value.trim_end_matches(is_space).len());
            self.document.entries.push(entry);
        }
    }

    fn finish(mut self) -> Document {
        self.close_entry();
        self.document
    }
}

/// The name in `[name]`. Whatever follows the last bracket is ignored, as configparser does.
fn header(content: &str) -> Option<&str> {
    let (name, _) = content.strip_prefix('[')?.rsplit_once(']')?;
    (!name.is_empty()).then_some(name)
}

/// What Python's `str.isspace` calls space.
fn is_space(char: char) -> bool {
    char.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&char)
}

fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(&str, &str, usize)]) {
        let document = parse(text).unwrap();
        let entries: Vec<_> = document
            .entries
            .iter()
            .map(|entry| (entry.name.as_str(), entry.value.as_str(), entry.line))
            .collect();
        assert_eq!(entries, expected, "{text:?}");
    }

    #[track_caller]
    fn refuse(text: &str, line: usize, reason: &str) {
        assert_eq!(parse(text), Err(Error { line, reason: reason.to_owned() }), "{text:?}");
    }

    #[test]
    fn names_and_values() {
        check("", &[]);
        check("user = alice\nHost:postgres\n", &[("user", "alice", 1), ("host", "postgres", 2)]);
        check("\n# x\n  ; y\n[DEFAULT]\na=1", &[("a", "1", 5)]);
        check("a = b = c : d # e ; %(f)s % $1", &[("a", "b = c : d # e ; %(f)s % $1", 1)]);
        check("a:b=c", &[("a", "b=c", 1)]);
        check("a =\nb=", &[("a", "", 1), ("b", "", 2)]);
        check("a = 1\r\nb = 2\rc = 3", &[("a", "1", 1), ("b", "2", 2), ("c", "3", 3)]);
        check("\u{a0}ä Ö = \u{3000}x\u{1f}", &[("ä ö", "x", 1)]);
    }

    #[test]
    fn indented_lines_continue_a_value() {
        check("a = 1\n  2\n# no\n\n   3 = 4\n\nb = 5", &[("a", "1\n2\n\n3 = 4", 1), ("b", "5", 7)]);
        check("  a = 1\n  b = 2\n c = 3\n  d", &[("a", "1", 1), ("b", "2", 2), ("c", "3\nd", 3)]);
        check("a =\n  x\n  [y]\n", &[("a", "\nx\n[y]", 1)]);
        check("[DEFAULT]\n  a = 1", &[("a", "1", 2)]);
    }

    #[test]
    fn only_the_default_section_counts() {
        let document = parse("a=1\n[other]\na=2\n b\n[DEFAULT]x\nb=3\n[x]y]\n").unwrap();
        let names: Vec<_> = document.entries.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(document.ignored_sections, [(2, "other".to_owned()), (7, "x]y".to_owned())]);
    }

    #[test]
    fn lines_that_make_no_sense_are_named() {
        refuse("a=1\npassword hunter2", 2, "expected `name = value`");
        refuse("= x", 1, "there is no name before the value; expected `name = value`");
        refuse("a=1\n\nA = 2", 3, "this name is there already, in line 1; remove one");
        refuse("a=1\n[DEFAULT]\na=1", 3, "this name is there already, in line 1; remove one");
        refuse("[x]\n[y]\n[x]", 3, "this section is there twice; remove one");
        refuse("[x]\njunk", 2, "expected `name = value`");
        refuse("[]", 1, "expected `name = value`");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            values in prop::collection::btree_map("[a-z_]{1,8}", "[!-~é%=#;:]([ -~é]{0,20}[!-~é])?", 0..6),
            delimiter in prop::sample::select(vec!["=", ":", " = ", "\t:\t"]),
        ) {
            let text: String =
                values.iter().map(|(name, value)| format!("{name}{delimiter}{value}\n")).collect();
            let document = parse(&text).unwrap();
            let read: Vec<_> = document.entries.into_iter().map(|entry| (entry.name, entry.value)).collect();
            prop_assert_eq!(read, values.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn no_text_is_a_panic(text in "[a=:#;\\[\\]DEFAULT \t\r\n\u{a0}]{0,60}") {
            drop(parse(&text));
        }
    }
}
