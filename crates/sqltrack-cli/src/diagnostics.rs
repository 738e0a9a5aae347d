//! What goes to standard error: the log, notes and errors.

use std::io::Write as _;

use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Starts the log. Without `-v` it has warnings only; the driver joins in at the third `-v`.
pub(crate) fn start(verbose: u8) {
    let own = match verbose {
        0 => Level::WARN,
        1 => Level::INFO,
        2 => Level::DEBUG,
        _ => Level::TRACE,
    };
    let mut targets = Targets::new().with_target("sqltrack", own);
    if verbose > 2 {
        targets = targets.with_default(Level::DEBUG);
    }
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(verbose > 2)
        .without_time();
    tracing_subscriber::registry().with(lines).with(targets).init();
}

/// Tells the user something that is no result.
pub(crate) fn note(text: &str) {
    line(text);
}

/// Tells what failed in one line, and below it what caused it if the user wants to know more.
pub(crate) fn error(err: &anyhow::Error, verbose: u8) {
    line(&format!("error: {err}"));
    if verbose > 0 {
        for cause in err.chain().skip(1) {
            line(&format!("  caused by: {cause}"));
        }
    }
}

/// Tells that a command line does not fit a program, with the usage of that program.
pub(crate) fn wrong_usage(wrong: &sqltrack_args::CommandLineError) {
    wrong.to_string().lines().for_each(line);
}

/// Whether anybody can read it is not looked at: there is nowhere left to say so.
fn line(text: &str) {
    // In one piece, since other processes may write to the same place.
    let _ = std::io::stderr().write_all(format!("{}\n", one_line(text)).as_bytes());
}

/// The text without what would end the line, or control a terminal.
pub(crate) fn one_line(text: &str) -> String {
    text.trim_end().chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
