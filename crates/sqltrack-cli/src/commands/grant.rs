//! `grant`: SQL that lets another role use the tables.

use std::io::Write;

use sqltrack_core::{Config, Rights};

/// Print SQL that lets another role read, or track into, the configured database and schema
///
/// Nothing is run. The rights extend to tables that the configured user makes later. USER may be `public`, which is
/// everyone.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Run the statements in the configured database, as its owner or a superuser.

With --write the role can create experiments and runs, and add values for metrics that have a column. It takes the \
owner of the table to add a column (PostgreSQL has no right for that to grant): the first value of a new metric is \
refused, unless the owner has added the column, for example by a script given to `setup`. A role that should do \
all that the owner does is made a member instead: `GRANT alice TO bob;`

Without `schema` the rights are on the schema `public`.

Examples:
  sqltrack-cli grant bob | sqltrack-cli execute
  sqltrack-cli -s lab grant --write bob | sudo -u postgres psql alice")]
pub(crate) struct Args {
    /// The role that gets the rights
    #[arg(value_name = "USER")]
    role: String,
    /// Let the role write, too
    #[arg(long)]
    write: bool,
}

pub(super) fn run(args: &Args, config: &Config, out: &mut impl Write) -> anyhow::Result<()> {
    let rights = if args.write { Rights::Write } else { Rights::Read };
    for statement in sqltrack_core::grant(config, &args.role, rights)? {
        writeln!(out, "{statement}")?;
    }
    Ok(())
}
