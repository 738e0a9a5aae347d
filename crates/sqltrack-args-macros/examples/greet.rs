//! A program for the tests of exit codes.

use std::io::Write;

use sqltrack_args::ParsedOptions;
use sqltrack_args_macros::docopt_main;

/// Greets.
///
/// ```text
/// usage: greet [options] NAME
///
/// options:
///     -h --help     This text
///     --version     The version
///     --timesint=N  How often [default: 1]
/// ```
#[docopt_main(version = "greet 1.0")]
fn main(args: ParsedOptions) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{args}")
}
