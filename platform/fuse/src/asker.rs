//! Who waits for the answer of a request, and the end of that wait when a signal comes.
//!
//! fuser answers the kernel that it takes no interrupts, after which a waiting process cannot even be killed before
//! its request is answered. So the wait itself looks whether a signal is pending.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fuser::Request;
use moorage_host::{Heeded, SignalState, in_system_call, signal_state};
use moorage_model::Result;
use moorage_vfs::{LockWait, Vfs};

/// Between two looks at a thread whose request waits for the object store: long enough that a store with the latency of
/// a network costs none, short enough for somebody who has pressed Ctrl-C.
const LOOK: Duration = Duration::from_millis(250);

/// The thread that a request comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asker {
    thread: u32,
}

impl Asker {
    pub(crate) fn of(request: &Request) -> Asker {
        Asker {
            thread: request.pid(),
        }
    }

    /// A request that is safe to drop, until its process is ended or asked to end.
    ///
    /// # Errors
    /// `Interrupted`; what the request answers.
    pub(crate) async fn unless_stopped<T>(
        self,
        vfs: &Vfs,
        request: Pin<&mut impl Future<Output = Result<T>>>,
    ) -> Result<T> {
        let watch = Watch::new(self.thread);
        vfs.interruptible(request, LOOK, move || watch.is_stopped()).await
    }

    /// A request that is safe to drop but not to repeat, until its process is ended.
    ///
    /// # Errors
    /// `Interrupted`; what the request answers.
    pub(crate) async fn unless_killed<T>(
        self,
        vfs: &Vfs,
        request: Pin<&mut impl Future<Output = Result<T>>>,
    ) -> Result<T> {
        let watch = Watch::new(self.thread);
        vfs.interruptible(request, LOOK, move || watch.sees(Heeded::Fatal))
            .await
    }

    /// A request that goes on by itself once its process is ended.
    ///
    /// # Errors
    /// `Interrupted`; what the request answers.
    pub(crate) async fn or_leave<T: Send + 'static>(
        self,
        vfs: &Arc<Vfs>,
        request: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let watch = Watch::new(self.thread);
        vfs.abandonable(request, LOOK, move || watch.sees(Heeded::Fatal))
            .await
    }

    /// How long a lock is waited for: until any signal comes that the thread handles.
    pub(crate) fn until_signal(self) -> LockWait {
        let watch = Watch::new(self.thread);
        LockWait::UntilInterrupted(Arc::new(move || watch.sees(Heeded::All)))
    }
}

/// Looks at a thread now and then.
struct Watch {
    thread: u32,
    shared_before: AtomicBool,
}

impl Watch {
    fn new(thread: u32) -> Watch {
        Watch {
            thread,
            shared_before: AtomicBool::new(false),
        }
    }

    fn sees(&self, heeded: Heeded) -> bool {
        match signal_state(self.thread, heeded) {
            SignalState::Pending => true,
            // Another thread of the process may be about to take it; one that stays is ours.
            SignalState::Shared => self.shared_before.swap(true, Ordering::Relaxed),
            SignalState::Quiet | SignalState::Unknown => {
                self.shared_before.store(false, Ordering::Relaxed);
                false
            }
        }
    }

    /// A thread that waits for a page of a mapping has nobody to tell of an interruption: the kernel would end it.
    fn is_stopped(&self) -> bool {
        self.sees(Heeded::Stopping)
            && (in_system_call(self.thread) != Some(false) || self.sees(Heeded::Fatal))
    }
}
