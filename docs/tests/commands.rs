//! Every command and option of `sqltrack-cli` is in the book, and no other.

use std::collections::BTreeSet;
use std::process::Command;

use sqltrack_docs::{Page, program};

/// What `sqltrack-cli ARGUMENTS` prints.
fn help(arguments: &[&str]) -> String {
    let path = program("sqltrack-cli").unwrap();
    let output = Command::new(path).args(arguments).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn commands() -> BTreeSet<String> {
    listed(&help(&["--help"]))
}

/// The commands in a help text.
fn listed(help: &str) -> BTreeSet<String> {
    let below = help.split_once("Commands:\n").map_or("", |(_, below)| below);
    let lines = below.lines().take_while(|line| !line.is_empty());
    // The lines of a command's description are indented further.
    let names = lines.filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')));
    names.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

/// The long options of a command, and of the commands that it has itself.
fn options_of(command: &str) -> BTreeSet<String> {
    let help_of_command = help(&[command, "--help"]);
    let own = listed(&help_of_command).into_iter().filter(|name| name != "help");
    let nested = own.flat_map(|name| options(&help(&[command, &name, "--help"])));
    nested.chain(options(&help_of_command)).collect()
}

/// The long options in a help text.
fn options(help: &str) -> BTreeSet<String> {
    let lines = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
    let words = lines.filter_map(|line| line.split([' ', ',', '=']).find(|word| word.starts_with("--")));
    words.map(|word| word.trim_end_matches("...").to_owned()).collect()
}

/// The long options in the first cells of the tables of a section.
fn described(section: &str) -> BTreeSet<String> {
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `-"));
    let cells = rows.map(|row| format!("-{}", row.split('|').next().unwrap_or_default()));
    let words = cells.flat_map(|cell| cell.split([' ', '`', ',']).map(str::to_owned).collect::<Vec<_>>());
    words.filter(|word| word.starts_with("--")).collect()
}

#[test]
fn every_command_is_described() {
    let page = Page::read("docs/src/cli.md").unwrap();
    let headings = page.text.lines().filter_map(|line| line.strip_prefix("### ")).map(str::to_owned);
    assert_eq!(headings.collect::<BTreeSet<_>>(), commands());
}

#[test]
fn every_option_is_described() {
    let page = Page::read("docs/src/cli.md").unwrap();
    let global = described(page.section("## Global options").unwrap());
    assert_eq!(global, options(&help(&["--help"])), "global options");
    let formats = BTreeSet::from(["--format", "--output"].map(str::to_owned));
    for command in commands().iter().filter(|command| *command != "help") {
        let section = page.section(&format!("### {command}")).unwrap();
        let own = &options_of(command) - &global;
        // What prints rows has both; they are described once.
        let own = if own.is_superset(&formats) { &own - &formats } else { own };
        assert_eq!(described(section), own, "{command}");
    }
    assert!(formats.iter().all(|option| page.section("## Formats").unwrap().contains(&format!("`{option}"))));
}

#[test]
fn every_command_of_the_api_reference_exists() {
    let page = Page::read("docs/src/reference-api.md").unwrap();
    let counterparts = page.rows().into_iter().filter_map(|row| row.get(1).copied());
    let named = counterparts.filter_map(|cell| cell.trim_matches('`').strip_prefix("sqltrack-cli "));
    let unknown: Vec<_> = named.filter(|name| !commands().contains(*name)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}
