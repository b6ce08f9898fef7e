//! Storing blocks.

use std::sync::{Arc, Weak};

use bytes::Bytes;
use moorage_model::{ErrorKind, Ino, Result, TierId};
use tokio::sync::watch;

use crate::block::BlockId;
use crate::block_file::Form;
use crate::chunk_store::{ChunkStore, permit};
use crate::guard::Purpose;
use crate::offload::{IN_PLACE_BYTES, away};
use crate::staging::{Staged, Staging};

impl ChunkStore {
    /// Whether a block can be stored without waiting: small, to a local folder, with nothing in the way.
    pub(crate) fn stores_in_place(&self, len: usize) -> bool {
        self.local && len <= IN_PLACE_BYTES && self.upload_rate.unlimited()
    }

    /// Stores a small block on the caller's thread. Local failures do not pass, so there is nothing to retry.
    pub(crate) async fn store_in_place(&self, block: BlockId, tier: TierId, bytes: Bytes) -> Result<()> {
        let body = self.store.seal(self.config.compression.encode(bytes.clone())?)?;
        self.store
            .put_sealed(&self.key(&block), body.clone(), tier)
            .await?;
        self.keep(block, &bytes, &body);
        Ok(())
    }

    /// Stores a block of the file `owner`: compressed, encrypted, then staged where there is write-back, else sent with
    /// retries. Runs in a task of the runtime.
    pub(crate) async fn store_block(
        &self,
        block: BlockId,
        owner: Option<Ino>,
        tier: TierId,
        bytes: Bytes,
    ) -> Result<()> {
        if let Some(staging) = &self.staging {
            let body = {
                let _permit = permit(&self.stagings).await?;
                let body = self.encode(bytes.clone()).await?;
                if staging.stage(block, owner, self.form(), tier, &body).await {
                    self.keep_in_memory(block, &bytes);
                    return Ok(());
                }
                body
            };
            let _permit = permit(&self.uploads).await?;
            return self.send_and_keep(block, tier, bytes, body).await;
        }
        let _permit = permit(&self.uploads).await?;
        let body = self.encode(bytes.clone()).await?;
        self.send_and_keep(block, tier, bytes, body).await
    }

    async fn send_and_keep(&self, block: BlockId, tier: TierId, bytes: Bytes, body: Bytes) -> Result<()> {
        self.send(block, tier, body.clone()).await?;
        self.keep(block, &bytes, &body);
        Ok(())
    }

    /// Sends the object of a block, with retries.
    pub(crate) async fn send(&self, block: BlockId, tier: TierId, body: Bytes) -> Result<()> {
        let key = self.key(&block);
        self.upload_rate.pass(body.len()).await;
        self.guard
            .call(Purpose::Write, &key, || {
                self.store.put_sealed(&key, body.clone(), tier)
            })
            .await
    }

    /// What the objects of this volume are beside their blocks.
    fn form(&self) -> Form {
        if self.plain { Form::Block } else { Form::Object }
    }

    /// The object of a block: compressed, then encrypted. On the caller's thread when that is next to nothing.
    async fn encode(&self, bytes: Bytes) -> Result<Bytes> {
        let compression = self.config.compression;
        if self.plain || bytes.len() <= IN_PLACE_BYTES {
            return self.store.seal(compression.encode(bytes)?);
        }
        let _permit = permit(&self.codecs).await?;
        let store = Arc::clone(&self.store);
        away(&self.runtime, move || store.seal(compression.encode(bytes)?)).await
    }

    /// Keeps a block that was just written for readers, unless the page cache has it anyway.
    fn keep(&self, block: BlockId, bytes: &Bytes, body: &Bytes) {
        self.keep_in_memory(block, bytes);
        if let Some(disk) = &self.disk {
            if self.store.features().encrypted {
                disk.insert(block, Form::Object, body.clone());
            } else {
                disk.insert(block, Form::Block, self.shrink(bytes));
            }
        }
    }

    fn keep_in_memory(&self, block: BlockId, bytes: &Bytes) {
        if !self.direct {
            self.memory.insert(block, self.shrink(bytes));
        }
    }

    /// The same bytes without the rest of the write buffer they lie in: caches count bytes, not buffers. One copy
    /// for the last block of a slice, none for full ones.
    fn shrink(&self, bytes: &Bytes) -> Bytes {
        if bytes.len() < self.config.block_size as usize {
            Bytes::copy_from_slice(bytes)
        } else {
            bytes.clone()
        }
    }
}

/// Ends the rest after a failed upload when the store is back, until the volume is closed. One task per volume.
pub(crate) async fn retry_at_turns(staging: Weak<Staging>, mut turns: watch::Receiver<u64>) {
    while turns.changed().await.is_ok() {
        let Some(staging) = staging.upgrade() else { return };
        staging.retry();
    }
}

/// Uploads what is staged, in order, until the volume is closed; rests while transfers that nobody waits for are held.
/// One task per volume.
pub(crate) async fn upload_staged(store: Weak<ChunkStore>, staging: Arc<Staging>) {
    while let Some(staged) = staging.next().await {
        let Some(this) = store.upgrade() else { return };
        let Ok(permit) = permit(&this.uploads).await else {
            return;
        };
        let staging = Arc::clone(&staging);
        tokio::spawn(async move {
            this.upload_one(&staging, staged).await;
            drop(permit);
        });
    }
}

impl ChunkStore {
    /// The object of a block whose file is gone and whose bytes are still in memory.
    async fn remembered(&self, staged: &Staged) -> Option<Bytes> {
        self.encode(self.memory.get(&staged.block)?).await.ok()
    }

    async fn upload_one(&self, staging: &Arc<Staging>, staged: Staged) {
        let reader = Arc::clone(staging);
        let payload = match away(&self.runtime, move || reader.payload(&staged)).await {
            Ok(payload) => payload,
            Err(error) if error.kind() == ErrorKind::Corrupt => return staging.lost(&staged, &error),
            Err(error) if error.kind() == ErrorKind::NotFound => match self.remembered(&staged).await {
                Some(payload) => payload,
                None => return staging.gone(&staged, &error),
            },
            Err(error) => return staging.failed(&staged, &error),
        };
        let sent = tokio::select! {
            sent = self.send(staged.block, staged.tier, payload) => sent,
            // The object is written whole or not at all, and once more later.
            () = self.holding.begins() => return staging.put_back(&staged),
        };
        if let Err(error) = sent {
            tracing::warn!(%error, "a staged block could not be uploaded; it is tried again");
            return staging.failed(&staged, &error);
        }
        if let Some(disk) = &self.disk {
            disk.announce(&staged.block);
        }
        let arrived = staging.arrived(&staged);
        let keeps = self.disk.is_some() && arrived.wanted;
        if !keeps {
            arrived.discard();
        }
        if let Some(disk) = &self.disk {
            disk.adopt(staged.block, arrived.wanted.then_some(arrived.file));
        }
        staging.left();
        if !arrived.wanted
            && let Err(error) = self.remove_block(staged.block).await
        {
            tracing::debug!(%error, "the object of a deleted slice is left to garbage collection");
        }
    }
}
