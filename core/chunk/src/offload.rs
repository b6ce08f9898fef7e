//! Where blocking work runs: in place while that is quick, else on the runtime's blocking threads.
//!
//! A hop to another thread costs 10 to 60 microseconds on a small machine, several times a small read or write
//! that the page cache answers. So small work runs in place, and a clock watches it: one slow call (a disk that
//! spins up, a network folder that hangs) sends everything to the blocking threads for a while.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use moorage_model::{Error, ErrorKind, Result};
use tokio::runtime::{Handle, RuntimeFlavor};

/// Most bytes that are moved in place: about 100 microseconds of copying.
pub(crate) const IN_PLACE_BYTES: usize = 256 << 10;
/// A call in place that takes longer is a stall others must not share.
const STALL: Duration = Duration::from_millis(4);
/// How long work stays away from the caller's thread after a stall.
const STALL_PAUSE: Duration = Duration::from_millis(100);

/// Decides per call; one per disk, so that a slow disk does not push aside the work of a fast one.
#[derive(Debug)]
pub(crate) struct Offload {
    runtime: Option<Handle>,
    stall: Duration,
    born: Instant,
    /// Microseconds after `born` until which nothing runs in place.
    away_until: AtomicU64,
}

impl Offload {
    /// Uses the runtime it is made in; outside of one everything runs in place.
    pub(crate) fn new() -> Offload {
        Offload {
            runtime: Handle::try_current().ok(),
            stall: STALL,
            born: Instant::now(),
            away_until: AtomicU64::new(0),
        }
    }

    /// For claims about work in place, which a busy machine must not refute.
    #[cfg(test)]
    pub(crate) fn that_never_stalls() -> Offload {
        Offload {
            stall: Duration::MAX,
            ..Offload::new()
        }
    }

    fn micros(&self) -> u64 {
        u64::try_from(self.born.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Whether blocking work may run on the caller's thread now.
    pub(crate) fn in_place(&self) -> bool {
        self.runtime.is_none() || self.away_until.load(Relaxed) <= self.micros()
    }

    /// Runs work in place and remembers when it was slow.
    pub(crate) fn timed<T>(&self, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let out = work();
        if start.elapsed() > self.stall {
            let pause = u64::try_from(STALL_PAUSE.as_micros()).unwrap_or(u64::MAX);
            self.away_until
                .store(self.micros().saturating_add(pause), Relaxed);
        }
        out
    }

    /// Runs disk work that moves `bytes` bytes.
    ///
    /// Ready on the first poll when it runs in place.
    pub(crate) async fn run<T, F>(&self, bytes: usize, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T> + Send + 'static,
    {
        match &self.runtime {
            Some(runtime) if bytes > IN_PLACE_BYTES || !self.in_place() => away(runtime, work).await,
            _ => self.timed(work),
        }
    }

    /// Runs work that waits for a disk on this thread, when nobody else is kept waiting by that: in a task, whose
    /// thread's other tasks the runtime then gives to another thread. Whether it ran.
    pub(crate) fn waits_here(&self, work: impl FnOnce()) -> bool {
        let several = |runtime: Handle| runtime.runtime_flavor() == RuntimeFlavor::MultiThread;
        let here = tokio::task::try_id().is_some() && Handle::try_current().is_ok_and(several);
        if here {
            tokio::task::block_in_place(work);
        }
        here
    }

    /// Starts work on a blocking thread without waiting for it; in place when there is no runtime.
    pub(crate) fn start(&self, work: impl FnOnce() + Send + 'static) {
        match &self.runtime {
            Some(runtime) => drop(runtime.spawn_blocking(work)),
            None => work(),
        }
    }
}

/// Runs work on a blocking thread of the runtime.
pub(crate) async fn away<T, F>(runtime: &Handle, work: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T> + Send + 'static,
{
    match runtime.spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(Error::new(ErrorKind::Io, "a disk operation did not finish").with_source(error)),
    }
}
