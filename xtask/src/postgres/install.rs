//! Installing Postgres where that needs no question: as root, on a system with apt.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::find::{self, Server};
use crate::process;

/// Installs Debian's package and returns its server.
pub(crate) fn server() -> Result<Server> {
    let missing = "no Postgres server in $PG_BIN, on the PATH or in /usr/lib/postgresql";
    if !rustix::process::geteuid().is_root() || process::on_path("apt-get").is_none() {
        bail!("{missing}; install it (Debian: `apt-get install postgresql`) or set PG_BIN to its programs");
    }
    println!("{missing}; installing the package");
    let _no_cluster = NoMainCluster::ask()?;
    apt_get(&["update"])?;
    apt_get(&["install", "-y", "--no-install-recommends", "postgresql"])?;
    find::server()?.context("the package `postgresql` brought no server")
}

fn apt_get(arguments: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    command.args(["-q", "-o", "DPkg::Lock::Timeout=120"]).args(arguments);
    process::run(command.env("DEBIAN_FRONTEND", "noninteractive"))
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
