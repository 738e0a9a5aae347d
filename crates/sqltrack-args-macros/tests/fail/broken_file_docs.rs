//! Does things.
//!
//! usage: prog [--file]
//!
//! --file FILE

use sqltrack_args::ParsedOptions;
use sqltrack_args_macros::docopt_main;

#[docopt_main]
fn main(_args: ParsedOptions) {}
