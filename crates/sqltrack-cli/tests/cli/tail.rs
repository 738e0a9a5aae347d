//! `tail`.

use std::io::{BufRead as _, BufReader};

use sqltrack_core::{Experiment, metrics};

use crate::compare::RUNS;
use crate::program::Program;

#[tokio::test]
async fn a_run_is_followed_until_it_ends() {
    let program = Program::sqlite_with("");
    let client = program.client();
    let run = Experiment::open(&client, "live").await.unwrap().new_run().await.unwrap();
    run.start().await.unwrap();
    for step in 0..20 {
        run.add_metrics([("loss", 0.5)]).step(step).await.unwrap();
    }
    let mut tail = program.command(&["tail", "1", "-n", "2", "--interval", "20ms"]).spawn().unwrap();
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut next = || lines.next().unwrap();
    assert_eq!([next(), next()], ["      18  loss=0.5", "      19  loss=0.5"]);
    run.add_metrics(metrics! { "loss" => f64::NAN, "note" => "a\nb" }).step(20).progress(0.5).await.unwrap();
    assert_eq!(next(), "      20  50.0 %  note=a b  loss=NaN");
    // A metric that comes later than the others of its step.
    run.add_metrics([("val_loss", 0.25)]).step(19).await.unwrap();
    assert_eq!(next(), "      19  val_loss=0.25");
    // A run that is suspended may go on.
    run.set_status("SUSPENDED").await.unwrap();
    run.add_metrics([("loss", 0.125)]).step(21).await.unwrap();
    assert_eq!(next(), "      21  loss=0.125");
    run.stop().await.unwrap();
    let output = tail.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "run 1 is COMPLETED\n");
    client.close().await;
}

#[test]
fn a_run_that_has_ended_is_shown_and_left() {
    let program = Program::sqlite_with(RUNS);
    assert_eq!(
        program.run(&["tail", "7", "--metric", "loss"]).stdout,
        "       0  loss=1.0\n       1  loss=0.5\n"
    );
    assert_eq!(program.run(&["tail", "7", "-n", "0"]).stdout, "");
    assert_eq!(program.run(&["tail", "70"]).failed(), "there is no run 70");
}
