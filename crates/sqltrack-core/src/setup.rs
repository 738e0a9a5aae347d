//! Setup: the base schema and the user's scripts, each applied once.

mod apply;
mod source;

use std::future::IntoFuture;

pub(crate) use apply::{run_steps, steps};
pub use source::ScriptSource;

use crate::client::BoxFuture;
use crate::{Client, Error};

/// Why a setup cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// A script's file cannot be read.
    #[error("cannot read the script {path}: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why, and what to do.
        reason: String,
    },
    /// A script has a name that is not its own.
    #[error("the script {path} cannot be named `{name}`, which is SQLTrack's own; rename it")]
    Reserved {
        /// The file.
        path: String,
        /// The name.
        name: String,
    },
    /// Two scripts of one call have the same name.
    #[error("two scripts are named `{name}`: {first} and {second}; names tell scripts apart, rename one")]
    NameTwice {
        /// The name.
        name: String,
        /// The first file.
        first: String,
        /// The second file.
        second: String,
    },
    /// A statement cannot run in a transaction, and the script does not say that it needs none.
    #[error(
        "{name}:{line}: `{statement}` cannot run in a transaction; make `-- no-transaction` the first line of the script"
    )]
    NeedsNoTransaction {
        /// The script.
        name: String,
        /// The line of the statement, from 1.
        line: usize,
        /// Its first word.
        statement: String,
    },
    /// A statement of a script failed; nothing of the script is kept.
    #[error("{name}:{line}: {source}")]
    Failed {
        /// The script.
        name: String,
        /// The line, from 1, that the database complains about, or else where the statement begins.
        line: usize,
        /// What the database says.
        source: sqltrack_engines::EngineError,
    },
    /// A script that runs outside of a transaction was stopped half-way.
    #[error(
        "{name} was begun without a transaction and has not finished; look what it did, then run \
         DELETE FROM sqltrack_migrations WHERE description = '{name}' and set up again"
    )]
    Unfinished {
        /// The script.
        name: String,
    },
}

/// What became of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ScriptState {
    /// It has been applied just now; in a dry run: it would be.
    New,
    /// It was applied before.
    Ok,
    /// It was applied before, and its text is not what it was then. It was not run again.
    Changed,
}

/// A script, and what became of it. Displays as the line that `sqltrack-cli setup` prints: `(NEW) v001.sql`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptReport {
    /// The script's base file name.
    pub name: String,
    /// What became of it.
    pub state: ScriptState,
}

impl std::fmt::Display for ScriptReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = match self.state {
            ScriptState::New => "NEW",
            ScriptState::Ok => "OK",
            ScriptState::Changed => "CHANGED",
        };
        write!(f, "({state}) {}", self.name)
    }
}

/// What is called for every script in turn.
type Observer = Box<dyn FnMut(&ScriptReport) + Send>;

/// A setup to be done, see [`Client::setup`]. Await it.
#[must_use = "nothing is set up until it is awaited"]
pub struct Setup {
    client: Client,
    scripts: Vec<ScriptSource>,
    is_dry: bool,
    observer: Option<Observer>,
}

impl Setup {
    /// Adds scripts to apply after the base schema, in this order.
    pub fn scripts<S: Into<ScriptSource>>(mut self, scripts: impl IntoIterator<Item = S>) -> Self {
        self.scripts.extend(scripts.into_iter().map(Into::into));
        self
    }

    /// Only looks what there is to do.
    pub fn dry_run(mut self) -> Self {
        self.is_dry = true;
        self
    }

    /// Calls `observer` with every script as soon as it is known what became of it, also if a later one fails.
    pub fn on_report(mut self, observer: impl FnMut(&ScriptReport) + Send + 'static) -> Self {
        self.observer = Some(Box::new(observer));
        self
    }
}

impl IntoFuture for Setup {
    type Output = Result<Vec<ScriptReport>, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(apply::setup(
            self.client,
            self.scripts,
            self.is_dry,
            self.observer.unwrap_or_else(|| Box::new(|_| {})),
        ))
    }
}

impl std::fmt::Debug for Setup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Setup")
            .field("scripts", &self.scripts)
            .field("is_dry", &self.is_dry)
            .finish_non_exhaustive()
    }
}

/// Sets up the database of `client`: the base schema first, then `scripts` in their order, none of them twice. Any
/// number of setups may run at once. The function form of [`Client::setup`].
///
/// # Errors
///
/// As [`Client::setup`].
pub async fn setup<S: Into<ScriptSource>>(
    client: &Client,
    scripts: impl IntoIterator<Item = S>,
) -> Result<Vec<ScriptReport>, Error> {
    client.setup().scripts(scripts).await
}

impl Client {
    /// Sets the database up: creates the schema and the base tables, then applies scripts in their order. A script is
    /// known by its base file name, and applied once; it and the record of it are committed together or not at all.
    ///
    /// A script may bring its own `BEGIN; … END;` around everything. One that starts with `-- no-transaction` runs
    /// statement by statement, for what cannot run in a transaction; if that is stopped half-way, it is for you
    /// to look.
    ///
    /// A dropped future ends the setup after the script at hand, which is applied whole or not at all.
    ///
    /// # Errors
    ///
    /// [`Error::Setup`] for scripts that cannot be read, have the same name, or fail; [`Error::Script`] for scripts that
    /// control transactions, before anything runs; [`Error::Engine`] if the database fails.
    ///
    /// ```no_run
    /// # async fn example(client: sqltrack_core::Client) -> Result<(), sqltrack_core::Error> {
    /// client.setup().await?;
    /// let reports = client.setup().scripts(["v001.sql"]).await?;
    /// client.setup().scripts([("v002.sql", "ALTER TABLE metrics ADD COLUMN val_top1 FLOAT;")]).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn setup(&self) -> Setup {
        Setup { client: self.clone(), scripts: Vec::new(), is_dry: false, observer: None }
    }
}
