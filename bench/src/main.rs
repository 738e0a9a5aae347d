//! The benchmarks of SQLTrack: each case against the driver alone, on the same database at the same time.
//!
//! `cargo xtask bench` builds this program, starts the servers and runs it.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

mod cases;
mod database;
mod machine;
mod part;
mod place;
mod raw;
mod report;
mod timing;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Parser, ValueEnum as _};

use cases::{Case, Scale, Setting};
use database::Engine;
use part::Part;
use place::Place;
use report::{Report, shown_time};

/// Measure SQLTrack against the drivers alone; started by `cargo xtask bench`.
#[derive(Parser)]
#[command(name = "sqltrack-bench", args_conflicts_with_subcommands = true)]
struct Options {
    /// What another process of a case does.
    #[command(subcommand)]
    part: Option<Part>,
    /// Measure these cases alone.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    case: Vec<Case>,
    /// Measure this engine alone.
    #[arg(long)]
    engine: Vec<Engine>,
    /// Few and short rounds, to see that everything works.
    #[arg(long)]
    quick: bool,
    /// How many rounds each comparison has, instead of each case's own number.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    rounds: Option<u16>,
    /// Where to measure: NAME=FOLDER, or NAME=FOLDER,URL of a server whose data lies there too.
    #[arg(long, value_name = "PLACE")]
    place: Vec<Place>,
    /// Write the figures as JSON and as a table into this folder.
    #[arg(long, value_name = "FOLDER")]
    output: Option<PathBuf>,
    /// Put the table between the markers of this page.
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    run(options).unwrap_or_else(|err| {
        eprintln!("error: {err:#}");
        ExitCode::FAILURE
    })
}

fn run(options: Options) -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    // In a task, which the thread that waits for the database's answer runs itself. What is blocked on outside of
    // the runtime's threads has to be woken up by them, for each row anew.
    runtime.block_on(runtime.spawn(async move {
        match options.part {
            Some(part) => part.play().await.map(|()| ExitCode::SUCCESS),
            None => measure(options).await,
        }
    }))?
}

async fn measure(options: Options) -> Result<ExitCode> {
    let cases = if options.case.is_empty() { Case::value_variants().to_vec() } else { options.case };
    let engines = if options.engine.is_empty() { Engine::value_variants().to_vec() } else { options.engine };
    let scale = Scale { is_quick: options.quick, rounds: options.rounds.map(usize::from) };
    let mut report = Report {
        date: time::OffsetDateTime::now_utc().date().to_string(),
        machine: machine::description(),
        servers: raw::versions(options.place.iter().find_map(|place| place.server.as_deref())).await?,
        quick: options.quick,
        figures: Vec::new(),
        failures: Vec::new(),
    };
    for case in cases {
        for engine in &engines {
            for place in &options.place {
                measure_case(case, *engine, place, scale, &mut report).await?;
            }
        }
    }
    finish(&report, options.output.as_deref(), options.page.as_deref())
}

/// Measures one case in one place. That it fails does not keep the others from being measured.
async fn measure_case(
    case: Case,
    engine: Engine,
    place: &Place,
    scale: Scale,
    report: &mut Report,
) -> Result<()> {
    let fsync = place.measure_fsync()?;
    let title = format!("{}: {}, {} ({})", case.name(), engine.name(), place.name, place.file_system());
    let (median, worst) = (shown_time(fsync.median), shown_time(fsync.worst));
    println!("==> {title}; fsync: median {median}, worst {worst}");
    let start = std::time::Instant::now();
    let setting = Setting { case, engine, place: place.clone(), fsync, scale };
    match case.measure(&setting).await {
        Ok(figures) => {
            figures.iter().for_each(|figure| println!("{}", figure.line()));
            report.figures.extend(figures);
            println!("<== {}", shown_time(start.elapsed().as_secs_f64()));
        }
        Err(err) => {
            println!("<== failed: {err:#}");
            report.failures.push(format!("{title}: {err:#}"));
        }
    }
    Ok(())
}

fn finish(report: &Report, output: Option<&Path>, page: Option<&Path>) -> Result<ExitCode> {
    if let Some(folder) = output {
        report.write(folder)?;
        println!("the figures are in {}", folder.display());
    }
    if let Some(page) = page {
        let shown = || page.display().to_string();
        let text = std::fs::read_to_string(page).with_context(shown)?;
        std::fs::write(page, report::insert(&text, &report.markdown()).with_context(shown)?)?;
        println!("the table is in {}", shown());
    }
    let missed = report.figures.iter().filter(|figure| figure.is_reached() == Some(false)).count();
    let (figures, failures) = (report.figures.len(), report.failures.len());
    println!("{figures} figures, {missed} of them short of their goal; {failures} cases failed");
    Ok(if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_options_are_as_xtask_gives_them() {
        let arguments =
            "sqltrack-bench --case awaited,start --quick --rounds 3 --place disk=/var/tmp,postgres:///x";
        let options = Options::try_parse_from(arguments.split(' ')).unwrap();
        assert_eq!(options.case, [Case::Awaited, Case::Start]);
        assert_eq!((options.quick, options.rounds), (true, Some(3)));
        assert_eq!(options.place[0].server.as_deref(), Some("postgres:///x"));
        assert!(Options::try_parse_from(["sqltrack-bench", "--rounds", "0"]).is_err());
    }
}
