//! `args`: the arguments that the help text of a program defines.

use std::io::Write;
use std::path::PathBuf;

use anyhow::bail;
use clap::ValueHint;
use sqltrack_args::{Error, Outcome, Settings, parse_docstrings, parse_docstrings_raw, read_help_texts};

/// Read a command line as the help text of a program says, without running the program
///
/// The help text is that of a Rust file (the docs of functions with `#[docopt_main]` or `#[docopt_arguments]`, then
/// those of the file), of a Python file (the docstrings of decorated functions, then the file's), or the whole of any
/// other file. The arguments are printed as JSON.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Exits with 2 and the usage of the program if the command line does not fit it, with 1 if FILE has no help text.

Examples:
  sqltrack-cli args train.py -- --epochs 90 cifar
  sqltrack-cli args --raw src/main.rs -- -v")]
pub(crate) struct Args {
    /// Print names and values as docopt returns them
    #[arg(long)]
    raw: bool,
    /// The first positional argument ends the options
    #[arg(long)]
    options_first: bool,
    /// A Rust, Python or text file
    #[arg(value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// The command line, without the program's name
    #[arg(last = true)]
    args: Vec<String>,
}

pub(super) fn run(args: &Args, out: &mut impl Write) -> anyhow::Result<()> {
    let texts = read_help_texts(&args.file)?;
    // A help that is asked for is an argument like any other here: what is printed stays JSON.
    let settings = Settings::new().options_first(args.options_first).default_help(false);
    let parsed = if args.raw {
        parse_docstrings_raw(&texts, &args.args, &settings)
            .map(|raw| raw.options().map(|raw| serde_json::to_value(&raw)).transpose())
    } else {
        parse_docstrings(&texts, &args.args, &settings).map(|parsed| Ok(json(parsed)))
    };
    match parsed {
        Ok(json) => {
            serde_json::to_writer(&mut *out, &json?)?;
            writeln!(out)?;
            Ok(())
        }
        Err(Error::CommandLine(wrong)) => Err(wrong.into()),
        Err(broken) => bail!("{} has no usable help text: {broken}", args.file.display()),
    }
}

fn json(parsed: Outcome<sqltrack_args::ParsedOptions>) -> Option<serde_json::Value> {
    parsed.options().map(|options| options.to_json())
}
