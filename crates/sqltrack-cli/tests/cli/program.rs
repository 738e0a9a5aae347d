//! The program under test, in a folder and an environment of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use sqltrack_core::{Client, Config};
use tempfile::TempDir;

/// The program with the options and variables that every call of it gets. A clone has the same folder.
#[derive(Clone)]
pub(crate) struct Program {
    folder: Arc<TempDir>,
    options: Vec<String>,
    variables: Vec<(String, String)>,
}

/// What a call came to.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Program {
    pub(crate) fn new() -> Self {
        Self { folder: Arc::new(tempfile::tempdir().unwrap()), options: Vec::new(), variables: Vec::new() }
    }

    /// On SQLite, in the file `sqltrack.db` of its folder.
    pub(crate) fn sqlite() -> Self {
        Self::new().option("--engine", "sqlite")
    }

    /// On SQLite, set up, and with what `script` does.
    pub(crate) fn sqlite_with(script: &str) -> Self {
        let program = Self::sqlite();
        program.run(&["setup"]).succeeded();
        program.feed(&["execute"], script).succeeded();
        program
    }

    pub(crate) fn option(mut self, name: &str, value: &str) -> Self {
        self.options.extend([name.to_owned(), value.to_owned()]);
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn file(&self, name: &str, content: &str) {
        std::fs::write(self.folder().join(name), content).unwrap();
    }

    /// A program in the folder, run by the shell.
    pub(crate) fn script(&self, name: &str, script: &str) {
        self.file(name, &format!("#!/bin/sh\n{script}\n"));
        let runnable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(self.folder().join(name), runnable).unwrap();
    }

    /// A named pipe in the folder.
    pub(crate) fn pipe(&self, name: &str) -> PathBuf {
        let path = self.folder().join(name);
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        path
    }

    /// The command, ready to run.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(env!("CARGO_BIN_EXE_sqltrack-cli").as_ref(), arguments)
    }

    /// The command by a program that is given.
    pub(crate) fn command_of(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(&self.options).args(arguments).current_dir(self.folder()).env_clear();
        command.env("HOME", self.folder()).env("LOGNAME", "nobody");
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        self.command(arguments).output().unwrap().into()
    }

    /// Runs the program with `text` as its input.
    pub(crate) fn feed(&self, arguments: &[&str], text: &str) -> Outcome {
        feed(self.command(arguments), text)
    }

    /// The rows of a query as JSON.
    #[track_caller]
    pub(crate) fn rows(&self, sql: &str) -> Vec<serde_json::Value> {
        let rows = self.run(&["query", sql, "--format", "json"]).succeeded();
        serde_json::from_str(&rows).unwrap()
    }

    /// A client of the library on the same SQLite file.
    pub(crate) fn client(&self) -> Client {
        let path = self.folder().join("sqltrack.db");
        let parameters = [("engine", "sqlite"), ("dbpath", path.to_str().unwrap())];
        Client::from_config(Config::explicit(parameters).unwrap()).unwrap()
    }
}

/// Runs a command with `text` as its input.
pub(crate) fn feed(mut command: Command, text: &str) -> Outcome {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A program that fails early need not have read all of it.
    let _ = std::io::Write::write_all(&mut stdin, text.as_bytes());
    drop(stdin);
    child.wait_with_output().unwrap().into()
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Outcome {
    /// What a call that went well, and had nothing to say beyond that, has printed.
    #[track_caller]
    pub(crate) fn succeeded(self) -> String {
        assert_eq!((self.code, self.stderr.as_str()), (Some(0), ""), "{self:?}");
        self.stdout
    }

    /// The message about a command line that is wrong: its first line.
    #[track_caller]
    pub(crate) fn wrong(self) -> String {
        assert_eq!((self.code, self.stdout.as_str()), (Some(2), ""), "{self:?}");
        let message = self.stderr.strip_prefix("error: ").and_then(|rest| rest.lines().next());
        message.unwrap_or_else(|| panic!("no message: {self:?}")).to_owned()
    }

    /// The message of a call that failed: one line.
    #[track_caller]
    pub(crate) fn failed(self) -> String {
        assert_eq!(self.code, Some(1), "{self:?}");
        let message = self.stderr.strip_prefix("error: ").and_then(|rest| rest.strip_suffix('\n'));
        let message = message.filter(|message| !message.contains('\n'));
        message.unwrap_or_else(|| panic!("not one line: {self:?}")).to_owned()
    }
}

/// The PostgreSQL server of the tests, and what was made on it for one of them.
pub(crate) struct Server {
    databases: Vec<String>,
    roles: Vec<String>,
}

impl Server {
    pub(crate) fn new() -> Self {
        Self { databases: Vec::new(), roles: Vec::new() }
    }

    /// A name for a role and its database, which are dropped in the end.
    pub(crate) fn name(&mut self, kind: &str) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("cli {kind} {}_{number}", std::process::id());
        self.databases.push(name.clone());
        self.roles.push(name.clone());
        name
    }

    /// A role and database of a name, made as a user makes them.
    pub(crate) fn create(&mut self, kind: &str) -> (String, Program) {
        let name = self.name(kind);
        let program = Self::program(&name, &name);
        let sql = program.run(&["create"]).succeeded();
        Self::psql(&sql);
        (name, program)
    }

    /// The program on the server's socket, which trusts everyone.
    pub(crate) fn program(user: &str, dbname: &str) -> Program {
        let (host, port) = Self::socket();
        let program = Program::new().option("--host", &host).option("--port", &port);
        program.option("--user", user).option("--dbname", dbname)
    }

    /// The folder and port of the server's socket.
    pub(crate) fn socket() -> (String, String) {
        let url = variable("SQLTRACK_TEST_POSTGRES");
        let (_, query) = url.split_once('?').unwrap();
        let pairs = || query.split('&').filter_map(|pair| pair.split_once('='));
        let value = |wanted| pairs().find(|(name, _)| *name == wanted).unwrap().1.to_owned();
        (value("host"), value("port"))
    }

    /// The program on the server over TCP, where it asks for a password.
    pub(crate) fn program_over_tcp(user: &str, dbname: &str) -> Program {
        let url = variable("SQLTRACK_TEST_POSTGRES_TCP");
        let address = url.rsplit_once('@').unwrap().1.split('/').next().unwrap();
        let (host, port) = address.rsplit_once(':').unwrap();
        let program = Program::new().option("--host", host).option("--port", port);
        program.option("--user", user).option("--dbname", dbname)
    }

    /// Runs SQL as the superuser.
    #[track_caller]
    pub(crate) fn psql(sql: &str) -> String {
        let mut psql = Command::new(Path::new(&variable("SQLTRACK_TEST_PG_BIN")).join("psql"));
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]).arg(variable("SQLTRACK_TEST_POSTGRES"));
        let outcome = feed(psql, sql);
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        outcome.stdout
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let quoted = |name: &String| format!("\"{}\"", name.replace('"', "\"\""));
        let databases = self.databases.iter().map(quoted);
        let databases = databases.map(|name| format!("DROP DATABASE IF EXISTS {name} WITH (FORCE);\n"));
        let roles = self.roles.iter().map(quoted).map(|name| format!("DROP ROLE IF EXISTS {name};\n"));
        let sql: String = databases.chain(roles).collect();
        if !std::thread::panicking() {
            Self::psql(&sql);
        }
    }
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: these tests need a PostgreSQL server; run `cargo xtask test`, or `cargo xtask postgres -- cargo test -p sqltrack-cli`")
    })
}
