//! `export`, and files of every format.

use sqltrack_core::{Experiment, metrics};

use crate::compare::RUNS;
use crate::program::Program;

#[tokio::test]
async fn everything_that_was_tracked_is_exported() {
    let program = Program::sqlite_with("");
    let client = program.client();
    let experiment = Experiment::open(&client, "export").await.unwrap();
    let other = Experiment::open(&client, "other").await.unwrap();
    for (number, experiment) in [&experiment, &other, &experiment].into_iter().enumerate() {
        let run = experiment.new_run().await.unwrap();
        run.add_metrics(metrics! { "loss" => 0.5, "large" => i64::MAX - number as i64 }).await.unwrap();
        run.add_metrics(metrics! { "loss" => f64::NAN, "note" => "é,\"" }).step(1).await.unwrap();
    }
    client.run(2).add_metrics(metrics! { "elsewhere" => 1 }).await.unwrap();
    client.close().await;
    let expected = "\
run_id,step,progress,loss,large,note
1,0,0.0,0.5,9223372036854775807,
1,1,0.0,NaN,,\"é,\"\"\"
3,0,0.0,0.5,9223372036854775805,
3,1,0.0,NaN,,\"é,\"\"\"
";
    let csv =
        |arguments: &[&str]| program.run(&[&["export", "--format", "csv"], arguments].concat()).succeeded();
    assert_eq!(csv(&["--experiment", "export"]), expected);
    assert_eq!(csv(&["1", "3"]), expected);
    assert_eq!(csv(&["1", "--metric", "note"]), "run_id,step,progress,note\n1,0,0.0,\n1,1,0.0,\"é,\"\"\"\n");
    assert_eq!(csv(&[]).lines().count(), 7);
    let failed = |arguments: &[&str]| program.run(&[&["export"], arguments].concat()).failed();
    assert_eq!(failed(&["--metric", "lose"]), "there is no metric `lose`; did you mean `loss`?");
    assert_eq!(failed(&["70"]), "there is no run 70");
}

#[test]
fn the_ending_of_a_file_says_what_it_holds() {
    let program = Program::sqlite_with(RUNS);
    for (file, beginning) in [
        ("a.csv", &b"run_id,step"[..]),
        ("a.json", b"[\n{\"run_id\":7"),
        ("a.jsonl", b"{\"run_id\":7"),
        ("a.md", b"| run_id |"),
        ("a.html", b"<!DOCTYPE html>"),
        ("a.txt", b"run_id  step"),
        ("a.parquet", b"PAR1"),
        ("a.arrow", b"ARROW1"),
        ("a.Feather", b"ARROW1"),
    ] {
        let outcome = program.run(&["export", "-o", file]);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), ""), "{}", outcome.stderr);
        let written = std::fs::read(program.folder().join(file)).unwrap();
        assert!(written.starts_with(beginning), "{file}: {written:?}");
    }
    program.run(&["runs", "-o", "b.data", "--format", "csv"]).succeeded();
    for arguments in [&["runs", "-o", "b.xlsx"][..], &["export", "--format", "parquet"]] {
        let outcome = program.run(arguments);
        assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
    }
    assert!(!program.folder().join("b.xlsx").exists());
}

#[test]
fn a_file_that_fails_is_taken_back() {
    let program = Program::sqlite_with("");
    let numbers = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 10000)
        SELECT CASE WHEN n < 9000 THEN n ELSE 'x' END AS n FROM n";
    let err = program.run(&["query", numbers, "-o", "a.parquet"]).failed();
    assert!(err.starts_with("column `n`: row 9000 is a text, but the column is an integer"), "{err}");
    assert!(!program.folder().join("a.parquet").exists());
    // What is there already stays until the new one is whole.
    program.file("b.csv", "mine");
    assert!(program.run(&["query", "SELECT nothing", "-o", "b.csv"]).failed().contains("nothing"));
    assert_eq!(std::fs::read_to_string(program.folder().join("b.csv")).unwrap(), "mine");
    std::os::unix::fs::symlink("b.csv", program.folder().join("link.csv")).unwrap();
    program.run(&["query", "SELECT 1 AS n", "-o", "link.csv"]).succeeded();
    assert_eq!(std::fs::read_to_string(program.folder().join("b.csv")).unwrap(), "n\n1\n");
    assert!(program.folder().join("link.csv").is_symlink());
    let left = std::fs::read_dir(program.folder()).unwrap().flatten();
    assert!(
        left.map(|entry| entry.file_name()).all(|name| !name.to_string_lossy().starts_with(".sqltrack-"))
    );
    let err = program.run(&["query", "SELECT 1 AS n", "-o", "/dev/full", "--format", "csv"]).failed();
    assert!(err.starts_with("cannot write `/dev/full`: "), "{err}");
    assert!(std::path::Path::new("/dev/full").exists());
    let err = program.run(&["query", "SELECT 1", "-o", "no/a.csv"]).failed();
    assert!(err.starts_with("cannot write `no/a.csv`: "), "{err}");
}

/// What would be gigabytes at once.
#[test]
fn a_large_result_takes_little_memory() {
    let program = Program::sqlite_with("");
    let rows = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 300000)
        SELECT n, n / 7.0 AS x, printf('%0500d', n) AS text FROM n";
    for file in ["a.csv", "a.parquet"] {
        let mut command = std::process::Command::new("/bin/sh");
        let quoted = rows.replace('\'', "'\\''");
        // The address space, in KiB: a hundred and fifty megabytes of text do not fit beside the program.
        let script = format!(
            "ulimit -v 700000 && exec {} --engine sqlite query '{quoted}' -o {file}",
            env!("CARGO_BIN_EXE_sqltrack-cli")
        );
        let output = command.args(["-c", &script]).current_dir(program.folder()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let written = std::fs::metadata(program.folder().join("a.csv")).unwrap().len();
    assert!(written > 150_000_000, "{written}");
}
