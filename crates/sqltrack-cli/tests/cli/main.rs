//! What the program does, from its command line to its output and exit status.

mod compare;
mod config;
mod delete;
mod edit;
mod engines;
mod export;
mod failures;
mod formats;
mod help;
mod life;
mod listing;
mod log;
mod offline;
mod plan;
mod plot;
mod postgres;
mod program;
mod reaping;
mod report;
mod rights;
mod run;
mod scripts;
mod scrub;
mod sync;
mod tail;
mod terminal;
