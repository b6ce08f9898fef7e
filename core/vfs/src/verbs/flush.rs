//! flush, fsync, release.

use std::sync::Arc;

use moorage_model::{LockOwner, Result};

use crate::handles::{Opened, OpenedFile};
use crate::journal::Operation;
use crate::{FileHandle, SyncMode, Vfs};

impl Vfs {
    /// What close(2) waits for: written content is stored and committed, so that the next open anywhere sees it, and the
    /// POSIX locks that `owner` took through this handle are dropped. With [`SyncMode::Always`] also durable.
    ///
    /// Ready on the first poll when nothing was written. One transaction otherwise.
    ///
    /// # Errors
    /// The error of storing what was written; of data that was given up, once for each handle and for fsync and close
    /// together.
    ///
    /// # Cancel safety
    /// Safe: a dropped future goes on storing by itself, then the locks are dropped. Its error is for the next who
    /// asks.
    pub async fn flush(&self, handle: FileHandle, owner: Option<LockOwner>) -> Result<()> {
        self.watch(Operation::Flush, None, || handle.0.to_string(), async {
            let Opened::File(opened) = self.handles.get(handle)? else {
                return Ok(());
            };
            let unfinished = Unfinished {
                vfs: self,
                opened: &opened,
                owner,
            };
            let durable = self.options.sync_mode == SyncMode::Always && may_write(&opened);
            let settled = opened.settle(self, durable).await;
            let unlocked = match owner {
                Some(owner) => self.drop_record_locks(&opened, Some(owner)).await,
                None => Ok(()),
            };
            std::mem::forget(unfinished);
            unlocked?;
            settled?;
            if durable {
                self.meta.make_durable().await?;
            }
            Ok(())
        })
        .await
    }

    /// Returns when what was written to the file survives power loss: own content stored and committed, then one barrier
    /// shared with all who wait. `datasync` makes no difference, since length and content are one record.
    ///
    /// With a local store and engine: one change of threads, a sync of the object, whose writing began before the commit of
    /// its record, and one of the log.
    ///
    /// # Errors
    /// As [`Vfs::flush`]; what the barrier answers.
    ///
    /// # Cancel safety
    /// As [`Vfs::flush`].
    pub async fn fsync(&self, handle: FileHandle, datasync: bool) -> Result<()> {
        self.watch(
            Operation::FSync,
            None,
            || format!("{},{datasync}", handle.0),
            async {
                if let Opened::File(opened) = self.handles.get(handle)? {
                    let unfinished = Unfinished {
                        vfs: self,
                        opened: &opened,
                        owner: None,
                    };
                    let settled = opened.settle(self, true).await;
                    std::mem::forget(unfinished);
                    settled?;
                    leave_caller().await;
                    self.meta.make_durable().await?;
                }
                Ok(())
            },
        )
        .await
    }

    /// Returns when everything that was written through this client survives power loss, as of sync(2).
    ///
    /// # Errors
    /// The first error of storing a file, after all were tried; what the barrier answers.
    ///
    /// # Cancel safety
    /// Safe: what is not stored stays in memory.
    pub async fn sync_all(&self) -> Result<()> {
        let files = self.files.dirty();
        let stored = self.settle_all(&files).await;
        let durable = self.meta.make_durable().await;
        stored.and(durable)
    }

    /// Gives a handle back: stores what is left, drops every lock taken through it (so `flock_owner` is for the log
    /// only), and lets go of a deleted file.
    ///
    /// Ready on the first poll after a flush when the file still has a name.
    ///
    /// # Errors
    /// `BadHandle`; what storing answers. The handle is gone in any case. Whoever opens the file next is told of data
    /// that was lost.
    pub async fn release(&self, handle: FileHandle, flock_owner: Option<LockOwner>) -> Result<()> {
        let arguments = || format!("{},{flock_owner:?}", handle.0);
        self.watch(Operation::Release, None, arguments, async {
            let Opened::File(opened) = self.handles.remove(handle)? else {
                return Ok(());
            };
            self.readers.note(&opened);
            let settled = opened.file.store_and_commit(self).await;
            let unlocked = self.drop_all_locks(&opened).await;
            self.files.release(&opened.file);
            let closed = self.meta.close_file(opened.file.ino).await;
            settled.and(unlocked).and(closed)
        })
        .await
    }
}

/// Goes on by itself with what a dropped flush or fsync leaves.
struct Unfinished<'v> {
    vfs: &'v Vfs,
    opened: &'v Arc<OpenedFile>,
    /// Whose POSIX locks go when everything is stored.
    owner: Option<LockOwner>,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        let Some(vfs) = self.vfs.this.upgrade() else {
            return;
        };
        let (opened, owner) = (Arc::clone(self.opened), self.owner);
        self.vfs.runtime.spawn(async move {
            let stored = opened.file.store_and_commit(&vfs).await;
            let unlocked = match owner {
                Some(owner) => vfs.drop_record_locks(&opened, Some(owner)).await,
                None => Ok(()),
            };
            if let Err(error) = stored.and(unlocked) {
                tracing::warn!(%error, inode = opened.file.ino.0, "an interrupted flush goes on failing");
            }
        });
    }
}

impl OpenedFile {
    /// Stores what was written, and tells of what was lost; `durable`: the caller will wait for a barrier.
    async fn settle(&self, vfs: &Vfs, durable: bool) -> Result<()> {
        if durable {
            self.file.store_and_commit_to_sync(vfs).await?;
        } else {
            self.file.store_and_commit(vfs).await?;
        }
        self.file.tell_at_sync(&self.told)
    }
}

/// Leaves a thread that polls operations for a door, when this is one: the disk is waited for in a task, which costs no
/// further change of threads.
async fn leave_caller() {
    if tokio::task::try_id().is_none() {
        tokio::task::yield_now().await;
    }
}

fn may_write(opened: &OpenedFile) -> bool {
    opened.flags.write || opened.flags.append
}
