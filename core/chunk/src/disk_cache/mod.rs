//! Blocks kept on the local disk: they survive a restart, and nothing of them is served unchecked.
//!
//! A cache is never in the way: blocks are written by a thread per folder from a queue that is bounded by bytes
//! and drops what does not fit, and a full or broken disk only means that less is cached.

mod folder;
mod index;
mod pins;
mod room;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{self, Receiver, Sender};

use bytes::Bytes;
use moorage_model::{Error, ErrorKind, Result};
use tokio::sync::oneshot;

use crate::block::BlockId;
use crate::block_file::Form;
use crate::config::CacheConfig;
use folder::{Folder, Look};

pub(crate) use folder::make_private_folder;

/// Bytes of blocks that wait to be written to one folder; what comes when they are reached is not cached.
const MAX_QUEUED_BYTES: u64 = 32 << 20;
/// Name of the cache's folder inside that of a volume.
const FOLDER: &str = "blocks";
/// Name of the file beside it that says what is pinned. What is in it is the business of who knows files.
const PINS_FILE: &str = "pins.json";

enum Job {
    /// Writes a block.
    Store(BlockId, Form, Bytes),
    /// Takes over a block file that is there already.
    Adopt(BlockId, PathBuf),
    /// Says that everything before is done.
    Tell(oneshot::Sender<()>),
}

#[derive(Debug)]
struct Writer {
    folder: Arc<Folder>,
    jobs: Sender<Job>,
    queued: Arc<AtomicU64>,
    /// Files on their way from the staging folder.
    adopting: Arc<AtomicU64>,
}

/// The disk cache of one volume.
#[derive(Debug)]
pub(crate) struct DiskCache {
    writers: Vec<Writer>,
    pins_file: PathBuf,
}

/// Blocks, bytes and damaged files of a cache.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DiskCounts {
    pub(crate) blocks: u64,
    pub(crate) bytes: u64,
    pub(crate) damaged: u64,
}

/// The name of a volume's folder: its UUID, unless that could lead elsewhere.
///
/// # Errors
/// `InvalidArgument` for a text that is no UUID.
pub(crate) fn folder_name(uuid: &str) -> Result<&str> {
    let sound = !uuid.is_empty()
        && uuid
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    sound.then_some(uuid).ok_or_else(|| {
        Error::new(
            ErrorKind::InvalidArgument,
            format!("{uuid:?} is no identity of a volume"),
        )
    })
}

impl DiskCache {
    /// Starts the cache in its folders; what is in them is taken up in the background.
    ///
    /// # Errors
    /// `InvalidArgument` for an impossible UUID, `Io` when no thread can be started.
    pub(crate) fn open(config: &CacheConfig, uuid: &str) -> Result<DiskCache> {
        let name = folder_name(uuid)?;
        let first = config.dirs.first().map_or(Path::new(""), PathBuf::as_path);
        let pins_file = first.join(name).join(PINS_FILE);
        // Which blocks they mean is known later than blocks are cached: those of staged files at once.
        let has_pins = pins_file.exists();
        let share = config.size_bytes / config.dirs.len().max(1) as u64;
        let writers = config
            .dirs
            .iter()
            .map(|dir| {
                let root = dir.join(name).join(FOLDER);
                let folder = Arc::new(Folder::new(root, share, config.free_space_ratio, has_pins));
                let (jobs, queue) = mpsc::channel();
                let (queued, adopting) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
                let its_folder = Arc::clone(&folder);
                let (its_queued, its_adopting) = (Arc::clone(&queued), Arc::clone(&adopting));
                std::thread::Builder::new()
                    .name("block-cache".to_owned())
                    .spawn(move || write_all(&its_folder, &queue, &its_queued, &its_adopting))
                    .map_err(|e| {
                        Error::new(ErrorKind::Io, "the thread of the disk cache can not start").with_source(e)
                    })?;
                Ok(Writer {
                    folder,
                    jobs,
                    queued,
                    adopting,
                })
            })
            .collect::<Result<_>>()?;
        Ok(DiskCache { writers, pins_file })
    }

    /// Which of the folders a block belongs to.
    fn place(&self, block: &BlockId) -> usize {
        let number = block.slice.0.wrapping_add(u64::from(block.index));
        // Multiplicative hashing: neighbours must not all go to the same disk.
        let hash = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        let folders = (self.writers.len() as u64).max(1);
        usize::try_from(hash % folders).unwrap_or(0)
    }

    fn writer(&self, block: &BlockId) -> Option<&Writer> {
        self.writers.get(self.place(block))
    }

    /// Hands a block to the writer. No system call, no copy, never waits.
    pub(crate) fn insert(&self, block: BlockId, form: Form, payload: Bytes) {
        let Some(writer) = self.writer(&block) else { return };
        let bytes = payload.len() as u64;
        if !writer.folder.takes() || writer.folder.has(&block) {
            return;
        }
        if writer.queued.fetch_add(bytes, Relaxed) + bytes > MAX_QUEUED_BYTES {
            writer.queued.fetch_sub(bytes, Relaxed);
            return;
        }
        // The thread ends only with the cache.
        let _ = writer.jobs.send(Job::Store(block, form, payload));
    }

