//! Secrets are masked in what is recorded without being asked for one by one: the environment, command lines, the
//! output of other programs.

mod assigned;
mod assignments;
mod code;
mod globs;
mod json;
mod names;
mod scan;
mod shapes;
mod spans;
mod urls;
mod values;

use std::fmt;
use std::sync::Arc;

use serde_json::Value as Json;
use sqltrack_engines::{Environment, InvalidSetting, Object, Parameter, Settings};

use crate::Config;
pub(crate) use globs::Globs;
use names::{Names, Secrecy};
use spans::Spans;
use values::Values;

/// What stands in the place of a secret, whatever it is.
pub(crate) const MASK: &str = "****";
/// How often a text is gone through at most.
const MOST_PASSES: usize = 8;
/// The parameter with patterns of names that are masked.
const ENV_MASK: &str = "env_mask";
/// The parameter with patterns of variables that are recorded.
const ENV_INCLUDE: &str = "env_include";

/// Masks secrets: replaces each by `****`, which tells nothing of it, not even its length.
///
/// It goes by names (those of variables, options, parameters and members whose values are secret), by values (those of
/// the secret variables of this process, wherever they stand), and by form (passwords in URLs, keys and tokens of known
/// shapes). What it does not take for a secret stays as it is. The book has the list, and how to change it by the
/// parameters `env_mask` and `env_include`.
///
/// It is cheap to clone, and `Debug` shows no secret. Masking what is masked already changes nothing.
///
/// ```
/// use sqltrack_core::{Config, Redactor};
///
/// let redactor = Redactor::new(&Config::explicit([("env_mask", "LAB_*")])?);
/// assert_eq!(redactor.text("postgres://alice:hunter2@db/runs"), "postgres://alice:****@db/runs");
/// assert_eq!(redactor.arguments(&["--api-key", "hunter2", "--epochs", "90"]), ["--api-key", "****", "--epochs", "90"]);
/// assert!(redactor.is_secret("LAB_PIN"));
/// # Ok::<(), sqltrack_core::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Redactor {
    inner: Arc<Inner>,
}

#[derive(Clone)]
struct Inner {
    names: Names,
    values: Values,
    included: Globs,
    environment: Environment,
}

