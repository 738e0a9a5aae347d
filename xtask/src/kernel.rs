//! The Rust kernel of Jupyter, evcxr, which the notebook in Rust is run with.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::{process, workspace};

/// By this variable one that is there already is used.
const VARIABLE: &str = "SQLTRACK_TEST_EVCXR";
const PACKAGE: &str = "evcxr_jupyter";
const VERSION: &str = "0.22.0";

/// The kernel in the variable, or else one below `target`, which is built where it is not there yet.
///
/// # Errors
///
/// If the variable is set and names no program, or if it cannot be built.
pub(crate) fn find_or_build() -> Result<PathBuf> {
    if let Some(program) = process::in_variable(VARIABLE)? {
        return Ok(program);
    }
    let folder = workspace::root().join("target/evcxr");
    let program = folder.join("bin").join(PACKAGE);
    // Written once it is there.
    let built = folder.join("version.txt");
    if std::fs::read_to_string(&built).is_ok_and(|found| found == VERSION) && process::is_program(&program) {
        return Ok(program);
    }
    let work = folder.join("build");
    let mut install =
        workspace::cargo(&["install", PACKAGE, "--version", VERSION, "--locked", "--force", "--quiet"]);
    install.arg("--root").arg(&folder).arg("--target-dir").arg(&work);
    // Some optimization it needs, since it looks through all dependencies of a notebook; more takes longer than it saves.
    install.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1");
    process::run(&mut install)
        .with_context(|| format!("cannot build {PACKAGE}, the Rust kernel of Jupyter"))?;
    std::fs::remove_dir_all(&work)?;
    std::fs::write(&built, VERSION)?;
    Ok(program)
}
