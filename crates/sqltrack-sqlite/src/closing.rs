//! Connections on their way out. The last one to go writes the log back into the database's file and removes it,
//! on a thread of its own, which the end of the process would cut off.

use std::sync::{Mutex, PoisonError};

use sqlx::{Connection as _, SqliteConnection};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// The connections that are being closed.
#[derive(Default)]
pub(crate) struct Closing(Mutex<Vec<JoinHandle<()>>>);

impl Closing {
    /// Closes a connection without waiting for it. Without a runtime it is only dropped.
    pub(crate) fn start(&self, conn: SqliteConnection) {
        let Ok(runtime) = Handle::try_current() else { return };
        let task = runtime.spawn(async {
            if let Err(err) = conn.close().await {
                tracing::debug!("a connection was not closed properly: {err}");
            }
        });
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.retain(|task| !task.is_finished());
        tasks.push(task);
    }

    /// Waits until all of them are closed.
    pub(crate) async fn finish(&self) {
        let tasks = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for task in tasks {
            // A task that was cancelled belongs to a runtime that is gone.
            let _ = task.await;
        }
    }
}
