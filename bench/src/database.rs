//! A database of its own for each case, set up as the library does it.

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use serde::Serialize;
use sqltrack_core::config::Environment;
use sqltrack_core::{Client, Experiment};
use tempfile::TempDir;

use crate::place::Place;
use crate::raw::{self, Raw};

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Engine {
    Postgres,
    Sqlite,
}

impl Engine {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::Sqlite => "SQLite",
        }
    }

    /// The engine whose URL it is.
    pub(crate) fn of_url(url: &str) -> Self {
        if url.starts_with("sqlite:") { Self::Sqlite } else { Self::Postgres }
    }

    pub(crate) fn choose<T>(self, postgres: T, sqlite: T) -> T {
        match self {
            Self::Postgres => postgres,
            Self::Sqlite => sqlite,
        }
    }
}

/// The experiment that all runs belong to.
pub(crate) const EXPERIMENT: &str = "bench";

/// A database in a place. [`remove`](Self::remove) removes it, else it stays until the server goes.
pub(crate) struct Database {
    pub(crate) engine: Engine,
    url: String,
    /// The server's own database and the name of this one.
    server: Option<(String, String)>,
    _folder: Option<TempDir>,
}

impl Database {
    /// Makes a database whose `metrics` has `width` columns, as the library makes them.
    pub(crate) async fn create(place: &Place, engine: Engine, width: usize) -> Result<Self> {
        let database = match engine {
            Engine::Postgres => Self::on_server(place).await?,
            Engine::Sqlite => Self::in_file(place)?,
        };
        let client = database.client().await?;
        client.setup().await?;
        let run = Experiment::open(&client, EXPERIMENT).await?.new_run().await?;
        run.add_metrics(pairs(names(width))).await?;
        client.close().await;
        Ok(database)
    }

    async fn on_server(place: &Place) -> Result<Self> {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("bench_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let server = place.server.as_deref();
        let server = server.with_context(|| format!("there is no server for {}", place.name))?;
        raw::execute_on(server, &format!("CREATE DATABASE {name} TEMPLATE template0")).await?;
        let url = server.replacen("/postgres?", &format!("/{name}?"), 1);
        Ok(Self { engine: Engine::Postgres, url, server: Some((server.to_owned(), name)), _folder: None })
    }

    fn in_file(place: &Place) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("sqltrack-bench-").tempdir_in(&place.folder)?;
        let url = format!("sqlite:{}", folder.path().join("bench.db").display());
        Ok(Self { engine: Engine::Sqlite, url, server: None, _folder: Some(folder) })
    }

    /// What leads another process here.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) async fn client(&self) -> Result<Client> {
        client(&self.url, &[]).await
    }

    pub(crate) async fn raw(&self, width: usize) -> Result<Raw> {
        Raw::connect(&self.url, width).await
    }

    /// Removes the database, whoever is still connected.
    pub(crate) async fn remove(self) -> Result<()> {
        match &self.server {
            Some((server, name)) => {
                raw::execute_on(server, &format!("DROP DATABASE {name} WITH (FORCE)")).await
            }
            None => Ok(()),
        }
    }
}

/// A client that nothing of the caller's environment and files leads elsewhere.
pub(crate) async fn client(url: &str, parameters: &[(&str, String)]) -> Result<Client> {
    let environment = Environment::from_iter([("LOGNAME", "nobody")]);
    let mut builder = Client::builder().environment(environment).set("url", url);
    if Engine::of_url(url) == Engine::Sqlite {
        builder = builder.set("engine", "sqlite");
    }
    for (name, value) in parameters {
        builder = builder.set(*name, value);
    }
    Ok(builder.connect().await?)
}

/// The names of the first `width` metrics.
pub(crate) fn names(width: usize) -> Vec<&'static str> {
    use std::sync::LazyLock;
    static NAMES: LazyLock<Vec<String>> =
        LazyLock::new(|| (0..200).map(|number| format!("metric_{number}")).collect());
    NAMES.iter().take(width).map(String::as_str).collect()
}

/// A value for each name.
pub(crate) fn pairs(names: Vec<&'static str>) -> Vec<(&'static str, f64)> {
    names.into_iter().map(|name| (name, 0.5)).collect()
}
