//! BSD and POSIX locks.

use std::time::Duration;

use moorage_meta::{LockRequest, Wait};
use moorage_model::{FileLockKind, LockOwner, RecordLock, RecordLockKind, Result};
use parking_lot::Mutex;

use crate::handles::OpenedFile;
use crate::journal::Operation;
use crate::{FileHandle, LockWait, RecordLockRequest, Vfs};

/// How often a waiting request is asked whether it is still wanted.
const INTERRUPT_POLL: Duration = Duration::from_millis(50);

impl Vfs {
    /// The first lock of another owner that would keep `request` from being granted.
    ///
    /// # Errors
    /// `BadHandle`, `InvalidArgument`.
    pub async fn getlk(&self, handle: FileHandle, request: RecordLockRequest) -> Result<Option<RecordLock>> {
        let arguments = || format!("{},{request:?}", handle.0);
        self.watch(Operation::GetLk, None, arguments, async {
            let opened = self.handles.file(handle)?;
            let wanted = RecordLock {
                kind: request.kind.unwrap_or(RecordLockKind::Read),
                pid: request.pid,
                start: request.range.start,
                end: request.range.end,
            };
            self.meta
                .record_lock_get(opened.file.ino, request.owner, wanted)
                .await
                .map_err(|error| opened.file.stale_when_gone(error))
        })
        .await
    }

    /// Sets, changes or drops a POSIX lock.
    ///
    /// # Errors
    /// `WouldBlock`, `Interrupted`, `Deadlock`, `BadHandle`; `NotSupported` without a session (read-only mounts).
    ///
    /// # Cancel safety
    /// Safe: a grant that was under way is taken back.
    pub async fn setlk(&self, handle: FileHandle, request: RecordLockRequest, wait: LockWait) -> Result<()> {
        let arguments = || format!("{},{request:?},{wait:?}", handle.0);
        self.watch(Operation::SetLk, None, arguments, async {
            let opened = self.handles.file(handle)?;
            let asked = LockRequest {
                kind: request.kind,
                pid: request.pid,
                start: request.range.start,
                end: request.range.end,
            };
            if request.kind.is_some() {
                note(&opened.record_owners, request.owner);
            }
            let set = |wait| {
                self.meta
                    .record_lock_set(opened.file.ino, request.owner, asked, wait)
            };
            if request.kind.is_none() {
                opened.file.store_and_commit(self).await?;
            }
            let granted = match &wait {
                LockWait::No => set(Wait::No).await,
                LockWait::UntilInterrupted(interrupted) => {
                    self.interruptible(set(Wait::UntilGranted), INTERRUPT_POLL, || interrupted())
                        .await
                }
            };
            granted.map_err(|error| opened.file.stale_when_gone(error))?;
            if request.kind.is_some() {
                self.look_again_when_locked(&opened).await;
            }
            Ok(())
        })
        .await
    }

    /// Sets, changes or (without a kind) drops a BSD lock.
    ///
    /// # Errors
    /// As [`Vfs::setlk`].
    ///
    /// # Cancel safety
    /// As [`Vfs::setlk`].
    pub async fn flock(
        &self,
        handle: FileHandle,
        owner: LockOwner,
        kind: Option<FileLockKind>,
        wait: LockWait,
    ) -> Result<()> {
        let arguments = || format!("{},{owner},{kind:?},{wait:?}", handle.0);
        self.watch(Operation::Flock, None, arguments, async {
            let opened = self.handles.file(handle)?;
            if kind.is_some() {
                opened.note_file_owner(owner);
            }
            let set = |wait| self.meta.flock(opened.file.ino, owner, kind, wait);
            if kind.is_none() {
                opened.file.store_and_commit(self).await?;
            }
            let granted = match &wait {
                LockWait::No => set(Wait::No).await,
                LockWait::UntilInterrupted(interrupted) => {
                    self.interruptible(set(Wait::UntilGranted), INTERRUPT_POLL, || interrupted())
                        .await
                }
            };
            granted.map_err(|error| opened.file.stale_when_gone(error))?;
            if kind.is_some() {
                self.look_again_when_locked(&opened).await;
            }
            Ok(())
        })
        .await
    }

    /// What the last owner of a lock wrote is seen by the next, as after an open: asks for the attributes, and has the
    /// kernel drop what is old. One engine read.
    async fn look_again_when_locked(&self, opened: &OpenedFile) {
        let file = &opened.file;
        if let Err(error) = file.refresh_now(self).await {
            // The lock is held all the same, and the next read asks again.
            tracing::debug!(%error, inode = file.ino.0, "a locked file could not be looked at");
            file.content_mut().suspect();
        }
        let (changed, shown) = {
            let mut content = file.content_mut();
            (
                std::mem::replace(&mut content.foreign_change, false),
                content.shown(),
            )
        };
        if changed {
            self.content_dropped(file.ino).await;
        } else {
            self.show_at_open(file.ino, &shown);
        }
    }

    /// Drops the POSIX locks that this owner, or every owner, took through the handle (spec 70-semantics section 7).
    pub(super) async fn drop_record_locks(
        &self,
        opened: &OpenedFile,
        owner: Option<LockOwner>,
    ) -> Result<()> {
        let owners: Vec<LockOwner> = {
            let mut owners = opened.record_owners.lock();
            match owner {
                Some(owner) => owners.extract_if(.., |known| *known == owner).collect(),
                None => std::mem::take(&mut *owners),
            }
        };
        let whole = LockRequest {
            kind: None,
            pid: 0,
            start: 0,
            end: RecordLock::TO_END,
        };
        let mut outcome = Ok(());
        for owner in owners {
            let dropped = self
                .meta
                .record_lock_set(opened.file.ino, owner, whole, Wait::No)
                .await;
            outcome = outcome.and(dropped);
        }
        outcome
    }

    /// Drops every lock taken through the handle.
    pub(super) async fn drop_all_locks(&self, opened: &OpenedFile) -> Result<()> {
        let mut outcome = self.drop_record_locks(opened, None).await;
        let owners = std::mem::take(&mut *opened.file_owners.lock());
        for owner in owners {
            let dropped = self.meta.flock(opened.file.ino, owner, None, Wait::No).await;
            outcome = outcome.and(dropped);
        }
        outcome
    }
}

impl OpenedFile {
    /// Remembers an owner of BSD locks.
    fn note_file_owner(&self, owner: LockOwner) {
        note(&self.file_owners, owner);
    }
}

fn note(owners: &Mutex<Vec<LockOwner>>, owner: LockOwner) {
    let mut owners = owners.lock();
    if !owners.contains(&owner) {
        owners.push(owner);
    }
}
