//! Which server to speak to: a socket or an address, found as libpq finds it.

use std::fmt;
use std::path::{Path, PathBuf};

use sqltrack_engines::{Environment, Settings, Source};
use sqlx::postgres::PgConnectOptions;

use super::passfile::SOCKET_DIRECTORIES;
use super::{OptionsError, keywords, tls};

/// Where the server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Server {
    pub(super) port: u16,
    place: Place,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// A directory of sockets.
    Socket(PathBuf),
    /// A name or address.
    Tcp(String),
}

/// Finds the server, and notes in the settings what nobody had set.
pub(super) fn find(settings: &mut Settings) -> Result<Server, OptionsError> {
    let port = keywords::port(settings)?;
    if settings.value("port").is_none() {
        settings.set("port", port.to_string(), Source::Default(""));
    }
    if settings.value("host").is_none() && settings.value("hostaddr").is_none() {
        let (host, why) = default_host(port);
        settings.set("host", host, Source::Default(why));
    }
    let host = settings.value("host").unwrap_or_default();
    let place = match settings.value("hostaddr") {
        Some(address) => {
            if settings.value("sslmode") == Some("verify-full") && !host.is_empty() && host != address {
                let reason = "the driver cannot verify the name in `host` while connecting to an address; \
                              remove one of the two";
                return Err(settings.invalid("hostaddr", reason).into());
            }
            Place::Tcp(address.to_owned())
        }
        None if host.starts_with('/') => Place::Socket(PathBuf::from(host)),
        None => Place::Tcp(host.to_owned()),
    };
    Ok(Server { port, place })
}

impl Server {
    /// Points the driver at the server, with TLS as configured.
    pub(super) fn apply(
        &self,
        connect: PgConnectOptions,
        settings: &Settings,
        env: &Environment,
    ) -> Result<PgConnectOptions, OptionsError> {
        match &self.place {
            // libpq never uses TLS on a socket, whatever the mode.
            Place::Socket(folder) => {
                Ok(connect.host("localhost").socket(folder).ssl_mode(sqlx::postgres::PgSslMode::Disable))
            }
            Place::Tcp(host) => tls::apply(connect.host(host), settings, env),
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Socket(folder) => write!(f, "the socket in {} (port {})", folder.display(), self.port),
            Place::Tcp(host) if host.contains(':') => write!(f, "[{host}]:{}", self.port),
            Place::Tcp(host) => write!(f, "{}:{}", host.escape_debug(), self.port),
        }
    }
}

fn default_host(port: u16) -> (&'static str, &'static str) {
    let socket = format!(".s.PGSQL.{port}");
    match SOCKET_DIRECTORIES.into_iter().find(|folder| Path::new(folder).join(&socket).exists()) {
        Some(folder) => (folder, "unix socket"),
        None => ("localhost", "no unix socket found"),
    }
}
