//! What is one statement, and which scripts are refused.

use super::{Script, ScriptError, line_of, split};
use crate::Dialect::{self, Postgres, Sqlite};

#[track_caller]
fn check(dialect: Dialect, text: &str, expected: &[&str]) {
    let statements = split(text, dialect).unwrap_or_else(|err| panic!("{dialect}: {err}"));
    let texts: Vec<_> = statements.iter().map(|it| it.text()).collect();
    assert_eq!(texts, expected, "{dialect}");
    for statement in statements {
        assert_eq!(&text[statement.offset()..][..statement.text().len()], statement.text());
    }
}

#[track_caller]
fn check_both(text: &str, expected: &[&str]) {
    Dialect::ALL.into_iter().for_each(|dialect| check(dialect, text, expected));
}

#[test]
fn semicolons_end_statements() {
    check_both("", &[]);
    check_both(" ;; -- no\n ; /* none */", &[]);
    check_both("a;b", &["a", "b"]);
    check_both("\u{feff}a ; /* x */ b -- y\n;c", &["a", "b", "c"]);
    check_both("a /* x */ b", &["a /* x */ b"]);
}

#[test]
fn quotes_and_comments_hide_semicolons() {
    check_both("a ';' 'it''s;';b", &["a ';' 'it''s;'", "b"]);
    check_both(r"a '\';b", &[r"a '\'", "b"]);
    check_both("a \"x\"\";\";b", &["a \"x\"\";\"", "b"]);
    check_both("a -- ;'\n;b", &["a", "b"]);
    check_both("a /* ;' */;b", &["a", "b"]);
    check_both("1-1;2/2;3*3", &["1-1", "2/2", "3*3"]);
}

