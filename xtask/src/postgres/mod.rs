//! The Postgres server of the tests: a throwaway cluster, or the one that an outer command already started.

mod account;
mod cluster;
mod find;
mod install;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::process;
use cluster::{Cluster, Purpose};
use find::Server;

/// URL of the superuser's database over the unix socket, which asks for no password.
const SOCKET: &str = "SQLTRACK_TEST_POSTGRES";
/// URL of the same over TCP, which asks for a password (SCRAM-SHA-256).
const TCP: &str = "SQLTRACK_TEST_POSTGRES_TCP";
/// Directory of the server's programs.
const BIN: &str = "SQLTRACK_TEST_PG_BIN";
/// The program PgBouncer, which some tests put in front of the server.
const PGBOUNCER: &str = "SQLTRACK_TEST_PGBOUNCER";

/// A running server. Dropping it stops the server, if it was started here, and removes all of it.
pub(crate) struct Postgres {
    server: Server,
    address: Address,
    tcp_url: String,
    pgbouncer: Option<PathBuf>,
    cluster: Option<Cluster>,
}

impl Postgres {
    /// Uses the server that the environment names if it answers, else starts one, for which it installs
    /// Postgres where it may.
    pub(crate) fn start() -> Result<Self> {
        if let Some(outer) = Self::from_environment()? {
            println!("using the server of {SOCKET} ({})", outer.server.version);
            return Ok(outer);
        }
        Self::start_cluster(Purpose::Tests)
    }

    /// The same with everything that any test needs: PgBouncer, too, is installed where that may be.
    pub(crate) fn start_for_all_tests() -> Result<Self> {
        let mut postgres = Self::start()?;
        if postgres.pgbouncer.is_none() {
            postgres.pgbouncer = Some(install::pgbouncer(PGBOUNCER)?);
        }
        Ok(postgres)
    }

    /// Starts a server whose data lies in `folder` and whose commits are as safe, and as slow, as those of one that
    /// keeps data. The one that the environment names is for tests, and not asked.
    pub(crate) fn start_for_measurements(folder: &Path) -> Result<Self> {
        Self::start_cluster(Purpose::Measurements(folder))
    }

    fn start_cluster(purpose: Purpose<'_>) -> Result<Self> {
        let server = match find::server()? {
            Some(server) => server,
            None => install::server()?,
        };
        let cluster = Cluster::start(&server, purpose)?;
        println!("started {} in {}", server.version, cluster.directory().display());
        let (address, tcp_url) = (cluster.address(), cluster.tcp_url());
        let pgbouncer = find::pgbouncer(PGBOUNCER)?;
        Ok(Self { server, address, tcp_url, pgbouncer, cluster: Some(cluster) })
    }

    /// The variables by which tests learn of the server, and of PgBouncer if it is here.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        let bin = self.server.bin.to_string_lossy().into_owned();
        let server = [(SOCKET, self.address.url("postgres")), (TCP, self.tcp_url.clone()), (BIN, bin)];
        let pgbouncer =
            self.pgbouncer.iter().map(|program| (PGBOUNCER, program.to_string_lossy().into_owned()));
        server.into_iter().chain(pgbouncer).collect()
    }

    /// Where the server listens without asking for a password.
    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// Creates an empty database, replacing one that an earlier command left on the same server.
    pub(crate) fn create_database(&self, name: &str) -> Result<()> {
        for statement in [format!("DROP DATABASE IF EXISTS {name}"), format!("CREATE DATABASE {name}")] {
            process::output(self.psql("postgres").arg("--command").arg(statement))?;
        }
        Ok(())
    }

    /// Runs a script as it stands, with whatever transactions it brings.
    pub(crate) fn apply(&self, database: &str, script: &Path) -> Result<()> {
        let applied = process::output(self.psql(database).arg("--file").arg(script));
        applied.map(drop).with_context(|| format!("cannot apply {}", script.display()))
    }

    /// Stops the server, if it was started here, and says whether that worked.
    pub(crate) fn stop(mut self) -> Result<()> {
        self.cluster.take().map_or(Ok(()), Cluster::stop)
    }

    fn psql(&self, database: &str) -> Command {
        psql(&self.server, &self.address.url(database))
    }

    fn from_environment() -> Result<Option<Self>> {
        let Ok(url) = std::env::var(SOCKET) else { return Ok(None) };
        let address = Address::parse(&url).with_context(|| format!("{SOCKET} is not usable: {url}"))?;
        let tcp_url = std::env::var(TCP).with_context(|| format!("{SOCKET} is set without {TCP}"))?;
        let bin = std::env::var_os(BIN).with_context(|| format!("{SOCKET} is set without {BIN}"))?;
        let server = Server::in_directory(&PathBuf::from(bin))?;
        if process::output(psql(&server, &url).arg("--command").arg("SELECT 1")).is_err() {
            println!("the server of {SOCKET} does not answer");
            return Ok(None);
        }
        let pgbouncer = find::pgbouncer(PGBOUNCER)?;
        Ok(Some(Self { server, address, tcp_url, pgbouncer, cluster: None }))
    }
}

fn psql(server: &Server, url: &str) -> Command {
    let mut psql = Command::new(server.bin.join("psql"));
    psql.args(["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--dbname", url]);
    psql
}

/// A unix socket's directory, its port, and the superuser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) directory: String,
    pub(crate) port: u16,
    pub(crate) user: String,
}

impl Address {
    /// The URL of one database, as libpq and sqlx both read it.
    pub(crate) fn url(&self, database: &str) -> String {
        let Self { directory, port, user } = self;
        format!("postgres:///{database}?host={directory}&port={port}&user={user}")
    }

    fn parse(url: &str) -> Result<Self> {
        let parameters = url.strip_prefix("postgres:///postgres?").context("it names no unix socket")?;
        let (mut directory, mut port, mut user) = (None, None, None);
        for parameter in parameters.split('&') {
            match parameter.split_once('=') {
                Some(("host", value)) => directory = Some(value.to_owned()),
                Some(("port", value)) => port = Some(value.parse()?),
                Some(("user", value)) => user = Some(value.to_owned()),
                _ => bail!("it has the unknown parameter `{parameter}`"),
            }
        }
        let (Some(directory), Some(port), Some(user)) = (directory, port, user) else {
            bail!("it lacks one of host, port and user");
        };
        Ok(Self { directory, port, user })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_back_from_its_url() {
        let address = Address { directory: "/tmp/x".into(), port: 5433, user: "sqltrack_test".into() };
        assert_eq!(Address::parse(&address.url("postgres")).unwrap(), address);
    }

    #[test]
    fn a_url_that_does_not_name_everything_is_refused() {
        for url in ["postgres://u@h/postgres", "postgres:///postgres?host=/tmp", "postgres:///postgres?x=1"] {
            assert!(Address::parse(url).is_err(), "{url}");
        }
    }
}
