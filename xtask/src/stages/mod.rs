//! The stages of `cargo xtask test`, and running them one after the other.

mod cargo;
mod examples;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;

use crate::postgres::Postgres;
use crate::prepare::{self, Mode};
use crate::{book, browser, kernel, notebooks, python, workspace};

/// One check, named on the command line as it is here. They run in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Stage {
    /// The code is formatted as rustfmt does it.
    Format,
    /// Find or install Postgres and start a throwaway server.
    Postgres,
    /// Find or install Chromium, which tests look at pages with.
    Browser,
    /// Make a Python with the packages that tests and notebooks use.
    Python,
    /// The query data agrees with the code and the migrations.
    QueryData,
    /// Clippy has nothing to say.
    Clippy,
    /// All tests, on both engines.
    Tests,
    /// The examples in the documentation of the code.
    Doctests,
    /// Every program of `examples/`, run.
    Examples,
    /// Build the Rust kernel of Jupyter.
    Kernel,
    /// The notebooks of `examples/`, run and compared with the outputs that they are kept with.
    Notebooks,
    /// The documentation of the code builds with no warning.
    Rustdoc,
    /// The book's pages are all listed and its links lead somewhere.
    Book,
    /// Licences and advisories of the dependencies, if cargo-deny is installed.
    Deny,
}

/// What the stages share.
struct Context {
    postgres: Option<Postgres>,
    browser: Option<PathBuf>,
    python: Option<PathBuf>,
    kernel: Option<PathBuf>,
    filter: Vec<OsString>,
    totals: Totals,
}

/// What was run, to be told at the end.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Totals {
    tests: u64,
    ignored: u64,
    examples: u64,
}

/// Prints the stages' names and what they check.
pub(crate) fn list() {
    for stage in Stage::value_variants() {
        println!("{:<12}{}", stage.name(), stage.purpose());
    }
}

/// Runs the stages `only` and what they need, or if it is empty, all; `filter` goes to `cargo test`.
pub(crate) fn run(only: Vec<Stage>, filter: Vec<OsString>) -> Result<()> {
    let stages = selected(only, !filter.is_empty())?;
    let mut context = Context {
        postgres: None,
        browser: None,
        python: None,
        kernel: None,
        filter,
        totals: Totals::default(),
    };
    let start = Instant::now();
    for stage in &stages {
        println!("==> {}", stage.name());
        let start = Instant::now();
        let result = stage.run(&mut context);
        let duration = shown(start.elapsed());
        result.with_context(|| format!("stage `{}` failed after {duration}", stage.name()))?;
        println!("<== {}: ok in {duration}", stage.name());
    }
    context.postgres.take().map_or(Ok(()), Postgres::stop)?;
    let Totals { tests, ignored, examples } = context.totals;
    let (count, duration) = (stages.len(), shown(start.elapsed()));
    println!(
        "all {count} stages passed in {duration}: {tests} tests passed, {ignored} ignored, {examples} example runs"
    );
    Ok(())
}

/// The stages in their order, with the server where a stage needs it.
fn selected(mut stages: Vec<Stage>, filtered: bool) -> Result<Vec<Stage>> {
    if stages.is_empty() {
        stages = if filtered { vec![Stage::Tests] } else { Stage::value_variants().to_vec() };
    }
    if filtered && !stages.iter().any(|stage| matches!(stage, Stage::Tests | Stage::Doctests)) {
        bail!("what follows `--` is for the stages `tests` and `doctests`, and neither is to be run");
    }
    if stages.iter().any(|stage| stage.needs_postgres()) {
        stages.push(Stage::Postgres);
    }
    if stages.contains(&Stage::Tests) {
        stages.extend([Stage::Browser, Stage::Python]);
    }
    if stages.contains(&Stage::Notebooks) {
        stages.extend([Stage::Python, Stage::Kernel]);
    }
    stages.sort();
    stages.dedup();
    Ok(stages)
}

impl Stage {
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    fn purpose(self) -> String {
        let help = self.to_possible_value().and_then(|value| value.get_help().map(ToString::to_string));
        help.unwrap_or_default()
    }

    fn needs_postgres(self) -> bool {
        matches!(self, Self::QueryData | Self::Tests | Self::Doctests | Self::Examples)
    }

    fn run(self, context: &mut Context) -> Result<()> {
        match self {
            Self::Format => cargo::format(),
            Self::Postgres => {
                context.postgres = Some(Postgres::start_for_all_tests()?);
                Ok(())
            }
            Self::Browser => {
                context.browser = Some(browser::find_or_install()?);
                Ok(())
            }
            Self::Python => {
                context.python = Some(python::find_or_make()?);
                Ok(())
            }
            Self::QueryData => prepare::prepare(context.postgres()?, Mode::Check),
            Self::Clippy => cargo::clippy(context),
            Self::Tests => cargo::tests(context),
            Self::Doctests => cargo::doctests(context),
            Self::Examples => examples::run(context),
            Self::Kernel => {
                context.kernel = Some(kernel::find_or_build()?);
                Ok(())
            }
            Self::Notebooks => {
                let (Some(python), Some(kernel)) = (&context.python, &context.kernel) else {
                    bail!("this stage needs Python and the kernel");
                };
                context.totals.examples += notebooks::run(python, kernel, notebooks::Mode::Check)?;
                Ok(())
            }
            Self::Rustdoc => cargo::rustdoc(context),
            Self::Book => book::check().map(|summary| println!("{summary}")),
            Self::Deny => cargo::deny(),
        }
    }
}

impl Context {
    fn postgres(&self) -> Result<&Postgres> {
        self.postgres.as_ref().context("this stage needs the Postgres server")
    }

    /// Cargo with the variables by which tests find the server, the browser and Python, as far as they are here.
    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut cargo = workspace::cargo(arguments);
        cargo.envs(self.postgres.iter().flat_map(Postgres::variables));
        cargo.envs(self.browser.iter().map(|program| (browser::VARIABLE, program)));
        cargo.envs(self.python.iter().map(|program| (python::VARIABLE, program)));
        cargo
    }
}

/// `41.3s`, `12m 05s`.
fn shown(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 60 {
        return format!("{:.1}s", duration.as_secs_f64());
    }
    format!("{}m {:02}s", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_run_unless_something_is_selected() {
        assert_eq!(selected(Vec::new(), false).unwrap(), Stage::value_variants());
        assert_eq!(
            selected(Vec::new(), true).unwrap(),
            [Stage::Postgres, Stage::Browser, Stage::Python, Stage::Tests]
        );
    }

    #[test]
    fn selected_stages_run_in_order_and_once_with_the_server_where_needed() {
        let stages = vec![Stage::Doctests, Stage::Format, Stage::Postgres, Stage::Doctests];
        assert_eq!(selected(stages, false).unwrap(), [Stage::Format, Stage::Postgres, Stage::Doctests]);
        assert_eq!(selected(vec![Stage::Book], false).unwrap(), [Stage::Book]);
    }

    #[test]
    fn a_filter_for_stages_that_take_none_is_an_error() {
        assert!(selected(vec![Stage::Clippy], true).is_err());
    }

    #[test]
    fn every_stage_says_what_it_checks() {
        assert!(Stage::value_variants().iter().all(|stage| !stage.purpose().is_empty()));
    }

    #[test]
    fn durations_are_short_to_read() {
        assert_eq!(shown(Duration::from_millis(1_260)), "1.3s");
        assert_eq!(shown(Duration::from_secs(725)), "12m 05s");
    }
}