#[test]
fn escape_strings_are_postgres_only() {
    check(Postgres, r"a E'\';' e'\\';b", &[r"a E'\';' e'\\'", "b"]);
    check(Sqlite, r"a E'\';b", &[r"a E'\'", "b"]);
    check(Postgres, r"namE'\';b", &[r"namE'\'", "b"]);
    check(Postgres, r"1E'\';';b", &[r"1E'\';'", "b"]);
    check(Postgres, r#"a U&'\';U&"\"";";b"#, &[r"a U&'\'", r#"U&"\"";""#, "b"]);
    check(Postgres, "E'a'\n -- c\n'\\';';b", &["E'a'\n -- c\n'\\';'", "b"]);
    check(Postgres, "E'a' '\\';b", &["E'a' '\\'", "b"]);
}

#[test]
fn dollar_quotes_are_postgres_only() {
    check(Postgres, "a $$;'$$;b", &["a $$;'$$", "b"]);
    check(Postgres, "a $x$;$$;$y$;$x$;b", &["a $x$;$$;$y$;$x$", "b"]);
    check(Postgres, "a$b$;c$b$;d", &["a$b$", "c$b$", "d"]);
    check(Postgres, "$1;$2", &["$1", "$2"]);
    check(Postgres, "$1$a$;$a$;b", &["$1$a$;$a$", "b"]);
    check(Postgres, "$é$;$é$;$ ;b", &["$é$;$é$", "$", "b"]);
    check(Sqlite, "$$;$a$;b", &["$$", "$a$", "b"]);
}

#[test]
fn quotes_of_sqlite() {
    check(Sqlite, "a [x;'] `;``;`;b", &["a [x;'] `;``;`", "b"]);
    check(Postgres, "a[1];b[2:3]", &["a[1]", "b[2:3]"]);
    check(Postgres, "a `;`", &["a `", "`"]);
}

#[test]
fn comments_nest_on_postgres_only() {
    check(Postgres, "a /* /* ; */ ; */;b", &["a", "b"]);
    check(Sqlite, "a /* /* ; */;b", &["a", "b"]);
    check(Postgres, "a -- x\r;b", &["a", "b"]);
    check(Sqlite, "a -- x\r;b", &["a"]);
}

#[test]
fn routine_bodies_are_whole() {
    let body = "CREATE OR REPLACE FUNCTION f(begin int) RETURNS int BEGIN ATOMIC\n\
                SELECT CASE WHEN true THEN 1 END AS end; SELECT 2; END";
    check(Postgres, &format!("{body}; COMMIT"), &[body, "COMMIT"]);
    check(
        Postgres,
        "create procedure p() begin atomic end;b",
        &["create procedure p() begin atomic end", "b"],
    );
    check(
        Postgres,
        "CREATE FUNCTION f() AS $$BEGIN; END;$$;b",
        &["CREATE FUNCTION f() AS $$BEGIN; END;$$", "b"],
    );
    check(Postgres, "CREATE TABLE begin (atomic int);b", &["CREATE TABLE begin (atomic int)", "b"]);
    check(Postgres, "BEGIN;SELECT 1;END", &["BEGIN", "SELECT 1", "END"]);
}

#[test]
fn rule_bodies_are_whole() {
    let rule = "CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT (1); SELECT 2)";
    check(Postgres, &format!("{rule};b"), &[rule, "b"]);
    check(Postgres, "SELECT (1; b)", &["SELECT (1", "b)"]);
}

#[test]
fn trigger_bodies_are_whole() {
    let trigger = "CREATE TEMP TRIGGER t AFTER UPDATE OF end ON e BEGIN\n\
                   UPDATE e SET end = CASE begin WHEN 1 THEN 2 END; SELECT 1 AS end; END";
    check(Sqlite, &format!("{trigger};b"), &[trigger, "b"]);
    check(Sqlite, "EXPLAIN CREATE TRIGGER t BEGIN a; END;b", &["EXPLAIN CREATE TRIGGER t BEGIN a; END", "b"]);
    check(Sqlite, "CREATE TABLE trigger (begin);b", &["CREATE TABLE trigger (begin)", "b"]);
    check(Postgres, "CREATE TRIGGER begin;b", &["CREATE TRIGGER begin", "b"]);
}

#[track_caller]
fn check_refused(dialect: Dialect, text: &str, message: &str) {
    let err = Script::parse("v1.sql", text, dialect).unwrap_err();
    assert_eq!(err.to_string(), message, "{dialect}");
    assert!(message.contains(&format!("line {}: ", err.line())));
}

#[track_caller]
fn check_both_refused(text: &str, message: &str) {
    Dialect::ALL.into_iter().for_each(|dialect| check_refused(dialect, text, message));
}

#[test]
fn open_quotes_are_refused() {
    let open = |what: &str, closing: &str| {
        format!("`v1.sql`, line 2: the {what} that starts here is never closed; close it with `{closing}`")
    };
    check_both_refused("a;\n'b\n''", &open("string", "'"));
    check_both_refused("a;\n\"b\n", &open("quoted identifier", "\""));
    check_both_refused("a;\n/* b\n", &open("comment", "*/"));
    check_refused(Postgres, "a;\n/* /* b */\n", &open("comment", "*/"));
    check_refused(Postgres, "a;\nE'b\\'\n", &open("string", "'"));
    check_refused(Postgres, "a;\n$b$\n$$", &open("dollar quote", "$b$"));
    check_refused(Sqlite, "a;\n`b\n", &open("quoted identifier", "`"));
    check_refused(Sqlite, "a;\n[b\n", &open("quoted identifier", "]"));
}

#[test]
fn open_bodies_are_refused() {
    let open = |closing: &str| {
        format!("`v1.sql`, line 2: the body that starts here is never closed; close it with `{closing}`")
    };
    check_refused(Postgres, "CREATE FUNCTION f()\nBEGIN ATOMIC SELECT 1;\nSELECT 2;", &open("END"));
    check_refused(Postgres, "CREATE RULE r AS ON INSERT TO t DO\n(SELECT 1; COMMIT;", &open(")"));
    check_refused(Sqlite, "CREATE TRIGGER t ON e\nBEGIN SELECT 1;\nCOMMIT;", &open("END"));
}

#[test]
fn what_is_no_sql_is_refused() {
    check_both_refused(
        "SELECT 1;\n\\set x 1 \n",
        "`v1.sql`, line 2: `\\set x 1` is a command of the database's shell; only SQL can be run here, remove it",
    );
    check_refused(
        Sqlite,
        "\n.mode csv",
        "`v1.sql`, line 2: `.mode csv` is a command of the database's shell; only SQL can be run here, remove it",
    );
    let copy = "`v1.sql`, line 2: `COPY` cannot use the client's input or output here; write INSERT statements or use psql";
    check_refused(Postgres, "\ncopy t (a) FROM stdin;\nit's\n\\.\n", copy);
    check_refused(Postgres, "\nCOPY (SELECT 1) TO STDOUT WITH (FORMAT csv)", copy);
    check(Postgres, "COPY t FROM 'stdin'", &["COPY t FROM 'stdin'"]);
    check_both_refused(
        "a;\n'\n\0'",
        "`v1.sql`, line 3: there is a NUL character here; SQL text cannot hold one, remove it",
    );
    assert_eq!(
        split("a;\0", Sqlite).unwrap_err().to_string(),
        "line 1: there is a NUL character here; SQL text cannot hold one, remove it"
    );
}

#[track_caller]
fn check_script(dialect: Dialect, text: &str, expected: &[&str]) {
    let script = Script::parse("v1.sql", text, dialect).unwrap_or_else(|err| panic!("{dialect}: {err}"));
    assert_eq!(script.statements().iter().map(|it| it.text()).collect::<Vec<_>>(), expected, "{dialect}");
    assert_eq!(script.name(), "v1.sql");
}

#[test]
fn one_outer_transaction_is_taken_off() {
    for (begin, end) in
        [("BEGIN", "END"), ("begin transaction", "commit transaction"), ("/* x */ BEGIN", "COMMIT -- x\n")]
    {
        let text = format!("-- first\n{begin};\na;\nb;;\n{end};\n");
        Dialect::ALL.into_iter().for_each(|dialect| check_script(dialect, &text, &["a", "b"]));
    }
    let modes = "START TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE NOT DEFERRABLE";
    for begin in [modes, "BEGIN WORK READ ONLY", "BEGIN ISOLATION LEVEL SERIALIZABLE"] {
        check_script(Postgres, &format!("{begin};a;END WORK AND NO CHAIN"), &["a"]);
    }
    for begin in ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE TRANSACTION", "BEGIN DEFERRED TRANSACTION x"] {
        check_script(Sqlite, &format!("{begin};a;END TRANSACTION x"), &["a"]);
    }
    check_script(Postgres, "BEGIN;COMMIT", &[]);
    let script = Script::parse("v1.sql", "\nBEGIN READ ONLY;a;END", Postgres).unwrap();
    assert_eq!(script.begin().map(|it| (it.text(), it.line())), Some(("BEGIN READ ONLY", 2)));
    assert_eq!(Script::parse("v1.sql", "a;b", Postgres).unwrap().begin(), None);
}

