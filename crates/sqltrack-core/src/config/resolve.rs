//! From sources to a configuration: the layers, their order, and what is checked at the end.

use std::time::Duration;

use super::builder::ConfigBuilder;
use super::layer::{Layer, merge};
use super::{Config, ConfigError, Dialect, Environment, Parameter, Settings, Source, file};
use crate::spool::Fsync;

const PREFIX: &str = "SQLTRACK_DSN_";

/// Loads every source.
pub(super) fn load(builder: ConfigBuilder) -> Result<Config, ConfigError> {
    let env = builder.environment.unwrap_or_else(Environment::process);
    let path = file::find(builder.path, &builder.file_name, &env)?;
    let mut layers = vec![defaults(&env)?];
    if let Some(path) = &path {
        layers.push(file::read(path)?);
    }
    layers.push(environment(&env)?);
    let mut parameters = Layer::new("parameters");
    for (name, value, source) in builder.parameters.0 {
        parameters.add(&name, &value, source)?;
    }
    layers.push(parameters);
    let engine = engine(&layers)?;
    if engine == Dialect::Postgres {
        add_libpq(&mut layers, &env)?;
    }
    Ok(Config { path, ..finish(engine, &layers, env)? })
}

/// A configuration of the given parameters alone.
pub(super) fn explicit(pairs: impl Iterator<Item = (String, String)>) -> Result<Config, ConfigError> {
    let mut parameters = Layer::new("parameters");
    for (name, value) in pairs {
        parameters.add(&name, &value, Source::Parameter("parameter".to_owned()))?;
    }
    if parameters.settings().value("service").is_some() {
        let reason = "an explicit configuration uses no other source; set the service's parameters";
        return Err(parameters.settings().invalid("service", reason).into());
    }
    let mut defaults = defaults(&Environment::process())?;
    defaults.settings_mut().remove("dbname");
    let layers = [defaults, parameters];
    finish(engine(&layers)?, &layers, Environment::empty())
}

/// The `SQLTRACK_DSN_<PARAM>` variables.
pub(super) fn environment(env: &Environment) -> Result<Layer, ConfigError> {
    let mut layer = Layer::new("environment");
    for (variable, value) in env.iter() {
        let variable = variable.to_string_lossy();
        let Some(name) = variable.strip_prefix(PREFIX).map(str::to_lowercase) else { continue };
        let source = Source::Env(variable.to_string());
        let value = value.to_str().ok_or_else(|| sqltrack_engines::NotUnicode(variable.to_string()))?;
        if let Some(first) = layer.settings().get(&name)
            && matches!(first.source(), Source::Env(_))
        {
            let (first, second) = (Box::new(first.source().clone()), Box::new(source));
            return Err(ConfigError::Conflict { name, first, second });
        }
        layer.add(&name, value, source)?;
    }
    Ok(layer)
}

fn defaults(env: &Environment) -> Result<Layer, ConfigError> {
    let mut layer = Layer::new("defaults");
    layer.add("engine", Dialect::Postgres.name(), Source::Default(""))?;
    layer.add("dbpath", "sqltrack.db", Source::Default(""))?;
    if let Some(name) = env.login_name() {
        layer.add("user", &name, Source::Default("login name"))?;
        layer.add("dbname", &name, Source::Default("login name"))?;
    }
    Ok(layer)
}

/// libpq's environment ranks just above the defaults. Which service it is may be set further up.
#[cfg(feature = "postgres")]
fn add_libpq(layers: &mut Vec<Layer>, env: &Environment) -> Result<(), ConfigError> {
    let settings = sqltrack_postgres::options::libpq_settings(merge(layers).get("service"), env)?;
    layers.insert(1, Layer::of("libpq", settings));
    Ok(())
}

#[cfg(not(feature = "postgres"))]
#[expect(clippy::unnecessary_wraps, reason = "the same signature as with Postgres")]
fn add_libpq(_: &mut Vec<Layer>, _: &Environment) -> Result<(), ConfigError> {
    Ok(())
}

fn engine(layers: &[Layer]) -> Result<Dialect, ConfigError> {
    let settings = merged(layers);
    let name = settings.value("engine").unwrap_or_default();
    name.parse().map_err(|err| settings.invalid("engine", format!("{err}")).into())
}

