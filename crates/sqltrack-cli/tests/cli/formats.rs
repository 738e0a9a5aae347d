//! Rows in every format, through the program. What each value becomes is tested beside the formats.

use std::io::{BufRead as _, BufReader, Read as _};

use crate::program::Program;

const SQL: &str = "SELECT 1 AS id, 'a|b' AS name, NULL AS note, 0.5 AS loss \
                   UNION ALL SELECT 9007199254740993, '', 'x', 9e999 ORDER BY 1";

#[track_caller]
fn check(format: &str, expected: &str) {
    let program = Program::sqlite_with("");
    assert_eq!(program.run(&["query", SQL, "--format", format]).succeeded(), expected);
}

#[test]
fn table() {
    let expected = [
        "              id  name  note      loss",
        "────────────────  ────  ────  ────────",
        "               1  a|b   --         0.5",
        "9007199254740993        x     Infinity",
        "",
    ];
    check("table", &expected.join("\n"));
}

#[test]
fn json() {
    check(
        "json",
        "[\n{\"id\":1,\"name\":\"a|b\",\"note\":null,\"loss\":0.5},\n\
         {\"id\":9007199254740993,\"name\":\"\",\"note\":\"x\",\"loss\":\"Infinity\"}\n]\n",
    );
}

#[test]
fn jsonl() {
    check(
        "jsonl",
        "{\"id\":1,\"name\":\"a|b\",\"note\":null,\"loss\":0.5}\n\
         {\"id\":9007199254740993,\"name\":\"\",\"note\":\"x\",\"loss\":\"Infinity\"}\n",
    );
}

#[test]
fn csv() {
    check("csv", "id,name,note,loss\n1,a|b,,0.5\n9007199254740993,\"\",x,Infinity\n");
}

#[test]
fn markdown() {
    check(
        "markdown",
        "| id | name | note | loss |\n| ---: | --- | --- | ---: |\n\
         | 1 | a\\|b | -- | 0.5 |\n| 9007199254740993 |  | x | Infinity |\n",
    );
}

#[test]
fn a_statement_without_a_table_prints_none() {
    let program = Program::sqlite_with("");
    let insert = "INSERT INTO experiments (name) VALUES ('a')";
    assert_eq!(program.run(&["query", insert]).succeeded(), "");
    assert_eq!(program.run(&["query", "DELETE FROM experiments", "--format", "json"]).succeeded(), "[]\n");
    let none = program.run(&["query", "SELECT id, name FROM experiments", "--format", "csv"]);
    assert_eq!(none.succeeded(), "id,name\n");
}

#[test]
fn parameters_are_bound_with_their_types() {
    let program = Program::sqlite_with("");
    let types = "SELECT typeof(:a) AS a, typeof(:b) AS b, typeof(:c) AS c, typeof(:d) AS d, :e AS e";
    let quoted = r#"d="7""#;
    let hostile = "e='; DROP TABLE runs; --";
    let arguments = [
        "query", types, "-P", "a=7", "-P", "b=0.5", "-P", "c=null", "-P", quoted, "-P", hostile, "--format",
        "csv",
    ];
    let expected = "a,b,c,d,e\ninteger,real,null,text,'; DROP TABLE runs; --\n";
    assert_eq!(program.run(&arguments).succeeded(), expected);
    let list = "SELECT value FROM json_each(:ids)";
    let listed = program.run(&["query", list, "-P", "ids=[3, 4]", "--format", "csv"]).succeeded();
    assert_eq!(listed, "value\n3\n4\n");
}

#[test]
fn a_statement_may_begin_with_a_comment_and_stand_behind_options() {
    let program = Program::sqlite_with("");
    for arguments in
        [["query", "-- one\nSELECT 1 AS a", "--format", "csv"], ["query", "--format", "csv", "SELECT 1 AS a"]]
    {
        assert_eq!(program.run(&arguments).succeeded(), "a\n1\n");
    }
}

#[test]
fn a_statement_may_come_from_standard_input() {
    let program = Program::sqlite_with("");
    let rows = program.feed(&["query", "-", "--format", "csv"], "SELECT 1 AS a;\n").succeeded();
    assert_eq!(rows, "a\n1\n");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let program = Program::sqlite_with("");
    let many =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) SELECT i FROM n";
    for format in ["table", "json", "jsonl", "csv", "markdown"] {
        let mut child = program.command(&["query", many, "--format", format]).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        assert!(!first.is_empty());
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(0), ""), "{format}");
    }
}

#[test]
fn output_that_cannot_be_written_is_an_error() {
    let program = Program::sqlite_with("");
    let mut command = program.command(&["query", "SELECT 1"]);
    command.stdout(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    let outcome: crate::program::Outcome = command.output().unwrap().into();
    assert!(outcome.failed().starts_with("cannot write the output: No space left on device"));
}
