//! The stages that are one call of cargo.

use std::ffi::OsStr;
use std::process::Command;
use std::sync::mpsc;

use anyhow::{Context as _, Result};

use super::{Context, Totals};
use crate::{process, workspace};

pub(super) fn format() -> Result<()> {
    have_component("fmt", "rustfmt")?;
    process::run(&mut workspace::cargo(&["fmt", "--all", "--check"]))
}

/// What is not part of a build of everything: data frames would make all of it larger.
const WITH_FRAMES: [&str; 3] = ["--package", "sqltrack-analysis", "--all-features"];

pub(super) fn clippy(context: &Context) -> Result<()> {
    have_component("clippy", "clippy")?;
    process::run(&mut context.cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    let mut frames = context.cargo(&["clippy", "--all-targets"]);
    process::run(frames.args(WITH_FRAMES).args(["--", "-D", "warnings"]))
}

pub(super) fn tests(context: &mut Context) -> Result<()> {
    // Tests start programs and examples, which `cargo test --all-targets` builds as tests only.
    process::run(&mut context.cargo(&["build", "--workspace", "--all-targets"]))?;
    test(context, &["test", "--workspace", "--all-targets", "--no-fail-fast"])?;
    test(context, &[&["test", "--all-targets", "--no-fail-fast"], &WITH_FRAMES[..]].concat())
}

pub(super) fn doctests(context: &mut Context) -> Result<()> {
    test(context, &["test", "--workspace", "--doc", "--no-fail-fast"])?;
    test(context, &[&["test", "--doc", "--no-fail-fast"], &WITH_FRAMES[..]].concat())
}

pub(super) fn rustdoc(context: &Context) -> Result<()> {
    let mut doc = context.cargo(&["doc", "--workspace", "--no-deps"]);
    process::run(doc.env("RUSTDOCFLAGS", "-D warnings"))?;
    let mut frames = context.cargo(&["doc", "--no-deps"]);
    process::run(frames.args(WITH_FRAMES).env("RUSTDOCFLAGS", "-D warnings"))
}

pub(super) fn deny() -> Result<()> {
    if process::output(&mut workspace::cargo(&["deny", "--version"])).is_err() {
        println!("cargo-deny is not installed, so nothing is checked; `cargo install --locked cargo-deny`");
        return Ok(());
    }
    process::run(&mut workspace::cargo(&["deny", "check"]))
}

fn test(context: &mut Context, arguments: &[&str]) -> Result<()> {
    let (send, results) = mpsc::channel();
    let mut cargo = context.cargo(arguments);
    process::run_reading(cargo.args(&context.filter), move |line| {
        let _ = send.send(passed_and_ignored(line));
    })?;
    let Totals { tests, ignored, .. } = &mut context.totals;
    for (passed, skipped) in results.try_iter().flatten() {
        *tests += passed;
        *ignored += skipped;
    }
    Ok(())
}

/// The numbers in the line with which each test program ends, if `line` is such a one.
fn passed_and_ignored(line: &str) -> Option<(u64, u64)> {
    let counts = line.strip_prefix("test result: ok. ")?;
    let count = |word| counts.split(';').find_map(|part| part.trim().strip_suffix(word)?.trim().parse().ok());
    Some((count("passed")?, count("ignored")?))
}

/// A minimal Rust lacks rustfmt and clippy; where rustup can add them, it does.
fn have_component(command: &str, component: &str) -> Result<()> {
    if process::output(&mut workspace::cargo(&[command, "--version"])).is_ok() {
        return Ok(());
    }
    let rustup = process::on_path("rustup").unwrap_or_else(|| "rustup".into());
    let mut add = Command::new(rustup);
    add.args(["component", "add", component].map(OsStr::new)).current_dir(workspace::root());
    process::run(&mut add).with_context(|| format!("`cargo {command}` is missing and cannot be added"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_of_a_test_program_are_read() {
        let line =
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.00s";
        assert_eq!(passed_and_ignored(line), Some((12, 1)));
        assert_eq!(passed_and_ignored("test tests::one ... ok"), None);
    }
}
