//! Runs the future of a request: in place when it is ready, on the runtime when it has to wait.

use std::cell::Cell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll, Waker};

use tokio::runtime::Handle;

thread_local! {
    /// Whether this thread is inside a request whose panic is caught.
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic of this thread costs one request only.
pub(crate) fn is_guarded() -> bool {
    GUARDED.get()
}

/// Runs work that borrows from the request on the calling thread; `None` when it could not be done at once or panicked.
pub(crate) fn now<T>(runtime: &Handle, work: impl FnOnce() -> Option<T>) -> Option<T> {
    let _context = runtime.enter();
    GUARDED.set(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(false);
    done.unwrap_or_else(|_| {
        tracing::error!("a request panicked and is tried once more");
        None
    })
}

/// Polls once on the calling thread and hands the future over when it is pending. The future owns its reply: when it
/// panics or is dropped the caller gets EIO.
pub(crate) fn answer(runtime: &Handle, future: impl Future<Output = ()> + Send + 'static) {
    let mut future = Box::pin(future);
    let _context = runtime.enter();
    GUARDED.set(true);
    // A waker that does nothing suffices: whoever is pending is polled again at once, by the runtime.
    let polled = catch_unwind(AssertUnwindSafe(|| {
        future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    }));
    GUARDED.set(false);
    match polled {
        Ok(Poll::Ready(())) => {}
        Ok(Poll::Pending) => drop(runtime.spawn(future)),
        Err(_) => tracing::error!("a request panicked and was answered with an input/output error"),
    }
}
