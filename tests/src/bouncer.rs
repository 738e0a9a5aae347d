//! A PgBouncer of a test's own, in front of the server of the tests.

use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use crate::database::variable;

/// Ends the program and removes its files when the test process is gone, whatever ended it.
const GUARD: &str = r#"
read -r _
kill -TERM "$1" 2>/dev/null
rm -rf "$2"
"#;

/// A running PgBouncer in transaction mode. Dropping it ends it and removes its files.
#[derive(Debug)]
pub struct Bouncer {
    port: u16,
    program: Child,
    guard: Child,
    open: Option<ChildStdin>,
}

impl Bouncer {
    /// Starts one that holds `pool_size` connections of the server for each database, with these settings besides.
    pub fn start(pool_size: u32, settings: &str) -> Self {
        let program = std::env::var_os("SQLTRACK_TEST_PGBOUNCER").expect(
            "SQLTRACK_TEST_PGBOUNCER is not set: install PgBouncer (Debian: `apt-get install pgbouncer`) and use \
             `cargo xtask test`, or set it to the program",
        );
        let url = variable("SQLTRACK_TEST_POSTGRES");
        let part = |name: &str| {
            let (_, rest) = url.split_once(&format!("{name}=")).unwrap();
            rest.split('&').next().unwrap().to_owned()
        };
        let socket = part("host");
        // It refuses to be root. The owner of the socket may be anybody's, and can reach it.
        let owner = std::fs::metadata(&socket).unwrap();
        let parent = Path::new(&socket).parent().unwrap();
        let folder = tempfile::Builder::new().prefix("sqltrack-bouncer-").tempdir_in(parent).unwrap().keep();
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let file = folder.join("pgbouncer.ini");
        let text = format!(
            "[databases]
* = host={socket} port={} user={}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {pool_size}
max_client_conn = 500
{settings}
",
            part("port"),
            part("user"),
        );
        std::fs::write(&file, text).unwrap();
        let log = std::fs::File::create(folder.join("log")).unwrap();
        let mut command = Command::new(program);
        command.arg(&file).current_dir(&folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        if rustix::process::geteuid().is_root() {
            chown(&folder, Some(owner.uid()), Some(owner.gid())).unwrap();
            command.uid(owner.uid()).gid(owner.gid());
        }
        let program = command.process_group(0).spawn().unwrap();
        let mut guard = Command::new("sh")
            .args(["-c", GUARD, "sh", &program.id().to_string()])
            .arg(&folder)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let open = guard.stdin.take();
        let mut bouncer = Self { port, program, guard, open };
        bouncer.wait_until_ready(&folder);
        bouncer
    }

    fn wait_until_ready(&mut self, folder: &Path) {
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let log = || std::fs::read_to_string(folder.join("log")).unwrap();
            assert!(self.program.try_wait().unwrap().is_none(), "{}", log());
            assert!(start.elapsed() < Duration::from_secs(60), "{}", log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The URL that leads through it to the server's database of this name.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://anybody@127.0.0.1:{}/{database}", self.port)
    }
}

impl Drop for Bouncer {
    fn drop(&mut self) {
        // The guard ends the program, which is waited for only then: its id is its own until somebody has.
        drop(self.open.take());
        let _ = self.guard.wait();
        let _ = self.program.wait();
    }
}
