//! Filling and emptying the cache on request.

use moorage_model::{Result, SliceId};

use crate::block::{BlockId, block_at};
use crate::chunk_store::ChunkStore;

impl ChunkStore {
    /// The blocks that hold these bytes of a slice.
    fn blocks_of(&self, id: SliceId, size: u32, off: u32, len: u32) -> impl Iterator<Item = BlockId> + use<> {
        let block_size = self.config.block_size;
        let end = off.saturating_add(len).min(size);
        let last = if id == SliceId::HOLE {
            0
        } else {
            end.div_ceil(block_size)
        };
        (off / block_size..last).map(move |index| block_at(id, size, block_size, index))
    }

    /// Bytes of the blocks behind these bytes of a slice that a read would have to get from the store. None where no
    /// cache lies between, as with a local folder.
    pub fn missing(&self, id: SliceId, size: u32, off: u32, len: u32) -> u64 {
        if self.direct {
            return 0;
        }
        let far = self
            .blocks_of(id, size, off, len)
            .filter(|block| !self.is_on_disk(block) && self.memory.get(block).is_none());
        far.map(|block| u64::from(block.len)).sum()
    }

    /// Fetches the blocks behind these bytes of a slice that are not cached, one after the other. Waits while transfers
    /// that nobody waits for are held: nobody reads these bytes yet.
    ///
    /// # Errors
    /// As [`ChunkStore::read`].
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn warm(&self, id: SliceId, size: u32, off: u32, len: u32) -> Result<()> {
        if self.direct {
            return Ok(());
        }
        for block in self.blocks_of(id, size, off, len) {
            if !self.is_on_disk(&block) {
                self.holding.ends().await;
                self.fetch(block).await?;
            }
        }
        Ok(())
    }

    /// Drops what the caches hold of these bytes of a slice; what is staged stays.
    pub fn evict(&self, id: SliceId, size: u32, off: u32, len: u32) {
        for block in self.blocks_of(id, size, off, len) {
            self.memory.remove(&block);
            if let Some(disk) = &self.disk {
                disk.remove(&block);
            }
        }
    }
}
