//! Command-line arguments from help texts.
//!
//! A program describes its arguments once, in its help text. This crate reads that text, without running the
//! program, and says what a command line means by it, with values converted to numbers, paths and JSON:
//!
//! ```
//! use sqltrack_args::{Settings, parse_docstrings};
//!
//! let help = "usage: train [options] DATASET
//!
//! options:
//!     -e N, --epochs N  How often to see all data [default: 90]
//!     --amp             Mixed precision";
//! let options = parse_docstrings(&[help], &["-e", "180", "cifar"], &Settings::new())?.options().unwrap();
//! assert_eq!(options["epochs"], 180.into());
//! assert_eq!(options["amp"], false.into());
//! assert_eq!(options["DATASET"], "cifar".into());
//! # Ok::<(), sqltrack_args::Error>(())
//! ```
//!
//! Where to look: [`HelpText`] for the docopt language alone, [`parse_docstrings`] for several texts and
//! conversion, [`Conversions`] for what becomes of a text, [`ParsedOptions`] for the result,
//! [`read_help_texts`] for the help texts in Rust, Python and text files, [`detect_args`] for all of it at
//! once. The attributes `#[docopt_main]` and `#[docopt_arguments]` are in the crate `sqltrack-args-macros`;
//! [`runtime`] is what they call.

mod convert;
mod detect;
mod docopt;
mod error;
pub mod fnmatch;
mod json;
mod literals;
mod options;
pub mod runtime;
mod serde_value;
mod settings;
mod sources;
mod value;

pub use convert::{
    Conversion, ConversionError, Conversions, convert_arguments, make_conversion, register_conversion,
    registered_conversions,
};
pub use detect::{DetectError, detect_args, detect_args_with, parse_docstrings, parse_docstrings_raw};
pub use docopt::{Given, HelpText, RawOptions, RawValue};
pub use error::{CommandLineError, CommandLineProblem, Error, HelpTextError, HelpTextProblem};
pub use json::parse_json;
pub use options::{GetError, ParsedOptions};
pub use settings::{Outcome, Settings};
pub use sources::{
    SourceError, SyntaxError, read_help_texts, rust_doc_text, rust_help_texts, rust_module_doc,
};
#[cfg(feature = "python")]
pub use sources::{dedent, python_help_texts};
pub use value::{ArgValue, Complex};
