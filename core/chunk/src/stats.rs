//! Counters of the data path.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::store::StoreCounters;

/// A moment's view of a chunk store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChunkStats {
    /// Calls of the object store.
    pub store: StoreCounters,
    /// Reads answered from memory.
    pub memory_hits: u64,
    /// Bytes of those.
    pub memory_hit_bytes: u64,
    /// Reads answered from the disk cache.
    pub disk_hits: u64,
    /// Bytes of those.
    pub disk_hit_bytes: u64,
    /// Reads that had to go to the store.
    pub misses: u64,
    /// Bytes of those.
    pub miss_bytes: u64,
    /// Cached blocks that failed their checksum and were thrown away.
    pub cache_damaged: u64,
    /// Bytes in the disk cache.
    pub cache_bytes: u64,
    /// Most bytes in the disk cache; 0 without one.
    pub cache_limit: u64,
    /// Blocks in the disk cache.
    pub cache_blocks: u64,
    /// Bytes in the memory cache.
    pub memory_bytes: u64,
    /// Bytes of write buffers in use.
    pub buffer_used: u64,
    /// Bytes of write buffers at most.
    pub buffer_limit: u64,
    /// Blocks staged since the start.
    pub staged_blocks: u64,
    /// Blocks that should have been staged but went to the store directly.
    pub staging_bypassed: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counts {
    memory_hits: AtomicU64,
    memory_hit_bytes: AtomicU64,
    disk_hits: AtomicU64,
    disk_hit_bytes: AtomicU64,
    misses: AtomicU64,
    miss_bytes: AtomicU64,
}

impl Counts {
    pub(crate) fn memory_hit(&self, bytes: usize) {
        self.memory_hits.fetch_add(1, Relaxed);
        self.memory_hit_bytes.fetch_add(bytes as u64, Relaxed);
    }

    pub(crate) fn disk_hit(&self, bytes: usize) {
        self.disk_hits.fetch_add(1, Relaxed);
        self.disk_hit_bytes.fetch_add(bytes as u64, Relaxed);
    }

    pub(crate) fn miss(&self, bytes: usize) {
        self.misses.fetch_add(1, Relaxed);
        self.miss_bytes.fetch_add(bytes as u64, Relaxed);
    }

    pub(crate) fn snapshot(&self) -> ChunkStats {
        ChunkStats {
            memory_hits: self.memory_hits.load(Relaxed),
            memory_hit_bytes: self.memory_hit_bytes.load(Relaxed),
            disk_hits: self.disk_hits.load(Relaxed),
            disk_hit_bytes: self.disk_hit_bytes.load(Relaxed),
            misses: self.misses.load(Relaxed),
            miss_bytes: self.miss_bytes.load(Relaxed),
            ..ChunkStats::default()
        }
    }
}
