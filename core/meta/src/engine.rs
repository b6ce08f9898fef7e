//! What an engine is: reads, atomic jobs, and a durability barrier.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use moorage_model::{Counter, Error, ErrorKind, Result};
use parking_lot::Mutex;

use crate::{Changes, Read, Txn};

/// What a job is called, and what it does to the room on a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verb {
    name: &'static str,
    removes: bool,
}

impl Verb {
    /// A verb that makes room, or without which others can not: with a trash the first removal of an hour makes its
    /// directory.
    pub const fn removal(name: &'static str) -> Verb {
        Verb { name, removes: true }
    }
}

impl From<&'static str> for Verb {
    fn from(name: &'static str) -> Verb {
        Verb { name, removes: false }
    }
}

/// The closure of a job. It is called again from the start after every conflict, so it has no effect but
/// through its transaction. An engine may call it first on records as they were lately; what such a run decides, its error
/// too, counts only when the records are found to be so still.
pub type JobBody = Box<dyn for<'t> FnMut(&'t mut dyn Txn) -> BoxFuture<'t, Result<()>> + Send>;

/// One verb to be run atomically.
pub struct Job {
    /// Name of the verb, for errors and metrics.
    pub verb: &'static str,
    /// It takes away more than it adds: an engine that keeps room on a full disk lets it use that.
    pub removes: bool,
    /// What to run.
    pub body: JobBody,
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("verb", &self.verb)
            .finish_non_exhaustive()
    }
}

/// What an acknowledged commit of an engine survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Nothing: it lives in this process.
    Process,
    /// The death of this process; power loss only after [`Engine::make_durable`].
    AfterBarrier,
    /// What the server's own configuration promises.
    Server,
}

/// A metadata engine. Only maps records to its layout and commits them.
#[async_trait]
pub trait Engine: Read + fmt::Debug {
    /// Where the records are, without secrets.
    fn location(&self) -> String;

    /// What an acknowledged commit survives.
    fn durability(&self) -> Durability;

    /// Makes tables or other structures that a volume needs; existing ones stay as they are.
    async fn prepare(&self) -> Result<()>;

    /// Tables or other structures that every volume has and that the one in this database lacks, by name. What older
    /// releases did not make is not among them; [`Engine::prepare`] adds that.
    async fn missing_structures(&self) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// Whether any record of a volume (or of something else) is there already.
    async fn is_empty(&self) -> Result<bool>;

    /// Runs the job and commits it; on a conflict runs it again with jitter, boundedly.
    ///
    /// The future of the job's body is polled on whichever task executes the commit. An `Err` from the body
    /// rolls the job back and is returned.
    ///
    /// # Errors
    /// The body's error; `Conflict` when retries are exhausted; `Unavailable`, `Timeout`, `NoSpace`, `ReadOnly`.
    ///
    /// # Cancel safety
    /// Dropping the future may leave the job committed or not, never half.
    async fn execute(&self, job: Job) -> Result<()>;

    /// Adds `batch` to an allocation counter at once and returns the first id that is the caller's.
    async fn allocate(&self, counter: Counter, batch: u64) -> Result<u64>;

    /// Returns when everything committed so far survives power loss, as far as the engine can promise it.
    /// One barrier serves every caller that waits.
    async fn make_durable(&self) -> Result<()>;

    /// Lets the engine forget what records were long ago, where it keeps that. Part of the clean-up of slices, which one
    /// client of a volume does once in a while.
    ///
    /// # Errors
    /// `Unavailable` or `Timeout` when the engine does not answer.
    async fn drop_old_versions(&self) -> Result<()> {
        Ok(())
    }

    /// Begins to tell which nodes other clients change, where the server lets an engine know. Returns once every later
    /// change is told; the connection that this takes is renewed until the changes are dropped.
    ///
    /// # Errors
    /// `NotSupported` on an engine or server that can not tell; what the server answers.
    async fn watch(&self) -> Result<Changes> {
        Err(untold(&self.location()))
    }

    /// Removes every record of the volume.
    async fn wipe(&self) -> Result<()>;

    /// Flushes and closes; later calls fail.
    async fn close(&self) -> Result<()>;
}

/// The error of a database that does not tell its clients of changes.
pub fn untold(location: &str) -> Error {
    Error::new(
        ErrorKind::NotSupported,
        format!("{location} does not tell what other clients change"),
    )
    .with_advice("Mount without --push-invalidation, or keep the metadata in Redis or PostgreSQL.")
}

/// Runs `body` as one job of `engine` and returns what its last run returned.
///
/// # Errors
/// See [`Engine::execute`]. What the body did not answer is marked as [`Error::of_service`].
pub async fn run<T, F>(engine: &dyn Engine, verb: impl Into<Verb>, body: F) -> Result<T>
where
    T: Send + 'static,
    F: for<'t> Fn(&'t mut dyn Txn) -> BoxFuture<'t, Result<T>> + Send + 'static,
{
    let Verb { name, removes } = verb.into();
    let slot: Arc<Mutex<Option<T>>> = Arc::new(Mutex::new(None));
    let refused = Arc::new(AtomicBool::new(false));
    let (output, body_refused) = (Arc::clone(&slot), Arc::clone(&refused));
    let job = Job {
        verb: name,
        removes,
        body: Box::new(move |txn| {
            let result = body(txn);
            let (output, refused) = (Arc::clone(&output), Arc::clone(&body_refused));
            refused.store(false, Ordering::Release);
            Box::pin(async move {
                let result = result.await;
                refused.store(result.is_err(), Ordering::Release);
                *output.lock() = Some(result?);
                Ok(())
            })
        }),
    };
    if let Err(error) = engine.execute(job).await {
        return Err(if refused.load(Ordering::Acquire) {
            error
        } else {
            error.of_service()
        });
    }
    let value = slot.lock().take();
    value.ok_or_else(|| {
        Error::new(
            ErrorKind::Io,
            format!("{name}: the engine committed without running it"),
        )
    })
}
