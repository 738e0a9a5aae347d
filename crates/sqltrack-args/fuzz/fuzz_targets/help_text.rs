//! Help texts and command lines: everything up to the first NUL byte is the help text, the rest are
//! arguments.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sqltrack_args::{Settings, parse_docstrings};

fuzz_target!(|data: &[u8]| {
    let mut parts = data.split(|byte| *byte == 0).map(String::from_utf8_lossy);
    let help = parts.next().unwrap_or_default();
    let argv: Vec<_> = parts.collect();
    for options_first in [false, true] {
        let _result = parse_docstrings(&[&help], &argv, &Settings::new().options_first(options_first));
    }
});