/// The merged layers, where an empty value stands for the default.
fn merged(layers: &[Layer]) -> Settings {
    let mut settings = merge(layers);
    if let Some(defaults) = layers.first() {
        for (name, default) in defaults.settings().iter() {
            if settings.value(name).is_none() {
                settings.set(name, default.value(), default.source().clone());
            }
        }
    }
    settings
}

fn finish(engine: Dialect, layers: &[Layer], environment: Environment) -> Result<Config, ConfigError> {
    let mut settings = merged(layers);
    if let Some(source) = settings.get("engine").map(|setting| setting.source().clone()) {
        settings.set("engine", engine.name(), source);
    }
    if settings.value("dbname").is_none()
        && let Some(user) = settings.value("user").map(str::to_owned)
    {
        settings.set("dbname", user, Source::Default("same as user"));
    }
    let is_ours = |name: &str| Parameter::named(name).is_some_and(|known| known.is_for(engine));
    let mut unused = Settings::new();
    let mut used = Settings::new();
    for (name, setting) in settings {
        if is_ours(&name) {
            used.extend([(name, setting)]);
        } else if !setting.source().is_default() {
            unused.extend([(name, setting)]);
        }
    }
    check(engine, &used)?;
    Ok(Config { engine, settings: used, unused, path: None, environment })
}

/// The word for no spool.
pub(super) const OFF: &str = "off";

/// A positive number of seconds, up to a day.
pub(super) fn seconds(text: &str) -> Option<Duration> {
    let number: f64 = text.trim().parse().ok()?;
    (number > 0.0 && number <= 86_400.0).then(|| Duration::from_secs_f64(number))
}

/// A number of columns. PostgreSQL has 1,600 in a table for ever, and some are the user's.
pub(super) fn columns(text: &str) -> Option<usize> {
    text.trim().parse().ok().filter(|number| *number <= 1_500)
}

/// A size of memory in MiB, as bytes.
pub(super) fn mebibytes(text: &str) -> Option<usize> {
    let number: usize = text.trim().parse().ok()?;
    if (1..=1 << 20).contains(&number) { Some(number << 20) } else { None }
}

/// A truth value, as Python's configparser has them.
pub(super) fn truth(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "yes" | "true" | "on" => Some(true),
        "0" | "no" | "false" | "off" => Some(false),
        _ => None,
    }
}

fn check_spool(settings: &Settings) -> Result<(), ConfigError> {
    let offline = settings.value("offline").map(truth);
    if offline == Some(None) {
        return Err(settings.invalid("offline", "expected `true` or `false`").into());
    }
    if offline == Some(Some(true)) && settings.value("spool") == Some(OFF) {
        return Err(settings.invalid("spool", "`offline` needs a spool; set a folder").into());
    }
    if let Some(Err(err)) = settings.value("spool_fsync").map(str::parse::<Fsync>) {
        return Err(settings.invalid("spool_fsync", err.to_string()).into());
    }
    Ok(())
}

fn check(engine: Dialect, settings: &Settings) -> Result<(), ConfigError> {
    for name in ["heartbeat", "grace", "retry"] {
        if settings.value(name).is_some_and(|value| seconds(value).is_none()) {
            return Err(settings.invalid(name, "expected a number of seconds, up to a day").into());
        }
    }
    if settings.value("columns").is_some_and(|value| columns(value).is_none()) {
        return Err(settings.invalid("columns", "expected a number of columns, up to 1500").into());
    }
    if settings.value("queue").is_some_and(|value| mebibytes(value).is_none()) {
        return Err(settings.invalid("queue", "expected a number of MiB, from 1 to 1048576").into());
    }
    if settings.value("queue_full").is_some_and(|value| !matches!(value, "wait" | "refuse")) {
        return Err(settings.invalid("queue_full", "expected `wait` or `refuse`").into());
    }
    check_spool(settings)?;
    crate::redact::check(settings)?;
    match engine {
        #[cfg(feature = "postgres")]
        Dialect::Postgres => Ok(sqltrack_postgres::options::check(settings)?),
        Dialect::Sqlite if settings.value("dbpath").is_some_and(|path| path.contains('\0')) => {
            Err(settings.invalid("dbpath", "it contains a NUL character").into())
        }
        _ => Ok(()),
    }
}
