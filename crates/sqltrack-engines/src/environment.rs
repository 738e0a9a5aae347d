//! The environment as a value, so that what reads it can be tested without changing the process's own.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;

/// A snapshot of environment variables. `Debug` shows their names only.
///
/// An empty variable counts as unset.
///
/// ```
/// use sqltrack_engines::Environment;
///
/// let env = Environment::from_iter([("PGHOST", "db"), ("PGPORT", "")]);
/// assert_eq!(env.get("PGHOST"), Ok(Some("db")));
/// assert_eq!(env.get("PGPORT"), Ok(None));
/// ```
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<OsString, OsString>,
    of_process: bool,
}

impl Environment {
    /// The variables of this process as they are now.
    pub fn process() -> Self {
        Self { variables: std::env::vars_os().collect(), of_process: true }
    }

    /// No variables, no home directory.
    pub fn empty() -> Self {
        Self::default()
    }

    /// The value of a variable.
    ///
    /// # Errors
    ///
    /// [`NotUnicode`] if the value is not Unicode.
    pub fn get(&self, name: &str) -> Result<Option<&str>, NotUnicode> {
        match self.raw(name) {
            None => Ok(None),
            Some(value) => value.to_str().map(Some).ok_or_else(|| NotUnicode(name.to_owned())),
        }
    }

    /// The value of a variable that holds a path, which need not be Unicode.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.raw(name).map(PathBuf::from)
    }

    /// Every variable, empty ones included, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.variables.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }

    /// The home directory: `HOME`, and for the process itself also what the system says.
    pub fn home(&self) -> Option<PathBuf> {
        let of_system = || self.of_process.then(std::env::home_dir).flatten();
        self.path("HOME").or_else(of_system).filter(|home| !home.as_os_str().is_empty())
    }

    /// The login name: `LOGNAME`, `USER`, `LNAME`, `USERNAME`, then the password database.
    pub fn login_name(&self) -> Option<String> {
        ["LOGNAME", "USER", "LNAME", "USERNAME"]
            .into_iter()
            .find_map(|name| self.get(name).ok().flatten().map(str::to_owned))
            .or_else(|| whoami::username().ok())
            .filter(|name| !name.is_empty())
    }

    fn raw(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.variables.keys()).finish()
    }
}

impl<K: Into<OsString>, V: Into<OsString>> FromIterator<(K, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(variables: I) -> Self {
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { variables, of_process: false }
    }
}

/// A variable whose value is not Unicode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable {0} is not valid UTF-8; set it to a text or unset it")]
pub struct NotUnicode(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_login_name_is_looked_for_in_order() {
        let mut variables = vec![("USERNAME", "d"), ("LNAME", "c"), ("USER", "b"), ("LOGNAME", "a")];
        for expected in ["a", "b", "c", "d"] {
            let env = Environment::from_iter(variables.clone());
            assert_eq!(env.login_name().as_deref(), Some(expected));
            variables.pop();
        }
        let of_system = Environment::empty().login_name();
        assert_eq!(Environment::from_iter([("USER", "")]).login_name(), of_system);
    }

    #[test]
    fn values_are_not_printed() {
        let env = Environment::from_iter([("PGPASSWORD", "hunter2")]);
        assert_eq!(format!("{env:?}"), r#"{"PGPASSWORD"}"#);
    }
}
