//! The error is at the line of the docs.

use sqltrack_args::ParsedOptions;
use sqltrack_args_macros::docopt_main;

/// A broken help text.
///
/// usage: prog [options]
///        prog (add | remove
///
/// options: -a  All
#[docopt_main]
fn main(_args: ParsedOptions) {}
