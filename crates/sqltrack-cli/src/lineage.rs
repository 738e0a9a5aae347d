//! The runs that a command is about, with those that they continue and that continue them.

use sqltrack_core::{Client, Lineage, RESUMES};

use crate::diagnostics::note;
use crate::named::RunName;

/// How runs are joined.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct LinkArgs {
    /// The kind of the links that join runs to one series
    #[arg(long, value_name = "KIND", default_value = RESUMES)]
    links: String,
    /// Each run by itself, whatever it continues
    #[arg(long, conflicts_with = "links")]
    no_links: bool,
}

impl LinkArgs {
    /// The kind of the links, if there are any.
    pub(crate) fn kind(&self) -> Option<&str> {
        (!self.no_links).then_some(self.links.as_str())
    }

    /// The series of these runs; a circle is told.
    pub(crate) async fn lineages(&self, runs: &[RunName], client: &Client) -> anyhow::Result<Vec<Lineage>> {
        let mut ids = Vec::with_capacity(runs.len());
        for run in runs {
            ids.push(run.handle(client)?.id());
        }
        let lineages =
            if self.no_links { client.lone(ids).await? } else { client.lineages(ids, &self.links).await? };
        for lineage in lineages.iter().filter(|lineage| !lineage.cycle.is_empty()) {
            let runs: Vec<String> = lineage.cycle.iter().map(ToString::to_string).collect();
            note(&format!(
                "the `{}` links of the runs {} go round in a circle; take one away with `sqltrack-cli edit run`",
                self.links,
                runs.join(", ")
            ));
        }
        Ok(lineages)
    }
}

/// The ids of the series, for a message.
pub(crate) fn runs(lineages: &[Lineage]) -> String {
    let ids: Vec<String> = lineages.iter().map(|lineage| lineage.id.to_string()).collect();
    ids.join(", ")
}
