//! The browser that tests look at pages with: Chromium without windows.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use crate::{packages, process};

/// By this variable tests learn of it.
pub(crate) const VARIABLE: &str = "SQLTRACK_TEST_CHROMIUM";
/// Its names, the smallest program first.
const NAMES: [&str; 4] = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"];
const PACKAGE: &str = "chromium-headless-shell";

/// Chromium in the variable, else on the `PATH`; it is installed where that may be.
///
/// # Errors
///
/// If the variable is set and names no program, or if there is none and it may not be installed.
pub(crate) fn find_or_install() -> Result<PathBuf> {
    if let Some(program) = process::in_variable(VARIABLE)? {
        return Ok(program);
    }
    let on_path = || NAMES.into_iter().find_map(process::on_path);
    if let Some(program) = on_path() {
        return Ok(program);
    }
    let missing = format!("no Chromium in ${VARIABLE} or on the PATH");
    if !packages::may_install() {
        bail!("{missing}; install it (Debian: `apt-get install {PACKAGE}`) or set {VARIABLE} to the program");
    }
    println!("{missing}; installing the package");
    packages::install(PACKAGE)?;
    on_path().with_context(|| format!("the package `{PACKAGE}` brought no program"))
}
