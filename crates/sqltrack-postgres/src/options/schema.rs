//! `schema`, which is short for the search path: `a, "B c"` is two schemas.

/// The longest name that Postgres does not truncate, in bytes.
const LONGEST: usize = 63;

/// Splits a list of schemas. A name keeps its case; quotes are needed only around commas, quotes and
/// spaces at either end, and are doubled inside.
pub(super) fn parse(list: &str) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    let mut rest = list;
    loop {
        let (name, after) = match rest.trim_start().strip_prefix('"') {
            Some(quoted) => quoted_name(quoted)?,
            None => rest.split_once(',').map_or((rest.trim().to_owned(), None), |(name, after)| {
                (name.trim().to_owned(), Some(after))
            }),
        };
        names.push(checked(name)?);
        match after {
            Some(after) => rest = after,
            None => return Ok(names),
        }
    }
}

/// The search path of the schemas, as Postgres reads it.
pub(super) fn search_path(names: &[String]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("\"{}\"", name.replace('"', "\"\""))).collect();
    quoted.join(",")
}

/// The name up to its closing quote, and what follows the comma after it.
fn quoted_name(text: &str) -> Result<(String, Option<&str>), String> {
    let mut name = String::new();
    let mut rest = text;
    loop {
        let (part, after) = rest.split_once('"').ok_or("a quote is not closed")?;
        name.push_str(part);
        match after.strip_prefix('"') {
            Some(inside) => {
                name.push('"');
                rest = inside;
            }
            None => {
                let after = after.trim_start();
                return match after.strip_prefix(',') {
                    Some(next) => Ok((name, Some(next))),
                    None if after.is_empty() => Ok((name, None)),
                    None => Err("expected a comma after a quoted name".to_owned()),
                };
            }
        }
    }
}

fn checked(name: String) -> Result<String, String> {
    if name.is_empty() {
        return Err("a schema has no name; expected names separated by commas".to_owned());
    }
    if name.len() > LONGEST {
        return Err(format!("a name is longer than {LONGEST} bytes"));
    }
    // The driver escapes only the space, and the server splits its options at all of these.
    if name.contains(['\t', '\n', '\u{b}', '\u{c}', '\r', '\0']) {
        return Err("a name contains a tab, a line break or a NUL".to_owned());
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_keep_their_case_and_need_few_quotes() {
        let names = |list| parse(list).unwrap();
        assert_eq!(names("track"), ["track"]);
        assert_eq!(names(" Track ,\"$user\" , a b"), ["Track", "$user", "a b"]);
        assert_eq!(names(r#""a,b","we""ird",we"ird"#), ["a,b", "we\"ird", "we\"ird"]);
    }

    #[test]
    fn lists_that_make_no_sense_are_refused() {
        for bad in ["", ",", "a,", "\"\"", "\"a", "\"a\"b", "a\tb", &"x".repeat(64)] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
        assert!(parse(&"x".repeat(63)).is_ok());
    }

    proptest! {
        #[test]
        fn a_search_path_reads_back_as_the_same_schemas(
            names in prop::collection::vec("[a-zA-Z\", \\\\$é=-]{1,20}", 1..4),
        ) {
            prop_assert_eq!(parse(&search_path(&names)).unwrap(), names);
        }
    }
}
