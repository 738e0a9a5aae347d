//! `create`: SQL for a role and its database.

use std::io::{BufRead as _, IsTerminal as _, Write};

use anyhow::{anyhow, bail};
use sqltrack_core::config::Secret;
use sqltrack_core::{Config, RolePassword, configured_password};

/// Print SQL that creates the configured role and database
///
/// Nothing is run: look at the statements, then pipe them into psql as someone who may create roles.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
The password is the one that SQLTrack would log in with: the parameter `password`, or else that of the pgpass file for \
this host, port, database and user. If there is none it is asked for, or read as one line from standard input if \
that is no terminal. It is printed as a SCRAM-SHA-256 verifier, computed here: with it the server can check the \
password, and nobody can log in.

Examples:
  sqltrack-cli create | sudo -u postgres psql
  sqltrack-cli -u alice -d runs create --password | sudo -u postgres psql
  sqltrack-cli create | sqltrack-cli -u postgres -d postgres execute")]
pub(crate) struct Args {
    /// The role exists: create the database only
    #[arg(long, conflicts_with_all = ["password", "plain_password"])]
    no_user: bool,
    /// The database exists: create the role only
    #[arg(long)]
    no_db: bool,
    /// Give the role a password, printed as a verifier
    #[arg(long)]
    password: bool,
    /// Give the role a password, printed as it is
    #[arg(long)]
    plain_password: bool,
}

pub(super) fn run(args: &Args, config: &Config, out: &mut impl Write) -> anyhow::Result<()> {
    let mut create = sqltrack_core::create(config)?;
    if args.no_user {
        create = create.without_role();
    }
    if args.no_db {
        create = create.without_database();
    }
    if args.plain_password {
        create = create.password(RolePassword::Plain(password(config)?));
    } else if args.password {
        create = create.password(RolePassword::Verifier(password(config)?));
    }
    for statement in create.statements()? {
        writeln!(out, "{statement}")?;
    }
    Ok(())
}

fn password(config: &Config) -> anyhow::Result<Secret> {
    if let Some(password) = configured_password(config)? {
        return Ok(password);
    }
    let password = if std::io::stdin().is_terminal() { ask(config)? } else { read_line()? };
    if password.is_empty() {
        bail!("no password was given; type one, set `password`, or add it to the pgpass file");
    }
    Ok(password.into())
}

fn ask(config: &Config) -> anyhow::Result<String> {
    let user = config.get("user").unwrap_or_default();
    let ask = |prompt: &str| {
        let answer = rpassword::prompt_password(prompt);
        answer.map_err(|err| anyhow!("cannot ask for the password: {err}; add it to the pgpass file"))
    };
    let password = ask(&format!("Password for {user}: "))?;
    if ask("Again: ")? != password {
        bail!("the two passwords differ; try again");
    }
    Ok(password)
}

fn read_line() -> anyhow::Result<String> {
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    read.map_err(|err| anyhow!("cannot read the password from standard input: {err}"))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
