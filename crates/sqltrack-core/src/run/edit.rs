//! Changes to runs.

use std::future::IntoFuture;

use sqltrack_engines::{Connection, EngineError, Moment, RunChanges, RunId};

use crate::client::BoxFuture;
use crate::experiment::{Comment, checked_tags};
use crate::{Error, Fields, Redactor, Run, Stamp, Status, check};

/// Changes to a run, made when it is awaited: all of them in one transaction.
///
/// Awaiting it gives the run back. A dropped future has made all of the changes or none.
///
/// # Errors
///
/// Awaiting it fails with [`Error::Engine`] if the run, or the target of a link, does not exist, or if the database
/// fails; with [`Error::BadText`] if a text cannot be stored.
#[derive(Debug)]
#[must_use = "nothing is changed until it is awaited"]
pub struct RunEdit {
    run: Run,
    changes: Result<RunChanges, Error>,
}

impl RunEdit {
    pub(super) fn new(run: Run) -> Self {
        Self { run, changes: Ok(RunChanges::default()) }
    }
}

/// The same methods on the handle, where they begin a list of changes, and on the list.
macro_rules! run_changes {
    ($($(#[$doc:meta])* $name:ident$([$($generic:tt)*])?($($arg:ident: $ty:ty),*)
        |$changes:ident$(, $client:ident)?| $body:expr;)*) => {
        impl Run {
            $($(#[$doc])* pub fn $name$(<$($generic)*>)?(&self, $($arg: $ty),*) -> RunEdit {
                self.edit().$name($($arg),*)
            })*
        }

        impl RunEdit {
            $($(#[$doc])* pub fn $name$(<$($generic)*>)?(mut self, $($arg: $ty),*) -> Self {
                self.changes = self.changes.and_then(|mut $changes| {
                    $(let $client = &self.run.client;)?
                    $body;
                    Ok($changes)
                });
                self
            })*
        }
    };
}

/// The time to write for `stamp`, or the one that was to be written before.
fn stamped(stamp: impl Into<Stamp>) -> Option<Moment> {
    stamp.into().moment()
}

run_changes! {
    /// Sets the status.
    set_status(status: impl Into<Status>) |changes| {
        let status = status.into();
        check::key("the status", status.as_str())?;
        changes.status = Some(status.as_str().to_owned());
    };

    /// Sets the comment; `None` is NULL.
    set_comment[C: Into<Comment>](comment: C) |changes| {
        changes.comment = Some(comment.into().checked()?);
    };

    /// Sets `time_created`: [`Stamp::Auto`] to now, a time, or `None` to leave it as it is.
    set_created(time: impl Into<Stamp>) |changes| changes.created = stamped(time);

    /// Sets `time_started`: [`Stamp::Auto`] to now, a time, or `None` to leave it as it is.
    set_started(time: impl Into<Stamp>) |changes| changes.started = stamped(time);

    /// Sets `time_updated`: [`Stamp::Auto`] to now, a time, or `None` to leave it as it is.
    set_updated(time: impl Into<Stamp>) |changes| changes.updated = stamped(time);

    /// Sets the tags, in the place of those there are.
    set_tags[T: Into<String>](names: impl IntoIterator<Item = T>) |changes| {
        changes.tags.set(Some(checked_tags(names)?));
    };

    /// Adds tags.
    add_tags[T: Into<String>](names: impl IntoIterator<Item = T>) |changes| {
        changes.tags.add(checked_tags(names)?);
    };

    /// Removes tags, those that exist.
    remove_tags[T: Into<String>](names: impl IntoIterator<Item = T>) |changes| {
        changes.tags.remove(names.into_iter().map(Into::into));
    };

    /// Sets the arguments; `None` is NULL. [`Fields::Auto`] takes those of this process' command line, as the help
    /// text says that a `#[docopt_main]` or `#[docopt_arguments]` of this program embedded, with
    /// [secrets masked](Redactor); without such a text the arguments stay as they are.
    set_args(args: impl Into<Fields>) |changes, client| {
        if let Some(args) = args.into().resolve("an argument", || detect_args(&client.redactor()))? {
            changes.args.set(args);
        }
    };

    /// Adds arguments, over those of the same names; [`Fields::Auto`] as for [`set_args`](Run::set_args).
    add_args(args: impl Into<Fields>) |changes, client| {
        let args = args.into().resolve("an argument", || detect_args(&client.redactor()))?;
        changes.args.add(args.flatten().unwrap_or_default());
    };

    /// Removes arguments by their names, those that exist.
    remove_args[T: Into<String>](names: impl IntoIterator<Item = T>) |changes| {
        changes.args.remove(names.into_iter().map(Into::into));
    };

    /// Sets the environment; `None` is NULL. [`Fields::Auto`] takes the environment of this process, with
    /// [secrets masked](Redactor); which variables it takes is what the parameter `env_include` says.
    set_env(env: impl Into<Fields>) |changes, client| {
        if let Some(env) = env.into().resolve("a variable", || Ok(Some(client.redactor().environment())))? {
            changes.env.set(env);
        }
    };

    /// Adds variables to the environment, over those of the same names; [`Fields::Auto`] as for
    /// [`set_env`](Run::set_env).
    add_env(env: impl Into<Fields>) |changes, client| {
        let env = env.into().resolve("a variable", || Ok(Some(client.redactor().environment())))?;
        changes.env.add(env.flatten().unwrap_or_default());
    };

    /// Removes variables from the environment by their names, those that exist.
    remove_env[T: Into<String>](names: impl IntoIterator<Item = T>) |changes| {
        changes.env.remove(names.into_iter().map(Into::into));
    };

    /// Sets the extras; `None` is NULL.
    set_extras(extras: impl Into<Fields>) |changes| {
        changes.extras.set(extras.into().given("an extra")?);
    };

    /// Adds extras, over those of the same names.
    add_extras(extras: impl Into<Fields>) |changes| {
        changes.extras.add(extras.into().given("an extra")?.unwrap_or_default());
    };

    /// Removes extras by their names, those that exist.
    remove_extras[T: Into<String>](names: impl IntoIterator<Item = T>) |changes| {
        changes.extras.remove(names.into_iter().map(Into::into));
    };

    /// Adds a link to another run. One that exists stays.
    add_link(kind: impl Into<String>, to: impl Into<RunId>) |changes| {
        let kind = kind.into();
        check::key("the kind of a link", &kind)?;
        changes.links.insert((kind, to.into().0), true);
    };

    /// Removes a link to another run, if it exists.
    remove_link(kind: impl Into<String>, to: impl Into<RunId>) |changes| {
        changes.links.insert((kind.into(), to.into().0), false);
    };
}

async fn update(conn: &mut dyn Connection, run: RunId, changes: RunChanges) -> Result<(), Error> {
    Ok(conn.update_run(run, &changes).await?)
}

/// Checks in the open transaction, until its end, that nobody has taken the run over.
async fn check_lease(conn: &mut dyn Connection, run: RunId, lease: i64) -> Result<(), EngineError> {
    let life = conn.run_life(run).await?.ok_or(EngineError::NoSuchRun(run))?;
    if life.lease == Some(lease) { Ok(()) } else { Err(EngineError::LeaseLost { run, holder: life.holder }) }
}

/// The arguments of this process, if the program says which there are. A command line that does not fit what it says
/// is no reason to stop a training.
fn detect_args(redactor: &Redactor) -> Result<Option<sqltrack_engines::Object>, Error> {
    let detected = sqltrack_args::detect_args(None).unwrap_or_else(|err| {
        tracing::warn!("cannot detect the arguments: {}", redactor.text(&err.to_string()));
        None
    });
    Ok(match detected.map(|options| options.to_json()) {
        Some(serde_json::Value::Object(object)) => Some(redactor.object(&object)),
        _ => None,
    })
}

impl IntoFuture for RunEdit {
    type Output = Result<Run, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let (run, changes) = (self.run, self.changes?);
            if changes.status.is_none() || run.client.is_transaction() {
                return run.changed(changes).await;
            }
            // Whoever reads that a run has ended expects its metrics to be there. The end is recorded also if some of
            // them cannot be written.
            let flushed = run.client.flush().await;
            let run = run.changed(changes).await?;
            flushed.map(|_| run)
        })
    }
}

impl Run {
    /// Makes changes, all of them in one transaction.
    async fn changed(self, changes: RunChanges) -> Result<Self, Error> {
        let id = self.id;
        if let Some(offline) = self.client.offline() {
            offline.change(id, changes, None)?;
            return Ok(self);
        }
        let Some(lease) = self.fence() else {
            self.client.with_connection(move |conn| Box::pin(update(conn, id, changes))).await?;
            return Ok(self);
        };
        let pending = self.client.heart().pending_write();
        self.client
            .atomically(move |conn| {
                Box::pin(async move {
                    let _pending = pending;
                    check_lease(conn, id, lease).await?;
                    update(conn, id, changes).await
                })
            })
            .await?;
        Ok(self)
    }
}