impl Redactor {
    /// With the patterns and passwords of `config`, and the environment of this process as it is now.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self::of(config, Environment::process())
    }

    fn of(config: &Config, environment: Environment) -> Self {
        // What cannot be read has been refused when the configuration was made.
        let globs = |name| config.get(name).and_then(|list| Globs::parse(list).ok()).unwrap_or_default();
        let names = Names::new(globs(ENV_MASK));
        let mut values = Values::default();
        for (name, setting) in config.settings().iter().chain(config.unused().iter()) {
            if Parameter::named(name).is_some_and(|parameter| parameter.secret) {
                values.add(setting.value());
            }
        }
        for variables in [config.environment(), &environment] {
            add_secrets(&mut values, &names, variables);
        }
        Self { inner: Arc::new(Inner { names, values, included: globs(ENV_INCLUDE), environment }) }
    }

    /// Whether the value of a variable, option or parameter of this name is masked.
    #[must_use]
    pub fn is_secret(&self, name: &str) -> bool {
        self.inner.names.secrecy(name) != Secrecy::Nothing
    }

    /// The environment of this process as a run records it: the variables that `env_include` lists, those with secret
    /// names masked, and the secrets in the others. A variable that is no Unicode, or holds what a database cannot
    /// keep, is left out.
    #[must_use]
    pub fn environment(&self) -> Object {
        let variables = self.inner.environment.iter();
        variables.filter_map(|(name, value)| self.variable(name.to_str()?, value.to_str()?)).collect()
    }

    fn variable(&self, name: &str, value: &str) -> Option<(String, Json)> {
        let included = &self.inner.included;
        let upper = name.to_ascii_uppercase();
        let is_included = (included.is_open() || included.matches(&upper)) && !included.exempts(&upper);
        if !is_included || name.contains('\0') || value.contains('\0') {
            return None;
        }
        Some((name.to_owned(), json::under(self, value, self.secrecy_of_variable(name)).into()))
    }

    /// What is secret in a variable: all of it, also if it is a number, if its name is secret.
    fn secrecy_of_variable(&self, name: &str) -> Secrecy {
        if self.is_secret(name) { Secrecy::Everything } else { Secrecy::Nothing }
    }

    /// Masks the secrets in an environment that was recorded.
    pub(crate) fn variables(&self, variables: &Object) -> Object {
        let masked = |(name, value): (&String, &Json)| {
            (self.text(name), json::value(self, value, self.secrecy_of_variable(name)))
        };
        variables.iter().map(masked).collect()
    }

    /// Masks the secrets in a text of any kind: a command line, a diff, the output of a program.
    ///
    /// Give it the whole text, and cut what comes of it: a private key has several lines, and half of a token may look
    /// like none.
    ///
    /// ```
    /// # use sqltrack_core::{Config, Redactor};
    /// # let redactor = Redactor::new(&Config::explicit([("user", "alice")])?);
    /// assert_eq!(redactor.text("host=db password=hunter2 user=alice"), "host=db password=**** user=alice");
    /// # Ok::<(), sqltrack_core::ConfigError>(())
    /// ```
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        // What is masked may have stood between a secret and what tells that it is one.
        for _ in 0..MOST_PASSES {
            let masked = self.masked(&text);
            if masked == text {
                break;
            }
            text = masked;
        }
        text
    }

    fn masked(&self, text: &str) -> String {
        let mut spans = Spans::default();
        self.inner.values.find(text, &mut spans);
        urls::find(text, &mut spans);
        shapes::find(text, &mut spans);
        assignments::find(text, &self.inner.names, &mut spans);
        spans.mask(text)
    }

    /// Masks the secrets in a command line, whose arguments may be a name and its value, such as `--password` and what
    /// follows it.
    #[must_use]
    pub fn arguments<S: AsRef<str>>(&self, arguments: &[S]) -> Vec<String> {
        json::arguments(self, arguments.iter().map(AsRef::as_ref))
    }

    /// Masks the secrets in a JSON object, such as the arguments of a run: what stands under secret names, and the
    /// secrets in all other texts. Values that are no texts stay as they are under names that are not secret; numbers
    /// also under those that hold TOKEN or end in `_KEY`, as `max_tokens` does.
    #[must_use]
    pub fn object(&self, object: &Object) -> Object {
        json::object(self, object, Secrecy::Nothing)
    }
}

impl Redactor {
    /// The same, with more names.
    pub(crate) fn with_names(&self, globs: Globs) -> Self {
        let mut inner = (*self.inner).clone();
        inner.names = inner.names.and(globs);
        add_secrets(&mut inner.values, &inner.names, &inner.environment);
        Self { inner: Arc::new(inner) }
    }

    /// The same, with all that is secret in these objects, wherever it stands.
    pub(crate) fn with_secrets_of<'a>(&self, objects: impl Iterator<Item = &'a Object>) -> Self {
        let mut inner = (*self.inner).clone();
        for object in objects {
            json::add_secrets(object, Secrecy::Nothing, &inner.names, &mut inner.values);
        }
        Self { inner: Arc::new(inner) }
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}

/// Adds what is secret in an environment.
fn add_secrets(values: &mut Values, names: &Names, environment: &Environment) {
    for (name, value) in environment.iter() {
        let (Some(name), Some(value)) = (name.to_str(), value.to_str()) else { continue };
        if names.secrecy(name) != Secrecy::Nothing {
            values.add(value);
        }
        values.add_passwords(value);
    }
}

/// Checks the parameters that a [`Redactor`] is made with.
pub(crate) fn check(settings: &Settings) -> Result<(), InvalidSetting> {
    for name in [ENV_MASK, ENV_INCLUDE] {
        if let Some(list) = settings.value(name) {
            Globs::parse(list).map_err(|reason| settings.invalid(name, reason))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
