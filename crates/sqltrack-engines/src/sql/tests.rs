//! What composed SQL looks like on each database, and what is refused.

use super::{Argument, Composable, Identifier, Literal, Sql, SqlError, upsert_metrics};
use crate::Dialect::{self, Postgres, Sqlite};

#[track_caller]
fn check(part: &dyn Composable, postgres: &str, sqlite: &str) {
    assert_eq!(part.to_string_for(Postgres).as_deref(), Ok(postgres));
    assert_eq!(part.to_string_for(Sqlite).as_deref(), Ok(sqlite));
}

#[track_caller]
fn check_both(part: &dyn Composable, expected: &str) {
    check(part, expected, expected);
}

#[track_caller]
fn check_literal(value: impl Into<Literal>, postgres: &str, sqlite: &str) {
    check(&value.into(), postgres, sqlite);
}

#[test]
fn identifiers_are_always_quoted() {
    check_both(&Identifier::new("a"), "\"a\"");
    check_both(&Identifier::new("Select \"x\".y"), "\"Select \"\"x\"\".y\"");
    check_both(&Identifier::qualified(["a", "b"]), "\"a\".\"b\"");
}

#[test]
fn names_that_cannot_be_are_refused() {
    let parts = [
        (Identifier::new(""), SqlError::EmptyIdentifier),
        (Identifier::qualified(["a", ""]), SqlError::EmptyIdentifier),
        (Identifier::qualified::<&str>([]), SqlError::EmptyIdentifier),
        (Identifier::new("a\0b"), SqlError::Nul("the identifier `a␀b`".into())),
    ];
    for (part, expected) in parts {
        assert_eq!(part.to_string_for(Postgres), Err(expected));
    }
}

#[test]
fn strings_hold_anything_but_nul() {
    check_literal("", "''", "''");
    check_literal("O'Rourke".to_owned(), "'O''Rourke'", "'O''Rourke'");
    check_literal(r"a\'b", r"E'a\\''b'", r"'a\''b'");
    assert_eq!(Literal::from("\0").to_string_for(Sqlite), Err(SqlError::Nul("a string".into())));
}

#[test]
fn numbers_keep_their_value_and_type() {
    check_literal(1, "1", "1");
    check_literal(-1, "(-1)", "(-1)");
    check_literal(i64::MIN, "(-9223372036854775808)", "(-9223372036854775808)");
    check_literal(1.0, "1.0", "1.0");
    check_literal(-1e300, "(-1e300)", "(-1e300)");
    check_literal(5e-324, "5e-324", "5e-324");
    check_literal(-0.0, "'-0'::float8", "(-0.0)");
    check_literal(f64::INFINITY, "'Infinity'::float8", "9e999");
    check_literal(f64::NEG_INFINITY, "'-Infinity'::float8", "(-9e999)");
    let nan = Literal::from(f64::NAN);
    assert_eq!(nan.to_string_for(Postgres).as_deref(), Ok("'NaN'::float8"));
    let err = nan.to_string_for(Sqlite).unwrap_err();
    assert_eq!(err.to_string(), "sqlite cannot hold NaN; use NULL or leave the value out");
}

#[test]
fn other_values_are_written_as_each_database_reads_them() {
    check_literal(false, "FALSE", "0");
    check_literal(None::<f64>, "NULL", "NULL");
    check_literal(Some("a"), "'a'", "'a'");
    check_literal(vec![0, 0xff], r"E'\\x00ff'::bytea", "X'00ff'");
    check_literal(&b""[..], r"E'\\x'::bytea", "X''");
}

#[test]
fn parts_are_put_together() {
    let names = || ["a", "b"].map(Identifier::new);
    check_both(&Sql::new(", ").join(names()), "\"a\", \"b\"");
    check_both(&Sql::new(", ").join(names().iter()), "\"a\", \"b\"");
    check_both(&Sql::new(", ").join(Vec::<Sql>::new()), "");
    let mut sql = Sql::from("SELECT ") + Literal::from(1);
    sql += Sql::new(" AS ") + Identifier::new("x");
    check_both(&sql, "SELECT 1 AS \"x\"");
    check_both(&(Sql::default() + Sql::from(Literal::from(1)) + Sql::from(Identifier::new("x"))), "1\"x\"");
}

