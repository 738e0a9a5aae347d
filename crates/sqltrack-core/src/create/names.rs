//! Names of Postgres, in quotes only where they have to be.

use sqltrack_engines::MAX_NAME_BYTES;
use sqltrack_engines::sql::Identifier;

use super::CreateError;

/// Words that are no names without quotes, or not everywhere. Words that only some versions keep for themselves are
/// among them, since quotes do no harm.
const KEYWORDS: &str = "\
    all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean \
    both case cast char character check coalesce collate collation column concurrently constraint \
    create cross current_catalog current_date current_role current_schema current_time \
    current_timestamp current_user dec decimal default deferrable desc distinct do else end except \
    exists extract false fetch float for foreign freeze from full grant greatest group grouping having \
    ilike in initially inner inout int integer intersect interval into is isnull join json json_array \
    json_arrayagg json_exists json_object json_objectagg json_query json_scalar json_serialize \
    json_table json_value lateral leading least left like limit localtime localtimestamp merge_action \
    national natural nchar none normalize not notnull null nullif numeric offset on only or order out \
    outer overlaps overlay placing position precision primary real references returning right row \
    select session_user setof similar smallint some substring symmetric system_user table tablesample \
    then time timestamp to trailing treat trim true union unique user using values varchar variadic \
    verbose when where window with xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces \
    xmlparse xmlpi xmlroot xmlserialize xmltable \
";

/// `name`, which is that of `kind` (`the role`), for SQL.
pub(super) fn quoted(kind: &str, name: &str) -> Result<String, CreateError> {
    let bad = |problem| CreateError::Name { what: format!("{kind} `{}`", name.escape_debug()), problem };
    if name.len() > MAX_NAME_BYTES {
        return Err(bad("has a name of more than 63 bytes, which Postgres would cut; choose a shorter one"));
    }
    if is_plain(name) {
        return Ok(name.to_owned());
    }
    Identifier::new(name)
        .quoted()
        .map_err(|_| bad("cannot have this name, which is empty or contains a NUL character; choose another"))
}

/// Whether a name means itself without quotes.
fn is_plain(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
        && !KEYWORDS.split(' ').any(|word| word == name)
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn quotes_stand_where_they_are_needed() {
        for plain in ["alice", "_a1", "public", "name", "x".repeat(63).as_str()] {
            assert_eq!(quoted("the role", plain).unwrap(), plain);
        }
        for name in ["Alice", "1a", "a-b", "a b", "user", "all", "xmltable", "a$", "ä", "损失", "a;b", "%"]
        {
            assert_eq!(quoted("the role", name).unwrap(), format!("\"{name}\""));
        }
        assert_eq!(quoted("the role", "a\"b").unwrap(), "\"a\"\"b\"");
    }

    #[test]
    fn a_name_that_cannot_be_is_named() {
        let err = quoted("the role", "a\0b").unwrap_err().to_string();
        assert!(err.starts_with("the role `a\\0b` cannot have this name"), "{err}");
        assert!(quoted("the role", "").is_err());
        assert!(quoted("the role", &"ü".repeat(32)).is_err());
    }
}
