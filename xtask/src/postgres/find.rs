//! Where the programs of a Postgres server are.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::process;

const PROGRAMS: [&str; 4] = ["initdb", "pg_ctl", "postgres", "psql"];

/// Debian keeps each major version's programs in a folder of its own and off the `PATH`.
const DEBIAN: &str = "/usr/lib/postgresql";

/// Debian keeps daemons off the `PATH` of users.
const PGBOUNCER: &str = "/usr/sbin/pgbouncer";

/// The programs of one installed version.
pub(crate) struct Server {
    pub(crate) bin: PathBuf,
    pub(crate) version: String,
}

impl Server {
    /// The server whose programs are in `bin`.
    pub(crate) fn in_directory(bin: &Path) -> Result<Self> {
        if let Some(missing) = missing(bin) {
            bail!("there is no program `{missing}` in {}", bin.display());
        }
        let version = process::output(Command::new(bin.join("postgres")).arg("--version"))?;
        Ok(Self { bin: bin.to_owned(), version: version.trim().to_owned() })
    }
}

/// The server in `PG_BIN`, else on the `PATH`, else the newest one of Debian's.
///
/// # Errors
///
/// If `PG_BIN` is set and holds no server: an explicit choice is not passed over in silence.
pub(crate) fn server() -> Result<Option<Server>> {
    if let Some(bin) = std::env::var_os("PG_BIN") {
        return Server::in_directory(Path::new(&bin)).map(Some).context("PG_BIN is set");
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).find(|directory| missing(directory).is_none());
    let Some(bin) = on_path.or_else(|| newest(Path::new(DEBIAN))) else { return Ok(None) };
    Server::in_directory(&bin).map(Some)
}

/// PgBouncer in the variable `name`, else on the `PATH`, else where Debian puts it.
///
/// # Errors
///
/// If the variable is set and names no program.
pub(crate) fn pgbouncer(name: &str) -> Result<Option<PathBuf>> {
    if let Some(program) = std::env::var_os(name).map(PathBuf::from) {
        if !process::is_program(&program) {
            bail!("{name} is set, and {} is no program", program.display());
        }
        return Ok(Some(program));
    }
    let debian = || Some(PathBuf::from(PGBOUNCER)).filter(|program| process::is_program(program));
    Ok(process::on_path("pgbouncer").or_else(debian))
}

fn missing(bin: &Path) -> Option<&'static str> {
    PROGRAMS.into_iter().find(|program| !process::is_program(&bin.join(program)))
}

/// The complete `<version>/bin` below `root` with the highest version.
fn newest(root: &Path) -> Option<PathBuf> {
    let versions = root.read_dir().ok()?.flatten().filter_map(|entry| {
        let version = version(entry.file_name().to_str()?)?;
        let bin = entry.path().join("bin");
        missing(&bin).is_none().then_some((version, bin))
    });
    versions.max().map(|(_, bin)| bin)
}

/// `9.6` before `15`, and no folder that is not named after a version.
fn version(name: &str) -> Option<Vec<u32>> {
    name.split('.').map(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn installation(root: &Path, version: &str, programs: &[&str]) -> PathBuf {
        let bin = root.join(version).join("bin");
        fs::create_dir_all(&bin).unwrap();
        for program in programs {
            fs::write(bin.join(program), "").unwrap();
            fs::set_permissions(bin.join(program), fs::Permissions::from_mode(0o755)).unwrap();
        }
        bin
    }

    #[test]
    fn the_newest_complete_version_is_taken() {
        let root = tempfile::tempdir().unwrap();
        installation(root.path(), "9.6", &PROGRAMS);
        let bin = installation(root.path(), "15", &PROGRAMS);
        installation(root.path(), "17", &["psql"]);
        installation(root.path(), "common", &PROGRAMS);
        assert_eq!(newest(root.path()), Some(bin));
    }

    #[test]
    fn no_installation_is_found_where_there_is_none() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(newest(root.path()), None);
        assert_eq!(newest(&root.path().join("absent")), None);
    }

    #[test]
    fn a_directory_without_a_server_says_what_is_missing() {
        let root = tempfile::tempdir().unwrap();
        let bin = installation(root.path(), "15", &["initdb", "pg_ctl", "psql"]);
        let err = Server::in_directory(&bin).err().unwrap().to_string();
        assert!(err.starts_with("there is no program `postgres` in "), "{err}");
    }

    #[test]
    fn a_file_that_cannot_be_executed_is_no_program() {
        let root = tempfile::tempdir().unwrap();
        let bin = installation(root.path(), "15", &PROGRAMS);
        fs::set_permissions(bin.join("pg_ctl"), fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(missing(&bin), Some("pg_ctl"));
    }
}
