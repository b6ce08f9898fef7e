//! The one writer: callers queue their jobs, and whoever finds the writer free runs everything queued in one
//! transaction with a savepoint per job (flat combining).

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use moorage_meta::Job;
use moorage_model::{Error, ErrorKind, Result};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::closed;
use super::database::{Database, LOG_BYTES};
use super::failure::in_file;
use super::group::run_group;
use super::log::run_checkpoint;
use super::log_index::LogIndex;
use super::options::SqliteOptions;
use super::record_cache::RecordCache;
use super::view::View;

/// Jobs of one transaction: enough to make the commit itself negligible, few enough to bound a waiter's delay.
const MAX_GROUP: usize = 128;
/// Groups that one caller runs before somebody else takes over: bounds what a caller does for others.
const GROUPS_PER_TURN: usize = 8;

/// Groups after which the length of the log is looked at.
const GROUPS_PER_LOOK: u64 = 512;
/// Length in bytes from which the writer moves the log into the database file itself, because nobody asks for
/// barriers: a command that removes a large tree, for example. Only while the log names no blocks.
const UNATTENDED_LOG_BYTES: u64 = 2 * LOG_BYTES;

/// A connection that is opened at its first use.
#[derive(Debug)]
pub(super) enum Slot {
    Unopened,
    Open(Box<Mutex<Database>>),
    Closed,
}

/// A job that waits, and where its outcome goes.
pub(super) struct Queued {
    pub(super) job: Job,
    pub(super) done: oneshot::Sender<Outcome>,
}

/// What a waiter gets.
pub(super) enum Outcome {
    /// The job was run.
    Done(Result<()>),
    /// It was not run: the waiter is to run the queue, beginning with its own job.
    Lead(Job),
}

/// The write connection and the jobs that wait for it.
pub(super) struct Writer {
    options: Arc<SqliteOptions>,
    records: Arc<RecordCache>,
    /// Held by the caller that runs the queue.
    slot: Mutex<Slot>,
    queue: Mutex<VecDeque<Queued>>,
    /// Whether something was committed that names blocks, since the flag was taken last.
    names_data: AtomicBool,
    groups: AtomicU64,
    /// Whether commits wait for a barrier: the file has a write-ahead log.
    logged: AtomicBool,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Writer {
    pub(super) fn new(options: Arc<SqliteOptions>, records: Arc<RecordCache>) -> Writer {
        Writer {
            options,
            records,
            slot: Mutex::new(Slot::Unopened),
            queue: Mutex::new(VecDeque::new()),
            names_data: AtomicBool::new(false),
            groups: AtomicU64::new(0),
            logged: AtomicBool::new(true),
        }
    }

    /// Queues the job and, when the writer is free, runs the queue on this thread; otherwise waits for the caller
    /// that does.
    ///
    /// Uncontended cost: no thread hop, one channel, BEGIN, the job's statements, one per sum, COMMIT.
    pub(super) async fn execute(&self, job: Job) -> Result<()> {
        let (done, outcome) = oneshot::channel();
        self.queue.lock().push_back(Queued { job, done });
        let mut waiting = Waiting {
            writer: self,
            outcome,
        };
        loop {
            self.drive();
            match (&mut waiting.outcome).await {
                Ok(Outcome::Done(result)) => return result,
                Ok(Outcome::Lead(job)) => {
                    let (done, outcome) = oneshot::channel();
                    self.queue.lock().push_front(Queued { job, done });
                    waiting.outcome = outcome;
                }
                // The body panicked, in this job or in another one of its group.
                Err(_) => {
                    return Err(Error::new(
                        ErrorKind::Interrupted,
                        format!(
                            "SQLite database {}: the transaction was abandoned",
                            self.options.path.display()
                        ),
                    ));
                }
            }
        }
    }

    /// Runs something outside of any job, once the writer is free.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Database) -> Result<T>) -> Result<T> {
        let result = {
            let mut slot = self.slot.lock();
            self.open(&mut slot)
                .and_then(|database| work(database.get_mut()))
                .map_err(in_file(&self.options.path))
        };
        // Jobs that came meanwhile found the writer taken.
        self.drive();
        result
    }

