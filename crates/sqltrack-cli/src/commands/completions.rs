//! `completions`: what a shell needs to complete the command line.

use std::io::Write;

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::options::Cli;

/// Print the completions of a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sqltrack-cli completions bash > ~/.local/share/bash-completion/completions/sqltrack-cli
  sqltrack-cli completions zsh > ~/.zfunc/_sqltrack-cli
  sqltrack-cli completions fish > ~/.config/fish/completions/sqltrack-cli.fish")]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

pub(super) fn run(args: &Args, out: &mut impl Write) -> anyhow::Result<()> {
    // The generator panics if it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "sqltrack-cli", &mut script);
    out.write_all(&script)?;
    Ok(())
}
