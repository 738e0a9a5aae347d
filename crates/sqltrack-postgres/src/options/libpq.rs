//! What libpq takes from elsewhere: its environment variables and the service file.

use sqltrack_engines::{Dialect, Environment, PARAMETERS, Setting, Settings, Source};

use super::{OptionsError, service};

/// Variables that libpq turns into settings of the session, and which the driver does not.
const SESSION_VARIABLES: [(&str, &str); 3] = [("PGDATESTYLE", "ISO"), ("PGTZ", "UTC"), ("PGGEQO", "")];

/// The parameters in libpq's environment: the `PG*` variables, and above them the service that
/// `service` or else `PGSERVICE` names. They rank above defaults and below the config file.
///
/// # Errors
///
/// [`OptionsError`] if a variable is not Unicode or the service cannot be found or read.
///
/// ```
/// use sqltrack_engines::Environment;
/// use sqltrack_postgres::options;
///
/// let env = Environment::from_iter([("PGHOST", "db")]);
/// let settings = options::libpq_settings(None, &env)?;
/// assert_eq!(settings.value("host"), Some("db"));
/// # Ok::<(), sqltrack_postgres::OptionsError>(())
/// ```
pub fn libpq_settings(service: Option<&Setting>, env: &Environment) -> Result<Settings, OptionsError> {
    let mut settings = Settings::new();
    for parameter in PARAMETERS.iter().filter(|parameter| parameter.is_for(Dialect::Postgres)) {
        if let Some(variable) = parameter.variable
            && let Some(value) = env.get(variable)?
        {
            settings.set(parameter.name, value, Source::Env(variable.to_owned()));
        }
    }
    require_ssl(&mut settings, env)?;
    warn_of_session_variables(env);
    if let Some(service) = service.or(settings.get("service")).filter(|service| !service.value().is_empty()) {
        let of_service = service::load(service, env)?;
        settings.extend(of_service);
    }
    Ok(settings)
}

/// `PGREQUIRESSL=1` is an old way to say `PGSSLMODE=require`.
fn require_ssl(settings: &mut Settings, env: &Environment) -> Result<(), OptionsError> {
    const OLD: &str = "PGREQUIRESSL";
    if settings.get("sslmode").is_none() && env.get(OLD)?.is_some_and(|value| value.starts_with('1')) {
        settings.set("sslmode", "require", Source::Env(OLD.to_owned()));
    }
    Ok(())
}

fn warn_of_session_variables(env: &Environment) {
    for (variable, fixed) in SESSION_VARIABLES {
        let value = env.get(variable).ok().flatten();
        if value.is_some_and(|value| fixed.is_empty() || !value.starts_with(fixed)) {
            tracing::warn!("{variable} has no effect on SQLTrack: the driver sets up its own session");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_ranks_above_variables_and_an_explicit_one_above_pgservice() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(".pg_service.conf"), "[a]\nhost=of-a\n[b]\nhost=of-b\nport=7\n")
            .unwrap();
        let env = Environment::from_iter([
            ("HOME", folder.path().to_str().unwrap()),
            ("PGSERVICE", "a"),
            ("PGHOST", "of-variable"),
            ("PGUSER", "alice"),
            ("PGPORT", ""),
        ]);
        let settings = libpq_settings(None, &env).unwrap();
        assert_eq!((settings.value("host"), settings.value("port")), (Some("of-a"), None));
        assert_eq!(settings.get("user").unwrap().source().to_string(), "PGUSER");
        let service = Setting::new("b", Source::Parameter("parameter".to_owned()));
        let settings = libpq_settings(Some(&service), &env).unwrap();
        assert_eq!((settings.value("host"), settings.value("port")), (Some("of-b"), Some("7")));
    }

    #[test]
    fn the_old_way_to_require_tls_is_understood() {
        let mode = |variables: &[(&str, &str)]| {
            let env = variables.iter().copied().collect();
            libpq_settings(None, &env).unwrap().value("sslmode").map(str::to_owned)
        };
        assert_eq!(mode(&[("PGREQUIRESSL", "1")]).as_deref(), Some("require"));
        assert_eq!(mode(&[("PGREQUIRESSL", "1"), ("PGSSLMODE", "disable")]).as_deref(), Some("disable"));
        assert_eq!(mode(&[("PGREQUIRESSL", "0")]), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_variable_that_is_not_unicode_is_an_error() {
        use std::ffi::OsString;
        use std::os::unix::ffi::OsStringExt;

        let env = Environment::from_iter([("PGUSER", OsString::from_vec(vec![0xff]))]);
        assert!(matches!(libpq_settings(None, &env), Err(OptionsError::NotUnicode(_))));
    }
}
