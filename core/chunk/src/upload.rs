//! Storing blocks.

use std::sync::Arc;

use bytes::Bytes;
use moorage_model::{Result, TierId};

use crate::block::BlockId;
use crate::chunk_store::{ChunkStore, closed};
use crate::guard::Purpose;
use crate::offload::{IN_PLACE_BYTES, away};

impl ChunkStore {
    /// Whether a block can be stored without waiting: small, to a local folder, with nothing in the way.
    pub(crate) fn stores_in_place(&self, len: usize) -> bool {
        self.local && len <= IN_PLACE_BYTES && self.upload_rate.unlimited()
    }

    /// Stores a small block on the caller's thread. Local failures do not pass, so there is nothing to retry.
    pub(crate) async fn store_in_place(&self, block: BlockId, tier: TierId, bytes: Bytes) -> Result<()> {
        let body = self.store.seal(self.config.compression.encode(bytes.clone())?)?;
        self.store.put_sealed(&self.key(&block), body, tier).await?;
        self.keep(block, bytes);
        Ok(())
    }

    /// Stores a block: compressed, encrypted, sent, with retries. Runs in a task of the runtime.
    pub(crate) async fn store_block(&self, block: BlockId, tier: TierId, bytes: Bytes) -> Result<()> {
        let _permit = Arc::clone(&self.uploads)
            .acquire_owned()
            .await
            .map_err(|_| closed())?;
        let body = self.encode(bytes.clone()).await?;
        self.send(block, tier, body).await?;
        self.keep(block, bytes);
        Ok(())
    }

    async fn send(&self, block: BlockId, tier: TierId, body: Bytes) -> Result<()> {
        let key = self.key(&block);
        self.upload_rate.pass(body.len()).await;
        self.guard
            .call(Purpose::Write, &key, || {
                self.store.put_sealed(&key, body.clone(), tier)
            })
            .await
    }

    /// The object of a block: compressed, then encrypted. On the caller's thread when that is next to nothing.
    async fn encode(&self, bytes: Bytes) -> Result<Bytes> {
        let compression = self.config.compression;
        let plain = compression == crate::Compression::None && !self.store.features().encrypted;
        if plain || bytes.len() <= IN_PLACE_BYTES {
            return self.store.seal(compression.encode(bytes)?);
        }
        let _permit = Arc::clone(&self.codecs)
            .acquire_owned()
            .await
            .map_err(|_| closed())?;
        let store = Arc::clone(&self.store);
        away(&self.runtime, move || store.seal(compression.encode(bytes)?)).await
    }

    /// Keeps a block that was just written for readers, unless the page cache has it anyway.
    fn keep(&self, block: BlockId, bytes: Bytes) {
        if !self.direct {
            self.memory.insert(block, bytes);
        }
    }
}
