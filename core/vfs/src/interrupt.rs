//! Waits that end when nobody wants their answer any longer.

use std::future::Future;
use std::pin::{Pin, pin};
use std::time::Duration;

use futures_util::poll;
use moorage_model::{ErrorKind, Result};

use crate::Vfs;

impl Vfs {
    /// Runs a request until it is answered, or until `interrupted` says that its caller wants no answer: then it is
    /// dropped, so it has to be one whose documentation says that this is safe. `interrupted` is asked each time
    /// `period` has passed, never before; a request that is ready on its first poll costs nothing.
    ///
    /// # Errors
    /// `Interrupted`; what the request answers.
    pub async fn interruptible<T>(
        &self,
        request: impl Future<Output = Result<T>>,
        period: Duration,
        interrupted: impl FnMut() -> bool,
    ) -> Result<T> {
        let answer = self.unless(pin!(request), period, interrupted).await;
        answer.unwrap_or_else(|| Err(ErrorKind::Interrupted.into()))
    }

    /// As [`Vfs::interruptible`], for a request that has to be run to its end: that goes on by itself when its caller
    /// wants no answer. One allocation.
    ///
    /// # Errors
    /// `Interrupted`; what the request answers.
    pub async fn abandonable<T: Send + 'static>(
        &self,
        request: impl Future<Output = Result<T>> + Send + 'static,
        period: Duration,
        interrupted: impl FnMut() -> bool,
    ) -> Result<T> {
        let mut request = Box::pin(request);
        match self.unless(request.as_mut(), period, interrupted).await {
            Some(answer) => answer,
            None => {
                self.runtime.spawn(request);
                Err(ErrorKind::Interrupted.into())
            }
        }
    }

    /// The output of a future, unless nobody wants it before.
    async fn unless<F: Future>(
        &self,
        mut request: Pin<&mut F>,
        period: Duration,
        mut interrupted: impl FnMut() -> bool,
    ) -> Option<F::Output> {
        if let std::task::Poll::Ready(done) = poll!(request.as_mut()) {
            return Some(done);
        }
        // A door's thread hands over what is pending; polled once more there, the request would go on in the wrong place.
        tokio::task::yield_now().await;
        loop {
            tokio::select! {
                biased;
                done = request.as_mut() => return Some(done),
                () = self.sleep(period) => {}
            }
            if interrupted() {
                return None;
            }
        }
    }
}
