//! The data of a volume as the namespace asks for it.

use std::sync::Arc;

use async_trait::async_trait;
use moorage_chunk::ChunkStore;
use moorage_meta::DataStore;
use moorage_model::{Result, Segment, SliceId, TierId};

/// Gives [`moorage_meta::Meta`] the chunk store for deletion, compaction and durability.
#[derive(Clone, Debug)]
pub struct VolumeData {
    chunks: Arc<ChunkStore>,
}

impl VolumeData {
    /// The data in `chunks`.
    pub fn new(chunks: Arc<ChunkStore>) -> VolumeData {
        VolumeData { chunks }
    }
}

#[async_trait]
impl DataStore for VolumeData {
    async fn remove(&self, id: SliceId, size: u32) -> Result<()> {
        self.chunks.remove(id, size).await
    }

    async fn rewrite(&self, segments: &[Segment], id: SliceId, tier: TierId) -> Result<u32> {
        self.chunks.rewrite(segments, id, tier).await
    }

    async fn sync(&self) -> Result<()> {
        self.chunks.sync().await
    }

    async fn rest_begins(&self) {
        self.chunks.hold_begins().await;
    }
}
