//! usage: prog

use sqltrack_args::ParsedOptions;
use sqltrack_args_macros::{docopt_arguments, docopt_main};

#[docopt_main]
fn other(_args: ParsedOptions) {}

#[docopt_arguments]
fn no_parameter() {}

#[docopt_arguments]
fn two_parameters(_args: ParsedOptions, _more: u8) {}

#[docopt_arguments]
fn generic<T: Default>(_args: ParsedOptions) {}

#[docopt_arguments(option_first)]
fn unknown_setting(_args: ParsedOptions) {}

#[docopt_main]
async fn main(_args: ParsedOptions) {}
