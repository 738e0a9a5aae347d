//! The pages, and the blocks of code on them.

use std::path::{Path, PathBuf};
use std::{fs, io};

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

/// A page of the book, or the README.
#[derive(Debug, Clone)]
pub struct Page {
    /// Its path from the root of the repository.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// A block of code, or a comment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Block {
    /// The first word after the fence: `console`, `sql`, `rust`. Empty for a comment.
    pub language: String,
    /// The comment right above it, such as `file: v001.sql`.
    pub note: String,
    /// The code; of a comment, its text.
    pub code: String,
    /// The line of the first line of code, from 1.
    pub line: usize,
}

/// The root of the repository.
fn root() -> PathBuf {
    // Cargo says at run time where this package is; another checkout may share the target directory.
    let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&package).parent().unwrap_or(Path::new(".")).to_owned()
}

/// The README and all pages of the book.
///
/// # Errors
///
/// If they cannot be read.
pub fn pages() -> io::Result<Vec<Page>> {
    let mut paths = vec!["README.md".to_owned()];
    for entry in fs::read_dir(root().join("docs/src"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".md") {
            paths.push(format!("docs/src/{name}"));
        }
    }
    paths.sort();
    paths.iter().map(|path| Page::read(path)).collect()
}

impl Page {
    /// A page by its path from the root.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn read(path: &str) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), text: fs::read_to_string(root().join(path))? })
    }

    /// Writes another text into the page's file.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn replace(&self, text: &str) -> io::Result<()> {
        fs::write(root().join(&self.path), text)
    }

    /// Its blocks of code and its comments, in their order.
    #[must_use]
    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut block = Block::default();
        for (event, range) in Parser::new(&self.text).into_offset_iter() {
            let line = self.text[..range.start].matches('\n').count() + 1;
            match event {
                Event::Start(Tag::HtmlBlock) => block = Block { line, ..Block::default() },
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                    let language = info.split([',', ' ']).next().unwrap_or_default().to_owned();
                    // A comment right above is a note on the block.
                    let note = std::mem::take(&mut block.code);
                    block = Block { language, note, line: line + 1, ..Block::default() };
                }
                Event::Html(text) | Event::Text(text) => block.code.push_str(&text),
                Event::End(TagEnd::HtmlBlock) => {
                    let inside = block.code.trim().trim_start_matches("<!--").trim_end_matches("-->");
                    block.code = inside.trim().to_owned();
                    blocks.push(block.clone());
                }
                Event::End(TagEnd::CodeBlock) => blocks.push(std::mem::take(&mut block)),
                Event::Start(_) | Event::End(_) => block = Block::default(),
                _ => {}
            }
        }
        blocks
    }

    /// The text below a heading such as `## Rules`, to the next one of any level; `None` if there is no such heading.
    #[must_use]
    pub fn section(&self, heading: &str) -> Option<&str> {
        let (_, below) = self.text.split_once(&format!("\n{heading}\n"))?;
        Some(below.find("\n#").map_or(below, |end| &below[..end]))
    }

    /// The rows of its tables, as the texts of their cells; heads and rules included.
    #[must_use]
    pub fn rows(&self) -> Vec<Vec<&str>> {
        let rows = self.text.lines().filter_map(|line| line.strip_prefix('|'));
        rows.map(|row| row.strip_suffix('|').unwrap_or(row).split('|').map(str::trim).collect()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_have_their_language_note_and_line() {
        let text = "# A\n\n<!-- file: a.sql -->\n```sql\nSELECT 1;\n```\n\ntext\n\n```console\n$ ls\n```\n\n<!-- hidden\n$ cd x\n-->\n";
        let blocks = Page { path: String::new(), text: text.to_owned() }.blocks();
        let block = |language: &str, note: &str, code: &str, line| Block {
            language: language.to_owned(),
            note: note.to_owned(),
            code: code.to_owned(),
            line,
        };
        assert_eq!(
            blocks,
            [
                block("", "", "file: a.sql", 3),
                block("sql", "file: a.sql", "SELECT 1;\n", 5),
                block("console", "", "$ ls\n", 11),
                block("", "", "hidden\n$ cd x", 14),
            ]
        );
    }

    #[test]
    fn a_section_ends_at_the_next_heading() {
        let page = Page { path: String::new(), text: "# A\n## B\nb\n### C\nc\n".to_owned() };
        assert_eq!(page.section("## B"), Some("b"));
        assert_eq!(page.section("### C"), Some("c\n"));
        assert_eq!(page.section("## C"), None);
    }

    #[test]
    fn the_rows_of_tables_are_their_cells() {
        let text = "| a | `b` |\n| --- | --- |\ntext\n| c |  |\n".to_owned();
        let page = Page { path: String::new(), text };
        assert_eq!(page.rows(), [vec!["a", "`b`"], vec!["---", "---"], vec!["c", ""]]);
    }
}