    /// Hands a block to the writer, however much waits there: whoever does this calls [`DiskCache::catch_up`] before.
    pub(crate) fn insert_surely(&self, block: BlockId, form: Form, payload: Bytes) {
        let Some(writer) = self.writer(&block) else { return };
        writer.queued.fetch_add(payload.len() as u64, Relaxed);
        // The thread ends only with the cache.
        let _ = writer.jobs.send(Job::Store(block, form, payload));
    }

    /// Waits while more blocks are to be written to the folder of this one than its queue should hold.
    ///
    /// # Cancel safety
    /// Safe.
    pub(crate) async fn catch_up(&self, block: &BlockId) {
        if let Some(writer) = self.writer(block)
            && writer.queued.load(Relaxed) >= MAX_QUEUED_BYTES
        {
            writer.settle().await;
        }
    }

    /// Waits until what earlier processes left is known, and what was handed over until now is written.
    ///
    /// # Cancel safety
    /// Safe.
    pub(crate) async fn settle(&self) {
        for writer in &self.writers {
            writer.settle().await;
        }
    }

    /// Where the blocks lie.
    pub(crate) fn folders(&self) -> Vec<PathBuf> {
        let folders = self.writers.iter().map(|writer| writer.folder.root().to_owned());
        folders.collect()
    }

    /// Says that [`DiskCache::adopt`] follows, before the file is out of the staging queue: so nobody who waits for
    /// both sees neither.
    pub(crate) fn announce(&self, block: &BlockId) {
        if let Some(writer) = self.writer(block) {
            writer.adopting.fetch_add(1, Relaxed);
        }
    }

    /// Takes over an announced block file, or deletes it when it can not be kept: a rename instead of a second write.
    /// `None` takes the announcement back. No system call here.
    pub(crate) fn adopt(&self, block: BlockId, file: Option<PathBuf>) {
        let Some(writer) = self.writer(&block) else { return };
        match file {
            Some(file) => {
                // The thread ends only with the cache.
                let _ = writer.jobs.send(Job::Adopt(block, file));
            }
            None => {
                writer.adopting.fetch_sub(1, Relaxed);
            }
        }
    }

    /// Whether every file that was handed over has left the staging folder.
    pub(crate) fn has_adopted(&self) -> bool {
        self.writers
            .iter()
            .all(|writer| writer.adopting.load(Relaxed) == 0)
    }

    /// Reads a part of a block on this thread; `None` when that is not possible.
    ///
    /// Two locks, one `pread` (and an open with one more `pread` per 128 blocks in turn), one checksum, at most one
    /// copy.
    pub(crate) fn read_now(&self, block: &BlockId, offset: usize, out: &mut [u8]) -> Option<bool> {
        let writer = self.writer(block)?;
        match writer.folder.read_now(block, offset, out) {
            Look::Hit => Some(true),
            Look::Miss => Some(false),
            Look::Elsewhere => None,
        }
    }

    /// Reads a part of a plain block; whether that was possible. Blocks the thread.
    pub(crate) fn read(&self, block: &BlockId, offset: usize, out: &mut [u8]) -> bool {
        self.writer(block)
            .is_some_and(|writer| matches!(writer.folder.read(block, offset, out), Look::Hit))
    }

    /// Whether the block may be here. One lock.
    pub(crate) fn may_have(&self, block: &BlockId) -> bool {
        self.writer(block)
            .is_some_and(|writer| writer.folder.may_have(block))
    }

    /// The whole payload of a block. Blocks the thread.
    pub(crate) fn load(&self, block: &BlockId) -> Option<(Form, Bytes)> {
        self.writer(block)?.folder.load(block)
    }

    /// Deletes a block.
    pub(crate) fn remove(&self, block: &BlockId) {
        if let Some(writer) = self.writer(block) {
            writer.folder.remove(block);
        }
    }

    /// Deletes a block whose payload turned out to be wrong.
    pub(crate) fn drop_damaged(&self, block: &BlockId, why: &Error) {
        if let Some(writer) = self.writer(block) {
            let error = std::io::Error::new(std::io::ErrorKind::InvalidData, why.to_string());
            writer.folder.drop_damaged(block, &error);
        }
    }

    /// Sums over all folders.
    pub(crate) fn counts(&self) -> DiskCounts {
        self.writers.iter().fold(DiskCounts::default(), |sum, writer| {
            let (blocks, bytes, damaged) = writer.folder.counts();
            DiskCounts {
                blocks: sum.blocks + blocks,
                bytes: sum.bytes + bytes,
                damaged: sum.damaged + damaged,
            }
        })
    }
}

impl Writer {
    /// Waits until everything that was sent until now is done.
    async fn settle(&self) {
        let (tell, told) = oneshot::channel();
        if self.jobs.send(Job::Tell(tell)).is_ok() {
            // The thread ends only with the cache.
            let _ = told.await;
        }
    }
}

/// The thread of one folder: takes up what is there, then writes what comes until the cache is dropped.
fn write_all(folder: &Folder, jobs: &Receiver<Job>, queued: &AtomicU64, adopting: &AtomicU64) {
    folder.load_existing();
    while let Ok(job) = jobs.recv() {
        match job {
            Job::Store(block, form, payload) => {
                folder.store(block, form, &payload);
                queued.fetch_sub(payload.len() as u64, Relaxed);
            }
            Job::Adopt(block, file) => {
                folder.adopt(block, &file);
                adopting.fetch_sub(1, Relaxed);
            }
            Job::Tell(tell) => {
                // Nobody may wait any more.
                let _ = tell.send(());
            }
        }
    }
}
