//! The handle of a volume's data.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Weak};

use moorage_model::{Error, ErrorKind, Result, Setting, SliceId, TierId};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::block::{BlockId, block_at, blocks};
use crate::buffer::BufferPool;
use crate::compress::Compression;
use crate::config::{ChunkConfig, bytes_per_second};
use crate::disk_cache::DiskCache;
use crate::flight::Flights;
use crate::guard::{Guard, Over, Question};
use crate::hold::Holding;
use crate::memory_cache::MemoryCache;
use crate::offload::away;
use crate::rate::Rate;
use crate::read::Keep;
use crate::staging::{Staging, watch_neighbours};
use crate::stats::{ChunkStats, Counts};
use crate::store::ObjectStore;
use crate::touch::Touches;
use crate::upload::{retry_at_turns, upload_staged};
use crate::writer::SliceWriter;

/// What the store is asked for to see whether it is there.
const QUESTION_KEY: &str = "testing/moorage-answer";
/// Most fetches that run ahead of readers.
const MAX_PREFETCHES: u64 = 32;
/// Uploads per core to a local folder: more only take turns at the same page cache.
const LOCAL_UPLOADS_PER_CORE: usize = 4;
/// Blocks staged at the same time per core: enough that their syncs share the journal's commits.
const STAGINGS_PER_CORE: usize = 8;

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
    /// Objects are the bytes of their blocks.
    pub(crate) plain: bool,
    pub(crate) holding: Arc<Holding>,
    pub(crate) staging: Option<Arc<Staging>>,
    pub(crate) disk: Option<DiskCache>,
    /// Blocks on their way to the staging folder.
    pub(crate) stagings: Arc<Semaphore>,
    /// Blocks fetched whole after a read of a part.
    pub(crate) behind: Arc<Semaphore>,
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

/// Whether there is such an object, which there is not: any store that is there can tell.
fn question(store: &Arc<dyn ObjectStore>) -> Question {
    let store = Arc::clone(store);
    Box::new(move |over| {
        let store = Arc::clone(&store);
        Box::pin(async move {
            if over == Over::New {
                store.renew();
            }
            store.head(QUESTION_KEY).await.map(drop)
        })
    })
}

