//! Applying scripts, each in a transaction with the record of it.

use std::time::Duration;

use sha2::{Digest, Sha384};
use sqltrack_engines::script::Script;
use sqltrack_engines::{Access, AppliedScript, Connection, Dialect};

use super::source::Loaded;
use super::{Observer, ScriptReport, ScriptSource, ScriptState, SetupError};
use crate::{Client, Error};

/// The name that no script of a user's may have, whatever the engine's own scripts are.
const RESERVED: &str = "base.sql";
/// How long one setup waits for another that applies a script outside of a transaction.
const UNFINISHED_PATIENCE: Duration = Duration::from_secs(10);

/// A script, checked and ready to run.
struct Prepared {
    name: String,
    checksum: Vec<u8>,
    steps: Steps,
    no_transaction: bool,
}

/// The statements of a script with their places in it.
pub(crate) struct Steps {
    name: String,
    statements: Vec<Step>,
}

struct Step {
    text: String,
    line: usize,
}

/// The statements of a script, free of its text.
pub(crate) fn steps(script: &Script<'_>) -> Steps {
    let single = script.statements().iter().flat_map(sqltrack_engines::script::Statement::singly);
    let statements = single.map(|(text, line)| Step { text, line }).collect();
    Steps { name: script.name().to_owned(), statements }
}

/// Runs statements one after the other. The connection is not used for anything else afterwards, since a script may
/// set what lasts as long as it does.
pub(crate) async fn run_steps(conn: &mut dyn Connection, steps: Steps) -> Result<(), Error> {
    conn.discard();
    for step in &steps.statements {
        conn.run_statement(&step.text).await.map_err(|source| {
            let offset = source.position().map_or(0, |position| position.saturating_sub(1));
            let lines = step.text.chars().take(offset).filter(|c| *c == '\n').count();
            SetupError::Failed { name: steps.name.clone(), line: step.line + lines, source }
        })?;
    }
    Ok(())
}

#[tracing::instrument(name = "setup", level = "debug", skip_all, fields(target = %client.target()))]
pub(super) async fn setup(
    client: Client,
    scripts: Vec<ScriptSource>,
    is_dry: bool,
    mut observer: Observer,
) -> Result<Vec<ScriptReport>, Error> {
    if client.is_transaction() {
        return Err(Error::NotInTransaction("a setup"));
    }
    let dialect = client.dialect();
    let base = client.engine().base_scripts();
    let task = tokio::task::spawn_blocking(move || prepare(base, scripts, dialect));
    let prepared = task.await.map_err(|err| Error::Stopped(err.to_string()))??;
    if !is_dry {
        client.engine().create().await?;
    }
    let mut reports: Vec<ScriptReport> = Vec::with_capacity(prepared.len());
    for (index, script) in prepared.into_iter().enumerate() {
        let name = script.name.clone();
        let state = if is_dry { look(&client, script).await? } else { apply(&client, script).await? };
        tracing::info!(script = name, ?state, "setup");
        // What has followed `base.sql` is a part of it, but where it comes to a database that had only that.
        let is_part = (1..base.len()).contains(&index);
        if is_part && reports.first().is_some_and(|base| base.state == state) {
            continue;
        }
        let report = ScriptReport { name, state };
        observer(&report);
        reports.push(report);
    }
    Ok(reports)
}

/// Reads and checks all scripts, before any of them runs.
fn prepare(
    base: &[(&str, &str)],
    sources: Vec<ScriptSource>,
    dialect: Dialect,
) -> Result<Vec<Prepared>, Error> {
    let own = base.iter().map(|(name, sql)| Loaded {
        name: (*name).to_owned(),
        sql: (*sql).to_owned(),
        origin: (*name).to_owned(),
    });
    let mut loaded: Vec<Loaded> = own.collect();
    for source in sources {
        let script = source.load()?;
        if script.name == RESERVED || base.iter().any(|(name, _)| *name == script.name) {
            return Err(SetupError::Reserved { path: script.origin, name: script.name }.into());
        }
        if let Some(first) = loaded.iter().find(|first| first.name == script.name) {
            return Err(SetupError::NameTwice {
                name: script.name,
                first: first.origin.clone(),
                second: script.origin,
            }
            .into());
        }
        crate::check::key("the name of a script", &script.name)?;
        loaded.push(script);
    }
    loaded.iter().map(|script| prepare_one(script, dialect)).collect()
}

fn prepare_one(script: &Loaded, dialect: Dialect) -> Result<Prepared, Error> {
    let parsed = Script::parse(&script.name, &script.sql, dialect)?;
    let stray = parsed.statements().iter().find(|statement| statement.kind().forbidden_in_transaction());
    if let Some(statement) = stray
        && !parsed.no_transaction()
    {
        return Err(SetupError::NeedsNoTransaction {
            name: script.name.clone(),
            line: statement.line(),
            statement: statement.kind().keyword().to_uppercase(),
        }
        .into());
    }
    Ok(Prepared {
        name: script.name.clone(),
        // The checksum that sqlx' migrator would keep of the same text.
        checksum: Sha384::digest(script.sql.as_bytes()).to_vec(),
        steps: steps(&parsed),
        no_transaction: parsed.no_transaction(),
    })
}

