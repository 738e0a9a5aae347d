//! Parameters and where their values come from: [`Settings`] is what an engine is opened with.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

use indexmap::IndexMap;

use crate::Parameter;

/// What is printed in place of a secret.
const MASK: &str = "****";

/// Text that is never printed: `Debug` and `Display` show `****`.
///
/// ```
/// use sqltrack_engines::Secret;
///
/// let password = Secret::new("hunter2");
/// assert_eq!(format!("{password} {password:?}"), "**** ****");
/// assert_eq!(password.expose(), "hunter2");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

/// Where a value comes from. `Display` is the short text that errors and `sqltrack-cli config` show.
///
/// ```
/// use sqltrack_engines::Source;
///
/// let file = Source::File { path: "sqltrack.conf".into(), line: 3 };
/// assert_eq!(file.to_string(), "sqltrack.conf:3");
/// assert_eq!(Source::Url(Box::new(file)).to_string(), "the url in sqltrack.conf:3");
/// assert_eq!(Source::Default("login name").to_string(), "default (login name)");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// Nobody set it; the text says what the default is, and may be empty.
    Default(&'static str),
    /// A line of a file, counted from 1.
    File {
        /// The file as it was named.
        path: PathBuf,
        /// The line that names the parameter.
        line: usize,
    },
    /// The environment variable of this name.
    Env(String),
    /// The caller; the text says how, like `--port` or `parameter`.
    Parameter(String),
    /// A `url` parameter, which itself comes from there.
    Url(Box<Source>),
    /// A section of a libpq service file.
    Service {
        /// The name of the service.
        name: String,
        /// The service file.
        path: PathBuf,
        /// The line within it.
        line: usize,
    },
}

impl Source {
    /// Whether nobody asked for the value.
    pub fn is_default(&self) -> bool {
        matches!(self, Self::Default(_))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default("") => f.write_str("default"),
            Self::Default(what) => write!(f, "default ({what})"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Env(name) => f.write_str(name),
            Self::Parameter(how) => f.write_str(how),
            Self::Url(inner) => write!(f, "the url in {inner}"),
            Self::Service { name, path, line } => {
                write!(f, "service {} ({}:{line})", name.escape_debug(), path.display())
            }
        }
    }
}

/// A value and where it comes from. `Debug` shows only the latter, since a `Setting` does not know
/// whether it is a password; [`Settings`] does.
#[derive(Clone, PartialEq, Eq)]
pub struct Setting {
    value: String,
    source: Source,
}

impl Setting {
    /// A value and where it comes from.
    pub fn new(value: impl Into<String>, source: Source) -> Self {
        Self { value: value.into(), source }
    }

    /// The value. Empty means: what the engine does if nobody says anything.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Where it comes from.
    pub fn source(&self) -> &Source {
        &self.source
    }
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{MASK} from {}", self.source)
    }
}

/// Parameters by name, in the order in which they were first set, each with its source.
///
/// `Debug` masks the values of parameters that are secrets.
///
/// ```
/// use sqltrack_engines::{Settings, Source};
///
/// let mut settings = Settings::from_iter([("host", "db"), ("password", "hunter2")]);
/// settings.set("host", "db2", Source::Env("SQLTRACK_DSN_HOST".into()));
/// assert_eq!(settings.value("host"), Some("db2"));
/// assert!(!format!("{settings:?}").contains("hunter2"));
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Settings(IndexMap<String, Setting>);

impl Settings {
    /// No parameters at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a parameter and returns what it was before.
    pub fn set(
        &mut self,
        name: impl Into<String>,
        value: impl Into<String>,
        source: Source,
    ) -> Option<Setting> {
        self.0.insert(name.into(), Setting::new(value, source))
    }

    /// The value of a parameter with its source.
    pub fn get(&self, name: &str) -> Option<&Setting> {
        self.0.get(name)
    }

