//! One try to write calls: the connection, the columns that they need, and what came of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sqltrack_engines::{Access, Connection, Engine, EngineError, MetricsBatch, WriterId};

use super::batch::{Built, Item};
use super::calls::Calls;
use super::shape::{Place, Shape, TRIES};
use super::touches::Touches;
use crate::careful::Careful;
use crate::{Config, Error};

/// For how long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// What came of a try.
pub(super) enum Outcome {
    /// Of the calls, the first so many are written, but for those that are refused.
    Written { taken: usize, refused: Vec<(usize, Error)> },
    /// Nothing is written; these calls cannot be, the others can be tried again.
    Refused(Vec<(usize, Error)>),
    /// Nothing is written; one of them is in the way of the others.
    Split,
    /// Nothing is written, or at least it is not known; it can be tried again.
    Failed(EngineError),
}

/// What tries need.
pub(super) struct Delivery {
    engine: Arc<dyn Engine>,
    conn: Option<Careful>,
    shape: Shape,
    touches: Touches,
    /// Whose numbers are committed with the calls, if they are in a spool.
    writer: Option<WriterId>,
    /// Whether a try may have been committed without our knowing.
    is_unsure: bool,
    /// The calls that are too big a row, by their places.
    spilled: Vec<usize>,
}

impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Delivery").field("target", &self.engine.target()).finish_non_exhaustive()
    }
}

/// Why a try ended early.
enum Stop {
    Refused(Vec<(usize, Error)>),
    Split,
    Failed(EngineError),
}

impl From<EngineError> for Stop {
    fn from(err: EngineError) -> Self {
        Self::Failed(err)
    }
}

impl Delivery {
    pub(super) fn new(engine: Arc<dyn Engine>, config: &Config, place: Place) -> Self {
        let shape = Shape::new(engine.clone(), config.columns(), place);
        Self {
            engine,
            conn: None,
            shape,
            touches: Touches::default(),
            writer: None,
            is_unsure: false,
            spilled: Vec::new(),
        }
    }

    /// Has the numbers of the calls committed with them, under the id of this writer.
    pub(super) fn set_writer(&mut self, writer: Option<WriterId>) {
        self.writer = writer;
    }

    /// Takes back what the database knows of a writer that has nothing left.
    pub(super) async fn finish_writer(&mut self, writer: WriterId) {
        let finished = async {
            let mut conn = self.connection().await?;
            conn.work().finish_writer(writer).await?;
            conn.done();
            Ok::<_, EngineError>(())
        };
        match tokio::time::timeout(PATIENCE, finished).await {
            Ok(Ok(())) => {}
            // A row that is left behind harms nobody.
            Ok(Err(err)) => tracing::debug!("the end of the spool's writer is not recorded: {err}"),
            Err(_) => tracing::debug!("the end of the spool's writer is not recorded"),
        }
    }

    /// Tries to write the calls at these places. A silent database is waited for until `deadline` at most.
    pub(super) async fn attempt(
        &mut self,
        work: &Calls,
        places: &[usize],
        deadline: Option<Instant>,
    ) -> Outcome {
        let now = Instant::now();
        let left = deadline.map_or(PATIENCE, |deadline| deadline.saturating_duration_since(now));
        let patience = left.clamp(Duration::from_millis(50), PATIENCE);
        let tried = tokio::time::timeout(patience, self.run(work, places)).await;
        self.is_unsure = self.writer.is_some() && matches!(tried, Err(_) | Ok(Err(Stop::Failed(_))));
        match tried {
            Ok(Ok((taken, refused))) => Outcome::Written { taken, refused },
            Ok(Err(Stop::Refused(refused))) => Outcome::Refused(refused),
            Ok(Err(Stop::Split)) => Outcome::Split,
            Ok(Err(Stop::Failed(err))) => Outcome::Failed(err),
            Err(_) => Outcome::Failed(EngineError::Unreachable {
                target: self.engine.target().to_owned(),
                reason: format!("no answer within {} s", patience.as_secs_f64().ceil()),
                source: None,
            }),
        }
    }

    async fn run(&mut self, work: &Calls, places: &[usize]) -> Result<(usize, Vec<(usize, Error)>), Stop> {
        let mut conn = self.connection().await?;
        let done = self.write(conn.work(), work, places).await;
        if !matches!(&done, Err(Stop::Failed(err)) if !matches!(err, EngineError::Busy { .. })) {
            conn.done();
            self.conn = Some(conn);
        }
        done
    }

    /// The connection, taken out: whoever drops a try drops it, too.
    async fn connection(&mut self) -> Result<Careful, EngineError> {
        match self.conn.take() {
            Some(conn) => Ok(conn),
            None => Careful::connect(&*self.engine).await,
        }
    }

