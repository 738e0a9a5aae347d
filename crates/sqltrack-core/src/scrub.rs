//! Masking what is stored already: secrets that were recorded before anything knew them for what they are.

mod stored;

use std::collections::{BTreeMap, BTreeSet};
use std::future::IntoFuture;

use sqltrack_engines::RunId;

use crate::client::BoxFuture;
use crate::redact::{Globs, Redactor};
use crate::{Client, Error, Run};
use stored::{Places, Stored, Table};

/// What a [`Client::scrub`] has changed, or would change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ScrubReport {
    /// How many runs.
    pub runs: u64,
    /// How many experiments.
    pub experiments: u64,
    /// How many values, by the names that lead to them: `env.GITHUB_TOKEN`, `args.database.password`. Those in a list
    /// count one by one.
    pub places: BTreeMap<String, u64>,
}

impl ScrubReport {
    /// How many values in all.
    #[must_use]
    pub fn values(&self) -> u64 {
        self.places.values().sum()
    }

    fn add(&mut self, table: Table, places: Places) {
        match table {
            Table::Runs => self.runs += 1,
            Table::Experiments => self.experiments += 1,
        }
        for (place, count) in places {
            *self.places.entry(place).or_default() += count;
        }
    }
}

/// A scrub to be done, see [`Client::scrub`]. Await it.
#[derive(Debug)]
#[must_use = "nothing is masked until it is awaited"]
pub struct Scrub {
    client: Client,
    patterns: Vec<String>,
    runs: BTreeSet<RunId>,
    is_dry: bool,
}

impl Scrub {
    /// Masks what has these names, too. They are patterns as those of the parameter `env_mask`.
    pub fn patterns<P: Into<String>>(mut self, patterns: impl IntoIterator<Item = P>) -> Self {
        self.patterns.extend(patterns.into_iter().map(Into::into));
        self
    }

    /// Looks at these runs alone, and at no experiment. All runs and experiments are looked at if there is none.
    pub fn runs<R: Into<RunId>>(mut self, runs: impl IntoIterator<Item = R>) -> Self {
        self.runs.extend(runs.into_iter().map(Into::into));
        self
    }

    /// Only counts what there is to mask.
    pub fn dry_run(mut self) -> Self {
        self.is_dry = true;
        self
    }

    async fn run(self) -> Result<ScrubReport, Error> {
        let mut redactor = self.client.redactor();
        for pattern in &self.patterns {
            let globs = Globs::parse(pattern)
                .map_err(|reason| Error::Pattern { pattern: pattern.clone(), reason })?;
            redactor = redactor.with_names(globs);
        }
        let mut work =
            Work { client: self.client, redactor, is_dry: self.is_dry, report: ScrubReport::default() };
        if self.runs.is_empty() {
            work.all(Table::Runs).await?;
            work.all(Table::Experiments).await?;
        } else {
            work.runs(&self.runs).await?;
        }
        Ok(work.report)
    }
}

impl IntoFuture for Scrub {
    type Output = Result<ScrubReport, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

struct Work {
    client: Client,
    redactor: Redactor,
    is_dry: bool,
    report: ScrubReport,
}

impl Work {
    /// Page by page, so that no more than a few rows are held.
    async fn all(&mut self, table: Table) -> Result<(), Error> {
        let mut next = Some(i64::MIN);
        while let Some(first) = next {
            let page = self.client.query(table.page(), (first,)).await?;
            next = None;
            for row in page {
                let stored = Stored::read(table, &row)?;
                next = stored.id().checked_add(1);
                self.one(table, &stored).await?;
            }
        }
        Ok(())
    }

    async fn runs(&mut self, runs: &BTreeSet<RunId>) -> Result<(), Error> {
        for run in runs {
            Run::open(&self.client, *run).await?;
        }
        for run in runs {
            if let Some(row) = self.client.query(Table::Runs.one(), (*run,)).await?.first() {
                self.one(Table::Runs, &Stored::read(Table::Runs, row)?).await?;
            }
        }
        Ok(())
    }

    async fn one(&mut self, table: Table, stored: &Stored) -> Result<(), Error> {
        let mut places = stored.changes(&self.redactor).places;
        if !places.is_empty() && !self.is_dry {
            places = self.mask(table, stored.id()).await?;
        }
        if !places.is_empty() {
            tracing::debug!(
                table = table.name(),
                id = stored.id(),
                "found {} secrets",
                places.values().sum::<u64>()
            );
            self.report.add(table, places);
        }
        Ok(())
    }

    /// Masks what is secret in one row, and returns what that was. The row is looked at again when nobody else can change
    /// it.
    async fn mask(&self, table: Table, id: i64) -> Result<Places, Error> {
        let tx = self.client.begin().await?;
        let rows = tx.query(table.locked(self.client.dialect()), (id,)).await?;
        let Some(row) = rows.first() else { return Ok(Places::new()) };
        let changes = Stored::read(table, row)?.changes(&self.redactor);
        let places = changes.places.clone();
        if !places.is_empty() {
            changes.write(&tx, table, id).await?;
        }
        tx.commit().await?;
        Ok(places)
    }
}

impl Client {
    /// Masks the secrets that are stored: in the environment, the arguments and the extras of runs, and in the extras of
    /// experiments, by their names and by their content, as [`Redactor`] does. What is secret in one of them is masked in
    /// all others of the same run.
    ///
    /// Each run is changed in a transaction of its own, and safely while others write to it. What is masked already
    /// stays, so that a second scrub changes nothing; a dropped future leaves the rest to the next one.
    ///
    /// The database may keep the old values until its space is used again, for which there is `VACUUM`, and so do its
    /// backups. A secret that was stored where others may read it is best replaced.
    ///
    /// # Errors
    ///
    /// [`Error::Pattern`] if a pattern cannot be used, [`Error::Engine`] with `NoSuchRun` if a run does not exist, both
    /// before anything is changed, or if the database fails.
    ///
    /// ```no_run
    /// # async fn example(client: sqltrack_core::Client) -> Result<(), sqltrack_core::Error> {
    /// let report = client.scrub().patterns(["LAB_*"]).dry_run().await?;
    /// println!("there are {} secrets in {} runs", report.values(), report.runs);
    /// # Ok(())
    /// # }
    /// ```
    pub fn scrub(&self) -> Scrub {
        Scrub { client: self.clone(), patterns: Vec::new(), runs: BTreeSet::new(), is_dry: false }
    }
}
