//! The handle of a volume's data.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Weak};
use std::time::Duration;

use moorage_model::{Error, ErrorKind, Result, SliceId, TierId};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::block::{BlockId, block_at, blocks};
use crate::buffer::BufferPool;
use crate::compress::Compression;
use crate::config::ChunkConfig;
use crate::flight::Flights;
use crate::guard::Guard;
use crate::memory_cache::MemoryCache;
use crate::rate::Rate;
use crate::stats::{ChunkStats, Counts};
use crate::store::ObjectStore;
use crate::touch::Touches;
use crate::writer::SliceWriter;

/// Most fetches that run ahead of readers.
const MAX_PREFETCHES: u64 = 32;
/// Uploads per core to a local folder: more only take turns at the same page cache.
const LOCAL_UPLOADS_PER_CORE: usize = 4;

/// Blocks that a write-back volume has acknowledged but not yet uploaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PendingUploads {
    /// Number of blocks.
    pub blocks: u64,
    /// Bytes of their objects.
    pub bytes: u64,
    /// How long the oldest has been waiting.
    pub oldest: Option<Duration>,
    /// Why the last attempt failed, if it did.
    pub last_error: Option<String>,
}

/// The data of one volume: writes slices as blocks, reads them through caches.
///
/// One per mounted volume, shared behind an `Arc`. None of its futures needs to be polled inside the runtime:
/// what has to wait runs in tasks of the runtime that [`ChunkStore::open`] was called in.
pub struct ChunkStore {
    pub(crate) this: Weak<ChunkStore>,
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) config: ChunkConfig,
    pub(crate) runtime: Handle,
    /// Object bytes are block bytes on this machine: reads go to the object, caches would only copy it.
    pub(crate) direct: bool,
    /// The store is on this machine.
    pub(crate) local: bool,
    pub(crate) pool: Arc<BufferPool>,
    pub(crate) uploads: Arc<Semaphore>,
    pub(crate) downloads: Arc<Semaphore>,
    pub(crate) prefetches: Arc<Semaphore>,
    /// Compressing and decompressing at the same time: as many as cores.
    pub(crate) codecs: Arc<Semaphore>,
    pub(crate) memory: MemoryCache,
    pub(crate) flights: Arc<Flights>,
    pub(crate) touches: Touches,
    pub(crate) guard: Guard,
    pub(crate) upload_rate: Rate,
    pub(crate) download_rate: Rate,
    pub(crate) counts: Counts,
}

impl fmt::Debug for ChunkStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunkStore")
            .field("store", &self.store.describe())
            .finish_non_exhaustive()
    }
}

impl ChunkStore {
    /// Opens the data of the volume `uuid`. With write-back, blocks that an earlier process left staged are queued
    /// for upload.
    ///
    /// # Errors
    /// `InvalidArgument` for a block size of zero.
    pub async fn open(
        store: Arc<dyn ObjectStore>,
        config: ChunkConfig,
        uuid: &str,
    ) -> Result<Arc<ChunkStore>> {
        let _ = uuid;
        if config.block_size == 0 {
            return Err(Error::new(ErrorKind::InvalidArgument, "the block size is zero"));
        }
        let features = store.features();
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let max_uploads = config.max_uploads.max(1);
        let uploads = if features.local {
            max_uploads.min(cores * LOCAL_UPLOADS_PER_CORE)
        } else {
            max_uploads
        };
        let block = u64::from(config.block_size);
        // Two thirds for data being written, the rest for data read.
        let read_budget = config.buffer_size / 3;
        let prefetches = (read_budget / block).clamp(1, MAX_PREFETCHES);
        let downloads = (read_budget / block).clamp(1, config.max_downloads.max(1) as u64);
        Ok(Arc::new_cyclic(|this| ChunkStore {
            this: this.clone(),
            direct: features.local && !features.encrypted && config.compression == Compression::None,
            local: features.local,
            runtime: Handle::current(),
            pool: BufferPool::new(config.buffer_size - read_budget, config.block_size),
            uploads: Arc::new(Semaphore::new(uploads)),
            downloads: Arc::new(Semaphore::new(usize::try_from(downloads).unwrap_or(1))),
            prefetches: Arc::new(Semaphore::new(usize::try_from(prefetches).unwrap_or(1))),
            codecs: Arc::new(Semaphore::new(cores)),
            memory: MemoryCache::new(read_budget, config.block_size),
            flights: Arc::default(),
            touches: Touches::new(),
            guard: Guard::new(config.get_timeout, config.put_timeout, config.retries),
            upload_rate: Rate::new(config.upload_limit),
            download_rate: Rate::new(config.download_limit),
            counts: Counts::default(),
            store,
            config,
        }))
    }

    /// Starts a slice. Its id may be given later, but before [`SliceWriter::finish`].
    pub fn new_slice(self: &Arc<Self>, tier: TierId) -> SliceWriter {
        SliceWriter::new(Arc::clone(self), tier)
    }

