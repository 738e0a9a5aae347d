//! `options`: settings of the session that travel with the connection request, like `-c geqo=off`.

use std::collections::HashSet;

use sqltrack_engines::Settings;
use sqlx::postgres::PgConnectOptions;

use super::{OptionsError, schema};

/// A setting of the server and its value.
pub(super) type Pair = (String, String);

/// Splits `-c name=value --name=value` as the server does. The driver can pass on nothing else.
pub(super) fn parse(options: &str) -> Result<Vec<Pair>, String> {
    const EXPECTED: &str = "expected only `-c name=value` and `--name=value`";
    let mut words = split(options).into_iter();
    let mut pairs = Vec::new();
    while let Some(word) = words.next() {
        let assignment = match word.strip_prefix("--").or_else(|| word.strip_prefix("-c")) {
            Some("") => words.next().unwrap_or_default(),
            Some(rest) => rest.to_owned(),
            None => return Err(EXPECTED.to_owned()),
        };
        let (name, value) = assignment.split_once('=').ok_or(EXPECTED)?;
        if name.is_empty() || assignment.contains(['\t', '\n', '\u{b}', '\u{c}', '\r']) {
            return Err(EXPECTED.to_owned());
        }
        // The server reads dashes in the name as underscores.
        pairs.push((name.replace('-', "_"), value.to_owned()));
    }
    Ok(pairs)
}

/// Adds `options` and `schema` to what the driver has taken from `PGOPTIONS` by itself.
///
/// The driver can add to that, but never drop it: a value of ours wins for a setting of the same name.
pub(super) fn apply(
    connect: PgConnectOptions,
    settings: &Settings,
    schemas: &[String],
) -> Result<PgConnectOptions, OptionsError> {
    let wanted = settings.value("options").unwrap_or_default();
    let mut pairs = parse(wanted).map_err(|reason| settings.invalid("options", reason))?;
    if !schemas.is_empty() {
        pairs.push(("search_path".to_owned(), schema::search_path(schemas)));
    }
    let inherited = connect.get_options().unwrap_or_default();
    if inherited != wanted {
        refuse_leftovers(inherited, &pairs)?;
    }
    Ok(if pairs.is_empty() { connect } else { connect.options(pairs) })
}

fn refuse_leftovers(inherited: &str, pairs: &[Pair]) -> Result<(), OptionsError> {
    let names: HashSet<_> = pairs.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    let leftover =
        |reason: &str| OptionsError::Inherited { variable: "PGOPTIONS", reason: reason.to_owned() };
    let inherited = parse(inherited).map_err(|_| leftover("`options` is set elsewhere"))?;
    match inherited.iter().find(|(name, _)| !names.contains(&name.to_ascii_lowercase())) {
        Some((name, _)) => Err(leftover(&format!("its `{name}` is not part of the configured `options`"))),
        None => Ok(()),
    }
}

/// Words between spaces; a backslash takes the next character as it is.
fn split(options: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = options.chars();
    while let Some(char) = chars.next() {
        match char {
            ' ' | '\t' | '\n' | '\u{b}' | '\u{c}' | '\r' => words.extend(word.take()),
            '\\' => word.get_or_insert_default().extend(chars.next()),
            _ => word.get_or_insert_default().push(char),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(options: &str, expected: &[(&str, &str)]) {
        let pairs = parse(options).unwrap();
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(pairs, expected, "{options}");
    }

    #[test]
    fn settings_are_split_as_the_server_splits_them() {
        check("", &[]);
        check("-c geqo=off", &[("geqo", "off")]);
        check(" -cgeqo=off  --statement-timeout=5min ", &[("geqo", "off"), ("statement_timeout", "5min")]);
        check(r"-c application_name=a\ b\\c=d", &[("application_name", r"a b\c=d")]);
    }

    #[test]
    fn what_the_driver_cannot_pass_on_is_refused() {
        for bad in ["geqo=off", "-B 100", "-c", "-c geqo", "--=x", "-c a=b\\\tc"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn settings_that_the_driver_inherits_must_be_overridden() {
        let pairs = parse("-c geqo=off").unwrap();
        assert!(refuse_leftovers("", &pairs).is_ok());
        assert!(refuse_leftovers("-c GEQO=on", &pairs).is_ok());
        let err = refuse_leftovers("-c geqo=on -c work_mem=1GB", &pairs).unwrap_err();
        assert_eq!(
            err.to_string(),
            "the driver would use PGOPTIONS although its `work_mem` is not part of the configured \
             `options`; unset PGOPTIONS"
        );
    }
}
