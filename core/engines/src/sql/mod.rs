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
mod reader;
mod schema;
mod statement;
mod statements;
mod tables;
mod txn;
mod usage;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use moorage_meta::{Changes, Durability, Engine, Job, Key, untold};
use moorage_model::{AclId, Counter, Error, ErrorKind, Result};
use parking_lot::Mutex;

use crate::relational::Cells as _;
use crate::runs::{MAX_RUNS, wait_before};
use crate::sums::Sums;
use commit::Batch;
pub(crate) use connections::{
    ANSWER_TIMEOUT, CONNECT_TIMEOUT, Connections, Lease, Limits, MAX_TRIES, was_idle,
};
pub(crate) use dialect::Dialect;
pub(crate) use driver::{Driver, Failure, Reason};
use fate::{Fate, witnesses};
pub(crate) use options::{CommonOptions, unescaped};
pub(crate) use statement::{Row, Statement, Value};
pub(crate) use statements::{Heard, Listening, Statements};
use txn::SqlTxn;

/// Longest wait until a broken connection has ended at the server.
pub(crate) const END_LIMIT: Duration = Duration::from_secs(10);
/// Between two looks whether it has.
pub(crate) const END_PERIOD: Duration = Duration::from_millis(10);

/// The engine of a SQL server.
///
/// Round trips, counted by `tests/sql_servers`: a read of any number of records, a lookup, a page of a directory with
/// or without attributes, an allocation 1; a page of a range 1 per table of it. A job 1 per `lock` of its verb, which
/// is 1 for nearly all of them, and 1 for the commit; without writes none. The usage that all jobs of a second changed
/// 2 in the background. PostgreSQL takes 1 more for the statements that a connection has not prepared yet.
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
                None => Err(failure.error.of_lost_commit().context(verb)),
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

impl fmt::Debug for SqlEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SqlEngine").field(&self.location()).finish()
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

    async fn missing_structures(&self) -> Result<Vec<String>> {
        self.missing_tables().await
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

    async fn watch(&self) -> Result<Changes> {
        match self.statements().listening() {
            Some(listening) => self.shared.driver.watch(listening).await,
            None => Err(untold(&self.location())),
        }
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
