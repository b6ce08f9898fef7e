//! Write-back: blocks are acknowledged from the local disk and uploaded later.
//!
//! A block counts as written once the bytes of its file are synced, the file has its final name, and the folder is
//! synced; one sync of the folder serves all who wait. Files go to the store in the order they were acknowledged,
//! and whatever is left when the process ends, in whichever way, goes when the next one starts.

mod disk;
mod files;
mod folder;
mod ledger;
mod left;
mod name;
mod neighbours;
mod outside;
mod queue;
mod read;
#[cfg(test)]
mod tests;
mod unstored;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use moorage_model::{Error, Ino, Result, TierId};
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::Notify;

use crate::block::BlockId;
use crate::block_file::{Form, ending};
use crate::config::WritebackConfig;
use crate::disk_cache::folder_name;
use crate::disk_error::disk_error;
use crate::hold::Holding;
use crate::offload::{Offload, away};
use crate::pending::PendingUploads;
use disk::{StageDisk, SystemDisk};
pub use files::{StagedFiles, StagedSlice, staged_files};
use folder::StageFolder;
pub use ledger::{Upload, UploadKey, UploadState};
pub use left::{LeftBlocks, left_blocks};
pub use name::StagedName;
use neighbours::Neighbours;
use queue::Queue;
pub use unstored::staged_blocks;

pub(crate) use neighbours::watch_neighbours;
pub(crate) use queue::Staged;

/// How long a staging disk that failed is left alone.
const REST: Duration = Duration::from_secs(30);

/// The staging folder of one volume.
#[derive(Debug)]
pub(crate) struct Staging {
    folder: StageFolder,
    disk: Arc<dyn StageDisk>,
    config: WritebackConfig,
    runtime: Handle,
    offload: Offload,
    queue: Mutex<Queue>,
    neighbours: Neighbours,
    /// Something was staged, arrived or failed.
    pub(crate) changed: Notify,
    folder_sync: FolderSync,
    /// While it lasts, nothing is uploaded.
    holding: Arc<Holding>,
    closed: AtomicBool,
    resting_until: Mutex<Option<Instant>>,
    warned: AtomicBool,
    staged: AtomicU64,
    bypassed: AtomicU64,
    /// Blocks that are stored, and whose files are about to leave the folder.
    leaving: AtomicU64,
}

/// What is left of a staged block that is stored.
#[derive(Debug)]
pub(crate) struct Arrived {
    /// Whether its object is still wanted: the slice may have been deleted meanwhile.
    pub(crate) wanted: bool,
    /// Its file.
    pub(crate) file: PathBuf,
}

impl Arrived {
    /// Deletes the file.
    pub(crate) fn discard(&self) {
        remove(&self.file);
    }
}

/// One sync of a folder for everybody whose names are in it by the time it begins.
#[derive(Debug, Default)]
struct FolderSync {
    tickets: AtomicU64,
    synced: tokio::sync::Mutex<u64>,
}

impl Staging {
    /// Opens the staging folder of a volume and queues what is in it. Blocks the thread.
    ///
    /// # Errors
    /// The disk's when the folder can not be made or read: then nothing may be acknowledged, nor be missed.
    pub(crate) fn open(
        config: &WritebackConfig,
        uuid: &str,
        runtime: Handle,
        holding: Arc<Holding>,
    ) -> Result<Arc<Staging>> {
        Staging::open_on(Arc::new(SystemDisk), config, uuid, runtime, holding)
    }

    fn open_on(
        disk: Arc<dyn StageDisk>,
        config: &WritebackConfig,
        uuid: &str,
        runtime: Handle,
        holding: Arc<Holding>,
    ) -> Result<Arc<Staging>> {
        let base = config.dir.join(folder_name(uuid)?);
        let folder = StageFolder::open(&base, &*disk)?;
        let found = folder
            .scan()
            .map_err(|e| disk_error("can not read the staging folder", folder.root.display(), e))?;
        let mut queue = Queue::default();
        for staged in found {
            if let Some(earlier) = queue.adopt(staged) {
                remove(&folder.path(&earlier));
            }
        }
        if !queue.is_empty() {
            tracing::info!(
                blocks = queue.pending().blocks,
                "blocks staged by an earlier process are uploaded"
            );
        }
        let staging = Arc::new(Staging {
            folder,
            disk,
            config: config.clone(),
            offload: Offload::new(),
            runtime,
            queue: Mutex::new(queue),
            neighbours: Neighbours::default(),
            changed: Notify::new(),
            folder_sync: FolderSync::default(),
            holding,
            closed: AtomicBool::new(false),
            resting_until: Mutex::default(),
            warned: AtomicBool::new(false),
            staged: AtomicU64::new(0),
            bypassed: AtomicU64::new(0),
            leaving: AtomicU64::new(0),
        });
        staging.look_around();
        Ok(staging)
    }

