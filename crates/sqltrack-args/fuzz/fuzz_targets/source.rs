//! Rust and Python sources.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sqltrack_args::{python_help_texts, rust_help_texts};

fuzz_target!(|source: &str| {
    let _rust = rust_help_texts(source);
    let _python = python_help_texts(source);
});
