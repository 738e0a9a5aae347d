//! The variables that lead a command to the database that is used here.
//!
//! What options have set becomes `SQLTRACK_DSN_*`, a config file that was found is named, and paths become absolute,
//! since the command may change its folder. Passwords stay where they are: in the environment, if they are there, and
//! otherwise in the file that they come from.

use std::path::{Path, PathBuf};

use sqltrack_core::config::{Parameter, Setting, Source};
use sqltrack_core::{Config, Dialect};

use crate::supervise::Variable;

const PREFIX: &str = "SQLTRACK_DSN_";
/// Stands for other parameters, with which it would have to agree.
const URL: &str = "url";

/// The changes to the environment of this process.
pub(super) fn of_connection(config: &Config) -> Vec<Variable> {
    let parameters: Vec<(&str, String)> = config
        .settings()
        .iter()
        .filter(|(name, setting)| is_passed_on(name, setting, config.engine()))
        .map(|(name, setting)| (name, passed_on(name, setting)))
        .collect();
    let is_replaced = |name: &str| name == URL || parameters.iter().any(|(replaced, _)| *replaced == name);
    let taken_away = config.environment().iter().filter_map(|(variable, _)| {
        let name = variable.to_str()?.strip_prefix(PREFIX)?.to_lowercase();
        is_replaced(&name).then(|| (variable.to_owned(), None))
    });
    let mut variables: Vec<Variable> = taken_away.collect();
    let set = parameters.into_iter().map(|(name, value)| (PREFIX.to_owned() + &name.to_uppercase(), value));
    variables.extend(set.map(|(variable, value)| (variable.into(), Some(value.into()))));
    if config.get("spool").is_none() {
        // What the command writes in any language outlives it, and an outage.
        let spool = config.spool_or_default();
        variables.extend(spool.map(|path| ("SQLTRACK_DSN_SPOOL".into(), Some(path.into()))));
    }
    let file = config.path().map(absolute);
    variables.extend(file.map(|path| ("SQLTRACK_CONFIG_PATH".into(), Some(path.into()))));
    variables
}

/// Whether a parameter has to be told: it is no default, nor does the command read it from where it comes from.
fn is_passed_on(name: &str, setting: &Setting, engine: Dialect) -> bool {
    let is_secret = Parameter::named(name).is_some_and(|parameter| parameter.secret);
    match origin(setting.source()) {
        _ if name == "dbpath" => engine == Dialect::Sqlite,
        _ if name == "spool" => true,
        Source::Env(variable) => variable.starts_with(PREFIX),
        Source::Parameter(_) => !is_secret,
        _ => false,
    }
}

fn origin(source: &Source) -> &Source {
    match source {
        Source::Url(source) => origin(source),
        source => source,
    }
}

fn passed_on(name: &str, setting: &Setting) -> String {
    let path = || absolute(Path::new(setting.value())).into_os_string().into_string().ok();
    let is_path = name == "dbpath" || (name == "spool" && setting.value() != "off");
    let path = if is_path { path() } else { None };
    path.unwrap_or_else(|| setting.value().to_owned())
}

