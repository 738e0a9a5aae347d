//! `revoke`: SQL that takes back what `grant` gives.

use std::io::Write;

use sqltrack_core::Config;

/// Print SQL that takes back all that `grant` gives
///
/// Nothing is run. Run the statements in the configured database, as its owner or a superuser.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
PostgreSQL lets everyone connect to a new database, which no REVOKE for one role changes. To keep the others out:
  REVOKE CONNECT ON DATABASE alice FROM PUBLIC;

Examples:
  sqltrack-cli revoke bob | sqltrack-cli execute
  sqltrack-cli -s lab revoke bob | sudo -u postgres psql alice")]
pub(crate) struct Args {
    /// The role that loses the rights
    #[arg(value_name = "USER")]
    role: String,
}

pub(super) fn run(args: &Args, config: &Config, out: &mut impl Write) -> anyhow::Result<()> {
    for statement in sqltrack_core::revoke(config, &args.role)? {
        writeln!(out, "{statement}")?;
    }
    Ok(())
}
