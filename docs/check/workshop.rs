//! Where the sessions of a page are run: a folder of their own, and the programs that they may use.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;
use std::{env, fs};

use tempfile::TempDir;

/// The variable by which tests find the server, see CONTRIBUTING.md.
const SERVER: &str = "SQLTRACK_TEST_POSTGRES";

/// What `sudo -u postgres psql` is on the throwaway server: a call of psql as its superuser.
const SUDO: &str = "#!/bin/sh\nshift 2\nPGUSER=sqltrack_test PGDATABASE=postgres exec \"$@\"\n";

/// A folder to work in, a home, and a folder with programs. The user is `alice`.
pub struct Workshop {
    root: TempDir,
    server: Option<Server>,
}

/// The server's place, out of its URL.
struct Server {
    directory: String,
    port: String,
}

impl Workshop {
    /// A workshop, with the server if `with_postgres`.
    ///
    /// # Errors
    ///
    /// If a program is missing or older than its source, or there is no server: what to do.
    pub fn open(with_postgres: bool) -> Result<Self, String> {
        let root = tempfile::tempdir().map_err(told)?;
        for folder in ["work", "home", "bin"] {
            fs::create_dir(root.path().join(folder)).map_err(told)?;
        }
        let bin = root.path().join("bin");
        for (name, built) in [
            ("sqltrack-cli", "sqltrack-cli"),
            ("minimal", "examples/minimal"),
            ("generate_experiment_data", "examples/generate_experiment_data"),
        ] {
            link(&program(built)?, &bin.join(name))?;
        }
        let server = if with_postgres { Some(Server::find()?) } else { None };
        let workshop = Self { root, server };
        if workshop.server.is_some() {
            let sudo = bin.join("sudo");
            fs::write(&sudo, SUDO).map_err(told)?;
            make_executable(&sudo)?;
            workshop.clean()?;
        }
        Ok(workshop)
    }

    /// Runs a script with `bash` and returns all that it prints, errors included.
    ///
    /// # Errors
    ///
    /// If there is no bash.
    pub fn run(&self, script: &str) -> Result<String, String> {
        let path = self.root.path().join("script");
        fs::write(&path, format!("exec 2>&1\n{script}")).map_err(told)?;
        let output = self.command("bash").arg(&path).output().map_err(|err| format!("bash: {err}"))?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// A program in the folder to work in, with no variable of the developer's.
    fn command(&self, program: &str) -> Command {
        let root = self.root.path();
        let mut path = vec![root.join("bin")];
        path.extend(env::var_os("SQLTRACK_TEST_PG_BIN").map(PathBuf::from));
        path.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
        let path = env::join_paths(path).unwrap_or_default();
        let mut command = Command::new(program);
        command.current_dir(root.join("work")).stdin(Stdio::null()).env_clear();
        command
            .env("PATH", path)
            .env("HOME", root.join("home"))
            .env("LOGNAME", "alice")
            .env("LC_ALL", "C.UTF-8");
        if let Some(Server { directory, port }) = &self.server {
            command.env("PGHOST", directory).env("PGPORT", port);
        }
        command
    }

    /// Takes away what an earlier page has made on the server.
    fn clean(&self) -> Result<(), String> {
        let script = "sudo -u postgres psql -qc 'DROP DATABASE IF EXISTS alice WITH (FORCE)' \
            && sudo -u postgres psql -qc 'DROP ROLE IF EXISTS alice' \
            && sudo -u postgres psql -qc 'DROP ROLE IF EXISTS bob' && echo done";
        let printed = self.run(script)?;
        if printed.ends_with("done\n") { Ok(()) } else { Err(printed) }
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        if self.server.is_some() {
            // What stays is taken away before the next page.
            let _ = self.clean();
        }
    }
}

impl Server {
    /// Reads `postgres:///postgres?host=DIR&port=PORT&user=USER`.
    fn find() -> Result<Self, String> {
        let url = env::var(SERVER).map_err(|_| format!("{SERVER} is not set; run `cargo xtask test`"))?;
        let parameters = url.split_once('?').map_or("", |(_, parameters)| parameters);
        let value = |name: &str| {
            let mut pairs = parameters.split('&').filter_map(|pair| pair.split_once('='));
            let found = pairs.find(|(key, _)| *key == name).map(|(_, value)| value.replace("%2F", "/"));
            found.ok_or_else(|| format!("{SERVER} has no `{name}`"))
        };
        Ok(Self { directory: value("host")?, port: value("port")? })
    }
}

/// A program that cargo has built beside this test.
///
/// # Errors
///
/// If it is missing or older than its source: what to do.
pub fn program(name: &str) -> Result<PathBuf, String> {
    let test = env::current_exe().map_err(told)?;
    let folder = test.parent().and_then(Path::parent).unwrap_or(Path::new("."));
    let path = folder.join(name);
    let hint = "run `cargo xtask test`, or `cargo build --workspace --examples --bins` first";
    let built = modified(&path).ok_or_else(|| format!("there is no {}; {hint}", path.display()))?;
    // Cargo writes down beside each program what it was made of.
    let listing = fs::read_to_string(path.with_extension("d")).unwrap_or_default();
    let mut sources = listing.split_whitespace().skip(1).map(Path::new);
    match sources.find(|source| modified(source).is_none_or(|changed| changed > built)) {
        Some(source) => Err(format!("{} has changed since {name} was built; {hint}", source.display())),
        None => Ok(path),
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

#[cfg(unix)]
fn link(from: &Path, to: &Path) -> Result<(), String> {
    std::os::unix::fs::symlink(from, to).map_err(told)
}

#[cfg(unix)]
fn make_executable(path: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).map_err(told)
}

#[cfg(not(unix))]
compile_error!("the sessions of the book are those of a Unix shell");

fn told(err: impl std::fmt::Display) -> String {
    err.to_string()
}
