//! One request at a time per owner and inode.
//!
//! What a request that was dropped does in the background (a commit under way, taking its grant back) would undo the
//! next request of the same owner, for instance the one that a program repeats after a signal.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use moorage_model::{Ino, LockOwner};
use parking_lot::Mutex;
use tokio::sync::{Mutex as Queue, OwnedMutexGuard};

use crate::Meta;

/// An owner on an inode.
pub(super) type Asker = (Ino, LockOwner);

/// The queues of those that ask for locks now.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<HashMap<Asker, Weak<Queue<()>>>>);

impl Turns {
    pub(super) fn queue(&self, asker: Asker) -> Arc<Queue<()>> {
        let mut queues = self.0.lock();
        if let Some(queue) = queues.get(&asker).and_then(Weak::upgrade) {
            return queue;
        }
        let queue = Arc::new(Queue::new(()));
        queues.insert(asker, Arc::downgrade(&queue));
        queue
    }

    fn forget_unused(&self, asker: Asker) {
        let mut queues = self.0.lock();
        if queues.get(&asker).is_some_and(|queue| queue.strong_count() == 0) {
            queues.remove(&asker);
        }
    }
}

/// The right to change the locks of an owner on an inode, until it is dropped.
pub(super) struct Turn {
    meta: Arc<Meta>,
    asker: Asker,
    /// `None` only while it is dropped.
    place: Option<OwnedMutexGuard<()>>,
}

impl Turn {
    pub(super) fn new(meta: Arc<Meta>, asker: Asker, place: OwnedMutexGuard<()>) -> Turn {
        Turn {
            meta,
            asker,
            place: Some(place),
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.place = None;
        self.meta.lock_waits.turns().forget_unused(self.asker);
    }
}
