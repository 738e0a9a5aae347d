//! Running every program of `examples/` as a user would: with a fresh folder and no settings.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::Context;
use crate::postgres::Address;
use crate::{process, workspace};

const PACKAGE: &str = "sqltrack-examples";

/// The examples that have to work on Postgres too, unchanged.
const ON_POSTGRES: [&str; 1] = ["iris"];

const DATABASE: &str = "sqltrack_examples";

/// Builds all examples and runs those that `package.metadata.xtask.skip` does not name.
pub(super) fn run(context: &mut Context) -> Result<()> {
    let metadata = process::output(&mut workspace::cargo(&["metadata", "--no-deps", "--format-version=1"]))?;
    let examples = Examples::read(&serde_json::from_str(&metadata)?)?;
    let programs = workspace::examples()?;
    for (name, reason) in &examples.skipped {
        println!("{name}: not run: {reason}");
    }
    for name in &examples.run {
        let program = programs.get(name).with_context(|| format!("cargo has not built example `{name}`"))?;
        start(name, program, &[("ENGINE", "sqlite")])?;
        context.totals.examples += 1;
        if ON_POSTGRES.contains(&name.as_str()) {
            let postgres = context.postgres()?;
            postgres.create_database(DATABASE)?;
            let Address { directory, port, user } = postgres.address();
            let port = port.to_string();
            let database =
                [("HOST", directory.as_str()), ("PORT", &port), ("USER", user), ("DBNAME", DATABASE)];
            start(name, program, &[&[("ENGINE", "postgres")], &database[..]].concat())?;
            context.totals.examples += 1;
        }
    }
    Ok(())
}

/// Runs one example in a folder of its own, with these parameters of the connection.
fn start(name: &str, program: &Path, parameters: &[(&str, &str)]) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut command = Command::new(program);
    workspace::isolate(&mut command);
    command.current_dir(&folder).env("HOME", folder.path()).env_remove("XDG_CONFIG_HOME");
    command.envs(parameters.iter().map(|(key, value)| (format!("SQLTRACK_DSN_{key}"), value)));
    let engine = parameters.first().map_or("", |(_, engine)| engine);
    println!("--> example {name} on {engine}");
    process::run(&mut command).with_context(|| format!("example `{name}` failed on {engine}"))
}

/// What is to be done with each example.
#[derive(Debug, PartialEq, Eq)]
struct Examples {
    run: Vec<String>,
    /// With the reason.
    skipped: BTreeMap<String, String>,
}

impl Examples {
    /// Reads the examples' package in what `cargo metadata` prints.
    fn read(metadata: &Value) -> Result<Self> {
        let packages = metadata["packages"].as_array().context("no packages")?;
        let package = packages.iter().find(|package| package["name"] == PACKAGE);
        let package = package.with_context(|| format!("there is no package `{PACKAGE}`"))?;
        let skipped = skipped(&package["metadata"]["xtask"]["skip"])?;
        let targets = package["targets"].as_array().into_iter().flatten();
        let mut run: Vec<_> = targets
            .filter(|target| target["kind"][0] == "example")
            .filter_map(|target| target["name"].as_str().map(str::to_owned))
            .collect();
        if let Some(unknown) = skipped.keys().find(|name| !run.contains(name)) {
            bail!("{PACKAGE} is to skip the example `{unknown}`, which it does not have");
        }
        run.retain(|name| !skipped.contains_key(name));
        Ok(Self { run, skipped })
    }
}

/// Reads `[{ name = "…", reason = "…" }, …]`.
fn skipped(list: &Value) -> Result<BTreeMap<String, String>> {
    let entries = list.as_array().into_iter().flatten();
    let read = entries.map(|entry| {
        let text = |key: &str| entry[key].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let wrong = || format!("an example is skipped by {{ name, reason }}, not by {entry}");
        Ok((text("name").with_context(wrong)?, text("reason").with_context(wrong)?))
    });
    read.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn metadata(skip: &Value) -> Value {
        let targets = json!([
            { "kind": ["lib"], "name": "sqltrack_examples" },
            { "kind": ["example"], "name": "iris" },
            { "kind": ["example"], "name": "watch" },
        ]);
        let package =
            json!({ "name": PACKAGE, "targets": targets, "metadata": { "xtask": { "skip": skip } } });
        json!({ "packages": [{ "name": "other", "targets": [] }, package] })
    }

    #[test]
    fn every_example_is_run_that_is_not_skipped() {
        let examples =
            Examples::read(&metadata(&json!([{ "name": "watch", "reason": "needs a run" }]))).unwrap();
        assert_eq!(examples.run, ["iris"]);
        assert_eq!(examples.skipped, BTreeMap::from([("watch".into(), "needs a run".into())]));
        assert_eq!(Examples::read(&metadata(&Value::Null)).unwrap().run, ["iris", "watch"]);
    }

    #[test]
    fn an_example_is_skipped_only_by_its_name_and_with_a_reason() {
        for skip in [json!(["watch"]), json!([{ "name": "watch", "reason": "" }])] {
            let err = Examples::read(&metadata(&skip)).unwrap_err().to_string();
            assert!(err.starts_with("an example is skipped by { name, reason }"), "{err}");
        }
        let err = Examples::read(&metadata(&json!([{ "name": "gone", "reason": "x" }]))).unwrap_err();
        assert!(err.to_string().contains("`gone`"), "{err}");
    }
}
