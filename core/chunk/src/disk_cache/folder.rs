//! One folder of the disk cache.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use moorage_model::TierId;
use parking_lot::Mutex;

use super::index::{Index, PinnedHere};
use super::room::PinRoom;
use crate::block::BlockId;
use crate::block_file::{BlockFile, Form, ending, file_bytes};
use crate::offload::Offload;

/// Open files kept for repeated reads. They pin the space of evicted blocks, so not many.
const OPEN_FILES: usize = 128;
/// Blocks at most, which bounds the memory of the index to about 150 MiB.
pub(super) const MAX_BLOCKS: usize = 1 << 20;
/// Bytes written between two looks at the free space of the disk.
const LOOK_EVERY_BYTES: u64 = 32 << 20;
/// Blocks given up at most after one look at a disk that others fill: eviction must not become a storm.
const EVICTIONS_PER_LOOK: usize = 64;
/// How long a folder that failed is left alone.
const REST: Duration = Duration::from_secs(60);
/// Part of the names that become folders: 256 keep even a million blocks at a few thousand per folder.
const FAN_OUT: u64 = 256;
const TEMPORARY: &str = ".tmp";

/// What a look for a block found.
#[derive(Debug)]
pub(super) enum Look {
    /// The buffer is filled.
    Hit,
    Miss,
    /// It is here, but reading it takes a blocking thread, or the whole block.
    Elsewhere,
}

/// Blocks in the files of one folder.
#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
    capacity: u64,
    free_ratio: f64,
    index: Mutex<Index>,
    open: quick_cache::sync::Cache<BlockId, Arc<BlockFile>>,
    pub(super) offload: Offload,
    /// What an earlier process left is being looked through: the index does not know everything yet.
    loading: AtomicBool,
    /// What is found then may be pinned, and is kept until that is known.
    guards_found: AtomicBool,
    unlooked_bytes: AtomicU64,
    resting_until: Mutex<Option<Instant>>,
    warned: AtomicBool,
    damaged: AtomicU64,
}

impl Folder {
    /// With `guarded`, what an earlier process left is kept until it is said what is pinned.
    pub(super) fn new(root: PathBuf, capacity: u64, free_ratio: f64, guarded: bool) -> Folder {
        Folder {
            root,
            capacity,
            free_ratio: free_ratio.clamp(0.0, 1.0),
            index: Mutex::default(),
            open: quick_cache::sync::Cache::new(OPEN_FILES),
            offload: Offload::new(),
            loading: AtomicBool::new(true),
            guards_found: AtomicBool::new(guarded),
            unlooked_bytes: AtomicU64::new(LOOK_EVERY_BYTES),
            resting_until: Mutex::default(),
            warned: AtomicBool::new(false),
            damaged: AtomicU64::new(0),
        }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Most bytes.
    pub(super) fn capacity(&self) -> u64 {
        self.capacity
    }

    /// Blocks, bytes, and files that failed a checksum.
    pub(super) fn counts(&self) -> (u64, u64, u64) {
        let index = self.index.lock();
        (index.len() as u64, index.bytes(), self.damaged.load(Relaxed))
    }

    /// Says which blocks are pinned, in the place of those that were.
    pub(super) fn replace_pins(&self, pinned: HashSet<BlockId>) {
        self.guards_found.store(false, Relaxed);
        let before = self.index.lock().replace_pins(pinned);
        // Not under the lock: it may be large.
        drop(before);
    }

    pub(super) fn is_pinned(&self, block: &BlockId) -> bool {
        self.index.lock().is_pinned(block)
    }

    pub(super) fn pinned_here(&self) -> PinnedHere {
        self.index.lock().pinned_here()
    }

    /// What could be pinned here. Blocks the thread: two questions to the file system.
    ///
    /// # Errors
    /// Its, when the folder can not be looked at.
    pub(super) fn pin_room(&self) -> io::Result<PinRoom> {
        make_private_folder(&self.root)?;
        let (total, free) = (fs4::total_space(&self.root)?, fs4::available_space(&self.root)?);
        let evictable = {
            let index = self.index.lock();
            index.bytes().saturating_sub(index.pinned_here().bytes)
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a part of the space of a disk, from 0 to all of it"
        )]
        let kept_free = (total as f64 * self.free_ratio) as u64;
        Ok(PinRoom {
            capacity: self.capacity,
            free,
            evictable,
            kept_free,
        })
    }

    /// Forgets blocks whose files somebody else has deleted. Blocks the thread: a look at each file.
    pub(super) fn forget_missing(&self, blocks: &[BlockId]) {
        for block in blocks.iter().filter(|block| self.has(block)) {
            if let Err(error) = fs::symlink_metadata(self.path(block))
                && error.kind() == io::ErrorKind::NotFound
            {
                self.index.lock().remove(block);
                self.open.remove(block);
            }
        }
    }