#[test]
fn a_space_is_added_where_words_would_touch() {
    check(&(Sql::new("LIKE") + Literal::from(r"\")), r"LIKE E'\\'", r"LIKE'\'");
    check(&(Sql::new("a=b AND") + Literal::from(vec![1])), r"a=b AND E'\\x01'::bytea", "a=b AND X'01'");
    check_both(&(Sql::new("LIMIT") + Literal::from(1)), "LIMIT 1");
    check_both(&(Sql::new("1 -") + Literal::from(-1)), "1 -(-1)");
}

#[track_caller]
fn check_template(template: &'static str, arguments: &[&dyn Argument], expected: &str) {
    let text = Sql::new(template).format(arguments).and_then(|sql| sql.to_string_for(Sqlite));
    assert_eq!(text.as_deref(), Ok(expected));
}

#[test]
fn placeholders_take_their_arguments() {
    let (a, one) = (Identifier::new("a"), Literal::from(1));
    check_template("", &[], "");
    check_template("{} = {}", &[&a, &one], "\"a\" = 1");
    check_template("{1} = {0} + {1}", &[&one, &a], "\"a\" = 1 + \"a\"");
    check_template("{x}.{x} = {é_1}", &[&("é_1", &one), &("x", &a)], "\"a\".\"a\" = 1");
    check_template("{} {x} {}", &[&("x", &one), &a, &one], "\"a\" 1 1");
    check_template("{{}} {{{}}}", &[&one], "{} {1}");
    check_template("{}", &[&Sql::new("{} {{")], "{} {{");
    let composed = Sql::new("{} ") + Literal::from("{}") + Identifier::new("{x}");
    check_both(&composed.format(&[&one]).unwrap(), "1 '{}'\"{x}\"");
}

#[track_caller]
fn check_refused(template: &'static str, arguments: &[&dyn Argument], message: &str) {
    let err = Sql::new(template).format(arguments).unwrap_err();
    assert_eq!(err.to_string(), message);
}

#[test]
fn templates_and_arguments_must_agree() {
    let (a, one) = (Identifier::new("a"), Literal::from(1));
    for (template, missing) in [
        ("{0} {1}", "1"),
        ("{x}", "x"),
        ("{y} {x}", "x"),
        ("{9999999999999999999999}", "9999999999999999999999"),
    ] {
        check_refused(
            template,
            &[&a, &("y", &one)],
            &format!("no argument is given for `{{{missing}}}`; give one, or write `{{{{` for a brace"),
        );
    }
    check_refused("{} {}", &[&a], "no argument is given for `{}`; give one, or write `{{` for a brace");
    check_refused(
        "{x}",
        &[&("x", &a), &("y", &a), &a],
        "no placeholder takes `y`, `0`; write it into the template, or leave the argument out",
    );
    check_refused("{x}", &[&("x", &a), &("x", &one)], "the argument `x` is given twice; give it once");
    for template in ["{} {0}", "{0} {}"] {
        check_refused(template, &[&a], "`{}` and `{0}` are used in one template; use only one of both");
    }
}

#[test]
fn what_is_no_template_is_refused() {
    for template in ["{", "a } b", "{}}"] {
        check_refused(
            template,
            &[&Literal::from(1)],
            &format!("the template `{template}` has a single brace; write `{{{{` or `}}}}` for a brace"),
        );
    }
    for (template, placeholder) in
        [("{a!r}", "a!r"), ("{0:<10}", "0:<10"), ("{ a }", " a "), ("{{{a.b}", "a.b")]
    {
        check_refused(
            template,
            &[],
            &format!(
                "`{{{placeholder}}}` is no placeholder; expected `{{}}`, a number, or a name, without conversion or format"
            ),
        );
    }
}

#[track_caller]
fn check_misplaced(dialect: Dialect, template: &'static str, part: &dyn Argument) {
    let sql = Sql::new(template).format(&[part]).unwrap();
    let err = sql.to_string_for(dialect).unwrap_err();
    assert!(matches!(err, SqlError::Misplaced { .. } | SqlError::Script(_)), "{template}: {err:?}");
}

#[test]
fn values_and_names_cannot_become_something_else() {
    let value = Literal::from(" OR 1=1 --");
    let name = Identifier::new("a");
    for dialect in Dialect::ALL {
        for template in ["'{}'", "\"{}\"", "-- {}", "/* {} */", "'a'{}", "{}'a'", "'{}"] {
            check_misplaced(dialect, template, &value);
        }
        check_misplaced(dialect, "\"a\"{}", &name);
        check_misplaced(dialect, "{}0", &Literal::from(1));
        check_misplaced(dialect, ".{}", &Literal::from(1));
    }
    for template in ["E{}", "$${}$$", "E'a'\n{}"] {
        check_misplaced(Postgres, template, &value);
    }
    check_misplaced(Postgres, "U&{}", &name);
    check_misplaced(Postgres, "{}x", &Literal::from(f64::NAN));
    check_misplaced(Sqlite, "[{}]", &value);
    let err = Sql::new("a = '{}'").format(&[&value]).unwrap().to_string_for(Sqlite).unwrap_err();
    assert_eq!(
        err.to_string(),
        "the literal behind `a = '` stands in quotes, in a comment, or too close to what is next to it; \
         put spaces around it and no quotes"
    );
}

#[test]
fn metrics_are_written_by_name() {
    let start = "INSERT INTO metrics (run_id, step, progress";
    assert_eq!(
        upsert_metrics(&[], "VALUES ($1, $2, $3)").as_deref(),
        Ok(format!("{start}) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING").as_str())
    );
    assert_eq!(
        upsert_metrics(&["loss", "x\"; --"], "VALUES ($1, $2, $3, $4, $5::TEXT)").as_deref(),
        Ok(format!(
            "{start}, \"loss\", \"x\"\"; --\") VALUES ($1, $2, $3, $4, $5::TEXT) \
             ON CONFLICT (run_id, step, progress) DO UPDATE SET \
             \"loss\" = excluded.\"loss\", \"x\"\"; --\" = excluded.\"x\"\"; --\""
        )
        .as_str())
    );
    assert_eq!(upsert_metrics(&["a", ""], "VALUES ($1)"), Err(SqlError::EmptyIdentifier));
}