    async fn write(
        &mut self,
        conn: &mut dyn Connection,
        work: &Calls,
        places: &[usize],
    ) -> Result<(usize, Vec<(usize, Error)>), Stop> {
        if self.is_unsure {
            let arrived = self.arrived(conn, work, places).await?;
            if arrived > 0 {
                return Ok((arrived, Vec::new()));
            }
        }
        let spilled = std::mem::take(&mut self.spilled);
        let item = |place: &usize| Item {
            call: work.get(*place),
            values: work.values(*place),
            is_spilled: spilled.contains(place),
        };
        let items = || places.iter().map(item);
        self.shape.look(conn, items()).await?;
        for _ in 0..TRIES {
            let built = self.shape.build(conn, &self.touches, items).await;
            let mut built = built.map_err(|err| self.unshaped(places, err))?;
            let refused: Vec<(usize, Error)> =
                built.refused.drain(..).map(|(number, err)| (places[number], err)).collect();
            let last = places[..built.taken].iter().rev().find_map(|place| work.get(*place).seq);
            let delivered = self.writer.zip(last);
            match write_built(conn, &built, delivered).await {
                Ok(()) => {
                    if let Some(last) = built.batches.last() {
                        self.touches.note(&last.runs);
                    }
                    return Ok((built.taken, refused));
                }
                Err(EngineError::NoSuchColumn { .. }) => self.shape.refresh(conn).await?,
                Err(err) => {
                    self.spilled = spilled.clone();
                    return Err(self.stop(work, &places[..built.taken], err));
                }
            }
        }
        Err(Stop::Failed(self.shape.restless()))
    }

    /// How many of the calls, from the first one on, a try has committed whose outcome was not known.
    async fn arrived(
        &mut self,
        conn: &mut dyn Connection,
        work: &Calls,
        places: &[usize],
    ) -> Result<usize, EngineError> {
        let Some(writer) = self.writer else { return Ok(0) };
        conn.begin(Access::Write).await?;
        let arrived = conn.delivered(writer).await?;
        conn.commit().await?;
        // Those that are not in the spool were committed with the one before them.
        let has_arrived = |place: &usize| work.get(*place).seq.is_some_and(|seq| seq <= arrived);
        Ok(places.iter().rposition(has_arrived).map_or(0, |last| last + 1))
    }

    /// What an error means for the calls.
    fn stop(&mut self, work: &Calls, places: &[usize], err: EngineError) -> Stop {
        let of_run = |run| places.iter().copied().filter(move |place| work.get(*place).key.run == run);
        match err {
            EngineError::NoSuchRun(run) | EngineError::LeaseLost { run, .. }
                if of_run(run).next().is_some() =>
            {
                Stop::Refused(of_run(run).map(|place| (place, err.clone().into())).collect())
            }
            // It is tried again, with its values elsewhere.
            EngineError::RowTooBig { .. } if places.len() == 1 && !self.spilled.contains(&places[0]) => {
                self.spilled.push(places[0]);
                Stop::Refused(Vec::new())
            }
            // Then the next try asks what has arrived.
            EngineError::AlreadyDelivered { .. } => Stop::Failed(EngineError::Busy {
                target: self.engine.target().to_owned(),
                message: err.to_string(),
            }),
            err if err.is_passing() || needs_person(&err) => Stop::Failed(err),
            err if places.len() == 1 => Stop::Refused(vec![(places[0], err.into())]),
            _ => Stop::Split,
        }
    }

    /// What it means for the calls that a column cannot become a float column.
    fn unshaped(&self, places: &[usize], err: EngineError) -> Stop {
        match err {
            // It holds integers that no float equals: whose call needs it wider cannot be written.
            EngineError::BadValue(_) if places.len() == 1 => Stop::Refused(vec![(places[0], err.into())]),
            EngineError::BadValue(_) => Stop::Split,
            err => Stop::Failed(err),
        }
    }
}

/// Whether the error concerns all calls alike, until a person does something about it.
fn needs_person(err: &EngineError) -> bool {
    matches!(
        err,
        EngineError::LoginRefused { .. }
            | EngineError::NoSuchDatabase { .. }
            | EngineError::CannotOpen { .. }
            | EngineError::PermissionDenied { .. }
            | EngineError::ReadOnly { .. }
            | EngineError::NotSetUp { .. }
            | EngineError::Outdated { .. }
    )
}

/// Writes everything, and with it the number of the last call that a writer has delivered.
async fn write_built(
    conn: &mut dyn Connection,
    built: &Built,
    delivered: Option<(WriterId, i64)>,
) -> Result<(), EngineError> {
    let batches: Vec<&MetricsBatch> = built.batches.iter().filter(|batch| !batch.runs.is_empty()).collect();
    match (batches.as_slice(), delivered) {
        ([], None) => Ok(()),
        ([batch], None) => conn.write_metrics_batch(batch).await,
        (batches, delivered) => {
            conn.begin(Access::Write).await?;
            if let Err(err) = write_batches(conn, batches, delivered).await {
                conn.rollback().await?;
                return Err(explained(conn, err).await);
            }
            conn.commit().await
        }
    }
}

/// The error with who has taken the run over, which a transaction that has failed could not be asked for.
async fn explained(conn: &mut dyn Connection, err: EngineError) -> EngineError {
    let EngineError::LeaseLost { run, holder: None } = err else { return err };
    match conn.run_life(run).await {
        Ok(Some(life)) => EngineError::LeaseLost { run, holder: life.holder },
        Ok(None) => EngineError::NoSuchRun(run),
        Err(_) => EngineError::LeaseLost { run, holder: None },
    }
}

async fn write_batches(
    conn: &mut dyn Connection,
    batches: &[&MetricsBatch],
    delivered: Option<(WriterId, i64)>,
) -> Result<(), EngineError> {
    for batch in batches {
        conn.write_metrics_batch(batch).await?;
    }
    match delivered {
        Some((writer, last)) => conn.note_delivered(writer, last).await,
        None => Ok(()),
    }
}