    fn path(&self, block: &BlockId) -> PathBuf {
        let bucket = block.slice.0 % FAN_OUT;
        self.root.join(format!(
            "{bucket:02x}/{}_{}_{}",
            block.slice.0, block.index, block.len
        ))
    }

    /// Whether a block is known to be here. One lock.
    pub(super) fn has(&self, block: &BlockId) -> bool {
        self.index.lock().contains(block)
    }

    /// Whether a block may be here, by the index alone. One lock.
    pub(super) fn may_have(&self, block: &BlockId) -> bool {
        self.has(block) || self.loading.load(Relaxed)
    }

    /// The open file of a block, as a use of it.
    fn file(&self, block: &BlockId) -> io::Result<Option<Arc<BlockFile>>> {
        if !self.index.lock().touch(block) && !self.loading.load(Relaxed) {
            return Ok(None);
        }
        if let Some(file) = self.open.get(block) {
            return Ok(Some(file));
        }
        let file = match File::open(self.path(block)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.index.lock().remove(block);
                return Ok(None);
            }
            other => Arc::new(BlockFile::open(other?)?),
        };
        if file.trailer.block != *block {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "it holds another block",
            ));
        }
        self.open.insert(*block, Arc::clone(&file));
        Ok(Some(file))
    }

    /// Reads a part of a plain block on this thread while the disk is quick.
    pub(super) fn read_now(&self, block: &BlockId, offset: usize, out: &mut [u8]) -> Look {
        if !self.offload.in_place() {
            return if self.may_have(block) {
                Look::Elsewhere
            } else {
                Look::Miss
            };
        }
        self.offload.timed(|| self.read(block, offset, out))
    }

    /// Reads a part of a plain block. A damaged file is deleted and counts as none.
    pub(super) fn read(&self, block: &BlockId, offset: usize, out: &mut [u8]) -> Look {
        let file = match self.file(block) {
            Ok(Some(file)) => file,
            Ok(None) => return Look::Miss,
            Err(error) => {
                self.unreadable(block, &error);
                return Look::Miss;
            }
        };
        if file.trailer.form != Form::Block {
            return Look::Elsewhere;
        }
        match file.read(offset, out) {
            Ok(()) => Look::Hit,
            Err(error) => {
                self.unreadable(block, &error);
                Look::Miss
            }
        }
    }

    /// The whole payload of a block. A damaged file is deleted and counts as none.
    pub(super) fn load(&self, block: &BlockId) -> Option<(Form, Bytes)> {
        let read = self.file(block).and_then(|file| match file {
            Some(file) => file.read_all().map(|payload| Some((file.trailer.form, payload))),
            None => Ok(None),
        });
        match read {
            Ok(found) => found,
            Err(error) => {
                self.unreadable(block, &error);
                None
            }
        }
    }

    /// Deletes a file that fails its checks; leaves the folder alone when it is the system that fails.
    fn unreadable(&self, block: &BlockId, error: &io::Error) {
        match error.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => self.drop_damaged(block, error),
            _ => self.rest(error),
        }
    }

    /// Deletes a file that can not be trusted.
    pub(super) fn drop_damaged(&self, block: &BlockId, error: &io::Error) {
        self.damaged.fetch_add(1, Relaxed);
        tracing::warn!(
            file = %self.path(block).display(),
            %error,
            "a cached block is damaged and was thrown away; it is fetched again"
        );
        self.remove(block);
    }

    /// Deletes a block. The system call waits for no disk in ordinary file systems.
    pub(super) fn remove(&self, block: &BlockId) {
        if self.index.lock().remove(block) || self.loading.load(Relaxed) {
            self.delete_file(block);
        }
    }

    fn delete_file(&self, block: &BlockId) {
        self.open.remove(block);
        // Gone already is as good; what stays by a failure is found at the next start.
        let _ = fs::remove_file(self.path(block));
    }

    /// Whether the folder takes blocks now.
    pub(super) fn takes(&self) -> bool {
        self.resting_until
            .lock()
            .is_none_or(|until| until <= Instant::now())
    }

    /// Leaves a failing disk alone for a while; says so once until it works again.
    fn rest(&self, error: &io::Error) {
        *self.resting_until.lock() = Some(Instant::now() + REST);
        if !self.warned.swap(true, Relaxed) {
            tracing::warn!(
                folder = %self.root.display(),
                %error,
                "the cache folder does not work; blocks are not cached there until it does"
            );
        }
    }

    /// Writes a block. Runs on the writer's thread.
    pub(super) fn store(&self, block: BlockId, form: Form, payload: &[u8]) {
        if !self.takes() || self.has(&block) {
            return;
        }
        let bytes = file_bytes(payload.len());
        if bytes > self.capacity || !self.make_room(bytes) {
            return;
        }
        match self.write(&block, form, payload) {
            Ok(()) => {
                self.index.lock().insert(block, bytes);
                *self.resting_until.lock() = None;
                self.warned.store(false, Relaxed);
            }
            Err(error) => self.rest(&error),
        }
    }

    /// Takes over a block file from the same file system; deletes it when that is not possible. Runs on the writer's
    /// thread.
    pub(super) fn adopt(&self, block: BlockId, file: &Path) {
        let bytes = fs::metadata(file).map_or(0, |data| data.len());
        let fits = bytes > 0 && bytes <= self.capacity && self.takes() && self.make_room(bytes);
        let path = self.path(&block);
        let moved = fits
            && path
                .parent()
                .is_some_and(|parent| make_private_folder(parent).is_ok())
            && fs::rename(file, &path).is_ok();
        if moved {
            self.index.lock().insert(block, bytes);
        } else {
            // What stays by a failure is uploaded once more at the next start, which does no harm.
            let _ = fs::remove_file(file);
        }
    }

    fn write(&self, block: &BlockId, form: Form, payload: &[u8]) -> io::Result<()> {
        let path = self.path(block);
        let temporary = path.with_extension(TEMPORARY.trim_start_matches('.'));
        let create = || {
            OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .open(&temporary)
        };
        let mut file = match create() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make_private_folder(path.parent().unwrap_or(&self.root))?;
                create()?
            }
            other => other?,
        };
        let written = file
            .write_all(payload)
            .and_then(|()| file.write_all(&ending(*block, form, TierId(0), payload)))
            .and_then(|()| fs::rename(&temporary, &path));
        if written.is_err() {
            // The first error is the one to report.
            let _ = fs::remove_file(&temporary);
        }
        written
    }

    /// Evicts until the bytes fit in the capacity and the disk keeps its free part; whether they do.
    fn make_room(&self, bytes: u64) -> bool {
        loop {
            let victim = {
                let mut index = self.index.lock();
                if index.bytes() + bytes <= self.capacity && index.len() < MAX_BLOCKS {
                    break;
                }
                index.evict()
            };
            match victim {
                Some(block) => self.delete_file(&block),
                None => return false,
            }
        }
        let unlooked = self.unlooked_bytes.fetch_add(bytes, Relaxed) + bytes;
        if unlooked < LOOK_EVERY_BYTES {
            return true;
        }
        for _ in 0..EVICTIONS_PER_LOOK {
            match self.short_of_space() {
                Ok(false) => {
                    self.unlooked_bytes.store(0, Relaxed);
                    return true;
                }
                Ok(true) => {}
                Err(error) => {
                    self.rest(&error);
                    return false;
                }
            }
            let victim = self.index.lock().evict();
            match victim {
                Some(block) => self.delete_file(&block),
                // Others fill the disk; the next block looks again.
                None => return false,
            }
        }
        false
    }

    fn short_of_space(&self) -> io::Result<bool> {
        let total = fs4::total_space(&self.root)?;
        let free = fs4::available_space(&self.root)?;
        Ok((free as f64) < total as f64 * self.free_ratio)
    }

    /// Takes up what an earlier process left, oldest first. Runs on the writer's thread.
    pub(super) fn load_existing(&self) {
        match self.scan() {
            Ok(mut found) => {
                found.sort_unstable_by_key(|(written, ..)| *written);
                let mut index = self.index.lock();
                for (_, block, bytes) in found {
                    if !index.contains(&block) {
                        index.insert(block, bytes);
                    }
                }
                if self.guards_found.load(Relaxed) {
                    index.guard();
                }
            }
            Err(error) => self.rest(&error),
        }
        self.loading.store(false, Relaxed);
    }

    fn scan(&self) -> io::Result<Vec<(SystemTime, BlockId, u64)>> {
        make_private_folder(&self.root)?;
        let mut found = Vec::new();
        for bucket in fs::read_dir(&self.root)? {
            let bucket = bucket?;
            if !bucket.file_type()?.is_dir() {
                continue;
            }
            for entry in fs::read_dir(bucket.path())? {
                let entry = entry?;
                let name = entry.file_name();
                match name.to_str().and_then(BlockId::parse_name) {
                    Some(block) if self.path(&block) == entry.path() => {
                        let data = entry.metadata()?;
                        let written = data.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                        found.push((written, block, data.len()));
                    }
                    // Cut off while it was written; files of others are none of ours.
                    _ if name.to_string_lossy().ends_with(TEMPORARY) => fs::remove_file(entry.path())?,
                    _ => {}
                }
            }
        }
        Ok(found)
    }
}

/// Makes a folder that nobody else may look into: cached blocks are the content of files.
pub(crate) fn make_private_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
