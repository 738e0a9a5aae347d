//! A throwaway cluster: made in a temporary directory, and gone with the process that made it.

use std::fs::{self, DirBuilder};
use std::io::Read as _;
use std::net::TcpListener;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::{Context as _, Result, bail};

use super::Address;
use super::account::Account;
use super::find::Server;
use crate::process;

const USER: &str = "sqltrack_test";

/// What makes a cluster fast whose data nobody will miss.
const FOR_TESTS: &str = "
fsync = off
synchronous_commit = off
full_page_writes = off
shared_buffers = 32MB
max_connections = 200
";

/// What makes a cluster as safe and about as big as one that keeps data. A checkpoint or a vacuum would fall
/// into the time of whoever writes just then: the former are rare, the latter are left to the cases.
const FOR_MEASUREMENTS: &str = "
fsync = on
synchronous_commit = on
full_page_writes = on
shared_buffers = 512MB
max_wal_size = 2GB
checkpoint_timeout = 30min
autovacuum = off
max_connections = 200
";

/// What a cluster is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose<'a> {
    /// Its data need not survive anything.
    Tests,
    /// A commit in it costs what it costs elsewhere. Its data lies in this folder.
    Measurements(&'a Path),
}

/// A running cluster. Dropping it stops the server and removes its files.
pub(crate) struct Cluster {
    directory: PathBuf,
    settings: &'static str,
    port: u16,
    password: String,
    guard: Guard,
}

