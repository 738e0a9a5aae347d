//! The long form of the tests in `tests/tests/torture.rs`.

use std::process::Command;

use anyhow::Result;
use clap::Args;

use crate::postgres::Postgres;
use crate::{process, workspace};

/// How much torture.
#[derive(Args)]
pub(crate) struct Torture {
    /// How many rounds on each engine, each with faults of its own.
    #[arg(long, default_value_t = 50)]
    rounds: u64,
    /// The seed of the first round; the next ones have the next numbers. A round with the seed of one that failed gets the
    /// same faults, at times that are never quite the same.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// For how many seconds somebody reads `metrics` in one transaction while 64 clients add columns.
    #[arg(long, default_value_t = 30)]
    reader: u64,
    /// How many rows each of the 64 clients writes.
    #[arg(long, default_value_t = 2_000)]
    steps: u64,
}

/// Runs it.
pub(crate) fn run(torture: &Torture) -> Result<()> {
    let postgres = Postgres::start()?;
    process::run(&mut workspace::cargo(&["build", "--workspace", "--bins"]))?;
    let mut test: Command =
        workspace::cargo(&["test", "--workspace", "--test", "torture", "--", "--nocapture"]);
    for (name, value) in [
        ("SQLTRACK_TORTURE_ROUNDS", torture.rounds),
        ("SQLTRACK_TORTURE_SEED", torture.seed),
        ("SQLTRACK_TORTURE_READER", torture.reader),
        ("SQLTRACK_TORTURE_STEPS", torture.steps),
    ] {
        test.env(name, value.to_string());
    }
    process::run(test.envs(postgres.variables()))?;
    postgres.stop()
}
