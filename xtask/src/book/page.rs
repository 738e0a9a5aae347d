//! What a page links to and what can be linked to on it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// The links and anchors of one page.
pub(super) struct Page {
    pub(super) links: Vec<Link>,
    pub(super) anchors: BTreeSet<String>,
}

/// A link or image, or a file that mdBook includes.
pub(super) struct Link {
    pub(super) target: String,
    pub(super) line: usize,
    pub(super) is_included: bool,
}

impl Link {
    /// Whether it leads out of the repository: `https:`, `mailto:`, `//host`.
    pub(super) fn is_external(&self) -> bool {
        let scheme = self.target.split_once(':').map_or("", |(scheme, _)| scheme);
        let is_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+.-".contains(&byte);
        self.target.starts_with("//") || (!scheme.is_empty() && scheme.bytes().all(is_scheme))
    }
}

impl Page {
    /// Reads a page as mdBook does.
    pub(super) fn parse(text: &str) -> Self {
        let mut anchors = Anchors::default();
        let mut links = included(text);
        let mut heading: Option<(Option<String>, String)> = None;
        let options = Options::ENABLE_TABLES
            | Options::ENABLE_FOOTNOTES
            | Options::ENABLE_STRIKETHROUGH
            | Options::ENABLE_TASKLISTS
            | Options::ENABLE_HEADING_ATTRIBUTES;
        for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
            match event {
                // A chapter of SUMMARY.md that is still to be written has no target.
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. })
                    if !dest_url.is_empty() =>
                {
                    let line = line(text, range.start);
                    links.push(Link { target: dest_url.into_string(), line, is_included: false });
                }
                Event::Start(Tag::Heading { id, .. }) => {
                    heading = Some((id.map(Into::into), String::new()));
                }
                Event::End(TagEnd::Heading(_)) => {
                    if let Some((id, title)) = heading.take() {
                        anchors.add_heading(id, &title);
                    }
                }
                Event::Text(part) | Event::Code(part) => {
                    if let Some((_, title)) = &mut heading {
                        title.push_str(&part);
                    }
                }
                Event::Html(html) | Event::InlineHtml(html) => anchors.add_html(&html),
                _ => {}
            }
        }
        Self { links, anchors: anchors.all }
    }
}

#[derive(Default)]
struct Anchors {
    all: BTreeSet<String>,
    seen: BTreeMap<String, usize>,
}

impl Anchors {
    /// Headings with the same text are told apart by a number, from the second on.
    fn add_heading(&mut self, id: Option<String>, title: &str) {
        let id = id.unwrap_or_else(|| {
            let id = slug(title);
            let count = self.seen.entry(id.clone()).or_default();
            *count += 1;
            if *count == 1 { id } else { format!("{id}-{}", *count - 1) }
        });
        self.all.insert(id);
    }

    /// `<a id="x">` and `<a name="x">`.
    fn add_html(&mut self, html: &str) {
        for attribute in [" id=\"", " name=\""] {
            let values = html.split(attribute).skip(1).filter_map(|rest| rest.split('"').next());
            self.all.extend(values.map(str::to_owned));
        }
    }
}

/// A heading's anchor, by mdBook's rule.
fn slug(title: &str) -> String {
    let kept = title.trim().chars().filter_map(|character| match character {
        '_' | '-' => Some(character),
        _ if character.is_alphanumeric() => Some(character),
        _ if character.is_whitespace() => Some('-'),
        _ => None,
    });
    kept.collect::<String>().to_lowercase()
}

/// The files that mdBook puts into the page, code blocks included: `{{#include FILE:LINES}}` and its like.
fn included(text: &str) -> Vec<Link> {
    let found = ["{{#include ", "{{#rustdoc_include ", "{{#playground "].into_iter().flat_map(|start| {
        text.match_indices(start).filter_map(move |(position, _)| {
            let (inside, _) = text[position + start.len()..].split_once("}}")?;
            let target = inside.trim().split([':', ' ']).next()?.to_owned();
            let is_escaped = text[..position].ends_with('\\');
            (!is_escaped).then(|| Link { target, line: line(text, position), is_included: true })
        })
    });
    found.collect()
}

fn line(text: &str, position: usize) -> usize {
    text[..position].matches('\n').count() + 1
}

/// `text` with `%20` and its like replaced by what they stand for.
pub(super) fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend(before.bytes());
        match after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(b'%');
                rest = after;
            }
        }
    }
    bytes.extend(rest.bytes());
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_anchors(text: &str, expected: &[&str]) {
        let anchors = Page::parse(text).anchors;
        assert_eq!(anchors.iter().map(String::as_str).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn headings_become_anchors_by_the_rule_of_mdbook() {
        check_anchors("# Two *words*, and `code_x`", &["two-words-and-code_x"]);
        check_anchors("# `run -- CMD`: [linked](x.md)", &["run----cmd-linked"]);
        check_anchors("# Größe", &["größe"]);
        check_anchors("# Same\n# Same\n# Same", &["same", "same-1", "same-2"]);
        check_anchors("# Title {#own}", &["own"]);
        check_anchors("text <a id=\"here\"></a>", &["here"]);
    }

    #[test]
    fn code_holds_neither_headings_nor_links() {
        let page = Page::parse("```sh\n# comment\n[x](gone.md)\n```\n`[y](gone.md)`");
        assert!(page.anchors.is_empty());
        assert!(page.links.is_empty());
    }

    #[test]
    fn links_have_their_line_and_references_count() {
        let links = Page::parse("one\n\n[a](b.md) and [c][d]\n\n![e](f.png)\n\n[d]: g.md\n").links;
        let found: Vec<_> = links.iter().map(|link| (link.line, link.target.as_str())).collect();
        assert_eq!(found, [(3, "b.md"), (3, "g.md"), (5, "f.png")]);
    }

    #[test]
    fn addresses_elsewhere_are_told_from_files() {
        let external =
            |target: &str| Link { target: target.to_owned(), line: 1, is_included: false }.is_external();
        for target in ["https://example.org", "mailto:a@example.org", "//example.org"] {
            assert!(external(target), "{target}");
        }
        for target in ["a.md", "../a.md#b", "#b:c", "a/b:c.md"] {
            assert!(!external(target), "{target}");
        }
    }

    #[test]
    fn escapes_are_decoded() {
        assert_eq!(decoded("a%20b%C3%B6%"), "a bö%");
        assert_eq!(decoded("plain"), "plain");
    }
}
