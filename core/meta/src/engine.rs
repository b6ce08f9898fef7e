//! What an engine is: reads, atomic jobs, and a durability barrier.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use moorage_model::{Counter, Error, ErrorKind, Result};
use parking_lot::Mutex;

use crate::{Read, Txn};

/// The closure of a job. It is called again from the start after every conflict, so it has no effect but
/// through its transaction.
pub type JobBody = Box<dyn for<'t> FnMut(&'t mut dyn Txn) -> BoxFuture<'t, Result<()>> + Send>;

/// One verb to be run atomically.
pub struct Job {
    /// Name of the verb, for errors and metrics.
    pub verb: &'static str,
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

    /// Removes every record of the volume.
    async fn wipe(&self) -> Result<()>;

    /// Flushes and closes; later calls fail.
    async fn close(&self) -> Result<()>;
}

/// Runs `body` as one job of `engine` and returns what its last run returned.
///
/// # Errors
/// See [`Engine::execute`].
pub async fn run<T, F>(engine: &dyn Engine, verb: &'static str, body: F) -> Result<T>
where
    T: Send + 'static,
    F: for<'t> Fn(&'t mut dyn Txn) -> BoxFuture<'t, Result<T>> + Send + 'static,
{
    let slot: Arc<Mutex<Option<T>>> = Arc::new(Mutex::new(None));
    let output = Arc::clone(&slot);
    let job = Job {
        verb,
        body: Box::new(move |txn| {
            let result = body(txn);
            let output = Arc::clone(&output);
            Box::pin(async move {
                *output.lock() = Some(result.await?);
                Ok(())
            })
        }),
    };
    engine.execute(job).await?;
    let value = slot.lock().take();
    value.ok_or_else(|| {
        Error::new(
            ErrorKind::Io,
            format!("{verb}: the engine committed without running it"),
        )
    })
}
