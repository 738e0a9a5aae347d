//! Changes to experiments.

use std::future::IntoFuture;

use sqltrack_engines::{ExperimentChanges, ExperimentId, tags};

use crate::client::BoxFuture;
use crate::{Error, Experiment, Fields, check};

/// Changes to an experiment, made when it is awaited: all of them in one transaction.
///
/// Awaiting it gives the experiment back. A dropped future has made all of the changes or none.
///
/// # Errors
///
/// Awaiting it fails with [`Error::Engine`] if the experiment, or the target of a link, does not exist, if the name
/// is taken, or if the database fails; with [`Error::BadText`] if a text cannot be stored.
#[derive(Debug)]
#[must_use = "nothing is changed until it is awaited"]
pub struct ExperimentEdit {
    experiment: Experiment,
    changes: Result<ExperimentChanges, Error>,
}

impl ExperimentEdit {
    pub(super) fn new(experiment: Experiment) -> Self {
        Self { experiment, changes: Ok(ExperimentChanges::default()) }
    }
}

/// The same methods on the handle, where they begin a list of changes, and on the list.
macro_rules! experiment_changes {
    ($($(#[$doc:meta])* $name:ident$([$($generic:tt)*])?($($arg:ident: $ty:ty),*) |$changes:ident| $body:expr;)*) => {
        impl Experiment {
            $($(#[$doc])* pub fn $name$(<$($generic)*>)?(&self, $($arg: $ty),*) -> ExperimentEdit {
                self.edit().$name($($arg),*)
            })*
        }

        impl ExperimentEdit {
            $($(#[$doc])* pub fn $name$(<$($generic)*>)?(mut self, $($arg: $ty),*) -> Self {
                self.changes = self.changes.and_then(|mut $changes| {
                    $body;
                    Ok($changes)
                });
                self
            })*
        }
    };
}

experiment_changes! {
    /// Sets the name, which is unique.
    set_name(name: impl Into<String>) |changes| {
        let name = name.into();
        check::key("the name of an experiment", &name)?;
        changes.name = Some(name);
    };

    /// Sets the comment; `None` is NULL.
    set_comment[C: Into<Comment>](comment: C) |changes| {
        changes.comment = Some(comment.into().checked()?);
    };

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

    /// Adds a link to another experiment. One that exists stays.
    add_link(kind: impl Into<String>, to: impl Into<ExperimentId>) |changes| {
        let kind = kind.into();
        check::key("the kind of a link", &kind)?;
        changes.links.insert((kind, to.into().0), true);
    };

    /// Removes a link to another experiment, if it exists.
    remove_link(kind: impl Into<String>, to: impl Into<ExperimentId>) |changes| {
        changes.links.insert((kind.into(), to.into().0), false);
    };
}

pub(crate) fn checked_tags<T: Into<String>>(
    names: impl IntoIterator<Item = T>,
) -> Result<sqltrack_engines::Object, Error> {
    let object = tags(names);
    object.keys().try_for_each(|tag| check::key("a tag", tag))?;
    Ok(object)
}

/// A comment, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment(Option<String>);

impl Comment {
    pub(crate) fn checked(self) -> Result<Option<String>, Error> {
        self.0.as_deref().map_or(Ok(()), |comment| check::text("the comment", comment))?;
        Ok(self.0)
    }
}

impl From<&str> for Comment {
    fn from(comment: &str) -> Self {
        Self(Some(comment.to_owned()))
    }
}

impl From<String> for Comment {
    fn from(comment: String) -> Self {
        Self(Some(comment))
    }
}

impl From<Option<String>> for Comment {
    fn from(comment: Option<String>) -> Self {
        Self(comment)
    }
}

impl From<Option<&str>> for Comment {
    fn from(comment: Option<&str>) -> Self {
        Self(comment.map(str::to_owned))
    }
}

impl IntoFuture for ExperimentEdit {
    type Output = Result<Experiment, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let changes = self.changes?;
            let experiment = self.experiment;
            let id = experiment.id;
            experiment
                .client
                .with_connection(move |conn| {
                    Box::pin(async move { Ok(conn.update_experiment(id, &changes).await?) })
                })
                .await?;
            Ok(experiment)
        })
    }
}
