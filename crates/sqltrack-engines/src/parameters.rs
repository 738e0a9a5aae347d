//! The table of all configuration parameters. Validation, masking, `PG*` variables and the book read it.

use crate::Dialect;

/// What is known about a configuration parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Parameter {
    /// Its name in a config file; `SQLTRACK_DSN_<NAME>` in the environment.
    pub name: &'static str,
    /// The engines that use it.
    pub engines: &'static [Dialect],
    /// libpq's own environment variable for it.
    pub variable: Option<&'static str>,
    /// Whether its value must not be printed.
    pub secret: bool,
    /// One sentence for the user, without a full stop.
    pub help: &'static str,
}

impl Parameter {
    /// The parameter of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        PARAMETERS.iter().find(|parameter| parameter.name == name)
    }

    /// Whether an engine uses the parameter.
    pub fn is_for(&self, engine: Dialect) -> bool {
        self.engines.contains(&engine)
    }

    /// Whether it is a connection keyword of libpq, and so may stand in a service file or a URL's query.
    pub fn is_libpq_keyword(&self) -> bool {
        self.is_for(Dialect::Postgres)
            && !self.is_for(Dialect::Sqlite)
            && !matches!(self.name, "schema" | "pooler")
    }

    const fn masked(mut self) -> Self {
        self.secret = true;
        self
    }
}

/// A parameter of SQLTrack's own.
const fn own(engines: &'static [Dialect], name: &'static str, help: &'static str) -> Parameter {
    Parameter { name, engines, variable: None, secret: false, help }
}

/// A connection keyword of libpq, with its variable unless that is empty.
const fn pq(name: &'static str, variable: &'static str, help: &'static str) -> Parameter {
    let variable = if variable.is_empty() { None } else { Some(variable) };
    Parameter { name, engines: &[Dialect::Postgres], variable, secret: false, help }
}

const EVERY: &[Dialect] = &[Dialect::Postgres, Dialect::Sqlite];

/// Every parameter there is, in the order in which they are shown.
#[rustfmt::skip]
pub const PARAMETERS: &[Parameter] = &[
    own(EVERY, "engine", "`postgres` (the default) or `sqlite`"),
    own(EVERY, "url", "`postgres://…` or `sqlite://…`, in place of the other parameters").masked(),
    own(&[Dialect::Sqlite], "dbpath", "path of the database file"),
    own(EVERY, "heartbeat", "seconds between signs of life of a tracked run, 30 by default"),
    own(EVERY, "grace", "seconds that a tracked process may take to end on a signal, 10 by default"),
    own(EVERY, "columns", "how many columns `metrics` may get, 800 by default; further metrics go to `metrics_overflow`"),
    own(EVERY, "retry", "seconds for which a write is tried while the database is away, 60 by default"),
    own(EVERY, "queue", "MiB of recorded metrics that may wait for the database, 64 by default"),
    own(EVERY, "queue_full", "what a call does while the queue, and the spool if there is one, is full: `wait` (the default) or `refuse`"),
    own(EVERY, "spool", "folder in which metrics wait for the database, or `off`"),
    own(EVERY, "spool_fsync", "when the spool is forced onto the disk: `second` (the default), `always` or `never`"),
    own(EVERY, "offline", "`true` for no database at all: everything goes to the spool; `false` by default"),
    own(EVERY, "env_mask", "patterns of names that are masked besides the built-in ones; `!` before one exempts names"),
    own(EVERY, "env_include", "patterns of the variables that `env` records, `*` by default; `!` before one leaves some out"),

    pq("host", "PGHOST", "server name, address, or directory of its unix socket"),
    pq("hostaddr", "PGHOSTADDR", "address to connect to, which saves looking up `host`"),
    pq("port", "PGPORT", "port of the server, 5432 by default"),
    pq("dbname", "PGDATABASE", "name of the database"),
    pq("user", "PGUSER", "role to connect as"),
    pq("password", "PGPASSWORD", "password of the role").masked(),
    pq("passfile", "PGPASSFILE", "file to look up passwords in, `~/.pgpass` by default"),
    own(&[Dialect::Postgres], "schema", "schemas that names resolve to, separated by commas"),
    own(&[Dialect::Postgres], "pooler", "`transaction` behind PgBouncer or another pooler in that mode, `none` by default"),
    pq("options", "PGOPTIONS", "settings of the session, like `-c statement_timeout=5min`"),
    pq("service", "PGSERVICE", "section of the service file to take further parameters from"),
    pq("connect_timeout", "PGCONNECT_TIMEOUT", "seconds to wait for a connection; 0 waits for ever"),
    pq("application_name", "PGAPPNAME", "name that the server shows for the connection"),
    pq("fallback_application_name", "", "name to use if `application_name` is not set"),
    pq("client_encoding", "PGCLIENTENCODING", "only `utf8` or `auto`"),

    pq("sslmode", "PGSSLMODE", "`disable`, `prefer` (the default), `require`, `verify-ca` or `verify-full`"),
    pq("sslrootcert", "PGSSLROOTCERT", "file of trusted certificate authorities, or `system`"),
    pq("sslcert", "PGSSLCERT", "file of the client's certificate"),
    pq("sslkey", "PGSSLKEY", "file of the client's private key"),
    pq("sslpassword", "", "not supported: use a key without a passphrase").masked(),
    pq("sslcertmode", "PGSSLCERTMODE", "`allow` (the default) or `disable`: whether to send a certificate"),
    pq("sslcrl", "PGSSLCRL", "not supported: revocation lists are not checked"),
    pq("sslcrldir", "PGSSLCRLDIR", "not supported: revocation lists are not checked"),
    pq("sslsni", "PGSSLSNI", "only `1`: the server's name is always sent"),
    pq("sslcompression", "PGSSLCOMPRESSION", "only `0`: TLS is never compressed"),
    pq("sslnegotiation", "PGSSLNEGOTIATION", "only `postgres`"),
    pq("ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION", "only `TLSv1.2` or older"),
    pq("ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION", "only `TLSv1.3`"),

    pq("channel_binding", "PGCHANNELBINDING", "only `prefer` or `disable`"),
    pq("require_auth", "PGREQUIREAUTH", "not supported: the server chooses how to authenticate"),
    pq("requirepeer", "PGREQUIREPEER", "not supported: the owner of a socket is not checked"),
    pq("gssencmode", "PGGSSENCMODE", "only `prefer` or `disable`: there is no GSSAPI"),
    pq("gssdelegation", "PGGSSDELEGATION", "only `0`: there is no GSSAPI"),
    pq("gsslib", "PGGSSLIB", "not supported: there is no GSSAPI"),
    pq("krbsrvname", "PGKRBSRVNAME", "not supported: there is no GSSAPI"),
    pq("target_session_attrs", "PGTARGETSESSIONATTRS", "only `any`"),
    pq("load_balance_hosts", "PGLOADBALANCEHOSTS", "only `disable`: there is one host"),
    pq("replication", "", "only `false`"),
    pq("keepalives", "", "only `0`: the driver does not turn them on"),
    pq("keepalives_idle", "", "only `0`, the system's setting"),
    pq("keepalives_interval", "", "only `0`, the system's setting"),
    pq("keepalives_count", "", "only `0`, the system's setting"),
    pq("tcp_user_timeout", "", "only `0`, the system's setting"),
];