    /// The value of a parameter; `None` if it is unset or empty.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.get(name).map(Setting::value).filter(|value| !value.is_empty())
    }

    /// The value of a parameter as it may be printed: secrets are `****`.
    pub fn shown(&self, name: &str) -> Option<Cow<'_, str>> {
        let setting = self.get(name)?;
        Some(if is_secret(name) { MASK.into() } else { setting.value().into() })
    }

    /// Takes a parameter out.
    pub fn remove(&mut self, name: &str) -> Option<Setting> {
        self.0.shift_remove(name)
    }

    /// Every parameter, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Setting)> {
        self.0.iter().map(|(name, setting)| (name.as_str(), setting))
    }

    /// How many parameters there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no parameter.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The error that the value of `name` cannot be used because of `reason`, which says what is
    /// expected. The value of a secret is not shown.
    pub fn invalid(&self, name: &str, reason: impl Into<String>) -> InvalidSetting {
        let origin = self.get(name).map_or(Source::Default(""), |setting| setting.source.clone());
        // The pieces of a url may be pieces of a password that was not percent-encoded.
        let hidden = is_secret(name) || matches!(origin, Source::Url(_));
        let shown = self.get(name).filter(|_| !hidden).map(|setting| shorten(setting.value()));
        InvalidSetting(Box::new(Invalid { name: name.to_owned(), shown, origin, reason: reason.into() }))
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (name, setting) in self.iter() {
            let shown = self.shown(name).unwrap_or_default();
            map.entry(&name, &format_args!("{shown:?} from {}", setting.source));
        }
        map.finish()
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Settings {
    /// Settings that all come from the calling program.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let mut settings = Self::new();
        for (name, value) in pairs {
            settings.set(name, value, Source::Parameter("parameter".to_owned()));
        }
        settings
    }
}

impl Extend<(String, Setting)> for Settings {
    fn extend<I: IntoIterator<Item = (String, Setting)>>(&mut self, settings: I) {
        self.0.extend(settings);
    }
}

impl IntoIterator for Settings {
    type Item = (String, Setting);
    type IntoIter = indexmap::map::IntoIter<String, Setting>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// A parameter whose value cannot be used. The message names its source, and shows no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct InvalidSetting(Box<Invalid>);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` from {origin}{}: {reason}", .shown.as_ref().map(|shown| format!(" is `{shown}`")).unwrap_or_default())]
struct Invalid {
    name: String,
    shown: Option<String>,
    origin: Source,
    reason: String,
}

impl InvalidSetting {
    /// The parameter.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Where its value comes from.
    pub fn origin(&self) -> &Source {
        &self.0.origin
    }
}

/// Whether a value must not be printed. Unknown names are judged by how they sound.
fn is_secret(name: &str) -> bool {
    Parameter::named(name).map_or_else(|| name.contains("pass"), |parameter| parameter.secret)
}

/// One line of a bounded length, whatever the value is.
fn shorten(value: &str) -> String {
    const MOST: usize = 60;
    let mut shown = String::new();
    for char in value.chars().take(MOST) {
        if char.is_control() { shown.extend(char.escape_debug()) } else { shown.push(char) }
    }
    if value.chars().nth(MOST).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, value: &str, source: Source, message: &str) {
        let mut settings = Settings::new();
        settings.set(name, value, source);
        assert_eq!(settings.invalid(name, "reason").to_string(), message);
    }

    #[test]
    fn an_invalid_value_is_one_line_without_secrets() {
        let env = || Source::Env("VAR".to_owned());
        check("port", "abc", env(), "`port` from VAR is `abc`: reason");
        check("host", "a\n\0é", env(), "`host` from VAR is `a\\n\\0é`: reason");
        check("password", "hunter2", env(), "`password` from VAR: reason");
        check("my_passphrase", "hunter2", env(), "`my_passphrase` from VAR: reason");
        check("port", "hunter2", Source::Url(Box::new(env())), "`port` from the url in VAR: reason");
        let shown = format!("`host` from VAR is `{}…`: reason", "x".repeat(60));
        check("host", &"x".repeat(61), env(), &shown);
    }

    #[test]
    fn a_setting_keeps_its_place_and_takes_the_latest_source() {
        let mut settings = Settings::from_iter([("a", "1"), ("b", "2")]);
        settings.set("a", "3", Source::Default(""));
        assert_eq!(format!("{settings:?}"), r#"{"a": "3" from default, "b": "2" from parameter}"#);
    }
}