#[test]
fn scripts_that_define_metrics_are_understood() {
    let many = "-- one statement a column\nBEGIN;\n\nALTER TABLE metrics ADD COLUMN fit_start TIMESTAMP WITH TIME ZONE;\n\
                ALTER TABLE metrics\tADD COLUMN fit_loss FLOAT;\n\nEND;\n";
    let one = "BEGIN;\n\nALTER TABLE metrics\n    ADD COLUMN fit_start TIMESTAMP WITH TIME ZONE,\n    ADD COLUMN fit_loss FLOAT;\n\nEND;\n";
    for dialect in Dialect::ALL {
        let script = Script::parse("v001.sql", many, dialect).unwrap();
        assert_eq!(script.statements().iter().map(super::Statement::line).collect::<Vec<_>>(), [4, 5]);
        let script = Script::parse("v001.sql", one, dialect).unwrap();
        assert_eq!(script.statements().len(), 1);
        assert_eq!(script.statements()[0].line(), 3);
        assert!(script.statements()[0].text().ends_with("fit_loss FLOAT"));
    }
}

#[track_caller]
fn check_control(dialect: Dialect, text: &str, line: usize, statement: &str) {
    let expected =
        ScriptError::TransactionControl { script: "v1.sql".into(), line, statement: statement.into() };
    assert_eq!(Script::parse("v1.sql", text, dialect), Err(expected), "{dialect}");
}

