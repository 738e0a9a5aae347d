//! Names of parameters: which are known, and which one a mistyped name was meant to be.

use super::{ConfigError, PARAMETERS, Parameter, Source};

/// What other tools call some parameters.
const ELSEWHERE: [(&str, &str); 15] = [
    ("database", "dbname"),
    ("db", "dbname"),
    ("dsn", "url"),
    ("uri", "url"),
    ("database_url", "url"),
    ("username", "user"),
    ("hostname", "host"),
    ("server", "host"),
    ("passwd", "password"),
    ("pgpass", "passfile"),
    ("search_path", "schema"),
    ("timeout", "connect_timeout"),
    ("pgbouncer", "pooler"),
    ("path", "dbpath"),
    ("file", "dbpath"),
];

/// Refuses names that no parameter has.
pub(super) fn check(name: &str, origin: &Source) -> Result<(), ConfigError> {
    if Parameter::named(name).is_some() {
        return Ok(());
    }
    if name.is_empty() || !name.chars().all(|char| char.is_alphanumeric() || matches!(char, '_' | '-')) {
        return Err(ConfigError::NotAName { origin: origin.clone() });
    }
    Err(ConfigError::UnknownParameter {
        name: name.to_owned(),
        origin: origin.clone(),
        nearest: nearest(name),
    })
}

/// The known name that is most like `name`.
pub(super) fn nearest(name: &str) -> &'static str {
    let own = PARAMETERS.iter().map(|parameter| (parameter.name, parameter.name));
    own.chain(ELSEWHERE)
        .max_by(|(one, _), (other, _)| likeness(name, one).total_cmp(&likeness(name, other)))
        .map_or("engine", |(_, nearest)| nearest)
}

fn likeness(name: &str, known: &str) -> f64 {
    strsim::normalized_damerau_levenshtein(name, known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistyped_names_find_what_was_meant() {
        for (name, meant) in [
            ("hots", "host"),
            ("usr", "user"),
            ("passwrd", "password"),
            ("db_path", "dbpath"),
            ("dbName", "dbname"),
            ("ssl-mode", "sslmode"),
            ("hostadr", "hostaddr"),
            ("database", "dbname"),
            ("schemas", "schema"),
        ] {
            assert_eq!(nearest(name), meant, "{name}");
        }
    }

    #[test]
    fn the_names_used_elsewhere_lead_to_known_ones() {
        for (name, meant) in ELSEWHERE {
            assert!(Parameter::named(name).is_none() && Parameter::named(meant).is_some(), "{name}");
        }
    }
}
