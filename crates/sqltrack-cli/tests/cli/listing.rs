//! `experiments`, `runs` and `metrics`.

use sqltrack_core::{Experiment, metrics};

use crate::engines::on_both_engines;
use crate::program::Program;

on_both_engines!(a_slip_in_the_id_of_a_run_is_told);

#[test]
fn an_empty_database_says_what_comes_next() {
    let program = Program::sqlite_with("");
    let outcome = program.run(&["experiments", "--format", "json"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), "[]\n"));
    assert_eq!(outcome.stderr, "there are no experiments yet; a program that tracks a run makes the first\n");
    let outcome = program.run(&["runs", "--format", "jsonl"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), ""));
    assert_eq!(outcome.stderr, "there are no runs yet; a program that tracks one makes the first\n");
}

#[test]
fn experiments_and_runs_are_listed() {
    let program = Program::sqlite_with(
        "INSERT INTO experiments (id, name, time_created, comment, tags) VALUES
             (7, 'Iris', '2024-05-07 12:30:00.000000+00:00', 'first', '{\"a\": true, \"b c\": true}'),
             (8, '7', '2024-05-07 12:31:00.000000+00:00', NULL, NULL);
         INSERT INTO runs (id, experiment_id, time_created, time_started, status) VALUES
             (30, 7, '2024-05-08 00:00:00.000000+00:00', '2024-05-08 00:00:01.500000+00:00', 'RUNNING'),
             (20, 7, '2024-05-09 00:00:00.000000+00:00', NULL, 'PLANNED'),
             (40, 8, '2024-05-07 12:31:00.000000+00:00', NULL, 'PLANNED');",
    );
    assert_eq!(
        program.run(&["experiments"]).succeeded(),
        "\
id  name  runs  created                    comment  tags
──  ────  ────  ─────────────────────────  ───────  ────────
 7  Iris     2  2024-05-07 12:30:00+00:00  first    [a, b c]
 8  7        1  2024-05-07 12:31:00+00:00  --       --
"
    );
    let runs = |arguments: &[&str]| {
        let arguments = [&["runs", "--format", "csv"], arguments].concat();
        program.run(&arguments).succeeded()
    };
    let header = "id,experiment,status,created,started,updated,comment,tags\n";
    let [first, second, third] = [
        "40,7,PLANNED,2024-05-07T12:31:00Z,,,,\n",
        "30,Iris,RUNNING,2024-05-08T00:00:00Z,2024-05-08T00:00:01.5Z,,,\n",
        "20,Iris,PLANNED,2024-05-09T00:00:00Z,,,,\n",
    ];
    assert_eq!(runs(&[]), format!("{header}{first}{second}{third}"));
    assert_eq!(runs(&["--limit", "2"]), format!("{header}{second}{third}"));
    assert_eq!(runs(&["--experiment", "Iris", "--limit", "1"]), format!("{header}{third}"));
    // A name goes before an id.
    assert_eq!(runs(&["--experiment", "7"]), format!("{header}{first}"));
    assert_eq!(runs(&["--experiment", "8"]), format!("{header}{first}"));
    let unknown = program.run(&["runs", "--experiment", "iriss"]).failed();
    assert_eq!(unknown, "there is no experiment `iriss`; did you mean `Iris`?");
    assert_eq!(program.run(&["runs", "--experiment", "99"]).failed(), "there is no experiment `99`");
}

#[tokio::test]
async fn metrics_are_all_that_was_tracked() {
    let program = Program::sqlite_with("");
    let client = program.client();
    let run = Experiment::open(&client, "Iris").await.unwrap().new_run().await.unwrap();
    run.add_metrics(metrics! { "note" => "über|x" }).step(1).progress(0.5).await.unwrap();
    run.add_metrics(metrics! { "loss" => f64::NAN, "n" => i64::MAX }).await.unwrap();
    run.add_metrics(metrics! { "loss" => f64::NEG_INFINITY }).step(1).await.unwrap();
    client.close().await;

    let all = program.run(&["metrics", "1", "--format", "json"]).succeeded();
    assert_eq!(
        all,
        "[\n{\"step\":0,\"progress\":0.0,\"note\":null,\"loss\":\"NaN\",\"n\":9223372036854775807},\n\
         {\"step\":1,\"progress\":0.0,\"note\":null,\"loss\":\"-Infinity\",\"n\":null},\n\
         {\"step\":1,\"progress\":0.5,\"note\":\"über|x\",\"loss\":null,\"n\":null}\n]\n"
    );
    serde_json::from_str::<serde_json::Value>(&all).unwrap();
    let chosen = ["metrics", "1", "--metric", "n", "--metric", "loss", "--metric", "n", "--format", "csv"];
    let expected = "step,progress,n,loss\n0,0.0,9223372036854775807,NaN\n1,0.0,,-Infinity\n1,0.5,,\n";
    assert_eq!(program.run(&chosen).succeeded(), expected);
    let unknown = program.run(&["metrics", "1", "--metric", "losss"]).failed();
    assert_eq!(unknown, "there is no metric `losss`; did you mean `loss`?");
    assert_eq!(program.run(&["metrics", "2"]).failed(), "there is no run 2");
    assert_eq!(program.run(&["metrics", "-3"]).failed(), "there is no run -3");
}

