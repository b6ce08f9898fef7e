//! SQL servers: plain reads that remember what they saw, and one batch that locks, compares and applies.
//!
//! Conflict safety next to clients that lock the rows they change (spec 40-sql sections 4 and 7): the batch locks
//! every row that a verb decided on, nodes first and in the order of their numbers, compares it with what was read,
//! and only then writes. A row that the verb changes is locked FOR UPDATE, as the others do; one that it only relies
//! on FOR SHARE, so that many files are made in one directory at once, and the removal of that directory waits for all
//! of them. Nothing is locked while a verb runs: a stopped client holds up nobody.

mod commit;
mod connections;
mod dialect;
mod driver;
mod fate;
mod options;
mod ranges;
mod schema;
mod statement;
mod statements;
mod sums;
mod txn;
mod usage;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use moorage_meta::{DirectoryEntry, Durability, Engine, Job, Key, Read, Record, Scan, Survey};
use moorage_model::{AclId, Attr, Counter, Entry, Error, ErrorKind, Ino, Name, Result};
use parking_lot::Mutex;
use rand::RngExt as _;

use crate::relational::{Cells as _, decode_entry, decode_listed, decode_node, decode_value};
use commit::Batch;
pub(crate) use connections::{
    ANSWER_TIMEOUT, CONNECT_TIMEOUT, Connections, Lease, Limits, MAX_TRIES, was_idle,
};
pub(crate) use dialect::Dialect;
pub(crate) use driver::{Driver, Failure, Reason};
use fate::{Fate, witnesses};
pub(crate) use options::{CommonOptions, unescaped};
pub(crate) use statement::{Row, Statement, Value};
pub(crate) use statements::Statements;
use sums::{Sums, is_summed};
use txn::SqlTxn;

/// Runs of one job before its conflicts are reported, as the original tries.
const MAX_RUNS: u32 = 50;
/// Longest wait before another run; it grows by one step per run.
const MAX_WAIT: Duration = Duration::from_millis(40);
/// Step of the wait between runs.
const WAIT_STEP: Duration = Duration::from_millis(1);
/// Longest wait until a broken connection has ended at the server.
pub(crate) const END_LIMIT: Duration = Duration::from_secs(10);
/// Between two looks whether it has.
pub(crate) const END_PERIOD: Duration = Duration::from_millis(10);

/// The engine of a SQL server.
///
/// Round trips, counted by `tests/sql_servers`: a read of any number of records, a lookup, a page of a directory with
/// or without attributes, an allocation 1; a page of a range 1 per table of it. A job 1 per `lock` of its verb, which
/// is 1 for nearly all of them, and 1 for the commit; without writes none. The usage that all jobs of a second changed
/// 1 in the background. PostgreSQL takes 1 more for the statements that a connection has not prepared yet.
pub(crate) struct SqlEngine {
    shared: Arc<Shared>,
}

/// What the task that writes sums needs too.
struct Shared {
    driver: Box<dyn Driver>,
    statements: Statements,
    sums: Mutex<Sums>,
    /// Held shared by those who read a record and its sum, so that none is counted twice or not at all.
    writing_sums: tokio::sync::RwLock<()>,
}

/// A child as it was read.
struct Child {
    entry: Entry,
    edge_row: Row,
    node_row: Option<Row>,
    empty: bool,
}

impl SqlEngine {
    pub(crate) fn new(driver: Box<dyn Driver>, statements: Statements) -> SqlEngine {
        SqlEngine {
            shared: Arc::new(Shared {
                driver,
                statements,
                sums: Mutex::default(),
                writing_sums: tokio::sync::RwLock::new(()),
            }),
        }
    }

    fn statements(&self) -> &Statements {
        &self.shared.statements
    }

    /// Runs queries. When the database lacks node columns, asks which ones and runs them again without: the queries
    /// are written by `queries` for that.
    async fn ask_all(&self, queries: impl Fn(&Statements) -> Vec<Statement>) -> Result<Vec<Vec<Row>>> {
        let driver = self.shared.driver.as_ref();
        match driver.query(&queries(self.statements())).await {
            Err(failure) if failure.reason == Reason::MissingColumn => {
                self.learn_columns().await?;
                let again = driver.query(&queries(self.statements())).await;
                again.map_err(|failure| failure.error)
            }
            answer => answer.map_err(|failure| failure.error),
        }
    }

    async fn ask(&self, query: Statement) -> Result<Vec<Row>> {
        let answers = self.shared.driver.query(std::slice::from_ref(&query)).await;
        let mut answers = answers.map_err(|failure| failure.error)?;
        Ok(answers.pop().unwrap_or_default())
    }

