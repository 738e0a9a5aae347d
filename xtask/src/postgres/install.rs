//! Installing Postgres and PgBouncer where that needs no question: as root, on a system with apt.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::find::{self, Server};
use crate::packages::{self, may_install};

/// Installs Debian's package and returns its server.
pub(crate) fn server() -> Result<Server> {
    let missing = "no Postgres server in $PG_BIN, on the PATH or in /usr/lib/postgresql";
    if !may_install() {
        bail!("{missing}; install it (Debian: `apt-get install postgresql`) or set PG_BIN to its programs");
    }
    println!("{missing}; installing the package");
    let _no_cluster = NoMainCluster::ask()?;
    packages::install("postgresql")?;
    find::server()?.context("the package `postgresql` brought no server")
}

/// Installs Debian's package and returns the program.
pub(crate) fn pgbouncer(variable: &str) -> Result<PathBuf> {
    let missing = format!("no PgBouncer in ${variable}, on the PATH or in /usr/sbin");
    if !may_install() {
        bail!("{missing}; install it (Debian: `apt-get install pgbouncer`) or set {variable} to the program");
    }
    println!("{missing}; installing the package");
    let _no_service = NoService::ask()?;
    packages::install("pgbouncer")?;
    find::pgbouncer(variable)?.context("the package `pgbouncer` brought no program")
}

/// Debian's package would create and start a cluster on the default port, unless a file says otherwise
/// while the package is installed.
struct NoMainCluster(&'static Path);

impl NoMainCluster {
    fn ask() -> Result<Self> {
        let file = Path::new("/etc/postgresql-common/createcluster.d/sqltrack-xtask.conf");
        file.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(file, "create_main_cluster = false\n")
            .with_context(|| format!("cannot write {}", file.display()))?;
        Ok(Self(file))
    }
}

impl Drop for NoMainCluster {
    fn drop(&mut self) {
        // Whoever creates a cluster on purpose later is not to be hindered. A file that stays does little harm.
        let _ = fs::remove_file(self.0);
        let _ = self.0.parent().map(fs::remove_dir);
    }
}

/// Debian's packages start their services, unless a program says otherwise while they are installed.
struct NoService {
    program: &'static Path,
    is_ours: bool,
}

impl NoService {
    fn ask() -> Result<Self> {
        let program = Path::new("/usr/sbin/policy-rc.d");
        // One that is there is somebody's decision; in containers it says the same.
        let is_ours = !program.exists();
        if is_ours {
            let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o755).open(program);
            let written = file.and_then(|mut file| file.write_all(b"#!/bin/sh\nexit 101\n"));
            written.with_context(|| format!("cannot write {}", program.display()))?;
        }
        Ok(Self { program, is_ours })
    }
}

impl Drop for NoService {
    fn drop(&mut self) {
        // One that stays would keep the services of all later packages from starting.
        if self.is_ours && fs::remove_file(self.program).is_err() {
            eprintln!("warning: {} could not be removed; remove it", self.program.display());
        }
    }
}
