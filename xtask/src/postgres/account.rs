//! Who the server runs as: Postgres refuses to be root.

use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::process;

/// The account of the server's processes and files.
pub(crate) enum Account {
    /// The one that runs this program.
    Own,
    /// Another one, since this program runs as root.
    Other { uid: u32, gid: u32 },
}

impl Account {
    /// The own account, or if that is root, `postgres` or else `nobody`.
    pub(crate) fn of_server() -> Result<Self> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Own);
        }
        let other = |name| Some(Self::Other { uid: id("-u", name)?, gid: id("-g", name)? });
        other("postgres")
            .or_else(|| other("nobody"))
            .context("neither `postgres` nor `nobody` is a user here")
    }

    /// Makes `command` run as this account.
    pub(crate) fn take_on<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        match *self {
            Self::Own => command,
            Self::Other { uid, gid } => command.uid(uid).gid(gid),
        }
    }

    /// Makes `path` belong to this account.
    pub(crate) fn own(&self, path: &Path) -> Result<()> {
        match *self {
            Self::Own => Ok(()),
            Self::Other { uid, gid } => Ok(chown(path, Some(uid), Some(gid))?),
        }
    }
}

fn id(what: &str, name: &str) -> Option<u32> {
    process::output(Command::new("id").args([what, name])).ok()?.trim().parse().ok()
}
