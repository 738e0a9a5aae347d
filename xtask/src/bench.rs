//! Benchmarks: the program `sqltrack-bench`, built in release, with a server on a disk and one in memory.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};
use serde_json::Value;

use crate::postgres::Postgres;
use crate::{process, workspace};

const PACKAGE: &str = "sqltrack-bench";
/// What some cases measure, beside it.
const PROGRAM: &str = "sqltrack-cli";
/// The page of the book with the table.
const PAGE: &str = "docs/src/performance.md";
/// A folder that lies on a disk by convention, where `/tmp` often lies in memory.
const DISK: &str = "/var/tmp";
const MEMORY: &str = "/dev/shm";

/// What is to be measured.
#[derive(Args)]
pub(crate) struct Options {
    /// Measure these cases alone; a name that does not exist shows which ones do.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    case: Vec<String>,
    /// Measure this engine alone.
    #[arg(long)]
    engine: Vec<Engine>,
    /// Measure in this place alone.
    #[arg(long)]
    place: Vec<Place>,
    /// Few and short rounds, and no tables of 10^7 rows: about two minutes, to see that everything works.
    #[arg(long)]
    quick: bool,
    /// How many rounds each comparison has.
    #[arg(long, value_name = "N")]
    rounds: Option<u16>,
    /// The folder that stands for a disk.
    #[arg(long, value_name = "FOLDER", default_value = DISK)]
    disk: PathBuf,
    /// Put the table into the book, as is done without this if all is measured in full.
    #[arg(long)]
    page: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Engine {
    Postgres,
    Sqlite,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Place {
    /// A file system on a disk.
    Disk,
    /// A file system in memory.
    Memory,
}

/// Builds the program, starts the servers, runs it, and stops them.
pub(crate) fn run(options: &Options) -> Result<()> {
    let program = build()?;
    let (mut servers, mut folders) = (Vec::new(), Vec::new());
    let mut bench = Command::new(program);
    workspace::isolate(&mut bench);
    bench.current_dir(workspace::root()).args(options.passed_on());
    for (place, folder) in options.places() {
        // Made here, so that it is removed also when an interrupt ends the program.
        let own = tempfile::Builder::new().prefix("sqltrack-bench-").tempdir_in(folder)?;
        let mut argument = OsString::from(format!("{}=", name(place)));
        argument.push(own.path());
        folders.push(own);
        if options.measures(Engine::Postgres) {
            let server = Postgres::start_for_measurements(folder)?;
            argument.push(format!(",{}", server.address().url("postgres")));
            servers.push(server);
        }
        bench.arg("--place").arg(argument);
    }
    let measured = process::run(&mut bench);
    let stopped: Result<Vec<()>> = servers.into_iter().map(Postgres::stop).collect();
    folders.into_iter().try_for_each(tempfile::TempDir::close)?;
    measured.and(stopped.map(drop))
}

/// The program, with that which it runs beside it: of packages alone, since nothing else is built in release.
fn build() -> Result<PathBuf> {
    let arguments = [
        "build",
        "--release",
        "--package",
        PACKAGE,
        "--package",
        PROGRAM,
        "--message-format=json-render-diagnostics",
    ];
    let messages = process::capture(&mut workspace::cargo(&arguments))?;
    let built = messages.lines().find_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        let is_program = message.pointer("/target/name")? == PACKAGE;
        let program = message.get("executable")?.as_str()?;
        is_program.then(|| PathBuf::from(program))
    });
    built.with_context(|| format!("cargo has not built `{PACKAGE}`"))
}

impl Options {
    /// Whether the table is worth a place in the book.
    fn is_complete(&self) -> bool {
        let is_all = self.case.is_empty() && self.engine.is_empty() && self.place.is_empty();
        is_all && !self.quick && self.rounds.is_none()
    }

    fn measures(&self, engine: Engine) -> bool {
        self.engine.is_empty() || self.engine.contains(&engine)
    }

    /// Where to measure. Not every system has a file system in memory.
    fn places(&self) -> Vec<(Place, &Path)> {
        let wanted = |place: &Place| self.place.is_empty() || self.place.contains(place);
        let all = [(Place::Disk, self.disk.as_path()), (Place::Memory, Path::new(MEMORY))];
        all.into_iter()
            .filter(|(place, _)| wanted(place))
            .filter(|(place, folder)| {
                let is_there = *place == Place::Disk || folder.is_dir();
                if !is_there {
                    println!("there is no {MEMORY}, so that only a disk is measured");
                }
                is_there
            })
            .collect()
    }

    /// What the program is told besides the places.
    fn passed_on(&self) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = Vec::new();
        arguments.extend(["--output".into(), "target/bench".into()]);
        for case in &self.case {
            arguments.extend(["--case".into(), case.into()]);
        }
        for engine in &self.engine {
            arguments.extend(["--engine".into(), name(*engine).into()]);
        }
        if self.quick {
            arguments.push("--quick".into());
        }
        if let Some(rounds) = self.rounds {
            arguments.extend(["--rounds".into(), rounds.to_string().into()]);
        }
        if self.page || self.is_complete() {
            arguments.extend(["--page".into(), PAGE.into()]);
        }
        arguments
    }
}

fn name(value: impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Bench {
        #[command(flatten)]
        options: Options,
    }

    fn passed_on(arguments: &str) -> String {
        let options = Bench::parse_from(arguments.split_whitespace()).options;
        options.passed_on().join(" ".as_ref()).into_string().unwrap()
    }

    #[test]
    fn only_what_is_complete_goes_into_the_book_unasked() {
        assert_eq!(passed_on("bench"), format!("--output target/bench --page {PAGE}"));
        assert_eq!(passed_on("bench --quick"), "--output target/bench --quick");
        assert_eq!(passed_on("bench --quick --page"), format!("--output target/bench --quick --page {PAGE}"));
        assert_eq!(
            passed_on("bench --case awaited,start --engine sqlite --rounds 3"),
            "--output target/bench --case awaited --case start --engine sqlite --rounds 3"
        );
    }

    #[test]
    fn places_and_engines_are_all_unless_chosen() {
        let options = |arguments: &str| Bench::parse_from(arguments.split_whitespace()).options;
        let chosen = options("bench --place disk --disk /srv --engine sqlite");
        assert_eq!(chosen.places(), [(Place::Disk, Path::new("/srv"))]);
        assert!(!chosen.measures(Engine::Postgres));
        assert!(options("bench").measures(Engine::Postgres));
        assert_eq!(options("bench").places()[0], (Place::Disk, Path::new(DISK)));
    }
}
