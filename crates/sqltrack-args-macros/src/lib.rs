//! The attributes of `sqltrack-args`: functions that get their arguments from the help text in their docs.
//!
//! ```no_run
//! use sqltrack_args::ParsedOptions;
//! use sqltrack_args_macros::docopt_main;
//!
//! /// Trains a model.
//! ///
//! /// ```text
//! /// usage: train [options] DATASET
//! ///
//! /// options:
//! ///     -h --help         Show this text
//! ///     -e N, --epochs N  How often to see all data [default: 90]
//! /// ```
//! #[docopt_main]
//! fn main(args: ParsedOptions) -> Result<(), Box<dyn std::error::Error>> {
//!     let epochs: u32 = args.get("epochs")?;
//!     assert_eq!(epochs, 90);
//!     Ok(())
//! }
//! ```

mod expand;
mod help;
mod options;

use proc_macro::TokenStream;
use syn::parse_macro_input;

use expand::Kind;

/// Makes a `main` that takes arguments: those of the command line, as the help text in its docs describes
/// them.
///
/// The help text is in the docs of the function, else in those of the file (`//!`). A help text that is
/// broken does not compile. Lines that begin with three backquotes are not part of it, so that it can be a
/// code block for rustdoc.
///
/// The one parameter is [`ParsedOptions`](../sqltrack_args/struct.ParsedOptions.html), or any type that serde
/// can deserialize. `-h` and `--help` print the help text and exit with 0. A command line that does not fit
/// prints what is wrong and the usage on standard error, and exits with 2.
///
/// An async `main` needs the attribute of its runtime (`#[tokio::main]`) below this one. Arguments are read
/// before the runtime starts.
///
/// Settings, in parentheses and separated by commas:
///
/// - `options_first`: the first positional argument ends the options.
/// - `default_help = false`: `-h` and `--help` are options like any other.
/// - `version = "1.0"`: what `--version` prints; any expression that is a string.
/// - `simplify_names = false`: `--batch-size` is not called `batch_size`.
/// - `crate = path`: where `sqltrack_args` is, if not there.
///
/// ```no_run
/// use serde::Deserialize;
/// use sqltrack_args_macros::docopt_main;
///
/// #[derive(Deserialize)]
/// struct Args {
///     file: std::path::PathBuf,
///     verbose: bool,
/// }
///
/// /// usage: show [--verbose] [--version] <file>
/// #[docopt_main(version = env!("CARGO_PKG_VERSION"))]
/// #[tokio::main]
/// async fn main(args: Args) {
///     assert!(args.verbose || args.file.exists());
/// }
/// ```
#[proc_macro_attribute]
pub fn docopt_main(settings: TokenStream, function: TokenStream) -> TokenStream {
    expanded(settings, function, Kind::Main)
}

/// Makes a function read its arguments from the command line, each time that it is called.
///
/// The parameter of the new function takes overrides, anything that is `Into<ParsedOptions>`: `()` for none,
/// an array or a map of names and values, or `sqltrack_args::options!`. Everything else is as with
/// [`macro@docopt_main`], except that an async function stays async.
///
/// ```no_run
/// use sqltrack_args::{ParsedOptions, options};
/// use sqltrack_args_macros::docopt_arguments;
///
/// /// usage: train [--amp] [--epochs=N]
/// #[docopt_arguments]
/// fn train(args: ParsedOptions) -> bool {
///     args["amp"] == true.into()
/// }
///
/// let _as_given: bool = train(());
/// let forced = train(options! { "amp" => true, "epochs" => 360 });
/// assert!(forced);
/// ```
#[proc_macro_attribute]
pub fn docopt_arguments(settings: TokenStream, function: TokenStream) -> TokenStream {
    expanded(settings, function, Kind::Arguments)
}

/// The examples in the book, which are compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/src/arguments.md")]
struct Book;

fn expanded(settings: TokenStream, function: TokenStream, kind: Kind) -> TokenStream {
    let settings = parse_macro_input!(settings as options::Options);
    let function = parse_macro_input!(function as syn::ItemFn);
    expand::expand(&settings, function, kind).into()
}
