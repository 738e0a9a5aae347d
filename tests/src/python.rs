//! Programs of Python that look at what was tracked.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

/// Runs a script of `tests/python`, and returns what it printed.
///
/// # Panics
///
/// If there is no Python with the packages of `tests/python/requirements.txt`, or the script fails.
pub fn python<A: AsRef<OsStr>>(script: &str, arguments: impl IntoIterator<Item = A>) -> String {
    let program = std::env::var_os("SQLTRACK_TEST_PYTHON").expect(
        "SQLTRACK_TEST_PYTHON is not set: use `cargo xtask test`, or set it to a Python with the packages of \
         tests/python/requirements.txt",
    );
    let script = format!("{}/python/{script}", env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(program).arg(script).args(arguments).stdin(Stdio::null()).output().unwrap();
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}{errors}");
    said.into_owned()
}
