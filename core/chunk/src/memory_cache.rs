//! Blocks just read or just written, in memory.

use bytes::Bytes;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

use crate::block::BlockId;

/// Bookkeeping charged per block, bytes.
const ENTRY_OVERHEAD: u64 = 128;
/// Full blocks that one shard must be able to hold, or a scan would flush it with every step.
const BLOCKS_PER_SHARD: u64 = 8;
/// More shards than this gain nothing: the lock is held for a map look-up.
const MAX_SHARDS: u64 = 16;

#[derive(Clone, Debug)]
struct ByLength;

impl Weighter<BlockId, Bytes> for ByLength {
    fn weight(&self, _: &BlockId, block: &Bytes) -> u64 {
        block.len() as u64 + ENTRY_OVERHEAD
    }
}

/// Bounded by bytes. Evicts by Clock-PRO (crate quick_cache): a scan passes through its cold part and leaves
/// what is read again and again.
#[derive(Debug)]
pub(crate) struct MemoryCache {
    blocks: Cache<BlockId, Bytes, ByLength>,
    largest: u64,
}

impl MemoryCache {
    pub(crate) fn new(capacity: u64, block_size: u32) -> MemoryCache {
        let block = u64::from(block_size) + ENTRY_OVERHEAD;
        let shards = (capacity / (BLOCKS_PER_SHARD * block)).clamp(1, MAX_SHARDS);
        let items = usize::try_from(capacity / (64 << 10))
            .unwrap_or(usize::MAX)
            .clamp(16, 1 << 16);
        let options = OptionsBuilder::new()
            .shards(usize::try_from(shards).unwrap_or(1))
            .estimated_items_capacity(items)
            .weight_capacity(capacity)
            .build();
        let blocks = match options {
            Ok(options) => Cache::with_options(
                options,
                ByLength,
                DefaultHashBuilder::default(),
                DefaultLifecycle::default(),
            ),
            Err(_) => Cache::with_weighter(items, capacity, ByLength),
        };
        MemoryCache {
            blocks,
            largest: capacity / shards,
        }
    }

    pub(crate) fn get(&self, block: &BlockId) -> Option<Bytes> {
        self.blocks.get(block)
    }

    pub(crate) fn insert(&self, block: BlockId, bytes: Bytes) {
        if bytes.len() as u64 + ENTRY_OVERHEAD <= self.largest {
            self.blocks.insert(block, bytes);
        }
    }

    pub(crate) fn remove(&self, block: &BlockId) {
        self.blocks.remove(block);
    }

    /// Bytes held.
    pub(crate) fn weight(&self) -> u64 {
        self.blocks.weight()
    }
}
