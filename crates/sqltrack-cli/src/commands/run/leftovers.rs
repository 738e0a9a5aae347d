//! What the command has left in its spool: delivered before the end of its run is recorded, if that is quick.

use std::path::Path;
use std::time::Duration;

use sqltrack_core::Client;
use tokio::time::timeout;

use crate::diagnostics::note;

/// How long a delivery may keep us from ending.
const PATIENCE: Duration = Duration::from_secs(10);

/// Delivers what processes that have ended have left. What stays is told.
pub(super) async fn deliver(client: &Client) {
    if client.config().is_offline() {
        return;
    }
    let Some(spool) = client.config().spool_or_default().filter(|spool| has_any(spool)) else { return };
    let problem = match timeout(PATIENCE, client.sync(&spool)).await {
        Ok(Ok(report)) if report.rejected == 0 && report.damaged_bytes == 0 => return,
        Ok(Ok(report)) => format!("{} rows of metrics are refused", report.rejected),
        Ok(Err(err)) => err.to_string(),
        Err(_) => "the delivery of metrics took too long".to_owned(),
    };
    let spool = spool.display();
    note(&format!("warning: {problem}; see `{spool}`, and try `sqltrack-cli sync` later"));
}

fn has_any(spool: &Path) -> bool {
    std::fs::read_dir(spool).is_ok_and(|mut writers| writers.next().is_some())
}