    /// Stages a block durably. `false` when it has to go to the store directly: the folder is full, its oldest
    /// block waits too long, or its disk fails.
    ///
    /// One file written and synced on a blocking thread, one sync of the folder shared with others. Runs in the
    /// runtime. Dropped half-way, the block is not acknowledged; its file is replayed or deleted at the next start.
    pub(crate) async fn stage(
        self: &Arc<Self>,
        block: BlockId,
        owner: Option<Ino>,
        form: Form,
        tier: TierId,
        payload: &Bytes,
    ) -> bool {
        let bytes = payload.len() as u64;
        let resting = self
            .resting_until
            .lock()
            .is_some_and(|until| until > Instant::now());
        let reserved = if resting {
            None
        } else {
            // What is held is late because somebody wants it so.
            let deadline = match self.holding.now() {
                Some(_) => Duration::MAX,
                None => self.config.deadline,
            };
            self.queue.lock().reserve(bytes, self.config.max_bytes, deadline)
        };
        let Some(number) = reserved else {
            self.bypassed.fetch_add(1, Relaxed);
            return false;
        };
        let reservation = Reservation {
            staging: self,
            bytes,
            kept: false,
        };
        let staged = Staged {
            number,
            block,
            owner,
            tier,
            form,
            bytes,
            since: SystemTime::now(),
        };
        match self.write(staged, payload.clone()).await {
            Ok(()) => {
                reservation.keep(staged);
                self.staged.fetch_add(1, Relaxed);
                self.warned.store(false, Relaxed);
                true
            }
            Err(error) => {
                remove(&self.folder.path(&staged));
                self.rest(&error);
                self.bypassed.fetch_add(1, Relaxed);
                false
            }
        }
    }

    async fn write(self: &Arc<Self>, staged: Staged, payload: Bytes) -> Result<()> {
        let this = Arc::clone(self);
        away(&self.runtime, move || {
            let path = this.folder.path(&staged);
            let temporary = this.folder.temporary(staged.number);
            let end = ending(staged.block, staged.form, staged.tier, &payload);
            let written = this
                .disk
                .write_synced(&temporary, [&payload, &end])
                .and_then(|()| this.disk.rename(&temporary, &path));
            written.map_err(|e| {
                remove(&temporary);
                disk_error("can not stage a block in", this.folder.root.display(), e)
            })
        })
        .await?;
        self.sync_folder().await
    }

    /// Returns when the names made before the call are durable.
    async fn sync_folder(self: &Arc<Self>) -> Result<()> {
        let ticket = self.folder_sync.tickets.fetch_add(1, Relaxed) + 1;
        let mut synced = self.folder_sync.synced.lock().await;
        if *synced >= ticket {
            return Ok(());
        }
        let covered = self.folder_sync.tickets.load(Relaxed);
        let this = Arc::clone(self);
        away(&self.runtime, move || {
            let root = &this.folder.root;
            this.disk
                .sync_folder(root)
                .map_err(|e| disk_error("can not sync", root.display(), e))
        })
        .await?;
        *synced = covered;
        Ok(())
    }

    /// Leaves a failing disk alone for a while; says so once until it works again.
    fn rest(&self, error: &Error) {
        *self.resting_until.lock() = Some(Instant::now() + REST);
        if !self.warned.swap(true, Relaxed) {
            tracing::warn!(
                folder = %self.folder.root.display(),
                %error,
                "blocks can not be staged and go to the object store directly until they can"
            );
        }
    }

    /// The next block to upload; waits for one, and for the end of a hold. `None` when the volume is closed.
    pub(crate) async fn next(&self) -> Option<Staged> {
        loop {
            let changed = self.changed.notified();
            let mut changed = std::pin::pin!(changed);
            // Enlisted before the look, so that no change in between is missed.
            changed.as_mut().enable();
            if self.closed.load(Relaxed) {
                return None;
            }
            if self.holding.now().is_some() {
                tokio::select! {
                    () = changed => {}
                    () = self.holding.ends() => {}
                }
                continue;
            }
            let again = match self.queue.lock().start_next() {
                Ok(staged) => return Some(staged),
                Err(again) => again,
            };
            match again {
                // A change may end the pause early.
                Some(at) => drop(tokio::time::timeout_at(at.into(), changed).await),
                None => changed.await,
            }
        }
    }

    /// Records that a block is stored. Its file is the caller's now; should the process end before the caller is done
    /// with it, the block is uploaded once more. [`Staging::left`] ends it.
    pub(crate) fn arrived(&self, staged: &Staged) -> Arrived {
        // First: whoever finds nothing pending must find this.
        self.leaving.fetch_add(1, SeqCst);
        let wanted = self.queue.lock().done(staged);
        self.changed.notify_waiters();
        Arrived {
            wanted,
            file: self.folder.path(staged),
        }
    }

