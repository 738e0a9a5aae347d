//! `compare`, and `metrics` of runs that continue others.

use crate::program::Program;

/// Two runs that differ in an argument, and a third one that resumes the second.
pub(crate) const RUNS: &str = "
    INSERT INTO experiments (id, name) VALUES (1, 'imagenet');
    INSERT INTO runs (id, experiment_id, status, time_created, args, env, tags, time_started, time_updated) VALUES
        (7, 1, 'COMPLETED', '2024-05-07 00:00:00.000000+00:00', '{\"lr\": 0.1, \"net\": {\"depth\": 50}}',
            '{\"HOST\": \"a\"}', '{\"best\": true}', '2024-05-07 01:00:00.000000+00:00', '2024-05-07 03:30:00.000000+00:00'),
        (8, 1, 'FAILED', '2024-05-08 00:00:00.000000+00:00', '{\"lr\": 0.01, \"net\": {\"depth\": 50}}',
            '{\"HOST\": \"a\"}', NULL, '2024-05-07 01:00:00.000000+00:00', '2024-05-07 03:30:00.000000+00:00'),
        (9, 1, 'COMPLETED', '2024-05-09 00:00:00.000000+00:00', NULL, NULL, NULL, NULL, NULL);
    INSERT INTO run_links VALUES (9, 'resumes', 8);
    ALTER TABLE metrics ADD COLUMN loss DOUBLE PRECISION;
    INSERT INTO metrics (run_id, step, loss) VALUES
        (7, 0, 1.0), (7, 1, 0.5), (8, 0, 2.0), (8, 1, 1.5), (8, 2, 9.0), (9, 2, 1.0), (9, 3, 9e999);";

#[test]
fn what_differs_is_shown_side_by_side() {
    let program = Program::sqlite_with(RUNS);
    let expected = "\
part,name,7,8
run,status,COMPLETED,FAILED
run,created,2024-05-07T00:00:00Z,2024-05-08T00:00:00Z
run,tags,\"[\"\"best\"\"]\",
args,lr,0.1,0.01
metrics,last step,1,3
metrics,loss max,1.0,2.0
metrics,loss min,0.5,1.0
metrics,loss not finite,,1
metrics,steps,2,4
";
    assert_eq!(program.run(&["compare", "7", "8", "--format", "csv"]).succeeded(), expected);
    let alone = program.run(&["compare", "7", "8", "--no-links", "--format", "csv"]).succeeded();
    assert!(alone.contains("metrics,loss max,1.0,9.0\n") && !alone.contains("not finite"), "{alone}");
    let all = program.run(&["compare", "7", "8", "--all", "--format", "csv"]).succeeded();
    assert!(all.contains("args,net.depth,50,50\n") && all.contains("env,HOST,a,a\n"), "{all}");
    let page = program.run(&["compare", "7", "8", "--all", "--format", "html"]).succeeded();
    assert!(
        page.contains("<span class=\"sqltrack-differs\">0.01</span>") && page.contains(">50</td>"),
        "{page}"
    );
}

#[test]
fn large_integers_keep_their_digits() {
    let program = Program::sqlite_with(RUNS);
    let seed = "UPDATE runs SET args = '{\"seed\": 18446744073709551615}' WHERE id = 7;";
    program.feed(&["execute"], seed).succeeded();
    let compared = program.run(&["compare", "7", "8", "--format", "csv"]).succeeded();
    assert!(compared.contains("args,seed,18446744073709551615,\n"), "{compared}");
    let listed =
        program.run(&["runs", "--columns", "args.seed", "--limit", "3", "--format", "csv"]).succeeded();
    assert!(listed.contains("18446744073709551615\n"), "{listed}");
}

#[test]
fn runs_that_are_the_same_or_not_there_are_told() {
    let program = Program::sqlite_with(RUNS);
    let outcome = program.run(&["compare", "7", "7", "--format", "jsonl"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), ""));
    assert_eq!(outcome.stderr, "the runs do not differ; `--all` shows what they have\n");
    assert_eq!(program.run(&["compare", "7", "70"]).failed(), "there is no run 70");
}

#[test]
fn a_run_is_shown_with_those_that_it_continues() {
    let program = Program::sqlite_with(RUNS);
    let expected = "\
series,run,step,progress,loss
8,8,0,0.0,2.0
8,8,1,0.0,1.5
8,9,2,0.0,1.0
8,9,3,0.0,Infinity
";
    for run in ["8", "9"] {
        assert_eq!(program.run(&["metrics", run, "--format", "csv"]).succeeded(), expected);
    }
    let alone = program.run(&["metrics", "9", "--no-links", "--format", "csv"]).succeeded();
    assert_eq!(alone, "step,progress,loss\n2,0.0,1.0\n3,0.0,Infinity\n");
    program.feed(&["execute"], "INSERT INTO run_links VALUES (8, 'resumes', 9)").succeeded();
    let outcome = program.run(&["metrics", "9", "--format", "csv"]);
    assert_eq!(outcome.stdout, alone);
    assert!(outcome.stderr.contains("runs 8, 9 go round in a circle"), "{}", outcome.stderr);
}
