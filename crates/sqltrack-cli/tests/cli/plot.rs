//! `plot`.

use crate::compare::RUNS;
use crate::program::Program;
use crate::terminal::shown_on;

#[test]
fn curves_are_drawn_where_there_is_no_terminal() {
    let program = Program::sqlite_with(RUNS);
    let outcome = program.run(&["plot", "7", "9", "--metric", "loss"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert_eq!(outcome.stderr, "values that are not drawn: 1 (NaN or infinite)\n");
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert!(lines.iter().all(|line| line.chars().count() <= 80), "{}", outcome.stdout);
    assert!(!outcome.stdout.contains('\u{1b}') && outcome.stdout.contains('⠑'), "{}", outcome.stdout);
    assert_eq!(lines.last(), Some(&"a run 7   b run 8"));
}

#[test]
fn files_are_what_their_names_say() {
    let program = Program::sqlite_with(RUNS);
    for (file, beginning) in
        [("a.html", &b"<!DOCTYPE html>"[..]), ("a.SVG", b"<svg "), ("a.png", b"\x89PNG\r\n")]
    {
        program.run(&["plot", "7", "--metric", "loss", "--log-y", "-o", file]).succeeded();
        let written = std::fs::read(program.folder().join(file)).unwrap();
        assert!(written.starts_with(beginning), "{file}: {}", String::from_utf8_lossy(&written));
    }
    let unknown = program.run(&["plot", "7", "--metric", "loss", "-o", "a.gif"]);
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.stderr.contains("`a.gif` does not say what kind of picture"), "{}", unknown.stderr);
    let nowhere = program.run(&["plot", "7", "--metric", "loss", "-o", "no/a.svg"]).failed();
    assert!(nowhere.starts_with("cannot write `no/a.svg`: "), "{nowhere}");
}

#[test]
fn what_cannot_be_drawn_is_told() {
    let program = Program::sqlite_with(RUNS);
    let failed = |arguments: &[&str]| program.run(&[&["plot"], arguments].concat()).failed();
    assert_eq!(failed(&["7", "-m", "los"]), "there is no metric `los`; did you mean `loss`?");
    assert_eq!(failed(&["70", "-m", "loss"]), "there is no run 70");
    assert!(failed(&["7", "-m", "loss", "-x", "time"]).starts_with("no metric of the runs is a time"));
    assert!(program.run(&["plot", "7", "-m", "loss", "--smooth", "1"]).stderr.contains("from 0 to below 1"));
    let nothing = program.run(&["plot", "9", "-m", "loss", "--no-links", "--log-y", "-x", "progress"]);
    assert_eq!(nothing.code, Some(0), "{}", nothing.stderr);
}

#[test]
fn curves_are_drawn_over_times_and_other_metrics() {
    let program = Program::sqlite_with(RUNS);
    let script = "ALTER TABLE metrics ADD COLUMN seen TIMESTAMP WITH TIME ZONE;
        ALTER TABLE metrics ADD COLUMN samples INTEGER;
        UPDATE metrics SET seen = '2024-05-07 0' || step || ':00:00.000000+00:00', samples = 128 * step;";
    program.feed(&["execute"], script).succeeded();
    let drawn = |over: &str| program.run(&["plot", "7", "8", "-m", "loss", "-x", over]).stdout;
    let over_time = drawn("time");
    assert!(over_time.contains("time since the first step") && over_time.contains(" h"), "{over_time}");
    assert!(drawn("samples").contains("samples"));
    // A metric may have the name of a column that the table of a series has beside its metrics.
    let script = "ALTER TABLE metrics ADD COLUMN run REAL; UPDATE metrics SET run = 0.125 * step;";
    program.feed(&["execute"], script).succeeded();
    let drawn = program.run(&["plot", "7", "-m", "run"]).stdout;
    assert!(drawn.contains("0.05 ┤"), "{drawn}");
}

/// The text without what colors it.
fn plain(shown: &str) -> String {
    let mut parts = shown.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    first + &parts.map(|part| part.split_once('m').map_or("", |(_, text)| text)).collect::<String>()
}

#[test]
fn charts_and_tables_fit_their_terminal() {
    let program = Program::sqlite_with(RUNS);
    let long = "UPDATE runs SET comment = 'a comment that is much longer than a terminal of eighty columns is wide, whatever is beside it';";
    program.feed(&["execute"], long).succeeded();
    for (columns, rows) in [(80, 24), (200, 50)] {
        for arguments in [&["plot", "7", "8", "-m", "loss"][..], &["runs"], &["compare", "7", "8", "--all"]] {
            let shown = shown_on(program.command(arguments), columns, rows);
            let widest = plain(&shown).lines().map(|line| line.chars().count()).max().unwrap();
            assert!(widest <= usize::from(columns), "{widest} of {columns}: {shown}");
            assert!(shown.contains('\u{1b}'), "{shown}");
            let uncolored = program.clone().variable("NO_COLOR", "1");
            let uncolored = shown_on(uncolored.command(arguments), columns, rows);
            assert!(!uncolored.contains('\u{1b}'), "{uncolored}");
            if arguments[0] == "plot" {
                assert_eq!(shown.lines().count(), usize::from(rows) - 1, "{shown}");
                assert!(!plain(&shown).contains("a run 7") && uncolored.contains("a run 7"), "{uncolored}");
            }
        }
    }
}
