//! opendir, readdir, releasedir, fsyncdir.

use moorage_model::{ErrorKind, Ino, Result};

use crate::{Caller, DirItem, FileHandle, OpenReply, Vfs};

impl Vfs {
    /// Opens a directory for listing; every success needs one [`Vfs::releasedir`].
    ///
    /// # Errors
    /// `NotFound`, `NotDirectory`, `AccessDenied`.
    pub async fn opendir(&self, caller: &Caller, ino: Ino) -> Result<OpenReply> {
        let _ = (caller, ino);
        Err(ErrorKind::NotSupported.into())
    }

    /// Lists entries behind `cookie` (0 is the start): calls `emit` with each until it answers `false`, which means that
    /// the entry did not fit and is asked for again. With `plus` entries carry attributes.
    ///
    /// Entries that exist all the time are listed exactly once, whatever changes between calls. One engine read per thousand
    /// entries.
    ///
    /// # Errors
    /// `BadHandle`, `NotFound`.
    pub async fn readdir(
        &self,
        handle: FileHandle,
        cookie: u64,
        plus: bool,
        emit: &mut (dyn FnMut(DirItem<'_>) -> bool + Send),
    ) -> Result<()> {
        let _ = (handle, cookie, plus, emit);
        Err(ErrorKind::NotSupported.into())
    }

    /// Gives a directory handle back.
    ///
    /// # Errors
    /// `BadHandle`.
    pub async fn releasedir(&self, handle: FileHandle) -> Result<()> {
        let _ = (handle);
        Err(ErrorKind::NotSupported.into())
    }

    /// Returns when all changes of entries made through this client survive power loss.
    ///
    /// # Errors
    /// `BadHandle`; what the barrier answers.
    pub async fn fsyncdir(&self, handle: FileHandle) -> Result<()> {
        let _ = (handle);
        Err(ErrorKind::NotSupported.into())
    }
}