    /// Records that the file of a stored block was taken care of.
    pub(crate) fn left(&self) {
        self.leaving.fetch_sub(1, SeqCst);
        self.changed.notify_waiters();
    }

    /// Whether the files of all stored blocks were taken care of.
    pub(crate) fn is_settled(&self) -> bool {
        self.leaving.load(SeqCst) == 0
    }

    /// Records that an upload failed; it is tried again after a pause.
    pub(crate) fn failed(&self, staged: &Staged, error: &Error) {
        self.queue.lock().failed(staged, error);
        self.changed.notify_waiters();
    }

    /// Puts a block back whose upload was broken off by a hold.
    pub(crate) fn put_back(&self, staged: &Staged) {
        let unwanted = self.queue.lock().put_back(staged);
        if unwanted {
            remove(&self.folder.path(staged));
        }
        self.changed.notify_waiters();
    }

    /// Gives up a block whose file is damaged; the file is kept aside.
    pub(crate) fn lost(&self, staged: &Staged, error: &Error) {
        self.queue.lock().lost(staged, error);
        self.folder.put_aside(&self.folder.path(staged));
        self.changed.notify_waiters();
    }

    /// Notes that the file of a block is gone: its bytes are lost unless it comes back.
    pub(crate) fn gone(&self, staged: &Staged, error: &Error) {
        if self.queue.lock().gone(staged, error) {
            tracing::error!(
                file = %self.folder.path(staged).display(),
                inode = staged.owner.map(|ino| ino.0),
                bytes = staged.block.len,
                "a staged block was deleted before it was uploaded; the file it belongs to has lost these bytes"
            );
        }
        self.changed.notify_waiters();
    }

    /// Looks whether the files of all blocks are there, but of those that are `known` without them: a pause, or a store that
    /// is away, may keep their uploads from finding out. Blocks the thread: a look at each block that waits.
    pub(crate) fn look_for_gone(&self, known: impl Fn(&BlockId) -> bool) {
        let mut waiting = self.queue.lock().waiting();
        waiting.retain(|staged| !known(&staged.block));
        for staged in waiting {
            let path = self.folder.path(&staged);
            match std::fs::symlink_metadata(&path) {
                Ok(_) => self.queue.lock().found(&staged),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    let error = disk_error("can not read staged block", path.display(), error);
                    self.gone(&staged, &error);
                }
                Err(_) => {}
            }
        }
    }

    /// Drops a block that nobody wants any more. One that is on its way is deleted when it has arrived.
    pub(crate) fn cancel(&self, block: &BlockId) {
        let cancelled = self.queue.lock().cancel(block);
        if let Some(staged) = cancelled {
            remove(&self.folder.path(&staged));
            self.changed.notify_waiters();
        }
    }

    pub(crate) fn pending(&self) -> PendingUploads {
        self.queue.lock().pending()
    }

    pub(crate) fn files(&self) -> StagedFiles {
        self.queue.lock().files()
    }

    pub(crate) fn lost_files(&self) -> StagedFiles {
        self.queue.lock().lost_files()
    }

    pub(crate) fn uploads(&self, most: usize) -> Vec<Upload> {
        self.queue.lock().uploads(most)
    }

    /// Tries again now what failed.
    pub(crate) fn retry(&self) {
        self.queue.lock().retry();
        self.changed.notify_waiters();
    }

    /// Uploads that failed since the start, their retries spent.
    pub(crate) fn failures(&self) -> u64 {
        self.queue.lock().failures_ever()
    }

    /// Blocks staged, and blocks that should have been.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.staged.load(Relaxed), self.bypassed.load(Relaxed))
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Relaxed)
    }

    /// Ends the uploads; what is staged stays.
    pub(crate) fn close(&self) {
        self.closed.store(true, Relaxed);
        self.changed.notify_waiters();
    }
}

/// A place in the queue that is given back unless its block is staged.
struct Reservation<'a> {
    staging: &'a Staging,
    bytes: u64,
    kept: bool,
}

impl Reservation<'_> {
    fn keep(mut self, staged: Staged) {
        self.kept = true;
        let earlier = self.staging.queue.lock().add(staged);
        if let Some(earlier) = earlier {
            remove(&self.staging.folder.path(&earlier));
        }
        self.staging.changed.notify_waiters();
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        if !self.kept {
            self.staging.queue.lock().release(self.bytes);
        }
    }
}

/// Deletes a file that is not needed any more; one that stays is uploaded once more, which does no harm.
fn remove(path: &Path) {
    let _ = std::fs::remove_file(path);
}