#[test]
fn a_run_without_metrics_says_so() {
    let program = Program::sqlite_with(
        "INSERT INTO experiments (name) VALUES ('a'); INSERT INTO runs (experiment_id) VALUES (1);",
    );
    let outcome = program.run(&["metrics", "1", "--format", "csv"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), "step,progress\n"));
    assert_eq!(outcome.stderr, "run 1 has no metrics yet\n");
}

#[tokio::test]
async fn the_best_values_of_runs_are_listed_with_their_steps() {
    let program = Program::sqlite_with("");
    let client = program.client();
    let experiment = Experiment::open(&client, "Iris").await.unwrap();
    for made in [&[0.5, 0.25, 0.75][..], &[f64::NAN], &[], &[0.25, f64::NAN, 0.25]] {
        let run = experiment.new_run().await.unwrap();
        for (step, loss) in (1..).zip(made) {
            run.add_metrics(metrics! { "loss" => *loss, "count:a" => step }).step(step).await.unwrap();
        }
    }
    client.close().await;
    let runs = |arguments: &[&str]| program.run(&[&["runs", "--format", "csv"], arguments].concat());
    let printed = runs(&["--best", "loss:min", "--best", "count:a:max"]).succeeded();
    assert!(
        printed.lines().next().unwrap().ends_with("tags,loss,loss_step,count:a,count:a_step"),
        "{printed}"
    );
    let values = |line: &str| line.split(',').skip(8).collect::<Vec<_>>().join(",");
    let found: Vec<String> = printed.lines().skip(1).map(values).collect();
    assert_eq!(found, ["0.25,2,3,3", ",,1,1", ",,,", "0.25,1,3,3"]);
    let limited = runs(&["--best", "loss:max", "--limit", "1"]).succeeded();
    assert_eq!(limited.lines().last().map(values).as_deref(), Some("0.25,1"));
    let message = runs(&["--best", "los:max"]).failed();
    assert_eq!(message, "there is no metric `los`; did you mean `loss`?");
    let outcome = runs(&["--best", "loss"]);
    assert_eq!(outcome.code, Some(2));
    assert!(outcome.stderr.contains("`loss:max` or `loss:min`"), "{}", outcome.stderr);
}

#[test]
fn runs_are_filtered_and_sorted_and_their_columns_are_chosen() {
    let program = Program::sqlite_with(crate::compare::RUNS);
    let runs = |arguments: &[&str]| program.run(&[&["runs", "--format", "csv"], arguments].concat());
    let best = ["--best", "loss:min", "--columns", "id,loss,loss_step,args.lr,args.net.depth,tags"];
    let sorted = [&best[..], &["--sort", "loss:desc"]].concat();
    let header = "id,loss,loss_step,args.lr,args.net.depth,tags\n";
    let [seven, eight, nine] = ["7,0.5,1,0.1,50,\"[\"\"best\"\"]\"\n", "8,1.5,1,0.01,50,\n", "9,1.0,2,,,\n"];
    assert_eq!(runs(&best).succeeded(), format!("{header}{seven}{eight}{nine}"));
    assert_eq!(runs(&sorted).succeeded(), format!("{header}{eight}{nine}{seven}"));
    let limited = [&sorted[..], &["--limit", "1"]].concat();
    assert_eq!(runs(&limited).succeeded(), format!("{header}{eight}"));
    let condition = ["--where", "args->>'lr' > 0.05 -- large", "--columns", "id"];
    assert_eq!(runs(&condition).succeeded(), "id\n7\n");
    let nothing = runs(&["--where", "status = 'LOST'"]);
    assert_eq!(nothing.stderr, "no run meets the condition\n");
    assert!(
        runs(&["--sort", "los"]).failed().starts_with("there is no column `los`; there are id, experiment,")
    );
    assert!(runs(&["--where", "no_such = 1"]).failed().contains("no_such"));
    assert!(runs(&["--where", "1; DROP TABLE runs"]).failed().contains("one statement"));
}

fn a_slip_in_the_id_of_a_run_is_told(program: Program) {
    let script = "
        INSERT INTO experiments (id, name) VALUES (1, 'slips');
        INSERT INTO runs (id, experiment_id) VALUES (523204, 1), (523207, 1), (42, 1);";
    program.feed(&["execute"], script).succeeded();
    let meant = |message: &str, id: &str| format!("there is no run {message}; did you mean {id}?");
    assert_eq!(program.run(&["metrics", "52304"]).failed(), meant("52304", "523204"));
    assert_eq!(program.run(&["compare", "523205", "523204"]).failed(), meant("523205", "523207"));
    assert_eq!(program.run(&["plot", "532204", "--metric", "loss"]).failed(), meant("532204", "523204"));
    assert_eq!(program.run(&["tail", "5232044"]).failed(), meant("5232044", "523204"));
    assert_eq!(program.run(&["tail", "999999"]).failed(), "there is no run 999999");
    assert_eq!(program.run(&["tail", "43"]).failed(), "there is no run 43");
}
