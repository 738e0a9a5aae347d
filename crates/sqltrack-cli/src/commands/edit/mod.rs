//! `edit`: what the setters of runs and experiments do.

mod experiment;
mod run;

use serde_json::Value as Json;
use sqltrack_core::{Client, Fields, Object};

use crate::options::wrong_usage;
use crate::typed;

/// Change a run or an experiment
#[derive(Debug, clap::Args)]
#[command(after_help = "\
All changes are made, or none: what is set first, then what is added, then what is removed.

Examples:
  sqltrack-cli edit run 7 --comment 'second try' --add-tag resumed --add-link resumes:5
  sqltrack-cli edit run 7 --add-arg lr=0.1 --remove-arg seed --status FAILED
  sqltrack-cli edit experiment Iris --name iris --set-tags paper,2024")]
pub(crate) struct Args {
    #[command(subcommand)]
    target: Target,
}

#[derive(Debug, clap::Subcommand)]
enum Target {
    Run(Box<run::Args>),
    Experiment(Box<experiment::Args>),
}

pub(super) async fn run(args: &Args, client: &Client) -> anyhow::Result<()> {
    match &args.target {
        Target::Run(args) => run::run(args, client).await,
        Target::Experiment(args) => experiment::run(args, client).await,
    }
}

/// The changes that runs and experiments have in common.
#[derive(Debug, Default, PartialEq, clap::Args)]
struct CommonChanges {
    /// Set the comment
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
    /// Take the comment away
    #[arg(long, conflicts_with = "comment")]
    no_comment: bool,
    /// Set the tags, in the place of those there are; '' is none
    #[arg(long, value_name = "TAG,…", value_delimiter = ',')]
    set_tags: Option<Vec<String>>,
    /// Add a tag; may be given several times, as the following ones
    #[arg(long, value_name = "TAG")]
    add_tag: Vec<String>,
    /// Remove a tag, if it is there
    #[arg(long, value_name = "TAG")]
    remove_tag: Vec<String>,
    /// Set the extras, in the place of those there are; `null` is NULL
    #[arg(long, value_name = "JSON", value_parser = typed::object)]
    set_extras: Option<Fields>,
    /// Add an extra, over that of the same name; the value is read as JSON if it is any
    #[arg(long, visible_alias = "set-extra", value_name = "NAME=VALUE", value_parser = typed::member)]
    add_extra: Vec<(String, Json)>,
    /// Remove an extra, if it is there
    #[arg(long, value_name = "NAME")]
    remove_extra: Vec<String>,
}

/// An edit of a run or an experiment with the changes that they have in common; the methods have the same names.
macro_rules! with_common_changes {
    ($edit:expr, $changes:expr) => {{
        let (mut edit, changes): (_, &super::CommonChanges) = ($edit, $changes);
        if let Some(comment) = &changes.comment {
            edit = edit.set_comment(comment.as_str());
        }
        if changes.no_comment {
            edit = edit.set_comment(None::<&str>);
        }
        if let Some(tags) = &changes.set_tags {
            edit = edit.set_tags(tags.iter().filter(|tag| !tag.is_empty()));
        }
        if let Some(extras) = &changes.set_extras {
            edit = edit.set_extras(extras.clone());
        }
        edit = edit.add_tags(&changes.add_tag).remove_tags(&changes.remove_tag);
        edit.add_extras(super::object(&changes.add_extra)).remove_extras(&changes.remove_extra)
    }};
}
use with_common_changes;

fn object(members: &[(String, Json)]) -> Object {
    members.iter().cloned().collect()
}

fn nothing_to_change(command: &str) -> anyhow::Error {
    wrong_usage(&format!("there is nothing to change; see `sqltrack-cli {command} --help`"))
}
