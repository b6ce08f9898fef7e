//! How many records the chunks that this client writes have, without reading their lists for every write.

use moorage_model::{ChunkIndex, Ino};
use quick_cache::sync::Cache;

/// Chunks remembered; a forgotten one is read again by its next write.
const REMEMBERED_CHUNKS: usize = 16_384;
/// Own writes after which a count is read again, since other clients append too.
const RECOUNT_AFTER: u32 = 100;

#[derive(Clone, Copy, Debug)]
struct Known {
    records: u32,
    /// Own records since the list was read.
    added: u32,
}

/// Record counts by chunk: exact when last read, plus what this client appended since.
#[derive(Debug)]
pub(crate) struct SliceCounts(Cache<(Ino, ChunkIndex), Known>);

impl Default for SliceCounts {
    fn default() -> Self {
        SliceCounts(Cache::new(REMEMBERED_CHUNKS))
    }
}

impl SliceCounts {
    /// The count, when it is recent enough to decide on compaction.
    pub(crate) fn get(&self, ino: Ino, chunk: ChunkIndex) -> Option<u32> {
        self.0
            .get(&(ino, chunk))
            .filter(|known| known.added < RECOUNT_AFTER)
            .map(|known| known.records)
    }

    /// Notes a list that was read.
    pub(crate) fn counted(&self, ino: Ino, chunk: ChunkIndex, records: usize) {
        let records = u32::try_from(records).unwrap_or(u32::MAX);
        self.0.insert((ino, chunk), Known { records, added: 0 });
    }

    /// Notes own records appended to a list of which `before` were known.
    pub(crate) fn appended(&self, ino: Ino, chunk: ChunkIndex, before: u32, appended: u32, exact: bool) {
        let added = if exact {
            0
        } else {
            self.0.get(&(ino, chunk)).map_or(0, |known| known.added)
        };
        let known = Known {
            records: before.saturating_add(appended),
            added: added.saturating_add(appended),
        };
        self.0.insert((ino, chunk), known);
    }

    /// Forgets a chunk whose list was replaced.
    pub(crate) fn forget(&self, ino: Ino, chunk: ChunkIndex) {
        self.0.remove(&(ino, chunk));
    }
}
