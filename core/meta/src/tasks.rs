//! Background tasks of a client: started with its session, told to stop and awaited when it closes.

use std::fmt;
use std::future::Future;
use std::sync::OnceLock;
use std::time::Duration;

use parking_lot::Mutex;
use rand::RngExt as _;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Tasks that may exist at once; the loops of a session are a handful, the rest are compactions.
const MAX_TASKS: usize = 64;

/// The running tasks. Dropping it aborts them.
pub(crate) struct Tasks {
    runtime: OnceLock<Handle>,
    stopping: watch::Sender<bool>,
    running: Mutex<JoinSet<()>>,
}

impl Default for Tasks {
    fn default() -> Self {
        Tasks {
            runtime: OnceLock::new(),
            stopping: watch::Sender::new(false),
            running: Mutex::default(),
        }
    }
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tasks")
            .field("running", &self.running.lock().len())
            .finish_non_exhaustive()
    }
}

/// Tells a task when to end.
#[derive(Clone, Debug)]
pub(crate) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Returns when the client closes.
    pub(crate) async fn stopped(&mut self) {
        // An error means that the sender is gone, and with it the client.
        let _ = self.0.wait_for(|stopping| *stopping).await;
    }

    /// Waits for a period; `false` when the client closes before it is over.
    pub(crate) async fn sleep(&mut self, period: Duration) -> bool {
        tokio::select! {
            () = self.stopped() => false,
            () = tokio::time::sleep(period) => true,
        }
    }
}

impl Tasks {
    /// Remembers the runtime of the caller as the one that tasks run on, since later callers may have none.
    pub(crate) fn use_current_runtime(&self) {
        if let Ok(handle) = Handle::try_current() {
            // The first runtime stays.
            let _ = self.runtime.set(handle);
        }
    }

    /// Starts a task; `false` when there is no runtime, the client is closing or too many tasks run. Whoever starts
    /// one copes with that: all tasks do work that is repeated or found later.
    pub(crate) fn spawn<F>(&self, task: impl FnOnce(Stop) -> F) -> bool
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let Some(runtime) = self.runtime.get() else {
            return false;
        };
        let mut running = self.running.lock();
        while running.try_join_next().is_some() {}
        if *self.stopping.borrow() || running.len() >= MAX_TASKS {
            return false;
        }
        running.spawn_on(task(Stop(self.stopping.subscribe())), runtime);
        true
    }

    /// Ends a short piece of work that its caller has left, for instance to take a lock back. Unlike tasks it is never
    /// refused while there is a runtime; each stands for one caller that went away.
    pub(crate) fn carry_through(&self, rest: impl Future<Output = ()> + Send + 'static) {
        if let Some(runtime) = self.runtime.get() {
            self.running.lock().spawn_on(rest, runtime);
        }
    }

    /// A timer that may be polled on any thread; `None` without a runtime.
    pub(crate) fn timer(&self, period: Duration) -> Option<tokio::time::Sleep> {
        let _inside = self.runtime.get()?.enter();
        Some(tokio::time::sleep(period))
    }

    /// Asks all tasks to end, waits for them at most `patience`, and aborts the rest.
    pub(crate) async fn shut_down(&self, patience: Duration) {
        self.stopping.send_replace(true);
        let mut running = std::mem::take(&mut *self.running.lock());
        let all = async { while running.join_next().await.is_some() {} };
        if tokio::time::timeout(patience, all).await.is_err() {
            tracing::warn!("background tasks did not end within {patience:?} and were aborted");
        }
    }

    /// Lets a client that was closed start again.
    pub(crate) fn reopen(&self) {
        self.stopping.send_replace(false);
    }
}

/// A period with ± 5 % jitter, so that clients that started together do not stay together.
pub(crate) fn jittered(period: Duration) -> Duration {
    period.mul_f64(rand::rng().random_range(0.95..=1.05))
}
