//! `report`.

use crate::compare::RUNS;
use crate::program::Program;

#[test]
fn an_experiment_is_one_page() {
    let program = Program::sqlite_with(RUNS);
    let script = "UPDATE experiments SET name = '<imagenet>', comment = 'a & b';
        ALTER TABLE metrics ADD COLUMN note TEXT; UPDATE metrics SET note = 'x';";
    program.feed(&["execute"], script).succeeded();
    let outcome = program.run(&["report", "<imagenet>", "--best", "loss:min", "-o", "page.html"]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), "wrote page.html\n"));
    let page = std::fs::read_to_string(program.folder().join("page.html")).unwrap();
    assert!(page.contains("<h1>&lt;imagenet&gt;</h1>") && page.contains("a &amp; b"), "{page}");
    // The best run is the first one.
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text} is not in {page}"));
    assert!(place(">0.5</td>") < place(">1.5</td>"));
    // A text is no curve.
    assert_eq!(page.matches("<figure").count(), 1);
    assert!(page.contains(">0.01</td>") && !page.contains(">experiment<"), "{page}");
    let links = page.matches("http://").count();
    assert_eq!(links, page.matches("\"http://www.w3.org/2000/svg\"").count(), "{page}");
}

#[test]
fn what_is_not_there_is_told() {
    let program = Program::sqlite_with(RUNS);
    let failed =
        |arguments: &[&str]| program.run(&[&["report", "-o", "a.html"], arguments].concat()).failed();
    assert_eq!(failed(&["imagent"]), "there is no experiment `imagent`; did you mean `imagenet`?");
    let unknown = failed(&["imagenet", "--metric", "los"]);
    assert_eq!(unknown, "there is no metric `los`; did you mean `loss`?");
    assert!(!program.folder().join("a.html").exists());
    let empty = Program::sqlite_with("INSERT INTO experiments (id, name) VALUES (1, 'empty')");
    empty.run(&["report", "empty", "-o", "a.html"]);
    let page = std::fs::read_to_string(empty.folder().join("a.html")).unwrap();
    assert!(page.contains("0 runs"), "{page}");
}
