//! flush, fsync, release.

use moorage_model::{ErrorKind, LockOwner, Result};

use crate::{FileHandle, Vfs};

impl Vfs {
    /// What close(2) waits for: written content is stored and committed, so that the next open anywhere sees it, and the
    /// POSIX locks that `owner` took through this handle are dropped. With [`crate::SyncMode::Always`] also durable.
    ///
    /// Ready on the first poll when nothing was written.
    ///
    /// # Errors
    /// The error of storing what was written, once.
    pub async fn flush(&self, handle: FileHandle, owner: Option<LockOwner>) -> Result<()> {
        let _ = (handle, owner);
        Err(ErrorKind::NotSupported.into())
    }

    /// Returns when what was written to the file survives power loss: own content stored and committed, then one barrier
    /// shared with all who wait.
    ///
    /// # Errors
    /// The error of storing what was written; what the barrier answers.
    pub async fn fsync(&self, handle: FileHandle, datasync: bool) -> Result<()> {
        let _ = (handle, datasync);
        Err(ErrorKind::NotSupported.into())
    }

    /// Gives a handle back: stores what is left, drops its locks, and lets go of a deleted file.
    ///
    /// # Errors
    /// `BadHandle`; what storing answers. The handle is gone in any case.
    pub async fn release(&self, handle: FileHandle, flock_owner: Option<LockOwner>) -> Result<()> {
        let _ = (handle, flock_owner);
        Err(ErrorKind::NotSupported.into())
    }
}
