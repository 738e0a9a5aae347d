//! Arguments come from the help text, with types.
//!
//! `#[docopt_arguments]` makes `train` read the command line each time that it is called. Its parameter takes
//! arguments that code wants to force. A program that only has a command line would put `#[docopt_main]` on
//! `main` instead.
#![expect(clippy::print_stdout, reason = "an example shows its results")]

use sqltrack_args::{ParsedOptions, options};
use sqltrack_args_macros::docopt_arguments;

/// Trains nothing, but tells with which arguments it would.
///
/// ```text
/// usage: argument_parsing [options] [--learning-rate R...]
///
/// options:
///     -h --help                Show this text
///     --model M                What to train [default: resnet18]
///     -e N, --epochs N         How often to see all data [default: 90]
///     -b N, --batch-size N     How much to see at once
///     -l R, --learning-rate R  How far to step; repeat it for a schedule [default: 0.1]
///     --amp                    Automatic mixed precision
/// ```
#[docopt_arguments]
fn train(args: ParsedOptions) {
    println!("{args}");
    println!("{}", args["epochs"]);
}

fn main() {
    train(());
    // The same command line, with two arguments forced.
    train(options! { "amp" => true, "epochs" => 360 });
}
