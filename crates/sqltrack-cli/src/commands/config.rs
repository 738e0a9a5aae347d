//! `config`: the effective parameters and where they come from.

use std::io::Write;

use sqltrack_core::config::{PARAMETERS, Settings};
use sqltrack_core::{Column, Config, Dialect, Rows, Value};
use sqltrack_postgres::PostgresOptions;

use crate::diagnostics::note;
use crate::format::FormatArgs;
use crate::options::GlobalOptions;

/// Show the effective connection parameters, each with its source
///
/// No database is needed. Passwords are masked. The last column tells which parameters the engine has no use for.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sqltrack-cli config
  SQLTRACK_DSN_HOST=db sqltrack-cli config --format json")]
pub(crate) struct Args {
    #[command(flatten)]
    format: FormatArgs,
}

pub(super) fn run(args: &Args, options: &GlobalOptions, out: &mut impl Write) -> anyhow::Result<()> {
    let config = options.config()?;
    let effective = match config.engine() {
        Dialect::Postgres => {
            PostgresOptions::new(config.settings(), config.environment())
                .map_err(sqltrack_core::ConfigError::from)?
                .settings
        }
        _ => config.settings().clone(),
    };
    let unused = format!("not used by {}", config.engine());
    let mut rows = vec![config_file(&config, options)];
    rows.extend(shown(&effective, Value::Null));
    rows.extend(shown(config.unused(), unused.into()));
    let columns = ["parameter", "value", "source", "note"];
    let column = |name: &str| Column { name: name.to_owned(), type_name: String::new() };
    args.format.print(Rows::new(columns.map(column).to_vec(), rows), out)
}

/// The config file as a row of its own, since it is no parameter.
fn config_file(config: &Config, options: &GlobalOptions) -> Vec<Value> {
    let variable = config.environment().path("SQLTRACK_CONFIG_PATH");
    let source = match (config.path(), options.names_config_file(), variable) {
        (None, ..) => {
            note(
                "no config file was found; `sqltrack.conf` in this folder is the first place it is looked for",
            );
            Value::from("not found")
        }
        (Some(_), true, _) => Value::from("--config-path"),
        (Some(_), false, Some(_)) => Value::from("SQLTRACK_CONFIG_PATH"),
        (Some(_), false, None) => Value::from("default location"),
    };
    let path = config.path().map(|path| path.display().to_string());
    vec!["config_path".into(), path.into(), source, Value::Null]
}

/// The parameters in the order of the manual, secrets masked.
fn shown(settings: &Settings, note: Value) -> Vec<Vec<Value>> {
    let parameters = PARAMETERS.iter().filter_map(|parameter| {
        let setting = settings.get(parameter.name)?;
        let value = settings.value(parameter.name).and_then(|_| settings.shown(parameter.name));
        let source = setting.source().to_string();
        Some(vec![parameter.name.into(), value.into(), source.into(), note.clone()])
    });
    parameters.collect()
}
