//! A small volume in memory that any number of clients can use at once.
#![allow(dead_code, reason = "each test binary uses a part")]

pub(crate) mod faults;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use moorage_chunk::{CacheConfig, ChunkConfig, ChunkStore, MemoryStore, ObjectStore};
use moorage_engines::MemoryEngine;
use moorage_meta::{Engine, Meta, MetaOptions};
use moorage_model::{Ino, NodeType, Setting, SystemClock};
use moorage_vfs::{Caller, EntryReply, FileHandle, NewNode, OpenFlags, Vfs, VfsOptions};

/// Bytes of a block, small so that files of some hundred kilobytes have many.
pub(crate) const BLOCK: usize = 64 << 10;

/// Database and objects of one volume.
#[derive(Debug)]
pub(crate) struct Volume {
    pub(crate) engine: Arc<MemoryEngine>,
    pub(crate) store: Arc<dyn ObjectStore>,
}

impl Volume {
    /// A new volume without trash.
    pub(crate) async fn new() -> Volume {
        Volume::on(Arc::new(MemoryStore::new())).await
    }

    /// A new volume with its objects in `store`.
    pub(crate) async fn on(store: Arc<dyn ObjectStore>) -> Volume {
        Volume::limited(store, 0).await
    }

    /// A new volume that takes `capacity` bytes; 0 is no limit.
    pub(crate) async fn limited(store: Arc<dyn ObjectStore>, capacity: u64) -> Volume {
        Volume::with(store, |setting| setting.capacity = capacity).await
    }

    /// A new volume with a setting of its own.
    pub(crate) async fn with(store: Arc<dyn ObjectStore>, change: impl FnOnce(&mut Setting)) -> Volume {
        let engine = Arc::new(MemoryEngine::new());
        engine.prepare().await.unwrap();
        let mut setting = Setting {
            name: "test".into(),
            uuid: "5a2f1a3e-9d0c-4a6e-8f3f-0f6f0c1d2e3f".into(),
            storage: "mem".into(),
            block_size: (BLOCK >> 10) as u32,
            compression: "none".into(),
            meta_version: 1,
            dir_stats: true,
            ..Setting::default()
        };
        change(&mut setting);
        let shared: Arc<dyn Engine> = Arc::clone(&engine) as _;
        Meta::format(&shared, &setting, &SystemClock).await.unwrap();
        Volume { engine, store }
    }

    /// One more client with default options, whose caches promise nothing.
    pub(crate) async fn client(&self) -> Arc<Vfs> {
        self.client_with(uncached(), MetaOptions::default()).await
    }

    pub(crate) async fn client_with(&self, options: VfsOptions, meta: MetaOptions) -> Arc<Vfs> {
        self.try_client_with(options, meta).await.unwrap()
    }

    pub(crate) async fn try_client_with(
        &self,
        options: VfsOptions,
        meta: MetaOptions,
    ) -> moorage_model::Result<Arc<Vfs>> {
        let engine: Arc<dyn Engine> = Arc::clone(&self.engine) as _;
        let meta = Meta::open(engine, meta, Arc::new(SystemClock)).await.unwrap();
        self.open(meta, options, None).await
    }

    /// One more client, with a cache on disk of so many bytes.
    pub(crate) async fn caching_client(&self, folder: &Path, size_bytes: u64) -> Arc<Vfs> {
        let engine: Arc<dyn Engine> = Arc::clone(&self.engine) as _;
        let meta = Meta::open(engine, MetaOptions::default(), Arc::new(SystemClock));
        let cache = CacheConfig {
            dirs: vec![folder.to_owned()],
            size_bytes,
            free_space_ratio: 0.0,
        };
        self.open(meta.await.unwrap(), uncached(), Some(cache))
            .await
            .unwrap()
    }

    async fn open(
        &self,
        meta: Arc<Meta>,
        options: VfsOptions,
        cache: Option<CacheConfig>,
    ) -> moorage_model::Result<Arc<Vfs>> {
        let config = ChunkConfig {
            buffer_size: 24 << 20,
            retries: 1,
            cache,
            ..ChunkConfig::from_setting(&meta.setting()).unwrap()
        };
        let chunks = ChunkStore::open(Arc::clone(&self.store), config, &meta.setting().uuid)
            .await
            .unwrap();
        Vfs::open_volume(meta, chunks, options).await
    }
}

/// Options that let nothing be served from a cache.
pub(crate) fn uncached() -> VfsOptions {
    VfsOptions {
        attr_ttl: Duration::ZERO,
        entry_ttl: Duration::ZERO,
        dir_entry_ttl: Duration::ZERO,
        ..VfsOptions::default()
    }
}

/// Options whose attributes are good for longer than a test takes.
pub(crate) fn cached() -> VfsOptions {
    VfsOptions {
        attr_ttl: Duration::from_secs(3600),
        ..VfsOptions::default()
    }
}

pub(crate) const READ_WRITE: OpenFlags = OpenFlags {
    read: true,
    write: true,
    append: false,
    truncate: false,
    exclusive: false,
    direct: false,
};

pub(crate) const READ: OpenFlags = OpenFlags {
    write: false,
    ..READ_WRITE
};

pub(crate) const FILE: NewNode = NewNode {
    kind: NodeType::File,
    mode: 0o644,
    umask: 0,
    rdev: 0,
};

/// Makes a file in the root and opens it for reading and writing.
pub(crate) async fn create(vfs: &Vfs, name: &str) -> (EntryReply, FileHandle) {
    let (entry, opened) = vfs
        .create(&Caller::root(), Ino::ROOT, name.as_bytes(), FILE, READ_WRITE)
        .await
        .unwrap();
    (entry, opened.handle)
}

/// What close(2) does.
pub(crate) async fn close(vfs: &Vfs, handle: FileHandle) -> moorage_model::Result<()> {
    let flushed = vfs.flush(handle, None).await;
    flushed.and(vfs.release(handle, None).await)
}

/// The whole content, read in pieces of an odd size.
pub(crate) async fn content(vfs: &Vfs, handle: FileHandle) -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        let part = vfs.read_bytes(handle, all.len() as u64, 100_003).await.unwrap();
        if part.is_empty() {
            return all;
        }
        all.extend_from_slice(&part);
    }
}

/// Bytes that tell their place.
pub(crate) fn pattern(len: usize, seed: u32) -> Vec<u8> {
    (0..len as u32)
        .map(|i| (i.wrapping_mul(2_654_435_761).wrapping_add(seed.wrapping_mul(97)) >> 13) as u8)
        .collect()
}
