//! A `main` that takes options and returns a result.

use sqltrack_args::{ArgValue, ParsedOptions, detect_args};
use sqltrack_args_macros::docopt_main;

/// Counts.
///
/// ```text
/// Usage: prog [options] [X...]
///
/// Options:
///     -n N  How far [default: 3]
/// ```
#[docopt_main]
fn main(mut args: ParsedOptions) -> Result<(), Box<dyn std::error::Error>> {
    assert_eq!(detect_args(None)?.as_ref(), Some(&args));
    args.set("X", 1);
    assert_eq!(args["n"], ArgValue::Int(3));
    assert_eq!(args.get::<u8>("X")?, 1);
    Ok(())
}