impl Cluster {
    /// Creates a cluster and starts its server.
    pub(crate) fn start(server: &Server, purpose: Purpose<'_>) -> Result<Self> {
        let account = Account::of_server()?;
        let (parent, settings) = match purpose {
            Purpose::Tests => (temporary_directory(&account), FOR_TESTS),
            Purpose::Measurements(folder) => (folder.to_owned(), FOR_MEASUREMENTS),
        };
        let directory = create_directory(&account, &parent)?;
        // From here on the guard removes everything, whatever fails below.
        let guard = Guard::of(&directory)?;
        let mut cluster = Self { directory, settings, port: 0, password: password()?, guard };
        cluster.init(server, &account)?;
        cluster.serve(server, &account)?;
        Ok(cluster)
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn address(&self) -> Address {
        let directory = self.directory.to_string_lossy().into_owned();
        Address { directory, port: self.port, user: USER.to_owned() }
    }

    pub(crate) fn tcp_url(&self) -> String {
        format!("postgres://{USER}:{}@127.0.0.1:{}/postgres", self.password, self.port)
    }

    /// Stops the server, removes its files and says whether that worked.
    pub(crate) fn stop(mut self) -> Result<()> {
        self.guard.finish()?;
        if self.directory.exists() {
            bail!("the test server's files in {} could not be removed", self.directory.display());
        }
        Ok(())
    }

    /// Makes the cluster: the local socket is trusted, TCP asks for the password.
    fn init(&self, server: &Server, account: &Account) -> Result<()> {
        let password_file = self.directory.join("password");
        fs::write(&password_file, &self.password)?;
        account.own(&password_file)?;
        let mut initdb = self.command(server, "initdb");
        initdb.args(["--no-sync", "--encoding=UTF8", "--locale=C", "--username", USER]);
        initdb.args(["--auth-local=trust", "--auth-host=scram-sha-256", "--pwfile"]).arg(&password_file);
        process::output(account.take_on(&mut initdb))?;
        Ok(fs::remove_file(&password_file)?)
    }

    fn serve(&mut self, server: &Server, account: &Account) -> Result<()> {
        let defaults = fs::read_to_string(self.data().join("postgresql.conf"))?;
        let mut attempts = 1..=3;
        loop {
            self.port = free_port()?;
            fs::write(self.data().join("postgresql.conf"), format!("{defaults}{}", self.settings()))?;
            match self.try_to_serve(server, account) {
                Ok(()) => return Ok(()),
                // Somebody else may have taken the port since it was found free.
                Err(_) if attempts.next().is_some() && self.log().contains("could not bind") => {}
                Err(err) => {
                    eprint!("{}", self.log());
                    return Err(err.context("Postgres does not start"));
                }
            }
        }
    }

    fn try_to_serve(&self, server: &Server, account: &Account) -> Result<()> {
        let mut start = self.command(server, "pg_ctl");
        start.args(["start", "--wait", "--silent", "--log"]).arg(self.log_file());
        // Not captured: the server would hold the pipes open.
        process::run(account.take_on(start.stdout(Stdio::null()).stderr(Stdio::null())))
    }

    fn command(&self, server: &Server, program: &str) -> Command {
        let mut command = Command::new(server.bin.join(program));
        // The locale that the caller has set need not exist here, and its home is not the server's.
        command.env("LC_ALL", "C").env("HOME", &self.directory).env("PGDATA", self.data());
        command.current_dir(&self.directory);
        command
    }

    fn settings(&self) -> String {
        let (port, directory) = (self.port, self.directory.display());
        let listen = format!(
            "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{directory}'\n"
        );
        format!("{}{listen}", self.settings)
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    fn log_file(&self) -> PathBuf {
        self.directory.join("log")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }
}

/// The process that stops the server: one for every way in which this program can end, SIGKILL included.
struct Guard {
    shell: Child,
    open: Option<ChildStdin>,
}

impl Guard {
    fn of(directory: &Path) -> Result<Self> {
        let mut command = Command::new("sh");
        command.args(["-c", include_str!("guard.sh"), "sh"]).arg(directory).process_group(0);
        command.current_dir("/").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut shell = command.spawn().context("cannot start `sh`")?;
        let open = shell.stdin.take();
        Ok(Self { shell, open })
    }

    fn finish(&mut self) -> Result<()> {
        drop(self.open.take());
        self.shell.wait()?;
        Ok(())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.finish();
    }
}

/// The folder for temporary files, or `/tmp` if a server cannot be in that.
fn temporary_directory(account: &Account) -> PathBuf {
    let usable = |parent: &PathBuf| is_usable(parent, account);
    Some(std::env::temp_dir()).filter(usable).unwrap_or_else(|| PathBuf::from("/tmp"))
}

/// Whether the server can reach what is in `parent`, and the path leaves room for the socket's name in the 107
/// bytes that a socket's path may have.
fn is_usable(parent: &Path, account: &Account) -> bool {
    let path = parent.to_string_lossy();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    path.len() <= 70 && path.bytes().all(plain) && (matches!(account, Account::Own) || is_open(parent))
}

fn create_directory(account: &Account, parent: &Path) -> Result<PathBuf> {
    if !is_usable(parent, account) {
        bail!(
            "no server can be in {}: the path has to be short and plain, and open to the server's user",
            parent.display()
        );
    }
    let directory = tempfile::Builder::new().prefix("sqltrack-pg-").tempdir_in(parent);
    let directory = directory.with_context(|| format!("cannot write to {}", parent.display()))?.keep();
    account.own(&directory)?;
    let data = directory.join("data");
    DirBuilder::new().mode(0o700).create(&data)?;
    account.own(&data)?;
    Ok(directory)
}

/// Whether every user may pass through `directory` and all that it is in.
fn is_open(directory: &Path) -> bool {
    let passable = |path: &Path| path.metadata().is_ok_and(|found| found.permissions().mode() & 0o001 != 0);
    directory.ancestors().all(passable)
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("no free port on 127.0.0.1")?;
    Ok(listener.local_addr()?.port())
}

fn password() -> Result<String> {
    let mut bytes = [0; 16];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_directory_is_not_open_to_all() {
        let private = tempfile::tempdir().unwrap();
        fs::set_permissions(private.path(), fs::Permissions::from_mode(0o700)).unwrap();
        assert!(is_open(Path::new("/")));
        assert!(!is_open(&private.path().join("absent")));
        assert!(!is_open(private.path()));
    }

    #[test]
    fn passwords_differ() {
        let (one, other) = (password().unwrap(), password().unwrap());
        assert_eq!(one.len(), 32);
        assert_ne!(one, other);
    }

    #[test]
    fn the_guard_removes_the_directory_when_its_input_ends() {
        let directory = tempfile::tempdir().unwrap().keep();
        fs::write(directory.join("file"), "").unwrap();
        let mut guard = Guard::of(&directory).unwrap();
        guard.finish().unwrap();
        assert!(!directory.exists());
    }
}
