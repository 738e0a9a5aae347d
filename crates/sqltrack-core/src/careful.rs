//! Connections of futures that others may drop, as a timeout does.

use sqltrack_engines::{Connection, Engine, EngineError};

/// A connection that is closed for good when this is dropped in the middle of some work: it may wait for a reply then that
/// nobody is going to read.
pub(crate) struct Careful {
    conn: Box<dyn Connection>,
    is_at_work: bool,
}

impl Careful {
    pub(crate) async fn connect(engine: &dyn Engine) -> Result<Self, EngineError> {
        Ok(Self { conn: engine.connect().await?, is_at_work: false })
    }

    /// The connection, for work that is under way until [`done`](Self::done) is called.
    pub(crate) fn work(&mut self) -> &mut dyn Connection {
        self.is_at_work = true;
        &mut *self.conn
    }

    /// Notes that the connection can be used again.
    pub(crate) fn done(&mut self) {
        self.is_at_work = false;
    }
}

impl Drop for Careful {
    fn drop(&mut self) {
        if self.is_at_work {
            self.conn.discard();
        }
    }
}
