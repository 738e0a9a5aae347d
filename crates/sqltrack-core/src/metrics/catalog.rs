//! What a client knows of the columns of `metrics`, so that a write needs no look at the table.

use std::sync::{Arc, RwLock};

use sqltrack_engines::{Connection, EngineError, MetricColumn};

/// The columns of `metrics` as they were last seen.
#[derive(Debug, Default)]
pub(crate) struct Catalog(RwLock<Option<Arc<[MetricColumn]>>>);

impl Catalog {
    /// The columns as last seen, or as they are if they were never looked at.
    pub(crate) async fn columns(
        &self,
        conn: &mut dyn Connection,
    ) -> Result<Arc<[MetricColumn]>, EngineError> {
        let known = self.0.read().ok().and_then(|known| known.clone());
        match known {
            Some(columns) => Ok(columns),
            None => self.refresh(conn).await,
        }
    }

    /// The columns as they are.
    pub(crate) async fn refresh(
        &self,
        conn: &mut dyn Connection,
    ) -> Result<Arc<[MetricColumn]>, EngineError> {
        let columns: Arc<[MetricColumn]> = conn.metric_columns().await?.into();
        if let Ok(mut known) = self.0.write() {
            *known = Some(columns.clone());
        }
        Ok(columns)
    }
}