    /// The rows of records.
    async fn rows(&self, keys: &[Key]) -> Result<Vec<Option<Row>>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let answers = self
            .ask_all(|statements| keys.iter().map(|key| statements.get(key)).collect())
            .await?;
        Ok(answers.into_iter().map(|rows| rows.into_iter().next()).collect())
    }

    /// Rows of records, and the records with the sums of this client.
    async fn records(&self, keys: &[Key]) -> Result<Vec<(Option<Row>, Option<Record>)>> {
        let _still = self.hold_sums(keys).await;
        let rows = self.rows(keys).await?;
        keys.iter()
            .zip(rows)
            .map(|(key, row)| {
                let record = self.record(key, row.as_ref())?;
                Ok((row, record))
            })
            .collect()
    }

    /// Keeps sums from being written while records that have some are read.
    async fn hold_sums(&self, keys: &[Key]) -> Option<tokio::sync::RwLockReadGuard<'_, ()>> {
        if keys.iter().any(is_summed) {
            Some(self.shared.writing_sums.read().await)
        } else {
            None
        }
    }

    /// A record with the sums of this client.
    fn record(&self, key: &Key, row: Option<&Row>) -> Result<Option<Record>> {
        let record = row.map(|row| decode_value(key, row, 0)).transpose()?;
        Ok(self.with_sums(key, record))
    }

    fn with_sums(&self, key: &Key, committed: Option<Record>) -> Option<Record> {
        if is_summed(key) {
            self.shared.sums.lock().view(key, committed)
        } else {
            committed
        }
    }

    async fn child(&self, parent: Ino, name: &Name) -> Result<Option<Child>> {
        let answers = self
            .ask_all(|statements| vec![statements.child(parent, name)])
            .await
            .map_err(|error| error.context(format!("looking up {name} in directory {parent}")))?;
        decoded_child(parent, name, answers.into_iter().flatten().next())
    }

    async fn is_directory_empty(&self, directory: Ino) -> Result<bool> {
        let query = self.statements().any_entry(directory);
        Ok(self.ask(query).await?.is_empty())
    }

    async fn next_acl_id(&self) -> Result<AclId> {
        let statements = self.statements().next_acl_id();
        let rows = self.shared.driver.run(&statements).await;
        let rows = rows.map_err(|failure| failure.error)?;
        let id = rows
            .first()
            .map(|row| row.signed(0))
            .transpose()?
            .unwrap_or_default();
        u32::try_from(id)
            .map(AclId)
            .map_err(|_| Error::new(ErrorKind::NoSpace, "the volume has no ACL ids left"))
    }

    /// Compares and applies; the error is the conflict or what kept it from being known.
    async fn commit(&self, verb: &'static str, txn: SqlTxn<'_>) -> Result<()> {
        if txn.collected.changes.is_empty() {
            return Ok(());
        }
        let mut batch = Batch::new(self.statements(), &txn.seen, &txn.collected)?;
        let mut sent = self.send(&batch).await;
        if let Err(Failure {
            reason: Reason::MissingColumn,
            ..
        }) = sent
        {
            self.learn_columns().await?;
            batch = Batch::new(self.statements(), &txn.seen, &txn.collected)?;
            sent = self.send(&batch).await;
        }
        let Err(failure) = sent else {
            self.shared.sum_up(&batch.sums, &batch.replaced);
            return Ok(());
        };
        let subject = batch.subject(failure.statement);
        match failure.reason {
            Reason::Conflict => Err(Error::new(
                ErrorKind::Conflict,
                format!("{verb}: another client changed {subject} at the same time"),
            )
            .with_source(failure.error)),
            Reason::Unknown => match self
                .shared
                .fate(witnesses(&txn)?, failure.connection.as_deref())
                .await
            {
                Some(Fate::Applied) => {
                    self.shared.sum_up(&batch.sums, &batch.replaced);
                    Ok(())
                }
                Some(Fate::Lost) => Err(Error::new(
                    ErrorKind::Conflict,
                    format!("{verb}: the connection broke before the commit was applied"),
                )
                .with_source(failure.error)),
                None => Err(failure
                    .error
                    .context(format!("{verb}: the commit was sent and its fate is not known"))),
            },
            Reason::MissingColumn | Reason::Refused => {
                Err(failure.error.context(format!("{verb}: {subject}")))
            }
        }
    }

    async fn send(&self, batch: &Batch) -> Result<(), Failure> {
        if batch.statements.is_empty() {
            Ok(())
        } else {
            self.shared.driver.commit(&batch.statements).await
        }
    }
}

/// The answer to [`Statements::child`].
fn decoded_child(parent: Ino, name: &Name, row: Option<Row>) -> Result<Option<Child>> {
    let Some(Row(mut cells)) = row else {
        return Ok(None);
    };
    let has_entries = matches!(cells.pop(), Some(Value::Int(1)));
    let mut node = cells.split_off(2.min(cells.len()));
    let edge_row = Row(cells);
    let entry = decode_entry(&edge_row, 0).map_err(|error| error.context(Key::Edge(parent, name.clone())))?;
    let present = node.first().is_some_and(|ino| *ino != Value::Null);
    let node_row = present.then(|| Row(node.split_off(1)));
    Ok(Some(Child {
        entry,
        edge_row,
        node_row,
        empty: !has_entries,
    }))
}

