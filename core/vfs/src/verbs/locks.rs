//! BSD and POSIX locks.

use moorage_model::{ErrorKind, FileLockKind, LockOwner, RecordLock, Result};

use crate::{FileHandle, LockWait, RecordLockRequest, Vfs};

impl Vfs {
    /// The first lock of another owner that would keep `request` from being granted.
    ///
    /// # Errors
    /// `BadHandle`, `InvalidArgument`.
    pub async fn getlk(&self, handle: FileHandle, request: RecordLockRequest) -> Result<Option<RecordLock>> {
        let _ = (handle, request);
        Err(ErrorKind::NotSupported.into())
    }

    /// Sets, changes or drops a POSIX lock.
    ///
    /// # Errors
    /// `WouldBlock`, `Interrupted`, `Deadlock`, `BadHandle`.
    ///
    /// # Cancel safety
    /// A dropped future may have taken the lock: unlock, or end the wait through [`LockWait`].
    pub async fn setlk(&self, handle: FileHandle, request: RecordLockRequest, wait: LockWait) -> Result<()> {
        let _ = (handle, request, wait);
        Err(ErrorKind::NotSupported.into())
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
        let _ = (handle, owner, kind, wait);
        Err(ErrorKind::NotSupported.into())
    }
}
