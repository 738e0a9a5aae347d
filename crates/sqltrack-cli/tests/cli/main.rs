//! What the program does, from its command line to its output and exit status.

mod config;
mod failures;
mod formats;
mod help;
mod listing;
mod postgres;
mod program;
mod rights;
mod run;
mod scripts;
