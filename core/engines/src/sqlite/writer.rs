//! The one writer: callers queue their jobs, and whoever finds the writer free runs everything queued in one
//! transaction with a savepoint per job (flat combining).

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use moorage_meta::Job;
use moorage_model::{Error, ErrorKind, Result};
use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::failure::Context as _;
use super::layout::Statements;
use super::read::View;
use super::txn::{Deltas, SqliteTxn};

/// Jobs of one transaction: enough to make the commit itself negligible, few enough to bound a waiter's delay.
const MAX_GROUP: usize = 128;
/// How long a locked database is waited for altogether.
const LOCKED_DEADLINE: Duration = Duration::from_secs(30);

struct Queued {
    job: Job,
    done: oneshot::Sender<Result<()>>,
}

/// The write connection and the jobs that wait for it.
pub(super) struct Writer {
    path: PathBuf,
    connection: Mutex<Connection>,
    /// Held by the caller that runs the queue; the connection's own lock is taken per statement.
    combining: Mutex<()>,
    queue: Mutex<VecDeque<Queued>>,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Writer {
    pub(super) fn new(connection: Connection, path: PathBuf) -> Writer {
        Writer {
            path,
            connection: Mutex::new(connection),
            combining: Mutex::new(()),
            queue: Mutex::new(VecDeque::new()),
        }
    }

    /// Runs something outside of any job, when the writer is free.
    pub(super) fn with<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let _alone = self.combining.lock();
        work(&self.connection.lock())
            .map_err(|error| error.context(format!("SQLite database {}", self.path.display())))
    }

    /// Queues the job and, when the writer is free, runs the queue on this thread; otherwise waits for the caller
    /// that does.
    ///
    /// Uncontended cost: no thread hop, one channel allocation, BEGIN + the job's statements + the sums + COMMIT.
    pub(super) async fn execute(&self, job: Job, sql: &Statements) -> Result<()> {
        let (done, outcome) = oneshot::channel();
        self.queue.lock().push_back(Queued { job, done });
        // Whoever holds the lock looks at the queue again after letting go of it, so no job is left behind.
        while !self.queue.lock().is_empty() {
            let Some(_running) = self.combining.try_lock() else {
                break;
            };
            self.run_queue(sql);
        }
        outcome
            .await
            .unwrap_or_else(|_| Err(Error::new(ErrorKind::Interrupted, "the writer was shut down")))
    }

    fn run_queue(&self, sql: &Statements) {
        loop {
            let group: Vec<Queued> = {
                let mut queue = self.queue.lock();
                let take = queue.len().min(MAX_GROUP);
                queue.drain(..take).collect()
            };
            if group.is_empty() {
                return;
            }
            self.run_group(group, sql);
        }
    }

    fn run_group(&self, mut group: Vec<Queued>, sql: &Statements) {
        let outcome = self.begin().and_then(|()| {
            let results = self.run_jobs(&mut group, sql);
            results.and_then(|results| self.batch("COMMIT").map(|()| results))
        });
        match outcome {
            Ok(results) => {
                for (queued, result) in group.into_iter().zip(results) {
                    // A caller that went away does not need the answer.
                    let _ = queued.done.send(result);
                }
            }
            Err(error) => {
                // After some failures SQLite has rolled back already and refuses this.
                let _ = self.batch("ROLLBACK");
                fail_all(group, error);
            }
        }
    }

    /// Takes SQLite's write lock; another program may hold it for a while.
    fn begin(&self) -> Result<()> {
        let deadline = Instant::now() + LOCKED_DEADLINE;
        loop {
            match self.batch("BEGIN IMMEDIATE") {
                Err(error) if error.kind() == ErrorKind::Conflict && Instant::now() < deadline => {}
                Err(error) if error.kind() == ErrorKind::Conflict => {
                    return Err(Error::new(
                        ErrorKind::Timeout,
                        format!(
                            "it stayed locked by another program for {} s",
                            LOCKED_DEADLINE.as_secs()
                        ),
                    )
                    .with_source(error));
                }
                other => return other,
            }
        }
    }

    fn batch(&self, statement: &str) -> Result<()> {
        let what = || format!("SQLite database {}: {statement}", self.path.display());
        let connection = self.connection.lock();
        let mut prepared = connection.prepare_cached(statement).context(what)?;
        prepared.execute([]).map(drop).context(what)
    }

    /// Runs each job; an `Err` of the whole means the transaction is unusable.
    fn run_jobs(&self, group: &mut [Queued], sql: &Statements) -> Result<Vec<Result<()>>> {
        let alone = group.len() == 1;
        let mut sums = Deltas::default();
        let mut results = Vec::with_capacity(group.len());
        for queued in group {
            if !alone {
                self.batch("SAVEPOINT job")?;
            }
            let outcome = self.run_job(&mut queued.job, sql, &sums);
            match outcome {
                Ok(deltas) => {
                    sums.merge(deltas);
                    results.push(Ok(()));
                    if !alone {
                        self.batch("RELEASE job")?;
                    }
                }
                // The error of a lone job rolls the whole transaction back.
                Err(error) if alone => return Err(error),
                Err(error) => {
                    self.batch("ROLLBACK TO job")?;
                    self.batch("RELEASE job")?;
                    results.push(Err(error));
                }
            }
        }
        let connection = self.connection.lock();
        sums.apply(View {
            connection: &connection,
            sql,
        })?;
        Ok(results)
    }

    fn run_job(&self, job: &mut Job, sql: &Statements, earlier: &Deltas) -> Result<Deltas> {
        let mut txn = SqliteTxn::new(&self.connection, sql, earlier);
        match (job.body)(&mut txn).now_or_never() {
            Some(Ok(())) => txn
                .finish()
                .map_err(|error| error.context(format!("{}: {}", self.path.display(), job.verb))),
            Some(Err(error)) => Err(error),
            None => Err(Error::new(
                ErrorKind::Io,
                format!("{} waits for something besides its transaction", job.verb),
            )),
        }
    }
}

/// Gives every job of a group its own copy of what ended their transaction.
fn fail_all(group: Vec<Queued>, error: Error) {
    let copies = group.len().saturating_sub(1);
    let mut answers: Vec<Error> = Vec::with_capacity(group.len());
    answers.extend((0..copies).map(|_| Error::new(error.kind(), error.to_string())));
    answers.push(error);
    for (queued, answer) in group.into_iter().zip(answers) {
        let _ = queued.done.send(Err(answer));
    }
}
