//! The notebooks of `examples/`, run from the first cell to the last, and compared with the outputs that they are kept with.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::{process, workspace};

const PROGRAM: &str = "tests/python/run_notebook.py";
const GENERATOR: &str = "generate_experiment_data";
const DATABASE: &str = "sqltrack.db";

/// What becomes of the outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Those that are kept must be the same.
    Check,
    /// They are kept in place of the old ones.
    Write,
}

/// Runs all notebooks with a Python that has Jupyter and with the Rust kernel, on data that an example makes, and returns how many
/// there are.
///
/// # Errors
///
/// If a cell fails, or its outputs are not those that are kept.
pub(crate) fn run(python: &Path, kernel: &Path, mode: Mode) -> Result<u64> {
    let root = workspace::root();
    let folder = root.join("target/notebooks");
    let jupyter = folder.join("jupyter");
    install(kernel, &jupyter)?;
    // What the notebook in Rust depends on is of the versions that the workspace has.
    let cells = folder.join("cells");
    fs::create_dir_all(&cells)?;
    fs::copy(root.join("Cargo.lock"), cells.join("Cargo.lock"))?;
    generate(&folder)?;
    let notebooks = workspace::files(&root.join("examples"), "ipynb")?;
    for notebook in &notebooks {
        println!("--> {}", workspace::relative(notebook).display());
        let mut command = Command::new(python);
        workspace::isolate(&mut command);
        command.arg(root.join(PROGRAM)).arg(notebook).args((mode == Mode::Write).then_some("--write"));
        command.env("SQLTRACK_DSN_DBPATH", folder.join(DATABASE)).env("EVCXR_TMPDIR", &cells);
        // As for all that `workspace::cargo` compiles.
        command.env("SQLX_OFFLINE", "true");
        // Nothing of the user's own settings.
        let settings =
            ["JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "MPLCONFIGDIR"];
        command.env("JUPYTER_PATH", &jupyter).envs(settings.map(|name| (name, folder.join("settings"))));
        process::run(&mut command).with_context(|| {
            format!(
                "{} failed, or is not as it is kept; `cargo xtask notebooks --write` keeps what it shows now",
                workspace::relative(notebook).display()
            )
        })?;
    }
    Ok(notebooks.len() as u64)
}

/// Tells Jupyter how the Rust kernel is started.
fn install(kernel: &Path, jupyter: &Path) -> Result<()> {
    process::output(Command::new(kernel).arg("--install").env("JUPYTER_PATH", jupyter))?;
    let file = jupyter.join("kernels/rust/kernel.json");
    let mut described: Value = serde_json::from_str(&fs::read_to_string(&file)?)?;
    // The path to the standard library that cells have for themselves is right only from a folder that has nothing in common with
    // that of the toolchain, such as one in `/tmp`.
    let libraries = process::output(Command::new("rustc").args(["--print", "target-libdir"]))?;
    described["env"] = json!({ "LD_LIBRARY_PATH": libraries.trim() });
    Ok(fs::write(file, described.to_string())?)
}

/// Makes the database that the notebooks look at.
fn generate(folder: &Path) -> Result<()> {
    for ending in ["", "-shm", "-wal"] {
        let file = folder.join(format!("{DATABASE}{ending}"));
        if file.exists() {
            fs::remove_file(file)?;
        }
    }
    let programs = workspace::examples()?;
    let program = programs.get(GENERATOR).with_context(|| format!("there is no example `{GENERATOR}`"))?;
    let mut command = Command::new(program);
    workspace::isolate(&mut command);
    command.env("SQLTRACK_DSN_ENGINE", "sqlite").env("SQLTRACK_DSN_DBPATH", folder.join(DATABASE));
    process::run(&mut command)
}
