//! When chunks are compacted, and how many at once (spec 20-model section 8).

use std::collections::HashSet;

use moorage_model::{ChunkIndex, Ino, Slice};
use parking_lot::Mutex;
use quick_cache::sync::Cache;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::Meta;

/// Compactions that run at once in this process.
const AT_ONCE: usize = 10;
/// Records from which a chunk that was read is worth a look.
const AFTER_READ: usize = 5;
/// After a write a chunk is looked at whenever its record count leaves this remainder …
const AFTER_WRITES: u32 = 100;
/// … and always above this count.
const MANY_RECORDS: u32 = 350;
/// Records from which the writer waits for the compaction: a MySQL BLOB holds 2730.
const TOO_MANY_RECORDS: u32 = 2500;
/// Chunks remembered as not worth it.
const REMEMBERED_CHUNKS: usize = 16_384;

/// Which chunks this client compacts now, and which it knows to gain nothing.
#[derive(Debug)]
pub(crate) struct Compactions {
    running: Mutex<HashSet<(Ino, ChunkIndex)>>,
    permits: Semaphore,
    useless: Cache<(Ino, ChunkIndex), usize>,
}

impl Default for Compactions {
    fn default() -> Self {
        Compactions {
            running: Mutex::default(),
            permits: Semaphore::new(AT_ONCE),
            useless: Cache::new(REMEMBERED_CHUNKS),
        }
    }
}

/// The right to compact one chunk, given back when dropped.
#[derive(Debug)]
pub(crate) struct Turn<'c> {
    compactions: &'c Compactions,
    chunk: (Ino, ChunkIndex),
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.compactions.running.lock().remove(&self.chunk);
    }
}

impl Compactions {
    /// The right to compact this chunk; `None` when it is being compacted.
    pub(crate) fn begin(&self, ino: Ino, chunk: ChunkIndex) -> Option<Turn<'_>> {
        let chunk = (ino, chunk);
        self.running.lock().insert(chunk).then(|| Turn {
            compactions: self,
            chunk,
        })
    }

    /// Waits until fewer than the allowed number run. `None` only when the semaphore is closed, which never happens.
    pub(crate) async fn permit(&self) -> Option<SemaphorePermit<'_>> {
        self.permits.acquire().await.ok()
    }

    /// Remembers that a list of this length gains nothing.
    pub(crate) fn note_useless(&self, ino: Ino, chunk: ChunkIndex, records: usize) {
        self.useless.insert((ino, chunk), records);
    }

    fn is_useless(&self, ino: Ino, chunk: ChunkIndex, records: usize) -> bool {
        self.useless.get(&(ino, chunk)) == Some(records)
    }

    fn is_busy(&self, ino: Ino, chunk: ChunkIndex) -> bool {
        self.permits.available_permits() == 0 || self.running.lock().contains(&(ino, chunk))
    }
}

impl Meta {
    /// Compacts a chunk that was read in the background when it has many records.
    pub(crate) fn compact_after_read(&self, ino: Ino, chunk: ChunkIndex, slices: &[Slice]) {
        let worth_it = slices.len() >= AFTER_READ && !self.compactions.is_useless(ino, chunk, slices.len());
        if worth_it {
            self.compact_later(ino, chunk);
        }
    }

    /// Compacts a chunk that was written: in the background when it has many records, at once when it has so many
    /// that engines could soon not hold more.
    pub(crate) async fn compact_after_write(&self, ino: Ino, chunk: ChunkIndex, records: u32) {
        if records >= TOO_MANY_RECORDS {
            if let Err(error) = self.compact_chunk(ino, chunk).await {
                tracing::warn!(%ino, %chunk, records, %error, "compacting a chunk with too many records");
            }
        } else if records % AFTER_WRITES == AFTER_WRITES - 1 || records > MANY_RECORDS {
            self.compact_later(ino, chunk);
        }
    }

    fn compact_later(&self, ino: Ino, chunk: ChunkIndex) {
        // A short command without a session would end in the middle of it.
        let works_behind = self.session().0 != 0 && self.options.background_jobs;
        if !works_behind || self.compactions.is_busy(ino, chunk) {
            return;
        }
        let (Ok(meta), Some(data)) = (self.shared(), self.data_store()) else {
            return;
        };
        // A chunk that is skipped here is looked at again by the next read or write.
        self.tasks.spawn(|mut stop| async move {
            let compaction = meta.compact_chunk(ino, chunk);
            tokio::select! {
                biased;
                () = stop.stopped() => {}
                () = data.rest_begins() => {}
                outcome = compaction => match outcome {
                    Ok(outcome) => tracing::debug!(%ino, %chunk, ?outcome, "compaction"),
                    Err(error) => tracing::warn!(%ino, %chunk, %error, "compaction"),
                },
            }
        });
    }
}
