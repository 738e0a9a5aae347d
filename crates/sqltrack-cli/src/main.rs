//! The command line of SQLTrack: words to calls of the library, results to text.

mod best;
mod columns;
mod command_line;
mod commands;
mod diagnostics;
mod file;
mod format;
mod input;
mod lineage;
mod named;
mod options;
mod output;
mod progress;
#[cfg(unix)]
mod provenance;
mod screen;
#[cfg(unix)]
mod supervise;
mod typed;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

use options::Cli;
use output::Output;

fn main() -> ExitCode {
    #[cfg(unix)]
    if let Some(code) = supervise::enter() {
        return code;
    }
    let cli = Cli::parse();
    diagnostics::start(cli.global.verbose);
    let mut out = Output::new(std::io::stdout().lock());
    let result = run(&cli, &mut out).and_then(|code| {
        out.flush()?;
        Ok(code)
    });
    match result {
        Ok(code) => code,
        // `sqltrack-cli … | head`: whoever reads has seen enough.
        Err(_) if out.is_closed() => ExitCode::SUCCESS,
        Err(err) => failed(&err, cli.global.verbose),
    }
}

/// Tells an error, and which exit status it is.
fn failed(err: &anyhow::Error, verbose: u8) -> ExitCode {
    // Not ours, but that of the program whose help text was read.
    if let Some(wrong) = err.downcast_ref::<sqltrack_args::CommandLineError>() {
        diagnostics::wrong_usage(wrong);
        return ExitCode::from(2);
    }
    if let Some(wrong) = err.downcast_ref::<clap::Error>() {
        // Whether anybody can read it is not looked at: there is nowhere left to say so.
        let _ = wrong.print();
        return ExitCode::from(2);
    }
    diagnostics::error(err, verbose);
    ExitCode::FAILURE
}

fn run(cli: &Cli, out: &mut impl std::io::Write) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let result = runtime.block_on(cli.command.run(&cli.global, out));
    // A name server that does not answer is not waited for.
    runtime.shutdown_background();
    result
}
