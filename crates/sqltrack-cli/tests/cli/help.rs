//! The help pages, as they are in `tests/help`. `TRYCMD=overwrite` writes them anew.

use std::path::Path;

use crate::program::Program;

#[test]
fn help_pages_are_as_kept() {
    trycmd::TestCases::new().env("NO_COLOR", "1").case("tests/help/*.trycmd");
}

#[test]
fn every_command_has_a_help_page() {
    let help = Program::new().run(&["--help"]).succeeded();
    let (_, below) = help.split_once("Commands:\n").unwrap();
    let lines =
        below.lines().take_while(|line| !line.is_empty()).map(|line| line.strip_prefix("  ").unwrap());
    let commands = lines.filter(|line| !line.starts_with(' ')).filter_map(|line| line.split(' ').next());
    for command in commands.filter(|command| *command != "help") {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/help/{command}.trycmd"));
        assert!(page.exists(), "add tests/help/{command}.trycmd");
    }
}
