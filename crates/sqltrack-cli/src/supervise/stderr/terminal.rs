//! Standard error that is a terminal: the command gets another one, which passes on every byte as it is, so that a
//! program which asks whether it writes to a terminal gets the same answer.

use std::io;
use std::os::fd::OwnedFd;

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::pty::{OpenptFlags, grantpt, openpt, unlockpt};
use rustix::stdio::stderr;
use rustix::termios::{OptionalActions, isatty, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize};

pub(super) fn is_terminal() -> bool {
    isatty(stderr())
}

/// A pseudo-terminal: our end, and that of the command. It becomes nobody's controlling terminal.
pub(super) fn open() -> io::Result<(OwnedFd, OwnedFd)> {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    fcntl_setfd(&ours, FdFlags::CLOEXEC)?;
    grantpt(&ours)?;
    unlockpt(&ours)?;
    let theirs = peer(&ours)?;
    fcntl_setfd(&theirs, FdFlags::CLOEXEC)?;
    let mut modes = tcgetattr(stderr())?;
    // Ours makes of a line feed what its terminal needs. Twice would be too much.
    modes.make_raw();
    tcsetattr(&theirs, OptionalActions::Now, &modes)?;
    copy_size(&ours)?;
    Ok((ours, theirs))
}

/// Gives the pseudo-terminal the size of ours.
pub(in crate::supervise) fn copy_size(to: &OwnedFd) -> io::Result<()> {
    Ok(tcsetwinsize(to, tcgetwinsize(stderr())?)?)
}

#[cfg(target_os = "linux")]
fn peer(ours: &OwnedFd) -> io::Result<OwnedFd> {
    // Its name may mean another one in a container.
    Ok(rustix::pty::ioctl_tiocgptpeer(ours, OpenptFlags::RDWR | OpenptFlags::NOCTTY)?)
}

#[cfg(not(target_os = "linux"))]
fn peer(ours: &OwnedFd) -> io::Result<OwnedFd> {
    use rustix::fs::{Mode, OFlags, open};
    let name = rustix::pty::ptsname(ours, Vec::new())?;
    Ok(open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty())?)
}
