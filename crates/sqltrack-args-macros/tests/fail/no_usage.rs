//! There is no help text.

use sqltrack_args::ParsedOptions;
use sqltrack_args_macros::{docopt_arguments, docopt_main};

#[docopt_arguments]
fn undocumented(_args: ParsedOptions) {}

/// Documented, but without arguments.
#[docopt_main]
fn main(_args: ParsedOptions) {}
