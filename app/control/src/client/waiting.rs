//! Requests that wait for their answers.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::message::{Answer, RequestId};

/// Requests without an answer; none any more when the connection has ended.
#[derive(Debug)]
pub(super) struct Waiting(Mutex<Option<HashMap<RequestId, oneshot::Sender<Answer>>>>);

impl Default for Waiting {
    fn default() -> Self {
        Waiting(Mutex::new(Some(HashMap::new())))
    }
}

impl Waiting {
    fn locked(&self) -> MutexGuard<'_, Option<HashMap<RequestId, oneshot::Sender<Answer>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer to a request that is about to be sent; `None` when the connection has ended.
    pub(super) fn expect(&self, id: RequestId) -> Option<oneshot::Receiver<Answer>> {
        let (answer, answered) = oneshot::channel();
        self.locked().as_mut()?.insert(id, answer);
        Some(answered)
    }

    /// Who waits for this answer.
    pub(super) fn take(&self, id: RequestId) -> Option<oneshot::Sender<Answer>> {
        self.locked().as_mut()?.remove(&id)
    }

    /// The connection has ended: nobody waits any more.
    pub(super) fn close(&self) {
        self.locked().take();
    }
}

/// A request that nobody waits for any more once this is dropped.
pub(super) struct Forgotten<'a> {
    waiting: &'a Waiting,
    id: RequestId,
}

impl<'a> Forgotten<'a> {
    pub(super) fn when_dropped(waiting: &'a Waiting, id: RequestId) -> Forgotten<'a> {
        Forgotten { waiting, id }
    }
}

impl Drop for Forgotten<'_> {
    fn drop(&mut self) {
        self.waiting.take(self.id);
    }
}
