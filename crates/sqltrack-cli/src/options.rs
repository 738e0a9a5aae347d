//! The options that every command has, and the configuration that they make.

use std::path::PathBuf;

use clap::ValueHint;
use clap::error::ErrorKind;
use sqltrack_core::{Client, Config};

use crate::commands::Command;

/// Experiment tracking in plain SQL, in a database that you own.
///
/// Connection parameters come from `sqltrack.conf`, from `SQLTRACK_DSN_*` variables, or from the options below, which
/// win; `sqltrack-cli config` shows what is used.
#[derive(Debug, clap::Parser)]
#[command(name = "sqltrack-cli", version, max_term_width = 100, after_help = EXAMPLES, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalOptions,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  sqltrack-cli -e sqlite setup                       make sqltrack.db in this folder
  sqltrack-cli create | sudo -u postgres psql        make a role and database of your name
  sqltrack-cli runs --limit 10                       the latest runs
  sqltrack-cli metrics 7 --format csv > run7.csv     all metrics of run 7";

#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalOptions {
    /// Config file to read, and no other
    #[arg(short, long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    config_path: Option<PathBuf>,
    /// Database engine: `postgres` or `sqlite`
    #[arg(short, long, global = true)]
    engine: Option<String>,
    /// Role to connect as
    #[arg(short, long, global = true)]
    user: Option<String>,
    /// Server name, address, or directory of its unix socket
    #[arg(short = 'a', long, global = true)]
    host: Option<String>,
    /// Port of the server
    #[arg(short, long, global = true)]
    port: Option<String>,
    /// Name of the database
    #[arg(short, long, global = true)]
    dbname: Option<String>,
    /// Schema that the tables are in; several are separated by commas
    #[arg(short, long, global = true)]
    schema: Option<String>,
    /// Path of the SQLite database
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    dbpath: Option<String>,
    /// Log more, and tell the causes of errors; up to three times
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

impl GlobalOptions {
    /// The configuration out of every source, the options on top.
    pub(crate) fn config(&self) -> anyhow::Result<Config> {
        let mut builder = Config::builder();
        if let Some(path) = &self.config_path {
            builder = builder.path_from(path, "--config-path");
        }
        let options = [
            ("engine", "--engine", &self.engine),
            ("user", "--user", &self.user),
            ("host", "--host", &self.host),
            ("port", "--port", &self.port),
            ("dbname", "--dbname", &self.dbname),
            ("schema", "--schema", &self.schema),
            ("dbpath", "--dbpath", &self.dbpath),
        ];
        for (name, option, value) in options {
            if let Some(value) = value {
                builder = builder.set_from(name, value, option);
            }
        }
        Ok(builder.load()?)
    }

    pub(crate) fn client(&self) -> anyhow::Result<Client> {
        Ok(Client::from_config(self.config()?)?)
    }

    /// Whether a config file was named.
    pub(crate) fn names_config_file(&self) -> bool {
        self.config_path.is_some()
    }
}

/// An error of the command line that shows only when it is looked at as a whole.
pub(crate) fn wrong_usage(message: &str) -> anyhow::Error {
    clap::Error::raw(ErrorKind::MissingRequiredArgument, format!("{message}\n")).into()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Cli;

    #[test]
    fn the_options_of_all_commands_fit_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_and_option_has_help() {
        let mut command = Cli::command();
        command.build();
        check_help(&command);
    }

    fn check_help(command: &clap::Command) {
        assert!(command.get_about().is_some(), "{}", command.get_name());
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "{} {}", command.get_name(), argument.get_id());
        }
        command.get_subcommands().for_each(check_help);
    }
}
