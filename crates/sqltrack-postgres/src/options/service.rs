//! libpq's service files: named sections of connection parameters.

use std::io;
use std::path::{Path, PathBuf};

use sqltrack_engines::{Environment, Parameter, Setting, Settings, Source};

use super::OptionsError;

/// Where distributions keep the system's service file if `PGSYSCONFDIR` does not say.
const SYSTEM_DIRECTORIES: [&str; 2] = ["/etc/postgresql-common", "/etc/sysconfig/pgsql"];

/// The parameters of a service.
pub(super) fn load(service: &Setting, env: &Environment) -> Result<Settings, OptionsError> {
    let name = service.value();
    let mut searched = Vec::new();
    for (path, required) in candidates(env) {
        match std::fs::read_to_string(&path) {
            Ok(content) => {
                if let Some(settings) = parse(&content, name, &path)? {
                    return Ok(settings);
                }
                searched.push(path.display().to_string());
            }
            Err(err) if err.kind() == io::ErrorKind::NotFound && !required => {}
            Err(err) => return Err(OptionsError::ServiceFile { path, reason: err.to_string() }),
        }
    }
    let searched = if searched.is_empty() { "any service file".to_owned() } else { searched.join(" or ") };
    let origin = Box::new(service.source().clone());
    Err(OptionsError::NoSuchService { name: name.to_owned(), origin, searched })
}

/// The service files in order, and whether each must exist.
fn candidates(env: &Environment) -> Vec<(PathBuf, bool)> {
    let own = match env.path("PGSERVICEFILE") {
        Some(path) => Some((path, true)),
        None => env.home().map(|home| (home.join(".pg_service.conf"), false)),
    };
    let system = match env.path("PGSYSCONFDIR") {
        Some(folder) => vec![folder],
        None => SYSTEM_DIRECTORIES.iter().map(PathBuf::from).collect(),
    };
    own.into_iter().chain(system.into_iter().map(|folder| (folder.join("pg_service.conf"), false))).collect()
}

/// The parameters in the section `[name]`, or `None` if there is no such section.
fn parse(content: &str, name: &str, path: &Path) -> Result<Option<Settings>, OptionsError> {
    let mut found: Option<Settings> = None;
    for (index, line) in content.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(header) = line.strip_prefix('[') {
            if found.is_some() {
                break;
            }
            if header.split_once(']').is_some_and(|(title, _)| title == name) {
                found = Some(Settings::new());
            }
        } else if let Some(settings) = &mut found {
            let number = index + 1;
            let wrong = |reason: &str| OptionsError::ServiceLine {
                path: path.to_owned(),
                line: number,
                reason: reason.to_owned(),
            };
            let (key, value) = entry(line).map_err(wrong)?;
            // As with libpq, the first value stays.
            if settings.get(key).is_none() {
                let source = Source::Service { name: name.to_owned(), path: path.to_owned(), line: number };
                settings.set(key, value, source);
            }
        }
    }
    Ok(found)
}

fn entry(line: &str) -> Result<(&str, &str), &'static str> {
    if line.starts_with("ldap") {
        return Err("services from LDAP are not supported; write the parameters into the file");
    }
    let (key, value) = line.split_once('=').ok_or("expected `name=value`")?;
    if key == "service" {
        return Err("a service cannot refer to another one; remove `service`");
    }
    if key.ends_with(char::is_whitespace) {
        return Err("there must be no space before `=`");
    }
    match Parameter::named(key) {
        Some(known) if known.is_libpq_keyword() => Ok((key, value)),
        _ => Err("the name before `=` is not a connection parameter of libpq; correct or remove it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# services\n[one]\nhost=h1\n\n  port=1  \n#host=x\nhost=later\n[two]\nuser = bob\n[x]\nservice=one\n";

    fn read(name: &str) -> Result<Option<Settings>, OptionsError> {
        parse(FILE, name, Path::new("pg_service.conf"))
    }

    #[test]
    fn a_section_is_read_with_its_lines() {
        let settings = read("one").unwrap().unwrap();
        let shown: Vec<_> = settings
            .iter()
            .map(|(name, setting)| format!("{name}={} {}", setting.value(), setting.source()))
            .collect();
        assert_eq!(
            shown,
            ["host=h1 service one (pg_service.conf:3)", "port=1 service one (pg_service.conf:5)"]
        );
        assert!(read("none").unwrap().is_none());
    }

    #[test]
    fn lines_that_make_no_sense_are_named() {
        let message = |name| read(name).unwrap_err().to_string();
        assert_eq!(message("two"), "pg_service.conf:9: there must be no space before `=`");
        assert_eq!(
            message("x"),
            "pg_service.conf:11: a service cannot refer to another one; remove `service`"
        );
    }

    #[test]
    fn the_own_file_comes_before_the_system_s() {
        let folder = tempfile::tempdir().unwrap();
        let system = folder.path().join("pg_service.conf");
        let own = folder.path().join(".pg_service.conf");
        std::fs::write(&system, "[a]\nhost=system\n[b]\nhost=system\n").unwrap();
        let env = Environment::from_iter([("HOME", folder.path()), ("PGSYSCONFDIR", folder.path())]);
        let host = |name: &str| {
            let service = Setting::new(name, Source::Env("PGSERVICE".to_owned()));
            load(&service, &env).map(|settings| settings.value("host").map(str::to_owned))
        };
        assert_eq!(host("a").unwrap().as_deref(), Some("system"));
        std::fs::write(&own, "[a]\nhost=own\n").unwrap();
        assert_eq!(host("a").unwrap().as_deref(), Some("own"));
        assert_eq!(host("b").unwrap().as_deref(), Some("system"));
        let message = host("c").unwrap_err().to_string();
        assert!(message.starts_with("service `c` (from PGSERVICE) is not defined in "), "{message}");
    }

    #[test]
    fn a_service_file_that_was_named_must_exist() {
        let env = Environment::from_iter([("PGSERVICEFILE", "no/such/file")]);
        let service = Setting::new("a", Source::Env("PGSERVICE".to_owned()));
        assert!(matches!(load(&service, &env), Err(OptionsError::ServiceFile { .. })));
    }
}
