//! Who is next on a key that several jobs of this client change at once.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::sync::OwnedMutexGuard;

/// Keys that are remembered before those that nobody waits for any more are forgotten.
const FORGET_ABOVE: usize = 1024;

/// Queues of jobs that met a conflict. A job waits in one at a time, so no two wait for each other.
#[derive(Debug, Default)]
pub(super) struct Turns {
    queues: Mutex<HashMap<Vec<u8>, Weak<tokio::sync::Mutex<()>>>>,
}

impl Turns {
    /// Waits until no other job that met a conflict on this key runs. The turn ends with what is returned.
    pub(super) async fn wait(&self, key: &[u8]) -> OwnedMutexGuard<()> {
        let queue = {
            let mut queues = self.queues.lock();
            match queues.get(key).and_then(Weak::upgrade) {
                Some(queue) => queue,
                None => {
                    if queues.len() >= FORGET_ABOVE {
                        queues.retain(|_, queue| queue.strong_count() > 0);
                    }
                    let queue = Arc::new(tokio::sync::Mutex::new(()));
                    queues.insert(key.to_vec(), Arc::downgrade(&queue));
                    queue
                }
            }
        };
        queue.lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_job_at_a_time_has_the_turn_of_a_key_and_others_do_not_wait() {
        let turns = Turns::default();
        let first = turns.wait(b"a").await;
        let _other = turns.wait(b"b").await;
        let mut second = std::pin::pin!(turns.wait(b"a"));
        assert!(futures_util::poll!(second.as_mut()).is_pending());
        drop(first);
        assert!(futures_util::poll!(second.as_mut()).is_ready());
    }

    #[tokio::test]
    async fn keys_that_nobody_waits_for_are_forgotten() {
        let turns = Turns::default();
        for number in 0..10 * FORGET_ABOVE {
            drop(turns.wait(&number.to_be_bytes()).await);
        }
        assert!(turns.queues.lock().len() <= FORGET_ABOVE);
    }
}