impl ChunkStore {
    /// Opens the data of the volume `uuid`. With write-back, blocks that an earlier process left staged are queued
    /// for upload. A store on this machine needs neither disk cache nor write-back, and gets none.
    ///
    /// # Errors
    /// `InvalidArgument` for a block size of zero or an impossible UUID; the disk's when the staging folder can not
    /// be used.
    pub async fn open(
        store: Arc<dyn ObjectStore>,
        config: ChunkConfig,
        uuid: &str,
    ) -> Result<Arc<ChunkStore>> {
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
        let runtime = Handle::current();
        let holding = Arc::new(Holding::new(config.hold, runtime.clone()));
        let staging = match config.writeback.clone().filter(|_| !features.local) {
            Some(writeback) => {
                let (uuid, handle, holding) = (uuid.to_owned(), runtime.clone(), Arc::clone(&holding));
                Some(
                    away(&runtime, move || {
                        Staging::open(&writeback, &uuid, handle, holding)
                    })
                    .await?,
                )
            }
            None => None,
        };
        let disk = match &config.cache {
            Some(cache) if !features.local && !cache.dirs.is_empty() => Some(DiskCache::open(cache, uuid)?),
            _ => None,
        };
        let plain = !features.encrypted && config.compression == Compression::None;
        let permits = |count: u64| Arc::new(Semaphore::new(usize::try_from(count).unwrap_or(1)));
        let this = Arc::new_cyclic(|this| ChunkStore {
            this: this.clone(),
            direct: features.local && plain,
            local: features.local,
            plain,
            holding,
            staging,
            disk,
            stagings: Arc::new(Semaphore::new(cores * STAGINGS_PER_CORE)),
            behind: Arc::new(Semaphore::new(config.prefetch)),
            upload_rate: Rate::new(config.upload_limit, runtime.clone()),
            download_rate: Rate::new(config.download_limit, runtime.clone()),
            runtime,
            pool: BufferPool::new(config.buffer_size - read_budget, config.block_size),
            uploads: Arc::new(Semaphore::new(uploads)),
            downloads: permits(downloads),
            prefetches: permits(prefetches),
            codecs: Arc::new(Semaphore::new(cores)),
            memory: MemoryCache::new(read_budget, config.block_size),
            flights: Arc::default(),
            touches: Touches::new(),
            guard: Guard::new(
                config.get_timeout,
                config.put_timeout,
                config.retries,
                store.describe(),
                question(&store),
            ),
            counts: Counts::default(),
            store,
            config,
        });
        if let Some(staging) = &this.staging {
            this.runtime
                .spawn(upload_staged(Arc::downgrade(&this), Arc::clone(staging)));
            let turns = this.guard.turns();
            this.runtime.spawn(retry_at_turns(Arc::downgrade(staging), turns));
            this.runtime.spawn(watch_neighbours(Arc::downgrade(staging)));
        }
        Ok(this)
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

    /// Whether a slice has its objects: staged here or in the store. Looks at the first one, past every cache.
    ///
    /// # Errors
    /// `Unavailable` or `Timeout` when the store does not answer.
    pub async fn is_stored(&self, id: SliceId, size: u32) -> Result<bool> {
        let Some(block) = blocks(id, size, self.config.block_size).next() else {
            return Ok(true);
        };
        if self.staging.as_ref().is_some_and(|staging| staging.has(&block)) {
            return Ok(true);
        }
        let key = self.key(&block);
        let found = self
            .guard
            .call(crate::guard::Purpose::Read, &key, || self.store.head(&key))
            .await;
        match found {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Drops what is kept of a block on this machine.
    fn forget(&self, block: &BlockId) {
        self.memory.remove(block);
        if let Some(staging) = &self.staging {
            staging.cancel(block);
        }
        if let Some(disk) = &self.disk {
            disk.remove(block);
        }
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

    /// Says that the caller will wait for the barrier once it has done something else.
    pub fn will_sync(&self) {
        self.store.will_sync();
    }

    /// Starts fetching the blocks that hold these bytes of a slice. Returns at once; does nothing for blocks that
    /// are near already, when too much is being fetched ahead, or while such transfers are held.
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
        if self.is_held() {
            return;
        }
        if !self.direct && (self.memory.get(&block).is_some() || self.is_on_disk(&block)) {
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
            let _ = this.fetch(block, Keep::IfRoom).await;
            drop(permit);
        });
    }

    /// Puts the bandwidth limits of a changed setting in force, also for transfers that wait for their turn. Limits that
    /// the machine has set stay ([`ChunkConfig::own_upload_limit`]).
    pub fn follow_setting(&self, setting: &Setting) {
        if !self.config.own_upload_limit {
            self.upload_rate.set(bytes_per_second(setting.upload_limit));
        }
        if !self.config.own_download_limit {
            self.download_rate.set(bytes_per_second(setting.download_limit));
        }
    }

    /// Puts this mount's share of limits over several mounts in force, in bytes per second, 0 for none; the limits of the
    /// volume and of this mount hold beside it.
    pub fn share_limits(&self, upload: u64, download: u64) {
        self.upload_rate.set_share(upload);
        self.download_rate.set_share(download);
    }

    /// Counters since the start.
    pub fn stats(&self) -> ChunkStats {
        let (buffer_used, buffer_limit) = self.pool.usage();
        let disk = self.disk.as_ref().map(DiskCache::counts).unwrap_or_default();
        let (staged_blocks, staging_bypassed) = self
            .staging
            .as_ref()
            .map(|staging| staging.counts())
            .unwrap_or_default();
        ChunkStats {
            store: self.store.counters(),
            memory_bytes: self.memory.weight(),
            cache_damaged: disk.damaged,
            cache_bytes: disk.bytes,
            cache_limit: match (&self.disk, &self.config.cache) {
                (Some(_), Some(cache)) => cache.size_bytes,
                _ => 0,
            },
            cache_blocks: disk.blocks,
            buffer_used,
            buffer_limit,
            staged_blocks,
            staging_bypassed,
            ..self.counts.snapshot()
        }
    }
}

impl Drop for ChunkStore {
    fn drop(&mut self) {
        if let Some(staging) = &self.staging {
            staging.close();
        }
    }
}

/// A permit, waited for in turn.
pub(crate) async fn permit(from: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit> {
    Arc::clone(from).acquire_owned().await.map_err(|_| closed())
}

/// The error of work that outlives its store.
pub(crate) fn closed() -> Error {
    Error::new(ErrorKind::Io, "the volume's data was closed meanwhile")
}