    /// Reads on the write connection when it is open and nobody uses it, else hands `read` back.
    ///
    /// Its page cache has followed every commit of this client, while a read connection drops its own after each:
    /// between changes a short read here saves two system calls and the decoding of the pages anew. For short reads
    /// only, since a writer that comes meanwhile waits for the end.
    pub(super) fn view_if_free<T, R>(&self, read: R) -> std::result::Result<Result<T>, R>
    where
        R: FnOnce(View<'_>) -> Result<T>,
    {
        let Some(mut slot) = self.slot.try_lock() else {
            return Err(read);
        };
        let Slot::Open(database) = &mut *slot else {
            return Err(read);
        };
        let database = database.get_mut();
        // A body that panicked has left its transaction open, which the next writer ends.
        if !database.connection.is_autocommit() {
            return Err(read);
        }
        let result = read(database.view()).map_err(in_file(&self.options.path));
        drop(slot);
        // Jobs that came meanwhile found the writer taken.
        self.drive();
        Ok(result)
    }

    /// Whether commits wait for a barrier, as far as the file was opened for writing yet.
    pub(super) fn is_logged(&self) -> bool {
        self.logged.load(Ordering::Acquire)
    }

    /// Whether something was committed since the last call that names blocks.
    pub(super) fn take_names_data(&self) -> bool {
        self.names_data.swap(false, Ordering::AcqRel)
    }

    /// Takes back a [`Writer::take_names_data`] whose barrier failed.
    pub(super) fn mark_names_data(&self) {
        self.names_data.store(true, Ordering::Release);
    }

    /// Closes the connection for good and hands it out; jobs that are queued fail.
    pub(super) fn close(&self) -> Option<Database> {
        let taken = {
            let mut slot = self.slot.lock();
            self.records.detach();
            std::mem::replace(&mut *slot, Slot::Closed)
        };
        self.drive();
        match taken {
            Slot::Open(database) => Some((*database).into_inner()),
            Slot::Unopened | Slot::Closed => None,
        }
    }

    fn open<'s>(&self, slot: &'s mut Slot) -> Result<&'s mut Mutex<Database>> {
        if matches!(slot, Slot::Unopened) {
            let database = Database::open_writer(&self.options)?;
            self.logged.store(database.logged, Ordering::Release);
            if database.logged {
                lengthen_index(&database);
                // SAFETY: the connection stays in WAL mode, and only `close` ends it, which detaches the index before.
                self.records.attach(unsafe { LogIndex::of(&database.connection) });
            }
            *slot = Slot::Open(Box::new(Mutex::new(database)));
        }
        match slot {
            Slot::Open(database) => Ok(database),
            _ => Err(closed(&self.options.path)),
        }
    }

    /// Runs the queue unless somebody else does, who then looks at the queue again after letting go of the writer.
    fn drive(&self) {
        while !self.queue.lock().is_empty() {
            // Dropped after the slot.
            let _others = Others { writer: self };
            let Some(mut slot) = self.slot.try_lock() else {
                return;
            };
            let emptied = self.run_queue(&mut slot);
            drop(slot);
            if !emptied && self.hand_over() {
                return;
            }
        }
    }

    /// Runs group after group; whether nothing is left.
    fn run_queue(&self, slot: &mut Slot) -> bool {
        for _ in 0..GROUPS_PER_TURN {
            let group = self.next_group();
            if group.is_empty() {
                return true;
            }
            match self.open(slot) {
                Ok(database) => {
                    if run_group(group, database, &self.records, &self.options.path) {
                        self.mark_names_data();
                    }
                    self.bound_log(database.get_mut());
                }
                Err(error) => fail_all(group, in_file(&self.options.path)(error)),
            }
        }
        self.queue.lock().is_empty()
    }

    /// Moves a log that has grown long without barriers into the database file.
    fn bound_log(&self, database: &Database) {
        let due = (self.groups.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(GROUPS_PER_LOOK);
        if !due || self.names_data.load(Ordering::Acquire) {
            return;
        }
        let long = std::fs::metadata(self.options.log()).is_ok_and(|log| log.len() > UNATTENDED_LOG_BYTES);
        if long && let Err(error) = run_checkpoint(&database.connection, "PASSIVE") {
            tracing::warn!(%error, "the log of the metadata database grows");
        }
    }

    /// The jobs that come next, without those whose callers went away.
    fn next_group(&self) -> Vec<Queued> {
        let mut queue = self.queue.lock();
        let mut group = Vec::with_capacity(queue.len().min(MAX_GROUP));
        while group.len() < MAX_GROUP {
            match queue.pop_front() {
                Some(queued) if queued.done.is_closed() => {}
                Some(queued) => group.push(queued),
                None => break,
            }
        }
        group
    }

    /// Makes the first waiter run the queue; `false` when nobody waits.
    fn hand_over(&self) -> bool {
        loop {
            let Some(Queued { job, done }) = self.queue.lock().pop_front() else {
                return false;
            };
            if done.send(Outcome::Lead(job)).is_ok() {
                return true;
            }
        }
    }
}

/// Makes the index of the log as long as it can become between barriers.
fn lengthen_index(database: &Database) {
    let connection = &database.connection;
    if let Err(error) = connection.execute_batch("BEGIN IMMEDIATE") {
        tracing::debug!(%error, "the index of the database's log is not made longer");
        return;
    }
    LogIndex::lengthen(connection, UNATTENDED_LOG_BYTES);
    if let Err(error) = connection.execute_batch("ROLLBACK") {
        tracing::warn!(%error, "rolling a transaction back");
    }
}

/// Those who wait while a job runs; when its body panics, one of them goes on with the queue.
struct Others<'w> {
    writer: &'w Writer,
}

impl Drop for Others<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.writer.hand_over();
        }
    }
}

/// A caller that waits. When it goes away while it was to run the queue, the others are not left waiting.
struct Waiting<'w> {
    writer: &'w Writer,
    outcome: oneshot::Receiver<Outcome>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.outcome.close();
        if let Ok(Outcome::Lead(_)) = self.outcome.try_recv() {
            self.writer.drive();
        }
    }
}

/// Gives every job of a group its own copy of what ended their transaction.
pub(super) fn fail_all(group: Vec<Queued>, error: Error) {
    let mut rest = group.into_iter();
    let Some(first) = rest.next() else {
        return;
    };
    for queued in rest {
        answer(queued, Err(copy_of(&error)));
    }
    answer(first, Err(error));
}

/// Another error of the same kind, message and advice; the cause stays with the first.
pub(super) fn copy_of(error: &Error) -> Error {
    let copy = Error::new(error.kind(), error.message().unwrap_or_default());
    match error.advice() {
        Some(advice) => copy.with_advice(advice),
        None => copy,
    }
}

/// A caller that went away does not need the answer.
pub(super) fn answer(queued: Queued, result: Result<()>) {
    drop(queued.done.send(Outcome::Done(result)));
}
