//! `edit experiment`.

use sqltrack_core::Client;

use super::{CommonChanges, nothing_to_change, with_common_changes};
use crate::named;

/// Change an experiment
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The name of the experiment, or its id if none has such a name
    #[arg(value_name = "NAME|ID")]
    experiment: String,
    #[command(flatten)]
    changes: Changes,
}

#[derive(Debug, Default, PartialEq, clap::Args)]
struct Changes {
    /// Set the name, which is unique
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    common: CommonChanges,
    /// Add a link to another experiment, named as this one
    #[arg(long, value_name = "KIND:ID", value_parser = named::link::<String>)]
    add_link: Vec<(String, String)>,
    /// Remove a link to another experiment, if it is there
    #[arg(long, value_name = "KIND:ID", value_parser = named::link::<String>)]
    remove_link: Vec<(String, String)>,
}

pub(super) async fn run(args: &Args, client: &Client) -> anyhow::Result<()> {
    let changes = &args.changes;
    if *changes == Changes::default() {
        return Err(nothing_to_change("edit experiment"));
    }
    let experiment = named::experiment(client, &args.experiment).await?;
    let mut edit = with_common_changes!(experiment.edit(), &changes.common);
    if let Some(name) = &changes.name {
        edit = edit.set_name(name);
    }
    for (kind, to) in &changes.add_link {
        edit = edit.add_link(kind, named::experiment(client, to).await?.id());
    }
    for (kind, to) in &changes.remove_link {
        edit = edit.remove_link(kind, named::experiment(client, to).await?.id());
    }
    edit.await?;
    Ok(())
}
