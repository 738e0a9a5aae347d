//! A database for one test, gone when the test ends.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use sqltrack_core::config::Environment;
use sqltrack_core::{Client, ClientBuilder, Dialect};
use tempfile::TempDir;

/// A database of its own for one test: a file in a folder of its own, or a database of the throwaway server.
/// It is empty until [`set_up`](Self::set_up).
#[derive(Debug)]
pub struct Database {
    dialect: Dialect,
    parameters: Vec<(&'static str, String)>,
    folder: TempDir,
    /// The name of the server's database and the way to the server.
    server: Option<(String, String)>,
}

/// Runs one test on a database of its own. The database is dropped also if the test panics.
pub fn run(dialect: Dialect, test: impl AsyncFnOnce(&Database)) {
    runtime().block_on(async {
        let db = Database::create(dialect).await;
        test(&db).await;
    });
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// A variable that `cargo xtask test` sets.
pub(crate) fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set, so that there is no PostgreSQL to test on; use `cargo xtask test`, or `cargo xtask postgres -- cargo test …`")
    })
}

impl Database {
    async fn create(dialect: Dialect) -> Self {
        let folder = tempfile::tempdir().unwrap();
        match dialect {
            Dialect::Postgres => Self::on_server(folder).await,
            Dialect::Sqlite => {
                let path = folder.path().join("test.db").to_str().unwrap().to_owned();
                let parameters = vec![("engine", "sqlite".to_owned()), ("dbpath", path)];
                Self { dialect, parameters, folder, server: None }
            }
        }
    }

    async fn on_server(folder: TempDir) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let server = variable("SQLTRACK_TEST_POSTGRES");
        let client = Self::client(&[("url", server.clone())]).connect().await.unwrap();
        client.execute(&format!("CREATE DATABASE {name} TEMPLATE template0"), ()).await.unwrap();
        let url = Self::url_of(&server, &name);
        let parameters = vec![("url", url), ("application_name", name.clone())];
        Self { dialect: Dialect::Postgres, parameters, folder, server: Some((name, server)) }
    }

    /// The URL `server` with another database.
    fn url_of(server: &str, name: &str) -> String {
        match server.split_once("/postgres?") {
            Some((host, rest)) => format!("{host}/{name}?{rest}"),
            None => format!("{}/{name}", server.strip_suffix("/postgres").unwrap()),
        }
    }

    fn client(parameters: &[(&'static str, String)]) -> ClientBuilder {
        let builder = Client::builder().environment(Environment::from_iter([("LOGNAME", "nobody")]));
        parameters.iter().fold(builder, |builder, (name, value)| builder.set(*name, value))
    }

    /// Which engine it is.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// A folder for files of the test.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The name of the server's database, which is also the name that connections show. Empty on SQLite.
    pub fn name(&self) -> &str {
        self.server.as_ref().map_or("", |(name, _)| name)
    }

    /// A client in the making that leads here, to set further parameters of.
    pub fn builder(&self) -> ClientBuilder {
        Self::client(&self.parameters)
    }

    /// A client in the making that leads here as another role of the server.
    pub fn builder_as(&self, role: &str) -> ClientBuilder {
        let (url, application) = (&self.parameters[0], &self.parameters[1]);
        let (rest, _) = url.1.split_once("user=").unwrap();
        Self::client(&[("url", format!("{rest}user={role}")), application.clone()])
    }

    /// A client in the making that leads here by TCP and password, as the superuser.
    pub fn builder_with_password(&self) -> ClientBuilder {
        Self::client(&[("url", self.by_tcp().1), ("application_name", self.name().to_owned())])
    }

    /// The port that the server listens on, and the URL that leads here by TCP and password, as the superuser.
    pub fn by_tcp(&self) -> (u16, String) {
        let url = Self::url_of(&variable("SQLTRACK_TEST_POSTGRES_TCP"), self.name());
        let (_, rest) = url.rsplit_once(':').unwrap();
        let (port, _) = rest.split_once('/').unwrap();
        (port.parse().unwrap(), url)
    }

    /// A way here that can go away, and the parameter `url` for it.
    pub fn behind_proxy(&self) -> (crate::Proxy, String) {
        let (port, url) = self.by_tcp();
        let proxy = crate::Proxy::start(port);
        let url = url.replace(&format!(":{port}/"), &format!(":{}/", proxy.port()));
        (proxy, url)
    }

    /// A client in the making that leads here through a pooler.
    pub fn builder_through(&self, bouncer: &crate::Bouncer) -> ClientBuilder {
        Self::client(&[("url", bouncer.url(self.name())), ("application_name", self.name().to_owned())])
    }

    /// The variables of the environment that lead another process here.
    pub fn variables(&self) -> impl Iterator<Item = (String, &str)> {
        self.parameters
            .iter()
            .map(|(name, value)| (format!("SQLTRACK_DSN_{}", name.to_uppercase()), value.as_str()))
    }

    /// A client with connections of its own.
    pub async fn connect(&self) -> Client {
        self.builder().connect().await.unwrap()
    }

    /// A client with connections of its own, after a setup of the base schema.
    pub async fn set_up(&self) -> Client {
        let client = self.connect().await;
        client.setup().await.unwrap();
        client
    }

    /// `postgres` on PostgreSQL, `sqlite` on SQLite.
    pub fn choose<T>(&self, postgres: T, sqlite: T) -> T {
        match self.dialect {
            Dialect::Postgres => postgres,
            Dialect::Sqlite => sqlite,
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let Some((name, server)) = self.server.take() else { return };
        // A runtime cannot wait inside of another one, and the test's may be about to end.
        let dropped = std::thread::spawn(move || {
            runtime().block_on(async {
                let client = Self::client(&[("url", server)]).connect().await.unwrap();
                client.execute(&format!("DROP DATABASE {name} WITH (FORCE)"), ()).await
            })
        });
        let dropped = dropped.join();
        if !std::thread::panicking() {
            dropped.unwrap().unwrap();
        }
    }
}
