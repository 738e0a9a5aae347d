//! The Python that tests read files with: an environment of its own below `target`, with the packages that they name.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::{packages, process, workspace};

/// By this variable tests learn of it.
pub(crate) const VARIABLE: &str = "SQLTRACK_TEST_PYTHON";
const REQUIREMENTS: &str = "tests/python/requirements.txt";
const PACKAGE: &str = "python3-venv";

/// The Python of the variable, or one with all packages, which is made where it is not there yet.
///
/// # Errors
///
/// If there is no Python that can make environments, and it may not be installed, or if the packages cannot be had.
pub(crate) fn find_or_make() -> Result<PathBuf> {
    if let Some(program) = process::in_variable(VARIABLE)? {
        return Ok(program);
    }
    let root = workspace::root();
    let requirements = root.join(REQUIREMENTS);
    let wanted = std::fs::read_to_string(&requirements)
        .with_context(|| format!("cannot read {}", requirements.display()))?;
    let folder = root.join("target/python");
    let program = folder.join("bin/python");
    // Written once everything is there.
    let installed = folder.join("installed.txt");
    if std::fs::read_to_string(&installed).is_ok_and(|found| found == wanted) && process::is_program(&program)
    {
        return Ok(program);
    }
    make(&folder)?;
    let arguments = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
    process::run(Command::new(&program).args(arguments).arg(&requirements))?;
    std::fs::write(&installed, wanted)?;
    Ok(program)
}

/// Makes an environment without packages, in place of one that may be there.
fn make(folder: &Path) -> Result<()> {
    let make = || {
        let mut python = Command::new("python3");
        process::output(python.args(["-m", "venv", "--clear"]).arg(folder)).map(drop)
    };
    let Err(err) = make() else { return Ok(()) };
    if !packages::may_install() {
        return Err(err.context(format!(
            "no Python that makes environments; install it (Debian: `apt-get install {PACKAGE}`) or set {VARIABLE}"
        )));
    }
    println!("no Python that makes environments; installing the package");
    packages::install(PACKAGE)?;
    make()
}
