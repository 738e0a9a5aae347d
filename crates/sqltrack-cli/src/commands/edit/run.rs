//! `edit run`.

use serde_json::Value as Json;
use sqltrack_core::{Client, Fields, Stamp, Status};

use super::{CommonChanges, nothing_to_change, object, with_common_changes};
use crate::named::{self, RunName};
use crate::typed;

/// Change a run
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The id of the run, or the environment variable that holds it
    #[arg(value_name = "ID|VARIABLE", default_value = RunName::OF_JOB, allow_negative_numbers = true)]
    run: RunName,
    #[command(flatten)]
    changes: Changes,
}

#[derive(Debug, Default, PartialEq, clap::Args)]
struct Changes {
    /// Set the status: any text; those of Slurm in any case
    #[arg(long, value_parser = typed::status)]
    status: Option<Status>,
    #[command(flatten)]
    common: CommonChanges,
    /// Add a link to another run
    #[arg(long, value_name = "KIND:ID", value_parser = named::link::<RunName>)]
    add_link: Vec<(String, RunName)>,
    /// Remove a link to another run, if it is there
    #[arg(long, value_name = "KIND:ID", value_parser = named::link::<RunName>)]
    remove_link: Vec<(String, RunName)>,
    /// Set the arguments, in the place of those there are; `null` is NULL
    #[arg(long, value_name = "JSON", value_parser = typed::object)]
    set_args: Option<Fields>,
    /// Add an argument, over that of the same name; the value is read as JSON if it is any
    #[arg(long, visible_alias = "set-arg", value_name = "NAME=VALUE", value_parser = typed::member)]
    add_arg: Vec<(String, Json)>,
    /// Remove an argument, if it is there
    #[arg(long, value_name = "NAME")]
    remove_arg: Vec<String>,
    /// Set the environment, in the place of the one there is; `auto` is that of this process, secrets masked
    #[arg(long, value_name = "JSON|auto", value_parser = typed::environment)]
    set_env: Option<Fields>,
    /// Add a variable to the environment, over that of the same name; the value is text
    #[arg(long, value_name = "NAME=VALUE", value_parser = typed::variable)]
    add_env: Vec<(String, Json)>,
    /// Remove a variable from the environment, if it is there
    #[arg(long, value_name = "NAME")]
    remove_env: Vec<String>,
    /// Set when the run was created
    #[arg(long, value_name = "TIME|now", value_parser = typed::time)]
    created: Option<Stamp>,
    /// Set when it was started
    #[arg(long, value_name = "TIME|now", value_parser = typed::time)]
    started: Option<Stamp>,
    /// Set when it was last heard of
    #[arg(long, value_name = "TIME|now", value_parser = typed::time)]
    updated: Option<Stamp>,
}

pub(super) async fn run(args: &Args, client: &Client) -> anyhow::Result<()> {
    let changes = &args.changes;
    if *changes == Changes::default() {
        return Err(nothing_to_change("edit run"));
    }
    let mut edit = with_common_changes!(args.run.handle(client)?.edit(), &changes.common);
    if let Some(status) = &changes.status {
        edit = edit.set_status(status.clone());
    }
    for (kind, to) in &changes.add_link {
        edit = edit.add_link(kind, to.handle(client)?.id());
    }
    for (kind, to) in &changes.remove_link {
        edit = edit.remove_link(kind, to.handle(client)?.id());
    }
    if let Some(arguments) = &changes.set_args {
        edit = edit.set_args(arguments.clone());
    }
    if let Some(environment) = &changes.set_env {
        edit = edit.set_env(environment.clone());
    }
    edit = edit.add_args(object(&changes.add_arg)).remove_args(&changes.remove_arg);
    edit = edit.add_env(object(&changes.add_env)).remove_env(&changes.remove_env);
    edit = edit.set_created(changes.created.unwrap_or(Stamp::Keep));
    edit = edit.set_started(changes.started.unwrap_or(Stamp::Keep));
    edit.set_updated(changes.updated.unwrap_or(Stamp::Keep)).await?;
    Ok(())
}