/// What an applied script says of the one in hand; `None` if it has not finished.
fn state_of(applied: &AppliedScript, script: &Prepared) -> Option<ScriptState> {
    if !applied.finished {
        return None;
    }
    Some(if applied.checksum == script.checksum { ScriptState::Ok } else { ScriptState::Changed })
}

/// What there would be to do, without doing it.
async fn look(client: &Client, script: Prepared) -> Result<ScriptState, Error> {
    let looked = client.with_connection(move |conn| {
        Box::pin(async move {
            let applied = conn.applied_scripts().await?;
            let applied = applied.iter().find(|applied| applied.name == script.name);
            Ok(applied
                .map_or(Some(ScriptState::New), |applied| state_of(applied, &script))
                .unwrap_or(ScriptState::New))
        })
    });
    match looked.await {
        // The file of the database is not there yet.
        Err(err) if err.is_not_set_up() => Ok(ScriptState::New),
        looked => looked,
    }
}

async fn apply(client: &Client, script: Prepared) -> Result<ScriptState, Error> {
    client
        .with_connection(move |conn| {
            Box::pin(async move {
                // Most setups find everything done; they take no lock and need no right to write.
                let applied = conn.applied_scripts().await?;
                let found = applied.iter().find(|applied| applied.name == script.name);
                if let Some(state) = found.and_then(|applied| state_of(applied, &script)) {
                    return Ok(state);
                }
                if script.no_transaction {
                    apply_openly(conn, script).await
                } else {
                    let applied = in_transaction(conn, script).await;
                    undo_on_error(conn, applied).await
                }
            })
        })
        .await
}

async fn undo_on_error<T>(conn: &mut dyn Connection, result: Result<T, Error>) -> Result<T, Error> {
    if result.is_err() && conn.rollback().await.is_err() {
        conn.discard();
    }
    result
}

/// Begins a transaction that holds the lock, and looks again. `Ok(Err(version))`: it is to be applied as `version`.
async fn begin(conn: &mut dyn Connection, script: &Prepared) -> Result<Result<ScriptState, i64>, Error> {
    conn.begin(Access::Write).await?;
    conn.lock_setup().await?;
    let applied = conn.applied_scripts().await?;
    if let Some(found) = applied.iter().find(|applied| applied.name == script.name) {
        return match state_of(found, script) {
            Some(state) => Ok(Ok(state)),
            None => Err(SetupError::Unfinished { name: script.name.clone() }.into()),
        };
    }
    conn.prepare_setup().await?;
    Ok(Err(applied.iter().map(|applied| applied.version + 1).max().unwrap_or(0)))
}

fn record(script: &Prepared, version: i64, finished: bool) -> AppliedScript {
    AppliedScript { version, name: script.name.clone(), checksum: script.checksum.clone(), finished }
}

/// The script and its record, together or not at all.
async fn in_transaction(conn: &mut dyn Connection, script: Prepared) -> Result<ScriptState, Error> {
    let version = match begin(conn, &script).await? {
        Ok(state) => {
            conn.rollback().await?;
            return Ok(state);
        }
        Err(version) => version,
    };
    let record = record(&script, version, true);
    run_steps(conn, script.steps).await?;
    conn.record_script(&record).await?;
    conn.refresh_views().await?;
    conn.commit().await?;
    Ok(ScriptState::New)
}

/// Writes a record at the end of the open transaction.
async fn commit_record(conn: &mut dyn Connection, script: &AppliedScript) -> Result<(), Error> {
    let committed = async {
        conn.record_script(script).await?;
        Ok(conn.commit().await?)
    };
    let committed = committed.await;
    undo_on_error(conn, committed).await
}

/// A script outside of a transaction: a record that it was begun, the script, a record that it is done. Of several
/// setups at once, one takes it and the others wait.
async fn apply_openly(conn: &mut dyn Connection, script: Prepared) -> Result<ScriptState, Error> {
    let deadline = tokio::time::Instant::now() + UNFINISHED_PATIENCE;
    let version = loop {
        let begun = begin(conn, &script).await;
        match undo_on_error(conn, begun).await {
            Ok(Ok(state)) => {
                conn.rollback().await?;
                return Ok(state);
            }
            Ok(Err(version)) => break version,
            Err(Error::Setup(SetupError::Unfinished { .. })) if tokio::time::Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Err(err) => return Err(err),
        }
    };
    let mut mark = record(&script, version, false);
    commit_record(conn, &mark).await?;
    if let Err(err) = run_steps(conn, script.steps).await {
        // What it did stays, and is told by its error; the next setup begins it anew.
        conn.forget_script(version).await?;
        return Err(err);
    }
    mark.finished = true;
    // The mark is replaced, and must not be missing for a moment: another setup would begin the script anew.
    conn.begin(Access::Write).await?;
    commit_record(conn, &mark).await?;
    conn.refresh_views().await?;
    Ok(ScriptState::New)
}
