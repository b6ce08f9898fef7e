//! Deleting from the source what the destination has safely.

use parking_lot::Mutex;

use crate::Entry;

/// Deletions for which the destination is synced at once: a sync costs about as much as writing some hundred files.
const BATCH: usize = 256;

/// What waits for a sync of the destination.
#[derive(Debug, Default)]
pub(super) struct Doomed(Mutex<Vec<Entry>>);

impl Doomed {
    /// Adds one; answers a batch when there is one.
    pub(super) fn add(&self, entry: Entry) -> Option<Vec<Entry>> {
        let mut waiting = self.0.lock();
        waiting.push(entry);
        (waiting.len() >= BATCH).then(|| std::mem::take(&mut *waiting))
    }

    /// What is left.
    pub(super) fn rest(&self) -> Vec<Entry> {
        std::mem::take(&mut *self.0.lock())
    }
}