    /// Bytes of a full block.
    pub fn block_size(&self) -> u32 {
        self.config.block_size
    }

    /// The store underneath.
    pub fn store(&self) -> &Arc<dyn ObjectStore> {
        &self.store
    }

    /// Bytes of write buffers in use, and at most. Whoever holds unfinished slices should finish them as these
    /// approach each other, since writers wait for buffers then.
    pub fn buffers(&self) -> (u64, u64) {
        self.pool.usage()
    }

    /// Deletes all block objects of a slice, and what the caches and the staging folder hold of it. Blocks that
    /// do not exist count as deleted.
    ///
    /// # Errors
    /// The first failure; the call may be repeated.
    pub async fn remove(&self, id: SliceId, size: u32) -> Result<()> {
        if id == SliceId::HOLE {
            return Ok(());
        }
        let mut list = blocks(id, size, self.config.block_size);
        if self.local {
            return self.remove_in_place(list).await;
        }
        let this = self.this.upgrade().ok_or_else(closed)?;
        let task = self.runtime.spawn(async move {
            use futures_util::stream::{StreamExt as _, TryStreamExt as _};
            let most = this.config.max_deletes.max(1);
            let each = list.by_ref().map(|block| this.remove_block(block));
            futures_util::stream::iter(each)
                .buffer_unordered(most)
                .try_collect::<()>()
                .await
        });
        task.await.unwrap_or_else(|_| Err(closed()))
    }

    async fn remove_in_place(&self, list: impl Iterator<Item = BlockId>) -> Result<()> {
        for block in list {
            self.forget(&block);
            self.store.delete(&self.key(&block)).await?;
        }
        Ok(())
    }

    pub(crate) async fn remove_block(&self, block: BlockId) -> Result<()> {
        self.forget(&block);
        let key = self.key(&block);
        self.guard
            .call(crate::guard::Purpose::Write, &key, || self.store.delete(&key))
            .await
    }

    /// Drops what is kept of a block on this machine.
    fn forget(&self, block: &BlockId) {
        self.memory.remove(block);
    }

    pub(crate) fn key(&self, block: &BlockId) -> String {
        block.key(self.config.hash_prefix)
    }

    /// The barrier: on return every block that a finished slice names survives a power cut. One barrier serves
    /// everybody who waits.
    ///
    /// # Errors
    /// The store's; the call may be repeated.
    pub async fn sync(&self) -> Result<()> {
        self.store.sync().await
    }

    /// What is acknowledged but not yet in the store.
    pub fn pending(&self) -> PendingUploads {
        PendingUploads::default()
    }

    /// Waits until nothing is pending; `progress` hears of each block that goes.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn drain(&self, mut progress: impl FnMut(&PendingUploads) + Send) -> Result<()> {
        progress(&self.pending());
        Ok(())
    }

    /// Starts fetching the blocks that hold these bytes of a slice. Returns at once; does nothing for blocks that
    /// are near already or when too much is being fetched ahead.
    pub fn prefetch(self: &Arc<Self>, id: SliceId, size: u32, off: u32, len: u32) {
        if id == SliceId::HOLE || len == 0 || off >= size {
            return;
        }
        let block_size = self.config.block_size;
        let end = off.saturating_add(len).min(size);
        for index in off / block_size..end.div_ceil(block_size) {
            let block = block_at(id, size, block_size, index);
            let start = u64::from(index) * u64::from(block_size);
            let from = u64::from(off).saturating_sub(start);
            let to = (u64::from(end) - start).min(u64::from(block.len));
            self.prefetch_block(block, from..to);
        }
    }

    fn prefetch_block(self: &Arc<Self>, block: BlockId, range: Range<u64>) {
        if !self.direct && self.memory.get(&block).is_some() {
            return;
        }
        let Ok(permit) = Arc::clone(&self.prefetches).try_acquire_owned() else {
            return;
        };
        let this = Arc::clone(self);
        if self.direct {
            self.runtime.spawn_blocking(move || {
                this.store.will_need(&this.key(&block), range);
                drop(permit);
            });
            return;
        }
        self.runtime.spawn(async move {
            // A failure shows when somebody reads the block.
            let _ = this.fetch(block).await;
            drop(permit);
        });
    }

    /// Counters since the start.
    pub fn stats(&self) -> ChunkStats {
        let (buffer_used, buffer_limit) = self.pool.usage();
        ChunkStats {
            store: self.store.counters(),
            memory_bytes: self.memory.weight(),
            buffer_used,
            buffer_limit,
            ..self.counts.snapshot()
        }
    }
}

/// The error of work that outlives its store.
pub(crate) fn closed() -> Error {
    Error::new(ErrorKind::Io, "the volume's data was closed meanwhile")
}