/// The path from the root.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use sqltrack_core::config::Environment;

    use super::*;

    /// What a command sees of the variables and options, as `NAME=value`, and whether it reaches the same database.
    #[track_caller]
    fn check(variables: &[(&str, &str)], options: &[(&str, &str)], expected: &[&str]) {
        let environment = variables.iter().copied().chain([("LOGNAME", "alice")]);
        let builder = Config::builder().environment(Environment::from_iter(environment.clone()));
        let set =
            |builder: sqltrack_core::ConfigBuilder, (name, value): &(&str, &str)| builder.set(*name, *value);
        let config = options.iter().fold(builder, set).load().unwrap();
        let mut seen: std::collections::BTreeMap<String, String> =
            environment.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        for (name, value) in of_connection(&config) {
            let name = name.into_string().unwrap();
            match value {
                Some(value) => seen.insert(name, value.into_string().unwrap()),
                None => seen.remove(&name),
            };
        }
        seen.remove("LOGNAME");
        let shown: Vec<String> = seen.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(shown, expected);
        let again = seen.into_iter().chain([("LOGNAME".to_owned(), "alice".to_owned())]);
        let again = Config::builder().environment(Environment::from_iter(again)).load().unwrap();
        for (name, setting) in config.settings().iter().filter(|(name, _)| *name != "dbpath") {
            assert_eq!(again.get(name), Some(setting.value()), "{name}");
        }
    }

    fn in_this_folder(path: &str) -> String {
        format!("SQLTRACK_DSN_DBPATH={}", std::env::current_dir().unwrap().join(path).display())
    }

    #[test]
    fn defaults_are_left_to_the_command() {
        check(&[], &[], &[]);
        check(&[("PGHOST", "db"), ("PGPASSWORD", "hunter2")], &[], &["PGHOST=db", "PGPASSWORD=hunter2"]);
    }

    #[test]
    fn options_become_variables() {
        check(
            &[("SQLTRACK_DSN_HOST", "db"), ("SQLTRACK_DSN_port", "5433")],
            &[("host", "other"), ("user", "bob"), ("port", "5434")],
            &["SQLTRACK_DSN_HOST=other", "SQLTRACK_DSN_PORT=5434", "SQLTRACK_DSN_USER=bob"],
        );
    }

    #[test]
    fn a_url_is_taken_apart_so_that_options_can_differ_from_it() {
        check(
            &[("SQLTRACK_DSN_URL", "postgres://bob:hunter2@db/runs")],
            &[("host", "other")],
            &[
                "SQLTRACK_DSN_DBNAME=runs",
                "SQLTRACK_DSN_ENGINE=postgres",
                "SQLTRACK_DSN_HOST=other",
                "SQLTRACK_DSN_PASSWORD=hunter2",
                "SQLTRACK_DSN_USER=bob",
            ],
        );
    }

    #[test]
    fn there_is_a_spool_unless_it_is_off() {
        let spool = |set: Option<&str>| {
            let environment = Environment::from_iter([("LOGNAME", "alice"), ("HOME", "/home/alice")]);
            let builder = Config::builder().environment(environment);
            let builder = set.iter().fold(builder, |builder, spool| builder.set("spool", *spool));
            let variables = of_connection(&builder.load().unwrap());
            let spool = variables.into_iter().find(|(name, _)| name == "SQLTRACK_DSN_SPOOL");
            spool.and_then(|(_, value)| value).map(|value| value.into_string().unwrap())
        };
        assert_eq!(spool(None).as_deref(), Some("/home/alice/.local/state/sqltrack/spool"));
        assert_eq!(spool(Some("off")).as_deref(), Some("off"));
        assert_eq!(spool(Some("/scratch")).as_deref(), Some("/scratch"));
        let relative = std::env::current_dir().unwrap().join("spool");
        assert_eq!(spool(Some("spool")).as_deref(), relative.to_str());
    }

    #[test]
    fn no_password_gets_into_the_environment() {
        let config = Config::builder().environment(Environment::empty()).set("password", "hunter2").load();
        assert!(!format!("{:?}", of_connection(&config.unwrap())).contains("hunter2"));
    }

    #[test]
    fn a_file_is_found_from_every_folder() {
        check(
            &[("SQLTRACK_DSN_ENGINE", "sqlite")],
            &[],
            &[&in_this_folder("sqltrack.db"), "SQLTRACK_DSN_ENGINE=sqlite"],
        );
        check(
            &[("SQLTRACK_DSN_URL", "sqlite:a.db")],
            &[("dbpath", "b.db"), ("engine", "sqlite")],
            &[&in_this_folder("b.db"), "SQLTRACK_DSN_ENGINE=sqlite"],
        );
        let path = "/data/runs.db";
        let options = [("engine", "sqlite"), ("dbpath", path)];
        check(&[], &options, &["SQLTRACK_DSN_DBPATH=/data/runs.db", "SQLTRACK_DSN_ENGINE=sqlite"]);
    }
}
