//! Filling, emptying and looking into the cache on request.

use std::path::PathBuf;

use moorage_model::{Result, SliceId};

use crate::block::{BlockId, block_at};
use crate::chunk_store::ChunkStore;
use crate::read::Keep;

/// Where a block is read from now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockPlace {
    /// The object store alone.
    Store,
    /// Memory, for as long as there is room.
    Memory,
    /// The disk cache.
    Cache,
    /// The staging folder: it waits for its upload.
    Staged,
    /// An object store that is a folder of this computer, which needs no cache.
    Local,
}

/// The cache of a volume on this computer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CacheUse {
    /// None: objects are read where they lie, in a folder of this computer.
    Needless,
    /// In memory alone.
    Memory {
        /// Bytes held.
        bytes: u64,
    },
    /// On disk.
    Disk {
        /// Folders of blocks.
        folders: Vec<PathBuf>,
        /// Blocks held.
        blocks: u64,
        /// Bytes of their files.
        bytes: u64,
        /// Most bytes.
        limit: u64,
        /// Blocks held that are pinned.
        pinned_blocks: u64,
        /// Bytes of their files.
        pinned_bytes: u64,
        /// Most bytes of pinned blocks.
        pin_limit: u64,
    },
}

impl ChunkStore {
    /// The blocks that hold these bytes of a slice, each with the number of those bytes.
    pub fn blocks_of(
        &self,
        id: SliceId,
        size: u32,
        off: u32,
        len: u32,
    ) -> impl Iterator<Item = (BlockId, u32)> + use<> {
        let block_size = self.config.block_size;
        let end = off.saturating_add(len).min(size);
        let last = if id == SliceId::HOLE {
            0
        } else {
            end.div_ceil(block_size)
        };
        (off / block_size..last).map(move |index| {
            let start = index.saturating_mul(block_size);
            let from = off.max(start);
            let to = end.min(start.saturating_add(block_size));
            (block_at(id, size, block_size, index), to.saturating_sub(from))
        })
    }

    /// Where a block is read from. Right once [`ChunkStore::settle_cache`] has returned, and until something changes.
    pub fn place_of(&self, block: &BlockId) -> BlockPlace {
        if self.direct {
            BlockPlace::Local
        } else if self.is_staged(block) {
            BlockPlace::Staged
        } else if self.disk.as_ref().is_some_and(|disk| disk.may_have(block)) {
            BlockPlace::Cache
        } else if self.memory.get(block).is_some() {
            BlockPlace::Memory
        } else {
            BlockPlace::Store
        }
    }

    /// The place where blocks stay that are fetched to be kept.
    pub fn cache_place(&self) -> BlockPlace {
        match (self.direct, &self.disk) {
            (true, _) => BlockPlace::Local,
            (false, Some(_)) => BlockPlace::Cache,
            (false, None) => BlockPlace::Memory,
        }
    }

    /// Waits until the disk cache knows what earlier processes left, and has written what it was given until now.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn settle_cache(&self) {
        if let Some(disk) = &self.disk {
            disk.settle().await;
        }
    }

    /// Fetches a block that is not on this computer, to keep it. Waits while the disk cache is behind with writing, and
    /// while transfers that nobody waits for are held: nobody reads these bytes yet.
    ///
    /// # Errors
    /// As [`ChunkStore::read`].
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn warm(&self, block: BlockId) -> Result<()> {
        if self.direct || self.is_on_disk(&block) {
            return Ok(());
        }
        self.holding.ends().await;
        if let Some(disk) = &self.disk {
            disk.catch_up(&block).await;
        }
        self.fetch(block, Keep::Surely).await.map(drop)
    }

    /// Drops a block from the caches; what is staged or pinned stays.
    pub fn evict(&self, block: &BlockId) {
        if self.is_pinned(block) {
            return;
        }
        self.memory.remove(block);
        if let Some(disk) = &self.disk {
            disk.remove(block);
        }
    }

    /// The cache now. In proportion to the number of pinned blocks.
    pub fn cache_use(&self) -> CacheUse {
        let stats = self.stats();
        match &self.disk {
            _ if self.direct => CacheUse::Needless,
            None => CacheUse::Memory {
                bytes: stats.memory_bytes,
            },
            Some(disk) => {
                let pinned = disk.pinned();
                CacheUse::Disk {
                    folders: disk.folders(),
                    blocks: stats.cache_blocks,
                    bytes: stats.cache_bytes,
                    limit: stats.cache_limit,
                    pinned_blocks: pinned.blocks,
                    pinned_bytes: pinned.bytes,
                    pin_limit: pinned.limit,
                }
            }
        }
    }
}
