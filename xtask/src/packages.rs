//! Installing packages where that needs no question: as root, on a system with apt.

use std::process::Command;

use anyhow::Result;

use crate::process;

/// Whether packages may be installed.
pub(crate) fn may_install() -> bool {
    rustix::process::geteuid().is_root() && process::on_path("apt-get").is_some()
}

/// Installs a package of Debian's.
pub(crate) fn install(package: &str) -> Result<()> {
    apt_get(&["update"])?;
    apt_get(&["install", "-y", "--no-install-recommends", package])
}

fn apt_get(arguments: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    command.args(["-q", "-o", "DPkg::Lock::Timeout=120"]).args(arguments);
    process::run(command.env("DEBIAN_FRONTEND", "noninteractive"))
}
