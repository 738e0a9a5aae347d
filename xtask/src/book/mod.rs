//! The book's check: every page is listed, and every link inside of the repository leads somewhere.
//!
//! mdBook itself reports neither, and compiling it takes minutes.

mod page;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::workspace;
use page::{Link, Page};

/// Checks the book in `docs/` and the pages in the root folder, and says what was looked at.
pub(crate) fn check() -> Result<String> {
    check_in(&workspace::root())
}

fn check_in(root: &Path) -> Result<String> {
    let book = Book::open(root)?;
    let mut problems = book.listing_problems();
    let mut links = 0;
    for (path, page) in &book.pages {
        links += page.links.len();
        let told = |(link, problem): (&Link, String)| {
            format!("{}:{}: {problem}: {}", path.display(), link.line, link.target)
        };
        let broken = page.links.iter().filter_map(|link| Some((link, book.problem(path, link)?)));
        problems.extend(broken.map(told));
    }
    if !problems.is_empty() {
        problems.iter().for_each(|problem| println!("  {problem}"));
        bail!("the book has {} problems", problems.len());
    }
    Ok(format!("{} pages, {links} links", book.pages.len()))
}

/// All Markdown of the repository that people read, by path from the root.
struct Book {
    root: PathBuf,
    /// The folder of the book's pages; what lies elsewhere is not part of the built book.
    source: PathBuf,
    pages: BTreeMap<PathBuf, Page>,
}

impl Book {
    fn open(root: &Path) -> Result<Self> {
        let settings = root.join("docs/book.toml");
        let settings =
            fs::read_to_string(&settings).with_context(|| format!("cannot read {}", settings.display()))?;
        let source = normalized(&Path::new("docs").join(setting(&settings, "src").unwrap_or("src")));
        let built = normalized(&Path::new("docs").join(setting(&settings, "build-dir").unwrap_or("book")));
        let mut files = workspace::files(&root.join("docs"), "md")?;
        for entry in fs::read_dir(root)? {
            files.push(entry?.path());
        }
        let mut pages = BTreeMap::new();
        for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "md")) {
            let path = file.strip_prefix(root)?.to_owned();
            if !path.starts_with(&built) {
                pages.insert(path, Page::parse(&fs::read_to_string(file)?));
            }
        }
        Ok(Self { root: root.to_owned(), source, pages })
    }

    /// Pages that SUMMARY.md does not list, or lists twice. (Those that are absent are broken links.)
    fn listing_problems(&self) -> Vec<String> {
        let summary = self.source.join("SUMMARY.md");
        let Some(listing) = self.pages.get(&summary) else {
            return vec![format!("{}: there is no such page", summary.display())];
        };
        let mut listed = BTreeSet::new();
        let mut problems = Vec::new();
        for link in &listing.links {
            let page = normalized(&self.source.join(&link.target));
            if !listed.insert(page) {
                problems.push(format!("{}:{}: listed twice: {}", summary.display(), link.line, link.target));
            }
        }
        let own = self.pages.keys().filter(|path| path.starts_with(&self.source) && **path != summary);
        let unlisted = own.filter(|path| !listed.contains(*path));
        problems.extend(unlisted.map(|path| format!("{}: not listed in SUMMARY.md", path.display())));
        problems
    }

    /// What is wrong with a link on the page `from`.
    fn problem(&self, from: &Path, link: &Link) -> Option<String> {
        if link.is_external() {
            return None;
        }
        let (target, anchor) = link.target.split_once('#').unwrap_or((&link.target, ""));
        let path = if target.is_empty() {
            from.to_owned()
        } else {
            normalized(&from.parent()?.join(&*page::decoded(target)))
        };
        if from.starts_with(&self.source) && !path.starts_with(&self.source) && !link.is_included {
            return Some("leads out of the book".to_owned());
        }
        let Some(page) = self.pages.get(&path) else {
            return (!self.root.join(&path).exists()).then(|| "no such file".to_owned());
        };
        let missing = !anchor.is_empty() && !page.anchors.contains(&*page::decoded(anchor));
        missing.then(|| "no such heading".to_owned())
    }
}