#[test]
fn other_transaction_control_is_refused() {
    for control in ["BEGIN", "COMMIT", "END", "ROLLBACK", "commit\n transaction"] {
        let shown = control.split_whitespace().collect::<Vec<_>>().join(" ");
        for dialect in Dialect::ALL {
            check_control(dialect, &format!("BEGIN;\na;\n{control};\nb;END"), 3, &shown);
            check_control(dialect, &format!("a;\n{control};\nb"), 2, &shown);
        }
    }
    for control in [
        "START TRANSACTION",
        "ABORT",
        "PREPARE TRANSACTION 'x'",
        "COMMIT PREPARED 'x'",
        "ROLLBACK PREPARED 'x'",
    ] {
        check_control(Postgres, &format!("a;\n{control};b"), 2, control);
    }
    check_control(Postgres, "BEGIN;\na;\nCOMMIT AND CHAIN;", 3, "COMMIT AND CHAIN");
    check_control(Postgres, "BEGIN;\na;\nCOMMIT;\nb", 3, "COMMIT");
    check_control(Postgres, "a;\nBEGIN;\nb;END;", 2, "BEGIN");
    check_control(Sqlite, "BEGIN READ ONLY;a;END;", 1, "BEGIN READ ONLY");
}

#[test]
fn half_an_outer_transaction_is_refused() {
    check_both_refused(
        "\nBEGIN;a;",
        "`v1.sql`, line 2: `BEGIN` has no END; end the script with `END;`, or remove it",
    );
    check_both_refused(
        "a;\nCOMMIT;",
        "`v1.sql`, line 2: `COMMIT` has no BEGIN; start the script with `BEGIN;`, or remove it",
    );
}

#[test]
fn savepoints_are_allowed_in_a_transaction() {
    let text = "BEGIN;SAVEPOINT a;ROLLBACK TO a;ROLLBACK TRANSACTION TO SAVEPOINT a;RELEASE a;END";
    let inside = ["SAVEPOINT a", "ROLLBACK TO a", "ROLLBACK TRANSACTION TO SAVEPOINT a", "RELEASE a"];
    Dialect::ALL.into_iter().for_each(|dialect| check_script(dialect, text, &inside));
}

#[test]
fn without_a_transaction_nothing_controls_one() {
    let text = "-- no-transaction\nCREATE INDEX CONCURRENTLY i ON t (a);\nb";
    let script = Script::parse("v1.sql", text, Postgres).unwrap();
    assert!(script.no_transaction());
    assert_eq!(script.statements().len(), 2);
    for control in ["BEGIN", "END", "SAVEPOINT a", "ROLLBACK TO a"] {
        check_both_refused(
            &format!("-- no-transaction\na;\n{control};"),
            &format!(
                "`v1.sql`, line 3: `{control}` is not allowed in a `-- no-transaction` script, \
                 whose statements run one by one; remove it, or the first line"
            ),
        );
    }
    assert!(!Script::parse("v1.sql", "\n-- no-transaction", Postgres).unwrap().no_transaction());
}

#[test]
fn lines_are_counted_in_characters() {
    for (offset, line) in [(0, 1), (1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (99, 3)] {
        assert_eq!(line_of("é\n損\n", offset), line, "{offset}");
    }
    let statements = split("a;\n\nSELECT\n nope;", Postgres).unwrap();
    assert_eq!(statements[1].line_at(9), 4);
}