/// Waits before the given run of a job, the first being 0.
async fn wait_before(run: u32) {
    if run > 0 {
        let longest = (WAIT_STEP * run).min(MAX_WAIT);
        let wait = rand::rng().random_range(Duration::ZERO..=longest);
        tokio::time::sleep(wait).await;
    }
}

impl fmt::Debug for SqlEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SqlEngine").field(&self.location()).finish()
    }
}

#[async_trait]
impl Read for SqlEngine {
    async fn read(&self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        let found = self.records(keys).await?;
        Ok(found.into_iter().map(|(_, record)| record).collect())
    }

    async fn survey(&self, range: &Scan, after: Option<&Key>, limit: usize) -> Result<Survey> {
        let _still = if matches!(range, Scan::DirStats | Scan::Quotas) {
            Some(self.shared.writing_sums.read().await)
        } else {
            None
        };
        self.page_of(range, after, limit).await
    }

    async fn lookup(&self, parent: Ino, name: &Name) -> Result<Option<(Entry, Option<Attr>)>> {
        let answers = self
            .ask_all(|statements| vec![statements.lookup(parent, name)])
            .await
            .map_err(|error| error.context(format!("looking up {name} in directory {parent}")))?;
        let Some(row) = answers.into_iter().flatten().next() else {
            return Ok(None);
        };
        let entry = decode_entry(&row, 0).map_err(|error| error.context(Key::Edge(parent, name.clone())))?;
        Ok(Some((entry, decode_node(&row, 2)?)))
    }

    async fn read_directory(
        &self,
        directory: Ino,
        after: Option<&Name>,
        limit: usize,
        attributes: bool,
    ) -> Result<Vec<DirectoryEntry>> {
        let after = after.map_or(&b""[..], Name::as_bytes);
        let limit = i64::try_from(limit.max(1)).unwrap_or(i64::MAX);
        let answers = self
            .ask_all(|statements| vec![statements.list(directory, after, limit, attributes)])
            .await
            .map_err(|error| error.context(format!("listing directory {directory}")))?;
        let rows = answers.into_iter().flatten();
        rows.map(|row| decode_listed(directory, &row, attributes))
            .collect()
    }

    async fn parents(&self, ino: Ino) -> Result<Vec<(Ino, u32)>> {
        let rows = self.ask(self.statements().parents(ino)).await?;
        rows.iter()
            .map(|row| {
                Ok((
                    Ino(row.unsigned(0)?),
                    u32::try_from(row.signed(1)?).unwrap_or(u32::MAX),
                ))
            })
            .collect()
    }
}

#[async_trait]
impl Engine for SqlEngine {
    fn location(&self) -> String {
        self.shared.driver.location()
    }

    fn durability(&self) -> Durability {
        Durability::Server
    }

    async fn prepare(&self) -> Result<()> {
        self.make_tables().await
    }

    async fn is_empty(&self) -> Result<bool> {
        self.has_no_rows().await
    }

    async fn execute(&self, mut job: Job) -> Result<()> {
        let mut last = Error::from(ErrorKind::Conflict);
        for run in 0..MAX_RUNS {
            wait_before(run).await;
            let mut txn = SqlTxn::new(self);
            let result = match (job.body)(&mut txn).await {
                Ok(()) => self.commit(job.verb, txn).await,
                Err(error) => Err(error),
            };
            match result {
                Err(error) if error.kind() == ErrorKind::Conflict => last = error,
                other => return other,
            }
        }
        Err(last.context(format!("{}: {MAX_RUNS} runs met a conflict each", job.verb)))
    }

    async fn allocate(&self, counter: Counter, batch: u64) -> Result<u64> {
        let delta = i64::try_from(batch)
            .map_err(|_| Error::new(ErrorKind::InvalidArgument, "a batch of ids beyond 2^63"))?;
        let statements = self.statements().add_counter(counter, delta, true);
        let rows = self.shared.driver.run(&statements).await.map_err(|failure| {
            failure
                .error
                .context(format!("allocating from {}", Key::Counter(counter)))
        })?;
        let stored = rows.first().map(|row| row.signed(0)).transpose()?;
        let stored = stored.ok_or_else(|| {
            Error::new(
                ErrorKind::Io,
                format!("the server did not answer with {}", Key::Counter(counter)),
            )
        })?;
        // Next-free counters hold the first id that is free, the others the last one used (spec 20-model section 2).
        Ok((stored - delta).cast_unsigned() + u64::from(!counter.is_next_free()))
    }

    /// Writes the sums; everything else is as durable as the server made it.
    async fn make_durable(&self) -> Result<()> {
        self.shared.write_sums().await
    }

    async fn wipe(&self) -> Result<()> {
        let _alone = self.shared.writing_sums.write().await;
        *self.shared.sums.lock() = Sums::default();
        self.drop_tables().await
    }

    async fn close(&self) -> Result<()> {
        let written = self.shared.write_sums().await;
        self.shared.driver.close().await;
        written
    }
}