/// The value of a key of `book.toml` whose name is used in no other section.
fn setting<'a>(settings: &'a str, key: &str) -> Option<&'a str> {
    settings.lines().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        (name.trim() == key).then(|| value.trim().trim_matches(['"', '\'']))
    })
}

/// `path` without `.` and `..`, by its text alone.
fn normalized(path: &Path) -> PathBuf {
    let mut normalized = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if normalized.file_name().is_some() => {
                normalized.pop();
            }
            other => normalized.push(other),
        }
    }
    normalized
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes the pages of a book, checks it and compares the problems, one a line.
    #[track_caller]
    fn check(pages: &[(&str, &str)], expected: &[&str]) {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("docs/src/sub")).unwrap();
        fs::create_dir_all(root.path().join("docs/book")).unwrap();
        fs::write(root.path().join("docs/book.toml"), "[book]\ntitle = \"Toy\"\nsrc = \"src\"\n").unwrap();
        fs::write(root.path().join("docs/book/built.md"), "[x](gone.md)").unwrap();
        for (name, text) in pages {
            fs::write(root.path().join(name), text).unwrap();
        }
        let book = Book::open(root.path()).unwrap();
        let mut found = book.listing_problems();
        for (path, page) in &book.pages {
            for link in &page.links {
                let problem = book.problem(path, link);
                found
                    .extend(problem.map(|problem| format!("{}: {problem}: {}", path.display(), link.target)));
            }
        }
        assert_eq!(found, expected);
        assert_eq!(check_in(root.path()).is_ok(), expected.is_empty());
    }

    #[test]
    fn a_book_in_order_has_no_problems() {
        check(
            &[
                ("README.md", "[book](docs/src/a.md#a-heading) and [code](docs/book.toml)"),
                ("docs/src/SUMMARY.md", "- [A](a.md)\n  - [B](./sub/b.md)\n- [Draft]()"),
                (
                    "docs/src/a.md",
                    "# A heading\n[b](sub/b.md#two) [web](https://example.org/#x) [me](#a-heading)",
                ),
                ("docs/src/sub/b.md", "# One\n## Two\n[up](../a.md)"),
            ],
            &[],
        );
    }

    #[test]
    fn pages_are_listed_once_and_exist() {
        check(
            &[
                ("docs/src/SUMMARY.md", "- [A](a.md)\n- [Again](a.md)\n- [Gone](gone.md)"),
                ("docs/src/a.md", ""),
                ("docs/src/sub/b.md", ""),
            ],
            &[
                "docs/src/SUMMARY.md:2: listed twice: a.md",
                "docs/src/sub/b.md: not listed in SUMMARY.md",
                "docs/src/SUMMARY.md: no such file: gone.md",
            ],
        );
    }

    #[test]
    fn links_lead_to_files_and_headings_of_the_book() {
        check(
            &[
                ("README.md", "[gone](docs/gone.md)"),
                ("docs/src/SUMMARY.md", "- [A](a.md)"),
                ("docs/src/a.md", "# A\n[x](#b) [y](SUMMARY.md#z) [z](b.md) [out](../../README.md)"),
            ],
            &[
                "README.md: no such file: docs/gone.md",
                "docs/src/a.md: no such heading: #b",
                "docs/src/a.md: no such heading: SUMMARY.md#z",
                "docs/src/a.md: no such file: b.md",
                "docs/src/a.md: leads out of the book: ../../README.md",
            ],
        );
    }

    #[test]
    fn an_included_file_exists_and_may_be_outside_of_the_book() {
        check(
            &[
                ("docs/src/SUMMARY.md", "- [A](a.md)"),
                (
                    "docs/src/a.md",
                    "{{#include ../book.toml:2:3}}\n```rust\n{{#include ../../examples/gone.rs:part}}\n```",
                ),
            ],
            &["docs/src/a.md: no such file: ../../examples/gone.rs"],
        );
    }

    #[test]
    fn a_book_without_a_summary_says_so() {
        check(&[], &["docs/src/SUMMARY.md: there is no such page"]);
    }
}
