//! A PostgreSQL server of a test's own, which it may kill, stop and start again.

use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::database::variable;

/// What makes it fast, and still keeps what it has committed when it is killed, though not when the machine is.
const SETTINGS: &str = "
fsync = off
full_page_writes = off
synchronous_commit = on
shared_buffers = 32MB
max_connections = 100
";

/// Stops the server and removes its files when the test process is gone, whatever ended it.
const GUARD: &str = r#"
read -r _
pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null) && kill -QUIT "$pid" && kill -CONT "$pid"
sleep 0.2
rm -rf "$1"
"#;

/// A running server. Dropping it ends it and removes its files.
#[derive(Debug)]
pub struct Server {
    folder: PathBuf,
    port: u16,
    owner: (u32, u32),
    postmaster: Option<Child>,
    open: Option<ChildStdin>,
    guard: Child,
}

impl Server {
    /// Makes a cluster and starts it.
    pub fn start() -> Self {
        // The server of the other tests runs as an account that may run one.
        let url = variable("SQLTRACK_TEST_POSTGRES");
        let (_, rest) = url.split_once("host=").unwrap();
        let socket = rest.split('&').next().unwrap();
        let found = std::fs::metadata(socket).unwrap();
        let owner = (found.uid(), found.gid());
        let parent = Path::new(socket).parent().unwrap();
        let folder = tempfile::Builder::new().prefix("sqltrack-own-").tempdir_in(parent).unwrap().keep();
        let mut guard = Command::new("sh")
            .args(["-c", GUARD, "sh"])
            .arg(&folder)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let open = guard.stdin.take();
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let mut server = Self { folder, port, owner, postmaster: None, open, guard };
        server.init();
        server.serve();
        server
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(Path::new(&variable("SQLTRACK_TEST_PG_BIN")).join(program));
        command.env("LC_ALL", "C").env("HOME", &self.folder).env("PGDATA", self.data());
        command.current_dir(&self.folder).stdin(Stdio::null()).stdout(Stdio::null());
        if rustix::process::geteuid().is_root() {
            command.uid(self.owner.0).gid(self.owner.1);
        }
        command
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn init(&self) {
        if rustix::process::geteuid().is_root() {
            chown(&self.folder, Some(self.owner.0), Some(self.owner.1)).unwrap();
        }
        let mut initdb = self.command("initdb");
        initdb.args(["--no-sync", "--encoding=UTF8", "--locale=C", "--username=test", "--auth=trust"]);
        assert!(initdb.status().unwrap().success());
        let file = self.data().join("postgresql.conf");
        let settings = std::fs::read_to_string(&file).unwrap();
        let (port, folder) = (self.port, self.folder.display());
        let listen =
            format!("listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{folder}'\n");
        std::fs::write(file, format!("{settings}{SETTINGS}{listen}")).unwrap();
    }

    fn serve(&mut self) {
        let log = std::fs::File::options().create(true).append(true).open(self.folder.join("log")).unwrap();
        let postmaster = self.command("postgres").stderr(log).spawn().unwrap();
        self.postmaster = Some(postmaster);
        let start = Instant::now();
        let is_ready = || {
            self.command("pg_isready")
                .args(["-q", "-h", "127.0.0.1", "-p"])
                .arg(self.port.to_string())
                .status()
        };
        while !is_ready().unwrap().success() {
            let log = || std::fs::read_to_string(self.folder.join("log")).unwrap();
            assert!(start.elapsed() < Duration::from_secs(60), "{}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL that leads to it through a port, which may be that of a proxy.
    pub fn url(&self, port: u16) -> String {
        format!("postgres://test@127.0.0.1:{port}/postgres")
    }

    fn postmaster(&self) -> Pid {
        Pid::from_child(self.postmaster.as_ref().unwrap())
    }

    /// Ends it as `pg_ctl stop -m immediate` does, and starts it again after a while: it has to recover.
    pub fn crash(&mut self, pause: Duration) {
        kill_process(self.postmaster(), Signal::QUIT).unwrap();
        self.postmaster.take().unwrap().wait().unwrap();
        std::thread::sleep(pause);
        self.serve();
    }

    /// Stops all of its processes for a while, so that it is there and does not answer.
    pub fn freeze(&self, pause: Duration) {
        let postmaster = self.postmaster();
        kill_process(postmaster, Signal::STOP).unwrap();
        let children = children(postmaster);
        signal_all(&children, Signal::STOP);
        std::thread::sleep(pause);
        signal_all(&children, Signal::CONT);
        kill_process(postmaster, Signal::CONT).unwrap();
    }
}

fn signal_all(processes: &[Pid], signal: Signal) {
    for process in processes {
        // It may have ended meanwhile.
        let _ = kill_process(*process, signal);
    }
}

fn children(parent: Pid) -> Vec<Pid> {
    let file = format!("/proc/{parent}/task/{parent}/children");
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.split_whitespace().filter_map(|id| Pid::from_raw(id.parse().ok()?)).collect()
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut postmaster) = self.postmaster.take() {
            let _ = kill_process(Pid::from_child(&postmaster), Signal::QUIT);
            let _ = postmaster.wait();
        }
        drop(self.open.take());
        let _ = self.guard.wait();
    }
}
