//! Where databases lie while they are measured: on a disk, or in memory. And how fast that is just then.

use std::fs::{self, File};
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use serde::Serialize;

use crate::timing::quantile;

/// How often the disk is asked.
const SYNCS: usize = 25;
/// What is written before each: a page of PostgreSQL.
const PAGE: usize = 8192;

/// A folder for databases, and the server whose data lies beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// What it is called: `disk`, `memory`.
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    /// The URL of the server's database `postgres`, if there is a server.
    pub(crate) server: Option<String>,
}

/// `NAME=FOLDER` or `NAME=FOLDER,URL`.
impl FromStr for Place {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, rest) = text.split_once('=').context("expected NAME=FOLDER or NAME=FOLDER,URL")?;
        let (folder, server) = rest.split_once(',').map_or((rest, None), |(folder, url)| (folder, Some(url)));
        if name.is_empty() || folder.is_empty() {
            bail!("expected NAME=FOLDER or NAME=FOLDER,URL");
        }
        Ok(Self { name: name.to_owned(), folder: folder.into(), server: server.map(str::to_owned) })
    }
}

impl Place {
    /// Which file system the folder is on, such as `ext4` or `tmpfs`.
    pub(crate) fn file_system(&self) -> String {
        let folder = self.folder.canonicalize().unwrap_or_else(|_| self.folder.clone());
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        file_system(&mounts, &folder).unwrap_or("unknown").to_owned()
    }

    /// Writes a page and waits until it is on the disk, again and again.
    pub(crate) fn measure_fsync(&self) -> Result<Fsync> {
        let failed = || format!("cannot write to {}", self.folder.display());
        let mut file = tempfile::tempfile_in(&self.folder).with_context(failed)?;
        let mut seconds = (0..=SYNCS).map(|_| sync(&mut file)).collect::<Result<Vec<_>>>()?;
        // The first one also makes the file longer.
        seconds.remove(0);
        seconds.sort_by(f64::total_cmp);
        let at = |part| quantile(&seconds, part).unwrap_or_default();
        Ok(Fsync { median: at(0.5), worst: at(1.0) })
    }
}

fn sync(file: &mut File) -> Result<f64> {
    file.rewind()?;
    let start = Instant::now();
    file.write_all(&[7; PAGE])?;
    file.sync_data()?;
    Ok(start.elapsed().as_secs_f64())
}

/// How long it takes until a page is on the disk, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Fsync {
    pub(crate) median: f64,
    pub(crate) worst: f64,
}

/// The type of the innermost mount that holds `folder`, in the text of `/proc/self/mounts`.
fn file_system<'a>(mounts: &'a str, folder: &Path) -> Option<&'a str> {
    let mounts = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let (at, kind) = (words.nth(1)?, words.next()?);
        folder.starts_with(at).then_some((at.len(), kind))
    });
    // Of two mounts at one place, the later one is on top.
    mounts.max_by_key(|(length, _)| *length).map(|(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_with_and_without_a_server() {
        let place = |server: Option<&str>| Place {
            name: "disk".to_owned(),
            folder: "/var/tmp".into(),
            server: server.map(str::to_owned),
        };
        assert_eq!("disk=/var/tmp".parse::<Place>().unwrap(), place(None));
        let url = "postgres:///postgres?host=/x&port=1";
        assert_eq!(format!("disk=/var/tmp,{url}").parse::<Place>().unwrap(), place(Some(url)));
        for wrong in ["disk", "=x", "disk=", ""] {
            assert!(wrong.parse::<Place>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_innermost_mount_counts() {
        let mounts = "/dev/a / ext4 rw 0 0\ntmpfs /dev/shm tmpfs rw 0 0\nover /dev overlay rw 0 0\n";
        assert_eq!(file_system(mounts, Path::new("/dev/shm/x")), Some("tmpfs"));
        assert_eq!(file_system(mounts, Path::new("/dev/shmx")), Some("overlay"));
        assert_eq!(file_system(mounts, Path::new("/home")), Some("ext4"));
        assert_eq!(file_system("", Path::new("/home")), None);
    }

    #[test]
    fn a_folder_tells_how_fast_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place { name: "x".to_owned(), folder: folder.path().to_owned(), server: None };
        let fsync = place.measure_fsync().unwrap();
        assert!(fsync.median > 0.0 && fsync.worst >= fsync.median, "{fsync:?}");
        let absent = Place { folder: folder.path().join("absent"), ..place };
        assert!(absent.measure_fsync().is_err());
    }
}
