//! The command line of SQLTrack: words to calls of the library, results to text.

mod commands;
mod diagnostics;
mod format;
mod input;
mod options;
mod output;
mod typed;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

use options::Cli;
use output::Output;

fn main() -> ExitCode {
    let cli = Cli::parse();
    diagnostics::start(cli.global.verbose);
    let mut out = Output::new(std::io::stdout().lock());
    let result = run(&cli, &mut out).and_then(|()| Ok(out.flush()?));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // `sqltrack-cli … | head`: whoever reads has seen enough.
        Err(_) if out.is_closed() => ExitCode::SUCCESS,
        Err(err) => match err.downcast_ref::<sqltrack_args::CommandLineError>() {
            // Not ours, but that of the program whose help text `args` has read.
            Some(wrong) => {
                diagnostics::wrong_usage(wrong);
                ExitCode::from(2)
            }
            None => {
                diagnostics::error(&err, cli.global.verbose);
                ExitCode::FAILURE
            }
        },
    }
}

fn run(cli: &Cli, out: &mut impl std::io::Write) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(cli.command.run(&cli.global, out))
}
